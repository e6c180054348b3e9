// A clock that stands still until a test moves it. `advance` fires what falls due, in order, and lets
// promises settle between two timers, so that a loop that sets its next timer is followed.

import { type Clock, sleepOn, type Timer } from "../../runtime/clock.ts";

interface Pending {
  atMs: number;
  /** Counts a delay, which a change of the wall clock leaves alone. */
  readonly isDelay: boolean;
  readonly order: number;
  readonly fn: () => void;
}

export class TestClock implements Clock {
  #nowMs: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(start: Date | string = "2030-01-01T00:00:00Z") {
    this.#nowMs = new Date(start).getTime();
  }

  now(): Date {
    return new Date(this.#nowMs);
  }

  /** How many timers are set: to wait for a loop to reach its sleep, or to prove that none was left. */
  get timers(): number {
    return this.#pending.size;
  }

  setTimer(when: number | Date, fn: () => void): Timer {
    const atMs = when instanceof Date ? when.getTime() : this.#nowMs + Math.max(0, when);
    const isDelay = !(when instanceof Date);
    const pending = { atMs: Math.max(atMs, this.#nowMs), isDelay, order: this.#order++, fn };
    this.#pending.add(pending);
    const cancel = (): void => {
      this.#pending.delete(pending);
    };
    return { cancel, [Symbol.dispose]: cancel };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, ms, signal);
  }

  /** Moves time forward by `ms`, firing each timer at its own moment, and settles promises. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    await settle();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#pending.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fn();
      await settle();
    }
    this.#nowMs = end;
    await settle();
  }

  /**
   * Sets the wall clock, forward or (negative) back, as an administrator does or a machine that slept:
   * delays go on, and no timer fires before time moves on.
   */
  step(ms: number): void {
    this.#nowMs += ms;
    for (const pending of this.#pending) if (pending.isDelay) pending.atMs += ms;
  }

  /** Moves time forward to a moment. */
  async advanceTo(moment: Date): Promise<void> {
    await this.advance(Math.max(0, moment.getTime() - this.#nowMs));
  }

  #next(endMs: number): Pending | undefined {
    let first: Pending | undefined;
    for (const one of this.#pending) {
      if (one.atMs > endMs) continue;
      const earlier =
        first === undefined ||
        one.atMs < first.atMs ||
        (one.atMs === first.atMs && one.order < first.order);
      if (earlier) first = one;
    }
    return first;
  }
}

/** Lets promise chains and what they queued run: several turns of the event loop. */
export async function settle(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve));
}
