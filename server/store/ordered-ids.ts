// A set of IDs that can be read in order from any point: what paging over records in memory needs.
// Additions are sorted in when somebody reads, so that a burst of them costs one merge.

export class OrderedIds {
  #sorted: string[] = [];
  #added = new Set<string>();
  #removed = new Set<string>();

  add(id: string): void {
    if (!this.#removed.delete(id)) this.#added.add(id);
  }

  delete(id: string): void {
    if (!this.#added.delete(id)) this.#removed.add(id);
  }

  /** The IDs after `after` (exclusive; all when it is undefined), in the order of their UTF-16 code units. */
  *after(after?: string): Generator<string, void, undefined> {
    const sorted = this.#merged();
    for (let i = after === undefined ? 0 : firstAfter(sorted, after); i < sorted.length; i++) {
      yield sorted[i] as string;
    }
  }

  /** Brings additions and removals into the sorted list, which is replaced, so that readers under way keep theirs. */
  #merged(): readonly string[] {
    if (this.#added.size === 0 && this.#removed.size === 0) return this.#sorted;
    const removed = this.#removed;
    const kept = removed.size === 0 ? this.#sorted : this.#sorted.filter((id) => !removed.has(id));
    this.#sorted = this.#added.size === 0 ? kept : merge(kept, [...this.#added].sort());
    this.#added = new Set();
    this.#removed = new Set();
    return this.#sorted;
  }
}

function merge(left: readonly string[], right: readonly string[]): string[] {
  const merged: string[] = [];
  let i = 0;
  for (const id of right) {
    while (i < left.length && (left[i] as string) < id) merged.push(left[i++] as string);
    merged.push(id);
  }
  while (i < left.length) merged.push(left[i++] as string);
  return merged;
}

function firstAfter(sorted: readonly string[], id: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] as string) <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}
