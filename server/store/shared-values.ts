// Values that many records share, held once. What is remembered is bounded: forgotten values stay where
// they are used, and are only no longer shared with new ones.
const MOST = 10_000;
/** Longer ones are seldom the same. */
const LONGEST = 2000;

export class SharedValues {
  readonly #texts = new Map<string, string>();
  readonly #values = new Map<string, object>();

  /** The same text, as it was met before. */
  text(text: string): string {
    if (text.length > LONGEST) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    if (this.#texts.size >= MOST) this.#texts.clear();
    this.#texts.set(text, text);
    return text;
  }

  /** A value that is plain JSON: the one that was met before with the same fields in the same order. */
  value<T extends object>(value: T): T {
    const name = JSON.stringify(value);
    if (name.length > LONGEST) return value;
    const known = this.#values.get(name);
    // What has the same JSON has the same shape.
    if (known !== undefined) return known as T;
    if (this.#values.size >= MOST) this.#values.clear();
    this.#values.set(name, value);
    return value;
  }
}
