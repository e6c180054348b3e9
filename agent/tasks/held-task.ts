// One task that this node agent holds: what is known of it, and who waits for changes. What becomes of it:
// tasks.ts.

import type { TaskStatus } from "../cache/task-status.ts";
import type { HeldRecord } from "./journal.ts";
import type { BoundProcess } from "./processes.ts";
import type { Task, TaskSvid } from "./server.ts";
import { stateNumber } from "./state.ts";
import type { TaskSocket } from "./task-socket.ts";

export interface HeldTaskOptions {
  readonly record: HeldRecord;
  /** As the server has it; undefined after a restart until the server was asked. */
  readonly task: Task | undefined;
  /** The process it ends with. */
  readonly process: BoundProcess | undefined;
  /** Counts it no longer. */
  readonly leave: () => void;
}

export class HeldTask {
  readonly id: string;
  readonly spiffeId: string;
  /** Of the task's public key, DER. */
  readonly spki: Uint8Array;
  record: HeldRecord;
  process: BoundProcess | undefined;
  /** What renewals for its holder are made from, once the holder has sent it. */
  csr: Uint8Array | undefined;
  /** For its holder. Those of its socket are in a cache of their own. */
  svid: TaskSvid | undefined;
  /** Of a task that a command was launched for. */
  socket: TaskSocket | undefined;
  /** Why it is refused now. */
  refusal: TaskStatus | undefined;
  #task: Task | undefined;
  #ended: string | undefined;
  #endReason = "";
  #version = 0;
  readonly #leave: () => void;
  readonly #waiting = new Set<() => void>();

  constructor({ record, task, process, leave }: HeldTaskOptions) {
    this.id = record.taskId;
    this.spiffeId = record.spiffeId;
    this.spki = Buffer.from(record.spki, "base64");
    this.record = record;
    this.process = process;
    this.#task = task;
    this.#leave = leave;
  }

  /** SPIFFE ID of the AI agent whose processes may call for it: the task's own, or its host. */
  get holder(): string {
    return this.record.host ?? this.record.aiAgent;
  }

  /** As it was last heard of. */
  get task(): Task | undefined {
    return this.#task;
  }

  /** The state that it ended in. */
  get endState(): string | undefined {
    return this.#ended;
  }

  /** Why it ended, for people. */
  get endReason(): string {
    return this.#endReason;
  }

  /** Whether credentials may be made for it. */
  get isGood(): boolean {
    return this.#ended === undefined && this.refusal === undefined;
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** The server has said how it is. */
  learn(task: Task): void {
    if (this.#task !== undefined && task.version < this.#task.version) return;
    this.#task = task;
    this.touch();
  }

  /** It is in another state: what else the server has to say comes later. */
  guess(state: string, stateReason: string): void {
    const number = stateNumber(state);
    if (this.#task !== undefined && number !== undefined) {
      this.#task = { ...this.#task, state: number, stateReason };
    }
    this.touch();
  }

  /** It is over: lets go of everything but its name and key. */
  end(state: string, reason: string, now: Date): void {
    if (this.#ended !== undefined) return;
    this.#ended = state;
    this.#endReason = reason;
    if (this.#task !== undefined) {
      const number = stateNumber(state) ?? this.#task.state;
      const endedAtMs = now.getTime();
      this.#task = { ...this.#task, state: number, stateReason: reason, endedAtMs };
    }
    this.svid = undefined;
    this.csr = undefined;
    this.release();
    this.#leave();
    this.touch();
  }

  /** Lets go of its process. */
  release(): void {
    this.process?.close();
    this.process = undefined;
  }

  /** Wakes everyone who waits. */
  touch(): void {
    this.#version += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the first change after `version`, or when the signal aborts. */
  changedSince(version: number, signal: AbortSignal): Promise<void> {
    if (this.#version !== version || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }
}
