// Which tasks have shown themselves to which guard. A guard is whoever a task came to: it shows a document that
// the task showed to it, the first time that it asks for that task, and the server says whether it is one. Every
// other workload on the node, though it knows the ID of a task, is told nothing of it and spends none of its
// uses; those that try are few times answered, and each is in the log.

import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";
import type { GuardCaller } from "./index.ts";

export interface ShownTasksOptions {
  /** Asks the server whether a document is a credential of the task. */
  readonly check: (taskId: string, shown: Uint8Array) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each refusal. */
  readonly onRefused?: () => void;
}

/**
 * Longer than any credential of a task lives: with the server away a guard goes on with the tasks that it knows
 * for as long as they can show anything.
 */
const KEEP_MS = 600_000;
const MAX_KEPT = 100_000;
const MAX_BYTES = 32_768;
/** Refusals of one caller: so many at once, then one a second. What is beyond them nobody looks at. */
const BURST = 20;
/**
 * Each question under way could end in a refusal, so that there are no more of them than refusals are left; the
 * rest wait. A caller that tasks come to seldom asks in vain, and may have so many times as many.
 */
const QUESTIONS_OF_KNOWN = 16;
const MAX_CALLERS = 4096;

export class ShownTasks {
  readonly #options: ShownTasksOptions;
  /** By caller and task; the one that was asked for last stands last. */
  readonly #known = new Map<string, number>();
  readonly #asking = new Map<string, Promise<boolean>>();
  /** When each caller met a task last. */
  readonly #met = new Map<string, number>();
  /** Questions under way of each caller. */
  readonly #open = new Map<string, Set<Promise<boolean>>>();
  /** Refusals that each caller may still have, and when that was reckoned. */
  readonly #left = new Map<string, { count: number; atMs: number }>();

  constructor(options: ShownTasksOptions) {
    this.#options = options;
  }

  /**
   * Returns when the task has shown itself to the caller, now or a short while ago.
   * @throws GUARD_TASK_UNSHOWN, GUARD_REQUESTS_TOO_MANY, and what the server says
   */
  async assertShown(caller: GuardCaller, taskId: string, shown: Uint8Array): Promise<void> {
    // On its own socket a task stands for itself.
    if (caller.task === taskId) return;
    const { spiffeId } = caller;
    const key = `${spiffeId} ${taskId}`;
    const nowMs = this.#options.clock.now().getTime();
    const knownAtMs = this.#known.get(key);
    const isKnown = knownAtMs !== undefined && Math.abs(nowMs - knownAtMs) < KEEP_MS;
    if (!isKnown) await this.#check(key, taskId, caller, shown);
    keep(this.#known, key, nowMs, MAX_KEPT);
    keep(this.#met, spiffeId, nowMs, MAX_CALLERS);
  }

  /** Whether some task has shown itself to the caller lately. */
  hasMet({ spiffeId }: GuardCaller): boolean {
    const atMs = this.#met.get(spiffeId);
    return atMs !== undefined && Math.abs(this.#options.clock.now().getTime() - atMs) < KEEP_MS;
  }

  async #check(key: string, taskId: string, caller: GuardCaller, shown: Uint8Array): Promise<void> {
    const { spiffeId } = caller;
    if (shown.length === 0 || shown.length > MAX_BYTES) throw this.#refused(spiffeId, taskId);
    if (!this.#asking.has(key)) await this.#mayAsk(caller);
    // Calls of one guard that come together share the answer about the first one's document.
    const known = this.#asking.get(key);
    if (known !== undefined) {
      if (await known) return;
      throw this.#refused(spiffeId, taskId);
    }
    const asking = this.#options.check(taskId, shown);
    const open = this.#open.get(spiffeId) ?? new Set();
    this.#open.set(spiffeId, open.add(asking));
    this.#asking.set(key, asking);
    try {
      if (!(await asking)) throw this.#refused(spiffeId, taskId);
    } finally {
      // A refusal has been counted by now: no question takes its place before.
      this.#asking.delete(key);
      open.delete(asking);
      if (open.size === 0) this.#open.delete(spiffeId);
    }
  }

  /** Resolves when one more question may be asked. @throws GUARD_REQUESTS_TOO_MANY */
  async #mayAsk(caller: GuardCaller): Promise<void> {
    const { spiffeId, signal } = caller;
    for (;;) {
      const left = Math.floor(this.#allowanceOf(spiffeId).count);
      if (left < 1 || signal.aborted) throw tooMany(spiffeId);
      const open = this.#open.get(spiffeId);
      if (open === undefined) return;
      if (open.size < left * (this.hasMet(caller) ? QUESTIONS_OF_KNOWN : 1)) return;
      await Promise.race([...open].map((one) => one.catch(() => undefined)));
    }
  }

  #refused(spiffeId: string, taskId: string): Error {
    const { log, onRefused } = this.#options;
    const left = this.#allowanceOf(spiffeId);
    onRefused?.();
    if (left.count < 1) return tooMany(spiffeId);
    left.count -= 1;
    log.warn(
      { spiffe_id: spiffeId, task_id: taskId, reason: "GUARD_TASK_UNSHOWN" },
      "a workload asked for a task that has not shown itself to it",
    );
    return agentError("GUARD_TASK_UNSHOWN", `task ${taskId} has not shown itself to ${spiffeId}`, {
      hint: "send what the task showed: its X509-SVID, or the token that it came with",
    });
  }

  #allowanceOf(spiffeId: string): { count: number } {
    const nowMs = this.#options.clock.now().getTime();
    const known = this.#left.get(spiffeId) ?? { count: BURST, atMs: nowMs };
    // A clock that was set back takes nothing away.
    const earned = Math.max(0, nowMs - known.atMs) / 1000;
    const left = { count: Math.min(BURST, known.count + earned), atMs: nowMs };
    keep(this.#left, spiffeId, left, MAX_CALLERS);
    return left;
  }
}

/** As the last one; the first makes room. */
function keep<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > limit && oldest !== undefined) map.delete(oldest);
}

function tooMany(spiffeId: string): Error {
  return agentError("GUARD_REQUESTS_TOO_MANY", `${spiffeId} asks for too many foreign tasks`, {
    hint: "ask for tasks that have shown themselves to this service, with what they showed",
  });
}
