// The life of a process: parts start in order and stop in reverse with a deadline; background work is
// owned here, so that no promise floats and a loop that dies takes the process down instead of
// leaving it half alive. Signals: SIGTERM and SIGINT stop, SIGHUP reloads.

import { type Clock, systemClock, type Timer } from "./clock.ts";
import type { Logger } from "./log.ts";

/** Something that was started. */
export interface Stoppable {
  stop(): void | Promise<void>;
}

export interface LifecycleOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** How long all stops together may take; what is left then is abandoned. Default 10 s. */
  readonly stopTimeoutMs?: number;
}

interface Part {
  readonly name: string;
  readonly stop: () => void | Promise<void>;
}

/** Owns the parts and the background work of a daemon. */
export class Lifecycle {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #stopTimeoutMs: number;
  readonly #parts: Part[] = [];
  readonly #reloads: (() => Promise<void>)[] = [];
  readonly #background = new Set<Promise<void>>();
  readonly #controller = new AbortController();
  readonly #failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: LifecycleOptions) {
    this.#log = options.log;
    this.#clock = options.clock ?? systemClock;
    this.#stopTimeoutMs = options.stopTimeoutMs ?? 10_000;
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined); // may be watched by nobody
  }

  /** Aborted as soon as stopping begins. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects when background work fails; never resolves. Whoever runs the process races against it. */
  get failed(): Promise<never> {
    return this.#failed;
  }

  /** Starts a part and owns it. If stopping has begun meanwhile, the part is stopped at once. */
  async start<T extends Stoppable>(name: string, start: () => T | Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    const part = await start();
    if (this.signal.aborted) {
      await part.stop();
      this.signal.throwIfAborted();
    }
    this.own(name, () => part.stop());
    return part;
  }

  /** Owns something that is running already: `stop` is called once, in reverse order of owning. */
  own(name: string, stop: () => void | Promise<void>): void {
    this.#parts.push({ name, stop });
  }

  /** Owns something that can read its settings anew: `reload` is called at each {@link reload}. */
  onReload(reload: () => Promise<void>): void {
    this.#reloads.push(reload);
  }

  /**
   * Lets every part that can read its settings anew. One that fails keeps what it had, and the others go on.
   * @throws the first failure, once all have tried
   */
  async reload(): Promise<void> {
    const results = await Promise.allSettled(this.#reloads.map((reload) => reload()));
    const failed = results.filter((result) => result.status === "rejected");
    for (const { reason } of failed.slice(1)) this.#log.error({ error: reason }, "reload failed");
    const [first] = failed;
    if (first !== undefined) throw first.reason;
  }

  /**
   * Runs background work until it returns or its signal aborts. A failure before stopping began is
   * logged and rejects `failed`; what it throws because of the abort is expected.
   */
  run(name: string, work: (signal: AbortSignal) => Promise<void>): void {
    const promise = this.#supervise(name, work).finally(() => this.#background.delete(promise));
    this.#background.add(promise);
  }

  async #supervise(name: string, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    try {
      await work(this.signal);
    } catch (error) {
      if (this.signal.aborted) return;
      this.#log.fatal({ part: name, error }, "background work failed");
      this.#fail(error);
    }
  }

  /** Aborts background work, then stops every part in reverse order. Never rejects; runs once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#controller.abort(new Error("the process is stopping"));
    const waiting = new Set<string>();
    const all = (async () => {
      for (const part of this.#parts.toReversed()) {
        waiting.add(part.name);
        try {
          await part.stop();
        } catch (error) {
          this.#log.error({ part: part.name, error }, "could not stop cleanly");
        }
        waiting.delete(part.name);
      }
      await Promise.all(this.#background);
    })();
    let timer: Timer | undefined;
    const deadline = new Promise<"late">((resolve) => {
      timer = this.#clock.setTimer(this.#stopTimeoutMs, () => resolve("late"), { keepAlive: true });
    });
    const outcome = await Promise.race([all, deadline]);
    timer?.cancel();
    if (outcome === "late") {
      this.#log.error({ waiting_for: [...waiting] }, "did not stop in time; giving up");
    }
  }
}

export interface SignalOptions {
  readonly log: Logger;
  /** Called at the first SIGTERM or SIGINT. The second one ends the process at once with exit code 1. */
  readonly onStop: (signal: NodeJS.Signals) => void;
  /** Called at each SIGHUP. Without it a SIGHUP is ignored, so that a closed terminal kills nothing. */
  readonly onReload?: () => void | Promise<void>;
}

/** Listens to the process's signals until the returned function is called. */
export function handleSignals(options: SignalOptions): () => void {
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1);
    stopping = true;
    options.log.info({ signal }, "stopping");
    options.onStop(signal);
  };
  const reload = (): void => {
    if (options.onReload === undefined || stopping) return;
    options.log.info({ signal: "SIGHUP" }, "reloading");
    Promise.resolve()
      .then(options.onReload)
      .catch((error: unknown) =>
        options.log.error({ error }, "reload failed; what could not be read stays as it was"),
      );
  };
  process.on("SIGTERM", stop).on("SIGINT", stop).on("SIGHUP", reload);
  return () => {
    process.off("SIGTERM", stop).off("SIGINT", stop).off("SIGHUP", reload);
  };
}
