// How many tasks an AI agent may have open, and how fast it may open them: a flood is refused before
// anything is signed or written.
import type { Clock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";

export interface QuotaOptions {
  readonly clock: Clock;
  /** Open tasks of an AI agent, unless its record says otherwise. */
  readonly maxOpen: number;
  /** Openings a second, lasting; twice as many may come at once. */
  readonly openPerSecond: number;
  /** How many an AI agent has open now. */
  readonly countOf: (agentId: string) => number;
}

/** AI agents whose rate is remembered: a full bucket says nothing. */
const MAX_REMEMBERED = 10_000;

export class Quota {
  readonly #options: QuotaOptions;
  /** Openings under way, by AI agent: they are not in memory yet. */
  readonly #underWay = new Map<string, number>();
  /** When (ms) the bucket of an AI agent will be full again. */
  readonly #fullAtMs = new Map<string, number>();

  constructor(options: QuotaOptions) {
    this.#options = options;
  }

  /**
   * Counts an opening in; returns what counts it out again, once the task is in memory or will not be.
   * `maxOpen` 0 is the default. @throws TASK_QUOTA_EXCEEDED
   */
  enter(agentId: string, maxOpen: number): () => void {
    const most = maxOpen || this.#options.maxOpen;
    const underWay = this.#underWay.get(agentId) ?? 0;
    if (this.#options.countOf(agentId) + underWay >= most) {
      throw serverError("TASK_QUOTA_EXCEEDED", `"${agentId}" has ${most} tasks open already`, {
        hint: "complete those that are done, or let an administrator raise max_open_tasks",
      });
    }
    this.#underWay.set(agentId, underWay + 1);
    let isCounted = true;
    return () => {
      if (!isCounted) return;
      isCounted = false;
      const left = (this.#underWay.get(agentId) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(agentId);
      else this.#underWay.set(agentId, left);
    };
  }

  /** One more call that opens, or asks again for what it opened. @throws RATE_LIMITED */
  pace(agentId: string): void {
    const { clock, openPerSecond } = this.#options;
    const nowMs = clock.now().getTime();
    const burstMs = 2000;
    const known = this.#fullAtMs.get(agentId) ?? 0;
    // What seems emptier than a bucket can be was noted before the clock was set back.
    const from = known > nowMs + burstMs ? nowMs : Math.max(known, nowMs);
    const fullAtMs = from + 1000 / openPerSecond;
    if (fullAtMs > nowMs + burstMs) {
      throw serverError("RATE_LIMITED", `"${agentId}" opens tasks too fast`, {
        hint: `open at most ${openPerSecond} a second, and try again after a second`,
      });
    }
    this.#makeRoom(nowMs);
    this.#fullAtMs.set(agentId, fullAtMs);
  }

  #makeRoom(nowMs: number): void {
    if (this.#fullAtMs.size < MAX_REMEMBERED) return;
    for (const [agentId, fullAtMs] of this.#fullAtMs) {
      if (fullAtMs <= nowMs) this.#fullAtMs.delete(agentId);
    }
  }
}
