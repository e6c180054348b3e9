// How many of something each of many holders has at a time, with one limit for all: calls of a process,
// connections of an address.

/** Counts what each holder has open. */
export class Quota<Holder> {
  readonly #limit: number;
  readonly #counts = new Map<Holder, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts one more of `holder`; call what it returns when that has ended. Undefined at the limit. */
  enter(holder: Holder): (() => void) | undefined {
    const count = this.#counts.get(holder) ?? 0;
    if (count >= this.#limit) return undefined;
    this.#counts.set(holder, count + 1);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      const rest = (this.#counts.get(holder) ?? 1) - 1;
      if (rest === 0) this.#counts.delete(holder);
      else this.#counts.set(holder, rest);
    };
  }

  /** How many `holder` has. */
  countOf(holder: Holder): number {
    return this.#counts.get(holder) ?? 0;
  }

  /** How many there are of all holders. */
  get size(): number {
    let size = 0;
    for (const count of this.#counts.values()) size += count;
    return size;
  }
}
