// The machine's clock for code that backs off: notes how long it wants to sleep, and sleeps 1 ms.

import { type Clock, systemClock, type Timer } from "../../runtime/clock.ts";

export class ImpatientClock implements Clock {
  /** What was slept, in milliseconds, as asked for. */
  readonly sleeps: number[] = [];
  /** Moves what `now` says. */
  aheadMs = 0;

  now(): Date {
    return new Date(Date.now() + this.aheadMs);
  }

  setTimer(when: number | Date, fn: () => void): Timer {
    return systemClock.setTimer(when, fn);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms);
    await systemClock.sleep(1, signal);
  }
}
