// What guards ask about tasks (DescribeTask): asked of the server, for any number of guards at once, and kept
// for a moment, because a task can be narrowed while it runs. What the server says of a task's status in its
// feed is newer than anything kept. While the server is away, what was known last is told for as long as
// credentials of the task may live: how fresh the node is stands in the feed, and guards weigh it.

import { type IdentityError, Status } from "../../pki/errors.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { TaskStatusChange } from "../cache/task-status.ts";

type Task = signet.task.v1.Task;

export interface DescribeOptions {
  /** Asks the server; unknown tasks are left out of the answer. */
  readonly ask: (taskIds: readonly string[]) => Promise<readonly Task[]>;
  /** Whether the server is heard. While it is not, nobody waits for it who can be told something. */
  readonly isFresh: () => boolean;
  readonly clock: Clock;
}

interface Kept {
  readonly task: Task | undefined;
  readonly askedAtMs: number;
}

/** Narrowing reaches every guard within this time. */
const FRESH_MS = 1000;
/** Longest life of a credential of a task, and some. */
const KEEP_MS = 10 * 60_000;
const MAX_KEPT = 20_000;
const MAX_PER_QUESTION = 500;

/** Of a server that is gone, and of one that is stopped or starved. */
const AWAY: readonly Status[] = [Status.unavailable, Status.deadlineExceeded];

/** Describes tasks by their ULIDs. */
export class TaskDescriptions {
  readonly #options: DescribeOptions;
  readonly #kept = new Map<string, Kept>();
  /** Asked by somebody, and not yet sent; then under way. */
  readonly #wanted = new Map<string, PromiseWithResolvers<Task | undefined>>();
  readonly #asked = new Map<string, Promise<Task | undefined>>();

  constructor(options: DescribeOptions) {
    this.#options = options;
  }

  /** The task as it is now, or was a moment ago; undefined when there is none. @throws what the server says */
  async describe(taskId: string): Promise<Task | undefined> {
    const nowMs = this.#options.clock.now().getTime();
    const kept = this.#kept.get(taskId);
    const ageMs = kept === undefined ? Number.POSITIVE_INFINITY : Math.abs(nowMs - kept.askedAtMs);
    if (kept !== undefined && ageMs < FRESH_MS) return kept.task;
    const isUsable = kept?.task !== undefined && ageMs < KEEP_MS;
    if (isUsable && !this.#options.isFresh()) {
      // Its answer, should there be one, is for the next.
      (this.#asked.get(taskId) ?? this.#want(taskId)).catch(() => undefined);
      return kept.task;
    }
    try {
      return await (this.#asked.get(taskId) ?? this.#want(taskId));
    } catch (error) {
      // Not a task that was unknown then: it may have been opened since.
      if (isUsable && AWAY.includes((error as IdentityError).code)) return kept.task;
      throw error;
    }
  }

  /** The feed has news: what it names is asked for again. */
  changed({ tasks }: Pick<TaskStatusChange, "tasks">): void {
    for (const { taskId, version } of tasks) {
      const kept = this.#kept.get(taskId);
      if (kept?.task === undefined || kept.task.version < version) this.#kept.delete(taskId);
      // An answer under way may be older than the news.
      this.#asked.delete(taskId);
    }
  }

  /** Those who ask in the same turn share one question. */
  #want(taskId: string): Promise<Task | undefined> {
    // Not sent yet, though there was news since: its answer will be newer than that.
    const wanted = this.#wanted.get(taskId) ?? Promise.withResolvers<Task | undefined>();
    if (this.#wanted.size === 0) queueMicrotask(() => this.#send());
    this.#wanted.set(taskId, wanted);
    this.#asked.set(taskId, wanted.promise);
    return wanted.promise;
  }

  #send(): void {
    const wanted = [...this.#wanted];
    this.#wanted.clear();
    for (let i = 0; i < wanted.length; i += MAX_PER_QUESTION) {
      void this.#ask(wanted.slice(i, i + MAX_PER_QUESTION)); // settles what it was given, never rejects
    }
  }

  async #ask(
    wanted: readonly (readonly [string, PromiseWithResolvers<Task | undefined>])[],
  ): Promise<void> {
    const { ask, clock } = this.#options;
    const askedAtMs = clock.now().getTime();
    try {
      const tasks = new Map((await ask(wanted.map(([id]) => id))).map((task) => [task.id, task]));
      for (const [id, { promise, resolve }] of wanted) {
        const task = tasks.get(id);
        if (this.#asked.get(id) === promise) this.#keep(id, { task, askedAtMs });
        resolve(task);
      }
    } catch (error) {
      for (const [, { reject }] of wanted) reject(error);
    } finally {
      for (const [id, { promise }] of wanted) {
        if (this.#asked.get(id) === promise) this.#asked.delete(id);
      }
    }
  }

  #keep(taskId: string, kept: Kept): void {
    this.#kept.delete(taskId);
    this.#kept.set(taskId, kept);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}
