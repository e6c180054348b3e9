// What ends tasks that nobody ends: their time, and idleness. Expiry is a moment of the wall clock: a clock
// that is set forward ends tasks early, and one that is set back lets them last longer, though no
// credential of theirs. Idleness is time that passed: no change of the clock makes a task idle. What
// expired while the server was down ends when it starts. Forgets here too what ended long ago.
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { ReplicaChange } from "../store/replica.ts";
import {
  type EndedTask,
  type EndState,
  isEnded,
  isOpen,
  type KnownTask,
} from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import type { Changes } from "./change.ts";
import { Deadlines } from "./deadlines.ts";
import { IdleWatch } from "./idle.ts";

export interface UpkeepOptions {
  readonly store: TaskStore;
  readonly changes: Changes;
  /** How long ended tasks can be listed. */
  readonly keepEndedSeconds: number;
  /** Whether an event of this task is not in the audit log so far: it is not forgotten before. */
  readonly isOwed?: (spiffeId: string) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who is named in records when the server itself ends something. */
const SERVER = { by: "server" };
const HOUSEKEEPING_MS = 60_000;
const RETRY_MS = 5000;
/** Moments of tasks that ended early stay until they come, unless they become many. */
const MANY_OVER = 10_000;

export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #expiry: Deadlines;
  readonly #idle: IdleWatch;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #stopping = new AbortController();

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { clock, store } = options;
    this.#expiry = new Deadlines(clock, (ids) => this.#own(this.#endExpired(ids)));
    this.#idle = new IdleWatch(clock, (ids) => this.#own(this.#endIdle(ids)));
    for (const task of store.values()) this.#take(task, true);
  }

  /** Tasks changed. */
  changed(changes: readonly ReplicaChange<KnownTask>[]): void {
    for (const { id, before, after } of changes) {
      if (after !== undefined) this.#take(after, before === undefined);
      if (after === undefined || !isOpen(after)) this.#idle.delete(id);
    }
    if (this.#expiry.size <= 2 * this.#options.store.size + MANY_OVER) return;
    this.#expiry.keep((id) => this.#isOpen(id));
  }

  /** A sign of life. */
  touch(id: string): void {
    this.#idle.touch(id);
  }

  /** Ends all of them, and those that come while it does; answers how many. */
  async endUntilNone(
    ids: () => ReadonlySet<string>,
    state: EndState,
    reason: string,
    by: string,
  ): Promise<number> {
    let count = 0;
    while (ids().size > 0)
      count += await this.#options.changes.endAll(ids(), { by }, state, reason);
    return count;
  }

  /** Ends a task whose opening could not be recorded. Never rejects. */
  async abandon(id: string): Promise<void> {
    const ending = { state: "FAILED", reason: "it could not be recorded" } as const;
    await this.#options.changes.end(id, SERVER, ending).catch((error: unknown) => {
      // Its end cannot be recorded either; it has ended all the same, unless the store has failed too.
      if (this.#isOpen(id)) {
        this.#options.log.error({ error, task_id: id }, "an unrecorded task is still open");
      }
    });
  }

  /** Forgets what is over, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        await this.forgetOver();
      } catch (error) {
        log.warn({ error }, "could not drop tasks that ended long ago; trying again");
      }
      await clock.sleep(HOUSEKEEPING_MS, signal).catch(() => undefined);
    }
  }

  /** Forgets what is over now. */
  async forgetOver(): Promise<void> {
    const { clock, store, keepEndedSeconds, isOwed = () => false } = this.#options;
    const nowMs = clock.now().getTime();
    const over: EndedTask[] = [];
    for (const task of store.values()) {
      if (!isEnded(task) || task.forgetAtUnixSeconds * 1000 > nowMs) continue;
      if (!isOwed(`${task.agentId}/task/${task.id}`)) over.push(task);
    }
    await store.forget(over);
    await store.prune(new Date(nowMs - keepEndedSeconds * 1000));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#expiry.stop();
    this.#idle.stop();
    await Promise.allSettled(this.#pending);
  }

  /** A task as it is now. */
  #take(task: KnownTask, isNew: boolean): void {
    if (!isOpen(task)) return;
    if (isNew) this.#expiry.add(task.id, task.expiresAtMs);
    // One that waits is no idle one: unclaimed, parked and suspended tasks expire alone.
    if (task.state === "ACTIVE" && task.idleTimeoutSeconds > 0) {
      this.#idle.add(task.id, task.idleTimeoutSeconds);
    } else this.#idle.delete(task.id);
  }

  async #endExpired(ids: readonly string[]): Promise<void> {
    const { store, clock } = this.#options;
    const nowMs = clock.now().getTime();
    const due = ids.filter((id) => {
      const task = store.get(id);
      return task !== undefined && isOpen(task) && task.expiresAtMs <= nowMs;
    });
    await this.#endOrRetry(due, "EXPIRED", "its time is over");
  }

  async #endIdle(ids: readonly string[]): Promise<void> {
    const due = ids.filter((id) => this.#options.store.get(id)?.state === "ACTIVE");
    await this.#endOrRetry(due, "ABANDONED", "it gave no sign of life");
  }

  async #endOrRetry(ids: readonly string[], state: EndState, reason: string): Promise<void> {
    const { clock, log, changes } = this.#options;
    const { signal } = this.#stopping;
    let left = ids;
    while (left.length > 0 && !signal.aborted) {
      try {
        await changes.endAll(left, SERVER, state, reason);
        return;
      } catch (error) {
        if (signal.aborted) return;
        log.error({ error, state }, "tasks that are over could not be ended; trying again");
        await clock.sleep(RETRY_MS, signal).catch(() => undefined);
        left = left.filter((id) => this.#isOpen(id));
      }
    }
  }

  #isOpen(id: string): boolean {
    const task = this.#options.store.get(id);
    return task !== undefined && isOpen(task);
  }

  /** Nothing waits for it: stop() does. */
  #own(work: Promise<void>): void {
    const owned = work
      .catch((error: unknown) => this.#options.log.error({ error }, "tasks could not be ended"))
      .finally(() => this.#pending.delete(owned));
    this.#pending.add(owned);
  }
}
