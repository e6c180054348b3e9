// Starts test/support/task-holder.ts: real processes that hold tasks.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { HolderAnswer, HolderCommand } from "./task-holder.ts";

const PROGRAM = new URL("./task-holder.ts", import.meta.url).pathname;

export class TestHolder {
  readonly child: ChildProcess;
  readonly #takers: ((line: string) => void)[] = [];

  private constructor(child: ChildProcess) {
    this.child = child;
    if (child.stdout === null) throw new Error("no output");
    createInterface(child.stdout).on("line", (line) => this.#takers.shift()?.(line));
  }

  /** A process that calls this socket; killed after the test. */
  static start(
    t: { teardown(fn: () => unknown): void },
    socket: string,
    ids: { readonly uid?: number; readonly gid?: number } = {},
  ): TestHolder {
    const child = spawn(process.execPath, [PROGRAM, socket], {
      stdio: ["pipe", "pipe", "inherit"],
      ...ids,
    });
    child.stdin?.on("error", () => undefined);
    const holder = new TestHolder(child);
    t.teardown(() => holder.kill());
    return holder;
  }

  tell(command: HolderCommand): Promise<HolderAnswer> {
    this.child.stdin?.write(`${JSON.stringify(command)}\n`);
    return new Promise((resolve) =>
      this.#takers.push((line) => resolve(JSON.parse(line) as HolderAnswer)),
    );
  }

  /** As `kill -9` does. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, "exit");
    this.child.kill("SIGKILL");
    await exit;
  }
}
