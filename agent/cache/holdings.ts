// Which X509-SVIDs stay in memory: those of entries that somebody listens to, whatever their number; of
// the others as many as the limit leaves room for, the least recently used leave first. Who listens is
// asked only when the limit is passed, so that serving a caller costs nothing here.

import type { HeldSvid } from "./mint.ts";

/** What is in use, by entry ID. */
export interface Usage {
  /** Somebody listens. */
  readonly pinned: ReadonlySet<string>;
  /** Used before, and not now; the least recently used first. */
  readonly recent: Iterable<string>;
}

/** X509-SVIDs by entry ID, with a soft limit. */
export class Holdings {
  readonly #limit: number;
  readonly #usage: () => Usage;
  /** In the order of their arrival. */
  readonly #held = new Map<string, HeldSvid>();

  constructor(limit: number, usage: () => Usage) {
    this.#limit = limit;
    this.#usage = usage;
  }

  get size(): number {
    return this.#held.size;
  }

  get(entryId: string): HeldSvid | undefined {
    return this.#held.get(entryId);
  }

  values(): IterableIterator<HeldSvid> {
    return this.#held.values();
  }

  put(svid: HeldSvid): void {
    this.#held.set(svid.entryId, svid);
  }

  drop(entryId: string): void {
    this.#held.delete(entryId);
  }

  /** Lets go of what is over the limit, and answers of which entries. */
  evict(): string[] {
    let excess = this.#held.size - this.#limit;
    if (excess <= 0) return [];
    const { pinned, recent } = this.#usage();
    const used = new Set(recent);
    const unused = [...this.#held.keys()].filter((id) => !used.has(id));
    const evicted: string[] = [];
    for (const id of [...unused, ...used]) {
      if (excess <= 0) break;
      if (pinned.has(id) || !this.#held.delete(id)) continue;
      evicted.push(id);
      excess -= 1;
    }
    return evicted;
  }

  clear(): void {
    this.#held.clear();
  }
}
