// The processes that an example starts: what they report, one JSON line each on standard output, and how
// they run under identities of their own.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { dirname } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const root = new URL("..", import.meta.url).pathname;
export const CLI: string = `${root}cli/index.ts`;

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** What a process tells whoever started it. */
export interface Reported {
  readonly event: string;
}

/** A process of an example, and all that it has reported. */
export class Participant<Report extends Reported> {
  readonly name: string;
  readonly reports: Report[] = [];
  readonly ended: Promise<number | null>;
  readonly #child: Child;
  #wake: (() => void)[] = [];

  constructor(name: string, child: Child) {
    this.name = name;
    this.#child = child;
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("{")) this.reports.push(JSON.parse(line) as Report);
      this.#notify();
    });
    this.ended = once(child, "close").then(([code]) => {
      this.#notify();
      return code as number | null;
    });
    child.stdin.on("error", () => {});
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The newest report of a kind that `fits`; waits for it. */
  async next<K extends Report["event"]>(
    event: K,
    fits: (report: Extract<Report, { event: K }>) => boolean = () => true,
  ): Promise<Extract<Report, { event: K }>> {
    const deadline = Date.now() + 30_000;
    for (;;) {
      const found = this.all(event).findLast(fits);
      if (found !== undefined) return found;
      if (!this.running || Date.now() > deadline) {
        throw new Error(`${this.name} ended or waited too long for "${event}"`);
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 1000);
        this.#wake.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  all<K extends Report["event"]>(event: K): Extract<Report, { event: K }>[] {
    return this.reports.filter(
      (report): report is Extract<Report, { event: K }> => report.event === event,
    );
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Tells it to stop, and waits for its end. */
  async stop(): Promise<void> {
    this.#child.stdin.end();
    const killer = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await this.ended;
    clearTimeout(killer);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #notify(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** How processes of one program get identities of their own on this machine. */
export type Separation =
  | { readonly kind: "users"; readonly uids: ReadonlyMap<string, number> }
  | { readonly kind: "names"; readonly why: string };

const FIRST_UID = 64_001;

/** Separate users where this process may start them and they may read this folder; else launched names. */
export function separation(names: readonly string[]): Separation {
  if (process.getuid?.() !== 0) return { kind: "names", why: "not started as root" };
  for (let dir = root; ; dir = dirname(dir)) {
    if ((statSync(dir).mode & 0o005) !== 0o005) {
      return { kind: "names", why: `other users may not read ${dir}` };
    }
    if (dir === dirname(dir)) break;
  }
  return { kind: "users", uids: new Map(names.map((name, index) => [name, FIRST_UID + index])) };
}

/** The selector that tells `name` apart from the others. */
export function selectorOf(name: string, how: Separation): string {
  return how.kind === "users" ? `unix:uid:${how.uids.get(name)}` : `launch:name:${name}`;
}

/** Starts one of the examples' programs as `name`; `registered` false: the way nobody registered. */
export function start<Report extends Reported>(
  name: string,
  program: string,
  how: Separation,
  options: { socket: string; env: Readonly<Record<string, string>>; registered?: boolean },
): Participant<Report> {
  const path = `${root}examples/${program}`;
  const endpoint = `unix://${options.socket}`;
  const launched = how.kind === "names" && options.registered !== false;
  const args = launched
    ? [CLI, "run", "--socket", endpoint, "--name", name, "--", process.execPath, path]
    : [path];
  const uid = how.kind === "users" ? how.uids.get(name) : undefined;
  const child = spawn(process.execPath, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] ?? "", SPIFFE_ENDPOINT_SOCKET: endpoint, ...options.env },
    cwd: "/",
    ...(uid !== undefined && { uid, gid: uid }),
  });
  return new Participant<Report>(name, child);
}
