// Which SVIDs stay in memory, of a kind that is held per entry: those of entries that somebody listens to, whatever their number; of
// the others as many as the limit leaves room for, the least recently used leave first. Who listens is
// asked only when the limit is passed, so that serving a caller costs nothing here.

/** What SVIDs of every kind that is held per entry have in common. */
export interface HeldDocument {
  readonly entryId: string;
  readonly spiffeId: string;
  /** What of the entry the SVID was made from. */
  readonly inputs: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly renewAt: Date;
}

/** What is in use, by entry ID. */
export interface Usage {
  /** Somebody listens. */
  readonly pinned: ReadonlySet<string>;
  /** Used before, and not now; the least recently used first. */
  readonly recent: Iterable<string>;
}

/** SVIDs by entry ID, with a soft limit. */
export class Holdings<T extends HeldDocument> {
  readonly #limit: number;
  readonly #usage: () => Usage;
  /** In the order of their arrival. */
  readonly #held = new Map<string, T>();

  constructor(limit: number, usage: () => Usage) {
    this.#limit = limit;
    this.#usage = usage;
  }

  get size(): number {
    return this.#held.size;
  }

  get(entryId: string): T | undefined {
    return this.#held.get(entryId);
  }

  values(): IterableIterator<T> {
    return this.#held.values();
  }

  put(svid: T): void {
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
