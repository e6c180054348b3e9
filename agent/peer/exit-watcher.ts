// Tells when processes end. Their pidfds are watched by one worker thread (exit-worker.ts); a process
// without a pidfd (kernels before 5.3, some sandboxes) is looked at twice a second instead.

import { closeSync, writeSync } from "node:fs";
import { Worker } from "node:worker_threads";
import { addToEpoll, createEpoll, createEventfd, removeFromEpoll } from "./epoll.ts";
import type { ExitWorkerData } from "./exit-worker.ts";

const POLL_MS = 500;
// Compiled or not, the worker's file ends as this one does.
const WORKER_FILE = new URL(
  import.meta.url.endsWith(".ts") ? "./exit-worker.ts" : "./exit-worker.js",
  import.meta.url,
);

/** A process to watch: by its pidfd, or by asking whether it still runs. */
export interface Watched {
  readonly pidfd: number | undefined;
  isAlive(): boolean;
}

interface Watch {
  readonly process: Watched;
  readonly onExit: () => void;
}

/** One for all sockets of a process. */
export class ExitWatcher {
  readonly #epoll: number;
  readonly #stopEvent: number;
  readonly #worker: Worker;
  readonly #watches = new Map<number, Watch>();
  readonly #ended: Promise<void>;
  /** Resolves when the thread waits; rejects when it ends before. */
  readonly ready: Promise<void>;
  #nextId = 1;
  #polled = 0;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** `onFailure` is told when the thread dies: without it no exit is noticed, so the agent must stop. */
  constructor(onFailure: (error: Error) => void) {
    this.#epoll = createEpoll();
    this.#stopEvent = createEventfd();
    addToEpoll(this.#epoll, this.#stopEvent, 0);
    const workerData: ExitWorkerData = { epoll: this.#epoll };
    this.#worker = new Worker(WORKER_FILE, {
      workerData,
      execArgv: [],
      // It holds a loop and one buffer.
      resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 },
    });
    this.ready = new Promise((resolve, reject) => {
      this.#worker.once("message", () => {
        // From now on it keeps no process alive; until then somebody waits for it.
        if (!this.#stopped) this.#worker.unref();
        resolve();
      });
      this.#worker.once("exit", () => reject(new Error("the thread has ended")));
    });
    this.ready.catch(() => undefined); // may be waited for by nobody
    this.#worker.on("message", (ids: number[]) => {
      for (const id of ids) this.#fire(id);
    });
    this.#worker.on("error", onFailure);
    this.#ended = new Promise((resolve) => {
      this.#worker.once("exit", () => {
        if (!this.#stopped) onFailure(new Error("the thread that watches processes has ended"));
        resolve();
      });
    });
    // A thread blocked in a system call cannot be ended from outside: without this, process.exit hangs.
    process.once("exit", this.#wake);
  }

  /** Calls `onExit` once, after the process has ended; at the next turn when it has already. */
  watch(process: Watched, onExit: () => void): () => void {
    const id = this.#nextId++;
    this.#watches.set(id, { process, onExit });
    if (process.pidfd === undefined) this.#startPolling();
    else addToEpoll(this.#epoll, process.pidfd, id);
    // To be called before the pidfd is closed.
    return () => {
      if (!this.#watches.delete(id)) return;
      if (process.pidfd === undefined) this.#stopPolling();
      else if (!this.#stopped) removeFromEpoll(this.#epoll, process.pidfd);
    };
  }

  /** Ends the thread. Nothing is reported after. */
  async stop(): Promise<void> {
    if (this.#stopped) return this.#ended;
    process.off("exit", this.#wake);
    this.#worker.ref();
    this.#wake();
    this.#watches.clear();
    clearInterval(this.#timer);
    await this.#ended;
    closeSync(this.#epoll);
    closeSync(this.#stopEvent);
  }

  readonly #wake = (): void => {
    if (this.#stopped) return;
    this.#stopped = true;
    const one = Buffer.alloc(8);
    one.writeBigUInt64LE(1n);
    writeSync(this.#stopEvent, one);
  };

  #fire(id: number): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return; // removed while its message was on the way
    this.#watches.delete(id);
    if (watch.process.pidfd === undefined) this.#stopPolling();
    else if (!this.#stopped) removeFromEpoll(this.#epoll, watch.process.pidfd);
    watch.onExit();
  }

  #startPolling(): void {
    this.#polled++;
    this.#timer ??= setInterval(() => {
      for (const [id, { process }] of this.#watches) {
        if (process.pidfd === undefined && !process.isAlive()) this.#fire(id);
      }
    }, POLL_MS).unref();
  }

  #stopPolling(): void {
    if (--this.#polled > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
