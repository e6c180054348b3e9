// Bytes that are put together until somebody takes them: in one piece of memory, since a piece for each
// costs more than what is done with it.

const FIRST_BYTES = 4096;
/** More than this is not kept for the next. */
const LARGEST_KEPT_BYTES = 1024 * 1024;

export class Bytes {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Adds a copy. */
  add(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#buffer.length) this.#grow(length);
    this.#buffer.set(bytes, this.#length);
    this.#length = length;
  }

  /** Forgets what was added behind this length. */
  cut(length: number): void {
    this.#length = Math.min(this.#length, length);
  }

  /** Everything that was added; the next begins anew. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    const next = Math.min(this.#buffer.length, LARGEST_KEPT_BYTES);
    this.#buffer = this.#length === 0 ? this.#buffer : Buffer.allocUnsafeSlow(next);
    this.#length = 0;
    return bytes;
  }

  /** Puts what was taken before what was added since. */
  giveBack(bytes: Uint8Array): void {
    const since = this.take();
    this.add(bytes);
    this.add(since);
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#buffer.length, FIRST_BYTES));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
