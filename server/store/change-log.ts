// The changes an engine still keeps, newest in memory: what watchers read. Bounded by number and
// bytes, so that neither disk nor memory grows with the age of the store.

import type { Change } from "./log.ts";

/** How much of the past is kept for watchers that fell behind. */
export interface Retention {
  readonly changes: number;
  readonly bytes: number;
}

/** Of what is kept on disk, the newest this much is in memory too. */
const IN_MEMORY: Retention = { changes: 2000, bytes: 4 * 1024 * 1024 };

export class ChangeLog {
  readonly #retention: Retention;
  /** Sizes of the kept changes; the first is that of change `#oldest`. */
  #sizes: number[] = [];
  #sizesFrom = 0;
  #bytes = 0;
  #oldest = 1;
  #recent: { change: Change; bytes: number }[] = [];
  #recentBytes = 0;

  constructor(retention: Retention) {
    this.#retention = retention;
  }

  /** The oldest revision whose change is kept; one above the newest when none is. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Notes a change found on disk when the store was opened, oldest first. */
  restore(revision: number, bytes: number): void {
    if (this.#sizes.length === this.#sizesFrom) this.#oldest = revision;
    this.#sizes.push(bytes);
    this.#bytes += bytes;
  }

  /** Notes a committed change. */
  add(change: Change, bytes: number): void {
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    this.#recent.push({ change, bytes });
    this.#recentBytes += bytes;
    while (
      this.#recent.length > IN_MEMORY.changes ||
      (this.#recentBytes > IN_MEMORY.bytes && this.#recent.length > 1)
    ) {
      this.#recentBytes -= this.#recent.shift()?.bytes ?? 0;
    }
  }

  /** Forgets changes beyond the retention, the newest excepted; returns their revisions, to delete them on disk. */
  forget(): number[] {
    const forgotten: number[] = [];
    const { changes, bytes } = this.#retention;
    for (;;) {
      const kept = this.#sizes.length - this.#sizesFrom;
      if (kept <= 1 || (kept <= changes && this.#bytes <= bytes)) break;
      this.#bytes -= this.#sizes[this.#sizesFrom++] ?? 0;
      forgotten.push(this.#oldest++);
    }
    if (this.#sizesFrom > 1024 && this.#sizesFrom * 2 > this.#sizes.length) {
      this.#sizes = this.#sizes.slice(this.#sizesFrom);
      this.#sizesFrom = 0;
    }
    return forgotten;
  }

  /** The changes after `revision`, when memory holds them without a gap. */
  recentAfter(revision: number): readonly Change[] | undefined {
    const first = this.#recent[0]?.change.revision;
    if (first === undefined || first > revision + 1 || revision + 1 < this.#oldest)
      return undefined;
    return this.#recent.slice(revision + 1 - first).map(({ change }) => change);
  }
}
