// Uses that an access token itself is restricted to, below the budget of its task: counted here, because a
// token is for one service. A service of several processes counts in each of them.

import type { Clock } from "../runtime/clock.ts";
import type { PresentedTask } from "./presented.ts";

const MAX_TOKENS = 100_000;

export class TokenUses {
  readonly #clock: Clock;
  readonly #taken = new Map<string, { count: number; readonly untilMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one of `limit` uses of the task's token; false when there is none left, or no room to count it. */
  take({ credential, expiresAt }: PresentedTask, limit: number): boolean {
    // By its jti: the signature under it can be written in two ways that are both good.
    const { name } = credential;
    const known = this.#taken.get(name);
    if (known !== undefined) {
      if (known.count >= limit) return false;
      known.count += 1;
      return true;
    }
    if (this.#taken.size >= MAX_TOKENS) this.#sweep();
    if (limit < 1 || this.#taken.size >= MAX_TOKENS) return false;
    // A little longer than any leeway accepts it.
    this.#taken.set(name, { count: 1, untilMs: expiresAt.getTime() + 300_000 });
    return true;
  }

  #sweep(): void {
    const nowMs = this.#clock.now().getTime();
    for (const [key, { untilMs }] of this.#taken) if (untilMs < nowMs) this.#taken.delete(key);
  }
}
