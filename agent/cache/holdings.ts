// Which X509-SVIDs stay in memory: those of entries that somebody listens to are pinned; of the others at
// most as many as the limit leaves room for, the least recently used leave first.

import type { HeldSvid } from "./mint.ts";

/** X509-SVIDs by entry ID, with pins and a soft limit. */
export class Holdings {
  readonly #limit: number;
  readonly #held = new Map<string, HeldSvid>();
  readonly #pins = new Map<string, number>();
  /** Held and not pinned, least recently used first. */
  readonly #idle = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
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
    if (this.#pins.has(svid.entryId)) return;
    this.#idle.delete(svid.entryId);
    this.#idle.add(svid.entryId);
  }

  drop(entryId: string): void {
    this.#held.delete(entryId);
    this.#idle.delete(entryId);
  }

  pin(entryId: string): void {
    this.#pins.set(entryId, (this.#pins.get(entryId) ?? 0) + 1);
    this.#idle.delete(entryId);
  }

  unpin(entryId: string): void {
    const left = (this.#pins.get(entryId) ?? 1) - 1;
    if (left > 0) {
      this.#pins.set(entryId, left);
      return;
    }
    this.#pins.delete(entryId);
    if (this.#held.has(entryId)) this.#idle.add(entryId);
  }

  /** Lets go of what is over the limit, and answers of which entries. */
  evict(): string[] {
    const evicted: string[] = [];
    for (const id of this.#idle) {
      if (this.#held.size <= this.#limit) break;
      this.drop(id);
      evicted.push(id);
    }
    return evicted;
  }

  clear(): void {
    this.#held.clear();
    this.#idle.clear();
  }
}
