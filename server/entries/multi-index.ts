// An index of entry IDs under a string, where most strings have one ID: a Set for each would cost more
// memory than the entries.

export class MultiIndex {
  readonly #ids = new Map<string, string | Set<string>>();

  has(key: string): boolean {
    return this.#ids.has(key);
  }

  /** How many IDs stand under `key`. */
  count(key: string): number {
    const ids = this.#ids.get(key);
    if (ids === undefined) return 0;
    return typeof ids === "string" ? 1 : ids.size;
  }

  of(key: string): Iterable<string> {
    const ids = this.#ids.get(key);
    if (ids === undefined) return [];
    return typeof ids === "string" ? [ids] : ids;
  }

  add(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids === undefined) this.#ids.set(key, id);
    else if (typeof ids !== "string") ids.add(id);
    else if (ids !== id) this.#ids.set(key, new Set([ids, id]));
  }

  delete(key: string, id: string): void {
    const ids = this.#ids.get(key);
    if (ids === undefined) return;
    if (typeof ids === "string") {
      if (ids === id) this.#ids.delete(key);
    } else if (ids.delete(id) && ids.size === 0) {
      this.#ids.delete(key);
    }
  }
}
