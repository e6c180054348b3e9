// IDs of the events that the server itself sees: ULIDs that grow. As pki/task-id.ts makes them, without
// its big numbers: one is made for every SVID that is issued.

const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PAIRS: readonly string[] = Array.from(
  { length: 1024 },
  (_, i) => `${ALPHABET[i >> 5]}${ALPHABET[i & 31]}`,
);
const RANDOM_BYTES = 10;
/** Asked for together: ten random bytes cost as much as two thousand. */
const FILLED_AT_ONCE = 200 * RANDOM_BYTES;
/** Of the 80 random bits, those that are counted up within a millisecond. */
const COUNTED = 2 ** 30;

export class EventIds {
  readonly #fill: (bytes: Uint8Array) => void;
  readonly #random = new DataView(new ArrayBuffer(FILLED_AT_ONCE));
  /** Bytes of it that no ID has. */
  #left = 0;
  #lastMs = -1;
  #prefix = "";
  #count = 0;

  /** `fill` fills bytes with random ones. */
  constructor(fill: (bytes: Uint8Array) => void) {
    this.#fill = fill;
  }

  /** The next one, of this moment. */
  next(ms: number): string {
    if (ms !== this.#lastMs || this.#count === COUNTED) this.#begin(ms);
    const count = this.#count++;
    return `${this.#prefix}${pair(count >> 20)}${pair(count >> 10)}${pair(count)}`;
  }

  #begin(ms: number): void {
    if (this.#left === 0) {
      this.#fill(new Uint8Array(this.#random.buffer));
      this.#left = FILLED_AT_ONCE;
    }
    this.#left -= RANDOM_BYTES;
    const words = this.#random;
    const high = words.getUint32(this.#left);
    const low = words.getUint16(this.#left + 4);
    const time = `${pair(ms / 2 ** 40)}${pair(ms / 2 ** 30)}${pair(ms / 2 ** 20)}${pair(ms / 2 ** 10)}${pair(ms)}`;
    // 50 random bits that stay, and half of those that are counted, so that there is room to count.
    this.#prefix = `${time}${pair(high >>> 22)}${pair(high >>> 12)}${pair(high >>> 2)}${pair(low >>> 6)}${pair(((low << 4) | (high & 3)) >>> 0)}`;
    this.#count = words.getUint32(this.#left + 6) >>> 3;
    this.#lastMs = ms;
  }
}

function pair(value: number): string {
  return PAIRS[Math.floor(value) & 1023] ?? "";
}
