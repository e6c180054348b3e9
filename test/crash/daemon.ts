// Server and agent as processes that can be killed at any instant and started again on their folders.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { accepts } from "../support/listening.ts";

const cli = new URL("../../cli/index.ts", import.meta.url).pathname;

/** A `signet ...` process. */
export class Daemon {
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  #errors = "";

  constructor(args: readonly string[]) {
    this.#args = args;
  }

  /** Starts it, and waits until its socket takes connections. */
  async start(socket: string): Promise<void> {
    this.#errors = "";
    const child = spawn(process.execPath, [cli, ...this.#args], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.#errors = `${this.#errors}${text}`.slice(-8000);
    });
    this.#child = child;
    const deadline = Date.now() + 30_000;
    while (!(await accepts(socket))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`signet ${this.#args.join(" ")} did not start:\n${this.#errors}`);
      }
      await sleep(10);
    }
  }

  /** kill -9, and waits until the kernel has taken everything back. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }

  /** In order, as an operator stops it. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }

  /** Stops it in its tracks (SIGSTOP), connections and all. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  /** Lets it go on. */
  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  get errors(): string {
    return this.#errors;
  }
}
