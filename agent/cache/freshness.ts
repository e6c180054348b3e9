// How recent what the server said is: verifiers of some task classes refuse what they cannot know to be
// current. While somebody wants to know, the server is asked for a sign whenever it was silent for a while.

import type { Clock, Timer } from "../../runtime/clock.ts";

/** What was heard within this time is current. */
const FRESH_MS = 5000;
/** After so much silence the server is asked for a sign. */
const ASK_AFTER_MS = 2000;
const LOOK_EVERY_MS = 1000;

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
  #told = false;
  #timer: Timer | undefined;

  constructor(options: FreshnessOptions) {
    this.#options = options;
  }

  /** The server has said something, after everything that had happened before. */
  heard(): void {
    this.#heardMs = this.#nowMs();
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
    };
  }

  #look(): void {
    const age = this.#nowMs() - this.#heardMs;
    if (age < 0 || age >= ASK_AFTER_MS) this.#options.ask();
    this.#tell();
    this.#timer = this.#options.clock.setTimer(LOOK_EVERY_MS, () => this.#look());
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
