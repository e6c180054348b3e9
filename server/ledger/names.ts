// Strings that many rows share, each held once and for as long as a row names it.

export class Names {
  readonly #indexes = new Map<string, number>();
  readonly #names: string[] = [];
  /** How many rows name it. */
  readonly #uses: number[] = [];
  readonly #free: number[] = [];

  get size(): number {
    return this.#indexes.size;
  }

  /** The number of a name, for one more row. */
  take(name: string): number {
    const known = this.#indexes.get(name);
    if (known !== undefined) {
      this.#uses[known] = (this.#uses[known] ?? 0) + 1;
      return known;
    }
    const index = this.#free.pop() ?? this.#names.length;
    this.#names[index] = name;
    this.#uses[index] = 1;
    this.#indexes.set(name, index);
    return index;
  }

  /** One row less names it. */
  release(index: number): void {
    const uses = (this.#uses[index] ?? 1) - 1;
    this.#uses[index] = uses;
    if (uses > 0) return;
    this.#indexes.delete(this.at(index));
    this.#names[index] = "";
    this.#free.push(index);
  }

  /** The number of a name that some row names. */
  find(name: string): number | undefined {
    return this.#indexes.get(name);
  }

  at(index: number): string {
    return this.#names[index] ?? "";
  }
}
