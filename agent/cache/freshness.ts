// How recent what the server said is: verifiers of some task classes refuse what they cannot know to be
// current. While somebody wants to know, the server is asked for a sign whenever it was silent for a while.

import type { Clock, Timer } from "../../runtime/clock.ts";

/** What was heard within this time is current. */
const FRESH_MS = 5000;
/** After so much silence the server is asked for a sign. */
const ASK_AFTER_MS = 2000;
const LOOK_EVERY_MS = 1000;
/**
 * A process that did not look for so long was stopped (SIGSTOP, a machine that slept). What lies in its sockets
 * then was said before: for this long after it nothing counts, and what is asked then counts again.
 */
const STOPPED_MS = FRESH_MS;
const UNREAD_MS = LOOK_EVERY_MS;

export interface FreshnessOptions {
  readonly clock: Clock;
  /** Asks the server for a sign; it comes through `heard`, or does not. */
  readonly ask: () => void;
}

/** Whether the server was heard lately. */
export class Freshness {
  readonly #options: FreshnessOptions;
  readonly #watchers = new Set<(isFresh: boolean) => void>();
  #heardMs = Number.NEGATIVE_INFINITY;
  /** The last turn, while somebody watches. */
  #lookedMs: number | undefined;
  /** When it went on after it had been stopped. */
  #wokeMs = Number.NEGATIVE_INFINITY;
  #told = false;
  #timer: Timer | undefined;

  constructor(options: FreshnessOptions) {
    this.#options = options;
  }

  /** The server has said something, after everything that had happened before. */
  heard(): void {
    this.#noteStop();
    const nowMs = this.#nowMs();
    const awakeMs = nowMs - this.#wokeMs;
    if (awakeMs >= 0 && awakeMs < UNREAD_MS) return;
    this.#heardMs = nowMs;
    this.#tell();
  }

  /** Whether what is known is at most {@link FRESH_MS} old. Steadily true only while somebody watches. */
  isFresh(): boolean {
    // A clock that was set back says nothing about how long ago it was.
    const age = this.#nowMs() - this.#heardMs;
    return age >= 0 && age <= FRESH_MS;
  }

  /** Keeps it current, and calls `fn` at each turn, until what is returned is called. */
  watch(fn: (isFresh: boolean) => void): () => void {
    const watcher = (isFresh: boolean): void => fn(isFresh);
    this.#watchers.add(watcher);
    if (this.#watchers.size === 1) this.#look();
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
      this.#lookedMs = undefined;
    };
  }

  #look(): void {
    this.#noteStop();
    this.#lookedMs = this.#nowMs();
    const age = this.#lookedMs - this.#heardMs;
    if (age < 0 || age >= ASK_AFTER_MS) this.#options.ask();
    this.#tell();
    this.#timer = this.#options.clock.setTimer(LOOK_EVERY_MS, () => this.#look());
  }

  #noteStop(): void {
    const nowMs = this.#nowMs();
    if (this.#lookedMs === undefined || nowMs - this.#lookedMs <= STOPPED_MS) return;
    this.#wokeMs = nowMs;
    this.#lookedMs = nowMs;
  }

  #tell(): void {
    const isFresh = this.isFresh();
    if (isFresh === this.#told) return;
    this.#told = isFresh;
    for (const watcher of [...this.#watchers]) watcher(isFresh);
  }

  #nowMs(): number {
    return this.#options.clock.now().getTime();
  }
}
