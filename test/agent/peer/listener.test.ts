// Unix sockets whose connections come with the process that made them, with real processes.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readlinkSync,
  writeFileSync,
} from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import t from "tap";
import {
  type Callers,
  type Peer,
  type PeerListener,
  startCallers,
} from "../../../agent/peer/index.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { connectFrom, socketFolder, startCaller } from "../../support/callers.ts";

const asRoot = process.getuid?.() === 0 ? false : "needs root to become other users";
const callers: Callers = startCallers({
  log: silentLogger,
  onFailure: (error) => t.fail(error.message),
});
t.teardown(() => callers.stop());

interface Accepted {
  readonly peer: Peer;
  readonly socket: Socket;
}

interface Served {
  readonly path: string;
  readonly listener: PeerListener;
  readonly next: () => Promise<Accepted>;
}

async function serve(
  t: { teardown(fn: () => unknown): void },
  options: Partial<Parameters<Callers["listen"]>[0]> = {},
): Promise<Served> {
  const folder = socketFolder(t);
  chmodSync(folder, 0o711);
  const path = join(folder, "s");
  const waiting: Accepted[] = [];
  const takers: ((accepted: Accepted) => void)[] = [];
  const listener = await callers.listen({
    path,
    mode: 0o777,
    onConnection(socket, peer) {
      const taker = takers.shift();
      if (taker === undefined) waiting.push({ socket, peer });
      else taker({ socket, peer });
    },
    ...options,
  });
  t.teardown(() => listener.stop());
  const next = async (): Promise<Accepted> =>
    waiting.shift() ?? (await new Promise((resolve) => takers.push(resolve)));
  return { path, listener, next };
}

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

t.test("knows pid, uid, gid, start time, parent and program of the caller", async (t) => {
  const { path, next } = await serve(t);
  const caller = await connectFrom(t, path);
  const { peer } = await next();
  t.equal(peer.pid, caller.pid);
  t.equal(peer.uid, process.getuid?.());
  t.equal(peer.gid, process.getgid?.());
  t.ok((peer.startTime ?? 0n) > 0n);
  t.equal(peer.isAlive(), true);
  t.equal(peer.parentPid(), process.pid);
  t.equal(peer.executable()?.path, readlinkSync(`/proc/${caller.pid}/exe`));
  t.equal(peer.executable()?.key, peer.executable()?.key);
});

t.test("takes uid, gid and groups of another user from the kernel", { skip: asRoot }, async (t) => {
  const { path, next } = await serve(t);
  const groups = Array.from({ length: 40 }, (_, i) => 7000 + i);
  await connectFrom(t, path, { uid: 12345, gid: 23456, groups });
  const { peer } = await next();
  t.equal(peer.uid, 12345);
  t.equal(peer.gid, 23456);
  t.same([...peer.groups].sort(), groups, "more than fit in the first buffer");
});

t.test("a connection ends with its process, and its listeners are told once", async (t) => {
  // Paused: not because the kernel closes what the process had open.
  const { path, listener, next } = await serve(t, { paused: true });
  const caller = await connectFrom(t, path);
  const { peer, socket } = await next();
  let told = 0;
  let unwanted = 0;
  peer.onExit(() => told++);
  peer.onExit(() => unwanted++)();
  const closed = once(socket, "close");
  await caller.kill();
  t.equal(peer.isAlive(), false, "known at once, before the event");
  t.throws(() => peer.executable(), { reason: "CALLER_GONE", code: 14 });
  await closed;
  t.equal(told, 1);
  t.equal(unwanted, 0);
  t.equal(listener.connections, 0);
});

t.test("a connection handed to a child ends with the process that made it", async (t) => {
  const { path, next } = await serve(t);
  const caller = await connectFrom(t, path);
  const { peer, socket } = await next();
  // The shell keeps the descriptor open after its parent, whose connection it is, has gone.
  caller.tell('exec ["/bin/sh","-c","sleep 5 & exit"]');
  await once(socket, "close");
  t.equal(peer.isAlive(), false);
});

t.test("notices that a process executes another program on an open connection", async (t) => {
  const { path, next } = await serve(t);
  const caller = await connectFrom(t, path);
  const { peer, socket } = await next();
  const before = peer.executable();
  caller.tell('exec ["/bin/sleep","30"]');
  let after = peer.executable();
  for (let i = 0; i < 2000 && after?.key === before?.key; i++) {
    await turn();
    after = peer.executable();
  }
  t.not(after?.key, before?.key);
  t.match(after?.path, /sleep|busybox|coreutils/);
  t.equal(peer.isAlive(), true, "still the same process");
  t.equal(socket.destroyed, false);
});

t.test("a caller that has gone before its accept is not served", async (t) => {
  const { path, listener } = await serve(t, {
    onConnection: () => t.fail("served a process that had ended"),
  });
  // execFileSync keeps this process from accepting while that one connects and ends.
  const script = `require("node:net").connect(${JSON.stringify(path)}, () => process.exit(0))`;
  execFileSync(process.execPath, ["-e", script]);
  for (let i = 0; i < 20; i++) await turn();
  t.equal(listener.connections, 0);
});

t.test("a thousand connections leave no descriptor behind", async (t) => {
  const { path, listener, next } = await serve(t);
  const before = openDescriptors();
  const caller = await connectFrom(t, path, { count: 1000 });
  const accepted: Accepted[] = [];
  for (let i = 0; i < 1000; i++) accepted.push(await next());
  t.equal(listener.connections, 1000);
  t.ok(openDescriptors() >= before + 2000, "a socket and a pidfd each");
  for (const { socket } of accepted.slice(0, 500)) socket.destroy();
  const rest = accepted.slice(500).map(({ socket }) => once(socket, "close"));
  await caller.kill();
  await Promise.all(rest);
  await turn();
  t.equal(listener.connections, 0);
  t.equal(openDescriptors(), before);
});

t.test(
  "refuses what goes beyond the limit of a user, and serves the others",
  { skip: asRoot },
  async (t) => {
    const { path, listener, next } = await serve(t, { limits: { total: 10, perUid: 4 } });
    const greedy = startCaller(t, path, { uid: 12345, gid: 12345, count: 6 });
    for (let i = 0; i < 4; i++) t.equal((await next()).peer.uid, 12345);
    const lines = [await greedy.line(), await greedy.line(), await greedy.line()];
    t.equal(lines.filter((line) => line === "closed").length, 2);
    await connectFrom(t, path, { uid: 23456, gid: 23456 });
    t.equal((await next()).peer.uid, 23456);
    t.equal(listener.connections, 5);
  },
);

t.test("a connection that its client closes is given up, while the process lives", async (t) => {
  const { path, listener, next } = await serve(t);
  const before = openDescriptors();
  const clients = Array.from({ length: 20 }, () => connect(path));
  for (const [i, client] of clients.entries()) {
    const { socket } = await next();
    socket.resume();
    if (i % 2 === 0) client.destroy();
    else client.resume().end(); // and would go on to read
  }
  while (listener.connections > 0) await turn();
  while (clients.some((client) => !client.destroyed)) await turn();
  while (openDescriptors() > before) await turn();
});

t.test("refuses what goes beyond the limit of a process, and serves others", async (t) => {
  const { path, listener, next } = await serve(t, { limits: { perUid: 10, perProcess: 2 } });
  const greedy = startCaller(t, path, { count: 3 });
  await next();
  await next();
  await connectFrom(t, path, { count: 2 });
  t.equal(listener.connections, 4);
  await greedy.kill();
});

t.test("refuses what goes beyond the limit of the socket, until one leaves", async (t) => {
  const { path, listener, next } = await serve(t, { limits: { total: 2 } });
  const first = await connectFrom(t, path, { count: 2 });
  const { socket } = await next();
  await next();
  const second = startCaller(t, path);
  t.same([await second.line(), await second.line()].sort(), ["closed", "ready"]);
  t.equal(listener.connections, 2);
  const closed = once(socket, "close");
  await first.kill();
  await closed;
  await connectFrom(t, path);
  t.equal((await next()).peer.isAlive(), true);
});

t.test("the socket's file has the mode asked for", async (t) => {
  const { path } = await serve(t, { mode: 0o660 });
  t.equal(lstatSync(path).mode & 0o777, 0o660);
});

t.test("other users may connect only where the mode lets them", { skip: asRoot }, async (t) => {
  const { path, listener } = await serve(t, { mode: 0o600, ownerUid: 12345 });
  const stranger = startCaller(t, path, { uid: 23456, gid: 23456 });
  t.equal(await stranger.line(), "error EACCES");
  await connectFrom(t, path, { uid: 12345, gid: 12345 });
  t.equal(listener.connections, 1);
});

t.test("a stale socket is replaced, a live one and a file are left alone", async (t) => {
  const folder = socketFolder(t);
  const path = join(folder, "s");
  // Killed, so that nobody removes the file.
  const script = `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
  try {
    execFileSync(process.execPath, ["-e", script]);
  } catch {
    // killed, as intended
  }
  t.ok(lstatSync(path).isSocket());
  const options = { path, mode: 0o777, onConnection: () => undefined };
  const listener = await callers.listen(options);
  await t.rejects(callers.listen(options), { reason: "SOCKET_IN_USE", code: 9 });
  t.equal(connect(path).destroy().destroyed, true);
  await listener.stop();
  t.equal(existsSync(path), false, "removed when it stops");
  writeFileSync(path, "precious");
  await t.rejects(callers.listen(options), { reason: "SOCKET_PATH_INVALID", code: 3 });
});

t.test("a path beyond 107 bytes, empty, abstract, or in no folder is a clear error", async (t) => {
  const folder = socketFolder(t);
  const at = (path: string) => callers.listen({ path, mode: 0o777, onConnection: () => undefined });
  const longest = join(folder, "x".repeat(107 - folder.length - 1));
  t.equal(Buffer.byteLength(longest), 107);
  const listener = await at(longest);
  await listener.stop();
  for (const path of [`${longest}x`, "", "\0abstract"]) {
    await t.rejects(at(path), { reason: "SOCKET_PATH_INVALID", code: 3 });
  }
  await t.rejects(at(join(folder, "none", "s")), { reason: "SOCKET_LISTEN_FAILED", code: 9 });
});

// An agent that may open 60 files; it prints a line for each connection and each end of one.
const FEW_FILES = `
const { startCallers } = await import(${JSON.stringify(new URL("../../../agent/peer/index.ts", import.meta.url).href)});
const { silentLogger } = await import(${JSON.stringify(new URL("../../../runtime/log.ts", import.meta.url).href)});
const callers = startCallers({ log: silentLogger, onFailure: (error) => { throw error; } });
await callers.listen({ path: process.argv[1], mode: 0o777, onConnection: (socket, peer) => socket.write("hello") });
console.log("listening");`;

t.test("survives that it has no file descriptor left, and serves again after", async (t) => {
  const path = join(socketFolder(t), "s");
  const agent = spawn(
    "/bin/sh",
    [
      "-c",
      'ulimit -n 60; exec "$@"',
      "sh",
      process.execPath,
      "--input-type=module",
      "-e",
      FEW_FILES,
      path,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  t.teardown(() => agent.kill("SIGKILL"));
  await once(agent.stdout, "data");
  const flood = startCaller(t, path, { count: 200 });
  let [greeted, closed] = [0, 0];
  while (greeted + closed < 200) {
    const line = await flood.line();
    if (line === "data hello") greeted++;
    if (line === "closed") closed++;
  }
  t.ok(greeted > 0 && closed > 100, `${greeted} served, ${closed} refused`);
  await flood.kill();
  // The descriptors come back as the agent notices the end of that process.
  for (let tries = 0; ; tries++) {
    const caller = startCaller(t, path);
    await caller.line();
    const answer = await caller.line();
    if (answer === "data hello") break;
    if (tries === 50) return t.fail(answer);
  }
  t.equal(agent.exitCode, null);
  return undefined;
});
