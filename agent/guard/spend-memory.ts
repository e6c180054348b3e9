// What was answered to each spending of uses, for ten minutes: a guard whose call was cut off asks again and
// is not charged twice.
import type { Clock } from "../../runtime/clock.ts";

const MEMORY_MS = 600_000;
/** Beyond these the oldest are forgotten early: asked for again they are charged again, never given for nothing. */
const MAX_SPENDINGS = 100_000;

interface Spending {
  readonly answer: Promise<boolean>;
  readonly atMs: number;
}

export class SpendMemory {
  readonly #clock: Clock;
  /** In the order of their time. */
  readonly #spendings = new Map<string, Spending>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer that was given under this name, or is being found; otherwise `spend`'s. Failures are not kept. */
  once(name: string, spend: () => Promise<boolean>): Promise<boolean> {
    const nowMs = this.#clock.now().getTime();
    for (const [old, { atMs }] of this.#spendings) {
      const isOver = Math.abs(nowMs - atMs) >= MEMORY_MS;
      if (!isOver && this.#spendings.size < MAX_SPENDINGS) break;
      this.#spendings.delete(old);
    }
    const known = this.#spendings.get(name);
    if (known !== undefined) return known.answer;
    const answer = spend();
    this.#spendings.set(name, { answer, atMs: nowMs });
    answer.catch(() => {
      if (this.#spendings.get(name)?.answer === answer) this.#spendings.delete(name);
    });
    return answer;
  }
}
