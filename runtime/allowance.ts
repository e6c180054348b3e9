// How many of something one name may have in a while: lines of a record that anybody's failed attempts would
// fill. What is over is not written but counted, and told once the while is over: nothing is forgotten untold,
// and nothing is kept of a name that is not heard of again.
import type { Clock, Timer } from "./clock.ts";

export interface AllowanceOptions<T> {
  readonly windowMs: number;
  /** How many a name may have in a window. */
  readonly limitOf: (name: string) => number;
  /** Names that are told apart in a window; all others share what the name "" has. */
  readonly maxNames: number;
  /** At the end of a window, of a name that had more: the last of them, and how many went unwritten before that. */
  readonly tell: (last: T, leftOut: number) => void;
  readonly clock: Pick<Clock, "setTimer">;
}

interface Count<T> {
  taken: number;
  /** Those over the limit, and the last of them. */
  over: number;
  last: T | undefined;
}

export class Allowance<T> {
  readonly #options: AllowanceOptions<T>;
  #counts = new Map<string, Count<T>>();
  #timer: Timer | undefined;

  constructor(options: AllowanceOptions<T>) {
    this.#options = options;
  }

  /** Whether `name` may have one more now; if not, it is counted. */
  take(name: string, one: T): boolean {
    const { windowMs, limitOf, clock } = this.#options;
    this.#timer ??= clock.setTimer(windowMs, () => this.#turn());
    const key = this.#keyOf(name);
    const count = this.#counts.get(key) ?? { taken: 0, over: 0, last: undefined };
    this.#counts.set(key, count);
    count.taken += 1;
    if (count.taken <= limitOf(key)) return true;
    count.over += 1;
    count.last = one;
    return false;
  }

  /** Tells what has not been told. */
  stop(): void {
    this.#timer?.cancel();
    this.#turn();
  }

  #turn(): void {
    const counts = this.#counts;
    this.#counts = new Map();
    this.#timer = undefined;
    for (const { over, last } of counts.values()) {
      if (last !== undefined) this.#options.tell(last, over - 1);
    }
  }

  #keyOf(name: string): string {
    return this.#counts.has(name) || this.#counts.size < this.#options.maxNames ? name : "";
  }
}
