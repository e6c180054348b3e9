// The polling of one trust domain: one fetch at a time, one timer, and what came of the last fetch. What
// a fetch does is the refresher's; when the next one is due, interval.ts.

import type { Clock, Timer } from "../../runtime/clock.ts";
import type { ActiveRelationship } from "./update.ts";

/** How the polling of a trust domain fares. */
export interface PollStatus {
  readonly lastAttempt: Date | undefined;
  readonly lastSuccess: Date | undefined;
  /** Of the last attempt; undefined when it succeeded. */
  readonly lastError: string | undefined;
  readonly nextPoll: Date | undefined;
}

export interface PollOptions {
  readonly relationship: ActiveRelationship;
  /** Fetches and stores once. */
  readonly fetchOnce: (relationship: ActiveRelationship, signal: AbortSignal) => Promise<void>;
  /** How long to wait, once so many fetches in a row have failed. */
  readonly intervalMs: (relationship: ActiveRelationship, failures: number) => number;
  readonly clock: Clock;
}

export class Poll {
  readonly relationship: ActiveRelationship;
  readonly #options: PollOptions;
  readonly #stop = new AbortController();
  #timer: Timer | undefined;
  #running: Promise<void> | undefined;
  #failures = 0;
  #status: PollStatus = {
    lastAttempt: undefined,
    lastSuccess: undefined,
    lastError: undefined,
    nextPoll: undefined,
  };

  constructor(options: PollOptions) {
    this.#options = options;
    this.relationship = options.relationship;
  }

  get status(): PollStatus {
    return this.#status;
  }

  /** Fetches at once, and again at each interval. */
  start(): void {
    this.refresh().catch(() => undefined); // logged where it failed, and kept in the status
  }

  /**
   * Fetches now, after a fetch that is under way: that one may have begun before what the caller
   * wants to see. The interval starts anew.
   * @throws what the fetch throws
   */
  async refresh(): Promise<void> {
    while (this.#running !== undefined) await this.#running.catch(() => undefined);
    if (this.#stop.signal.aborted) return;
    this.#running = this.#fetch().finally(() => {
      this.#running = undefined;
    });
    await this.#running;
  }

  /** Ends the polling; a fetch that is under way is given up. */
  stop(): void {
    this.#stop.abort(new Error("the relationship has ended"));
    this.#timer?.cancel();
  }

  async #fetch(): Promise<void> {
    const { fetchOnce, clock } = this.#options;
    this.#timer?.cancel();
    this.#status = { ...this.#status, lastAttempt: clock.now(), nextPoll: undefined };
    try {
      await fetchOnce(this.relationship, this.#stop.signal);
      this.#failures = 0;
      this.#status = { ...this.#status, lastSuccess: clock.now(), lastError: undefined };
    } catch (error) {
      this.#failures++;
      const lastError = error instanceof Error ? error.message : String(error);
      this.#status = { ...this.#status, lastError };
      throw error;
    } finally {
      this.#schedule();
    }
  }

  #schedule(): void {
    if (this.#stop.signal.aborted) return;
    const { clock, intervalMs } = this.#options;
    const ms = intervalMs(this.relationship, this.#failures);
    this.#status = { ...this.#status, nextPoll: new Date(clock.now().getTime() + ms) };
    this.#timer?.cancel();
    this.#timer = clock.setTimer(ms, () => this.start());
  }
}
