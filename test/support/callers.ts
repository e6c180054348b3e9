// Real processes that call a unix socket: started with a uid, groups and a program of the test's
// choice, and told over their standard input what to do next.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

interface Teardown {
  teardown(fn: () => unknown): void;
}

/** A folder with a short path, for sockets, that is removed after the test; others may enter it. */
export function socketFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), "sg-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface CallerOptions {
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  /** How many connections it opens. Default 1. */
  readonly count?: number;
  /** The program; default this Node. It must be a Node too. */
  readonly program?: string;
}

/** A process with open connections. */
export interface Caller {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The next line that it prints: "ready", "closed", "error ECONNREFUSED", or an answer. */
  line(): Promise<string>;
  /**
   * Sends one line: "open PATH", "write TEXT", "exit", "exec" and a JSON array, "fork PATH" (starts a
   * child that connects), "fork-reopen PATH" (one that connects again when its parent has ended),
   * "fork-as UID",
   * "fork-late PATH" (one that connects only then),
   * "relay LINE" (tells the child started last).
   */
  tell(command: string): void;
  /** Kills it and waits until it is gone. */
  kill(): Promise<void>;
}

const KOFFI = createRequire(import.meta.url).resolve("koffi");

// Plain JavaScript of one file: it runs under other users, who may not read this folder.
const PROGRAM = `
const net = require("node:net");
const { uid, gid, groups, count, path, koffi, reopen, parent } = JSON.parse(process.argv[1]);
if (groups) process.setgroups(groups);
if (gid !== undefined) process.setgid(gid);
if (uid !== undefined) process.setuid(uid);
process.stdout.on("error", () => process.exit(0)); // who started this one has ended
const say = (line) => process.stdout.write(line + "\\n");
setTimeout(() => process.exit(3), 20000); // whatever becomes of the test
const sockets = [];
function open(path, done) {
  const socket = net.connect({ path, allowHalfOpen: false });
  socket.on("connect", () => done());
  socket.on("data", (data) => say("data " + data));
  socket.on("error", (error) => say("error " + error.code));
  socket.on("close", () => say("closed"));
  sockets.push(socket);
}
let connected = 0;
for (let i = 0; i < count; i++) open(path, () => { if (++connected === count) say("ready"); });
if (count === 0) say("ready");
let last;
const fork = (path, more) => {
  const options = JSON.stringify({ path, count: path ? 1 : 0, koffi, parent: process.pid, ...more });
  last = require("node:child_process").spawn(process.execPath, ["-e", process.execArgv[1], options],
    { stdio: ["pipe", "inherit", "inherit"] });
  say("child " + last.pid);
};
const commands = require("node:readline").createInterface(process.stdin);
const reopened = () => process.ppid === parent
  ? setTimeout(reopened, 5) // its files are closed before it is gone
  : open(path, () => say("reopened"));
commands.on("close", () => reopen ? reopened() : process.exit(0));
commands.on("line", (line) => {
  const [verb, ...words] = line.split(" ");
  if (verb === "open") open(words[0], () => say("opened"));
  if (verb === "fork") fork(words[0], {});
  if (verb === "fork-as") fork("", { uid: Number(words[0]), gid: Number(words[0]) });
  if (verb === "fork-reopen") fork(words[0], { reopen: true });
  if (verb === "fork-late") fork(words[0], { reopen: true, count: 0 });
  if (verb === "relay") last.stdin.write(words.join(" ") + "\\n");
  if (verb === "write") for (const socket of sockets) socket.write(words[0]);
  if (verb === "exit") process.exit(0);
  if (verb === "exec") {
    const fcntl = require(koffi).load(null).func("int fcntl(int, int, int)");
    for (const socket of sockets) fcntl(socket._handle.fd, 2, 0); // keep it open across exec
    const command = JSON.parse(line.slice(5));
    process.execve(command[0], command, {});
  }
});`;

/** Starts a process that connects to the socket at `path`; it is killed after the test. */
export async function connectFrom(
  t: Teardown,
  path: string,
  options: CallerOptions = {},
): Promise<Caller> {
  const caller = startCaller(t, path, options);
  const line = await caller.line();
  if (line !== "ready") throw new Error(`the caller said: ${line}`);
  return caller;
}

/** As connectFrom, without waiting for the connection. */
export function startCaller(t: Teardown, path: string, options: CallerOptions = {}): Caller {
  const { program = process.execPath, count = 1, ...ids } = options;
  const child = spawn(
    program,
    ["-e", PROGRAM, JSON.stringify({ ...ids, count, path, koffi: KOFFI })],
    {
      stdio: ["pipe", "pipe", "inherit"],
      cwd: "/",
    },
  );
  child.on("error", () => undefined);
  child.stdin.on("error", () => undefined);
  const exit = once(child, "exit");
  const lines: string[] = [];
  const takers: ((line: string) => void)[] = [];
  createInterface(child.stdout).on("line", (line) => {
    const taker = takers.shift();
    if (taker === undefined) lines.push(line);
    else taker(line);
  });
  const kill = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exit;
    child.stdout.destroy(); // a descendant may still have it
  };
  t.teardown(kill);
  return {
    child,
    pid: child.pid ?? -1,
    line: async () => lines.shift() ?? (await new Promise((resolve) => takers.push(resolve))),
    tell: (command) => void child.stdin.write(`${command}\n`),
    kill,
  };
}
