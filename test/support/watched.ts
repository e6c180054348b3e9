// `signet ...` as a process of its own, and what the kernel knows of it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { accepts } from "./listening.ts";

const cli = new URL("../../cli/index.ts", import.meta.url).pathname;

/** A daemon, and what the kernel knows of it. */
export class Watched {
  readonly #child: ChildProcess;
  #errors = "";

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    this.#child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = `${this.#errors}${text}`.slice(-4000);
    });
  }

  /** What it logged before it ended; undefined while it runs. */
  get end(): string | undefined {
    return this.isRunning ? undefined : this.#errors;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Memory that is in RAM. */
  get residentMebibytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  /** Open file descriptors. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  /** Waits until it takes connections at a socket. */
  async accepts(path: string): Promise<void> {
    const deadline = performance.now() + 90_000;
    while (!(await accepts(path))) {
      if (!this.isRunning || performance.now() > deadline) {
        throw new Error(`a daemon did not start: ${this.#errors}`);
      }
      await sleep(10);
    }
  }

  async stop(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await exited;
  }
}
