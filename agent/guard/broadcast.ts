// What guards are told of tasks (signet.guard.v1 WatchStatus): first all that are to be refused, then every
// change in the turn in which it came, and a beat each second. Each message is encoded once for all who
// watch. One who reads too slowly is started over, with everything as it is then.

import { Encoded } from "../../proto/rpc/service.ts";
import { GuardService, type signet, TaskVerdict as Wire } from "../../proto/schema.gen.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import type {
  TaskClassRules,
  TaskStatus,
  TaskStatusCache,
  TaskStatusChange,
  TaskVerdict,
} from "../cache/task-status.ts";

export interface BroadcastOptions {
  readonly taskStatus: Pick<
    TaskStatusCache,
    "refused" | "classes" | "isFresh" | "onChange" | "onFreshness"
  >;
  readonly clock: Clock;
}

export const BEAT_MS = 1000;
/** Of a message: a tenth of what clients take. */
const TASKS_PER_PAGE = 2000;
/** Messages that wait for one who reads slowly. */
const MAX_WAITING = 256;

const { response } = GuardService.methods.watchStatus;

const VERDICTS: Readonly<Record<TaskVerdict, number>> = {
  good: Wire.GOOD,
  refused: Wire.REFUSED,
  ended: Wire.ENDED,
};

/** Everything, in pages that are encoded when the first watcher asks for them. */
class Snapshot {
  readonly #tasks: readonly TaskStatus[];
  readonly #classes: readonly TaskClassRules[];
  readonly #isFresh: boolean;
  readonly #pages: (Encoded | undefined)[] = [];
  readonly pageCount: number;

  constructor({ taskStatus }: BroadcastOptions) {
    this.#tasks = [...taskStatus.refused()];
    this.#classes = [...taskStatus.classes.values()];
    this.#isFresh = taskStatus.isFresh();
    this.pageCount = Math.max(1, Math.ceil(this.#tasks.length / TASKS_PER_PAGE));
  }

  page(index: number): Encoded {
    const from = index * TASKS_PER_PAGE;
    this.#pages[index] ??= Encoded.of(response, {
      reset: index === 0,
      tasks: this.#tasks.slice(from, from + TASKS_PER_PAGE).map(statusToWire),
      classes: index === 0 ? this.#classes : [],
      fresh: this.#isFresh,
      complete: index === this.pageCount - 1,
    });
    return this.#pages[index];
  }
}

class Watcher {
  waiting: Encoded[] = [];
  /** Has missed something: is told everything anew. */
  mustReset = true;
  wake: () => void = () => {};

  push(message: Encoded): void {
    if (this.mustReset) return;
    if (this.waiting.length >= MAX_WAITING) this.reset();
    else this.waiting.push(message);
    this.wake();
  }

  /** For one that reads more slowly than beats come, a beat is worth nothing. */
  beat(message: Encoded): void {
    if (this.waiting.length === 0) this.push(message);
  }

  reset(): void {
    this.mustReset = true;
    this.waiting = [];
    this.wake();
  }
}

/** Tells everyone who watches. */
export class StatusBroadcast {
  readonly #options: BroadcastOptions;
  readonly #watchers = new Set<Watcher>();
  #snapshot: Snapshot | undefined;
  #stops: readonly (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(options: BroadcastOptions) {
    this.#options = options;
  }

  /** How many watch. */
  get size(): number {
    return this.#watchers.size;
  }

  /** Every message for one watcher, until the signal aborts. */
  async *watch(signal: AbortSignal): AsyncGenerator<Encoded, void> {
    const watcher = new Watcher();
    this.#enter(watcher);
    const onAbort = (): void => watcher.wake();
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      while (!signal.aborted) {
        if (watcher.mustReset) {
          watcher.mustReset = false;
          yield* this.#everything(watcher, signal);
        }
        const next = watcher.waiting.shift();
        if (next !== undefined) yield next;
        else if (!watcher.mustReset) await this.#woken(watcher, signal);
      }
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#leave(watcher);
    }
  }

  /** What changes while the pages are sent waits, and is sent after them. */
  async *#everything(watcher: Watcher, signal: AbortSignal): AsyncGenerator<Encoded, void> {
    this.#snapshot ??= new Snapshot(this.#options);
    const snapshot = this.#snapshot;
    for (let i = 0; i < snapshot.pageCount; i++) {
      if (signal.aborted || watcher.mustReset) return;
      yield snapshot.page(i);
    }
  }

  #woken(watcher: Watcher, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      watcher.wake = resolve;
      if (signal.aborted) resolve();
    });
  }

  #enter(watcher: Watcher): void {
    this.#watchers.add(watcher);
    if (this.#watchers.size > 1) return;
    const { taskStatus } = this.#options;
    this.#stops = [
      taskStatus.onChange((change) => this.#changed(change)),
      taskStatus.onFreshness(() => this.#beat((watcher, message) => watcher.push(message))),
    ];
    this.#setTimer();
  }

  #leave(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    if (this.#watchers.size > 0) return;
    for (const stop of this.#stops) stop();
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#snapshot = undefined;
  }

  #changed({ tasks, classes, removedClasses }: TaskStatusChange): void {
    this.#snapshot = undefined;
    if (removedClasses.length > 0) {
      for (const watcher of this.#watchers) watcher.reset();
      return;
    }
    for (let from = 0; from === 0 || from < tasks.length; from += TASKS_PER_PAGE) {
      const message = Encoded.of(response, {
        tasks: tasks.slice(from, from + TASKS_PER_PAGE).map(statusToWire),
        classes: from === 0 ? classes : [],
        fresh: this.#options.taskStatus.isFresh(),
        complete: true,
      });
      for (const watcher of this.#watchers) watcher.push(message);
    }
  }

  #setTimer(): void {
    this.#timer = this.#options.clock.setTimer(BEAT_MS, () => {
      this.#setTimer();
      this.#beat((watcher, message) => watcher.beat(message));
    });
  }

  #beat(tell: (watcher: Watcher, message: Encoded) => void): void {
    // It says how fresh it is, too.
    this.#snapshot = undefined;
    const fresh = this.#options.taskStatus.isFresh();
    const message = Encoded.of(response, { fresh, complete: true });
    for (const watcher of this.#watchers) tell(watcher, message);
  }
}

function statusToWire({ verdict, forgetAt, ...status }: TaskStatus): signet.link.v1.TaskStatus {
  const forgetAtSeconds = Math.ceil(forgetAt.getTime() / 1000);
  return { ...status, verdict: VERDICTS[verdict], forgetAt: forgetAtSeconds };
}
