// A set of serial numbers that lie in one buffer, with a small number for each: what a revocation
// list of a hundred thousand entries is looked up in, without an object an entry. An open hash table
// whose hash is tabulation hashing with random tables: whoever picks the serial numbers cannot make
// them collide, and linear probing stays short (Patrascu and Thorup, 2012).
import { randomFillSync } from "node:crypto";

/** RFC 5280 s4.1.2.2. */
export const MAX_SERIAL_BYTES = 20;

const randomTables: Uint32Array = randomFillSync(new Uint32Array(MAX_SERIAL_BYTES * 256));

/** Where a serial number lies in the buffer, big-endian and without leading zeros. */
interface Place {
  readonly start: number;
  readonly length: number;
}

export class SerialTable {
  readonly #bytes: Uint8Array;
  #starts: Uint32Array = new Uint32Array(16);
  #lengths: Uint8Array = new Uint8Array(16);
  #values: Uint8Array = new Uint8Array(16);
  #size = 0;
  /** Numbers of entries plus one, by hash; made by the first look-up. */
  #slots: Uint32Array | undefined;

  /** `bytes` is what the serial numbers are slices of; it must not change. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a serial number, a slice of the buffer of at most 20 bytes. The first of two equal ones counts. */
  add(serial: Uint8Array, value: number): void {
    if (this.#size === this.#starts.length) this.#grow();
    let zeros = 0;
    while (zeros < serial.length && serial[zeros] === 0) zeros += 1;
    this.#starts[this.#size] = serial.byteOffset - this.#bytes.byteOffset + zeros;
    this.#lengths[this.#size] = serial.length - zeros;
    this.#values[this.#size] = value;
    this.#size += 1;
    this.#slots = undefined;
  }

  /** The number stored with a serial number, in hexadecimal of either case; undefined when it is not there. */
  get(serialHex: string): number | undefined {
    if (this.#size === 0) return undefined;
    const hex = serialHex.replace(/^0+/, "");
    if (hex.length > MAX_SERIAL_BYTES * 2 || !/^[0-9a-fA-F]*$/.test(hex)) return undefined;
    const wanted = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
    this.#slots ??= this.#index();
    const slot = this.#slots[this.#find(this.#slots, wanted, { start: 0, length: wanted.length })];
    return slot === undefined || slot === 0 ? undefined : this.#values[slot - 1];
  }

  #grow(): void {
    const larger = <T extends Uint8Array | Uint32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    const capacity = this.#starts.length * 2;
    this.#starts = larger(this.#starts, new Uint32Array(capacity));
    this.#lengths = larger(this.#lengths, new Uint8Array(capacity));
    this.#values = larger(this.#values, new Uint8Array(capacity));
  }

  /** At most half full, so that a probe ends soon. */
  #index(): Uint32Array {
    const slots = new Uint32Array(2 ** Math.ceil(Math.log2(this.#size * 2 + 1)));
    for (let entry = 0; entry < this.#size; entry += 1) {
      const at = this.#find(slots, this.#bytes, this.#placeOf(entry));
      if (slots[at] === 0) slots[at] = entry + 1;
    }
    return slots;
  }

  /** The slot that holds this serial number, or the free one where it belongs. */
  #find(slots: Uint32Array, bytes: Uint8Array, place: Place): number {
    const mask = slots.length - 1;
    let at = hashOf(bytes, place) & mask;
    for (;;) {
      const entry = slots[at] ?? 0;
      if (entry === 0 || this.#isEntry(entry - 1, bytes, place)) return at;
      at = (at + 1) & mask;
    }
  }

  #isEntry(entry: number, bytes: Uint8Array, { start, length }: Place): boolean {
    const own = this.#placeOf(entry);
    if (own.length !== length) return false;
    for (let i = 0; i < length; i += 1) {
      if (this.#bytes[own.start + i] !== bytes[start + i]) return false;
    }
    return true;
  }

  #placeOf(entry: number): Place {
    return { start: this.#starts[entry] ?? 0, length: this.#lengths[entry] ?? 0 };
  }
}

function hashOf(bytes: Uint8Array, { start, length }: Place): number {
  let hash = 0;
  for (let i = 0; i < length; i += 1) {
    hash ^= randomTables[i * 256 + (bytes[start + i] ?? 0)] ?? 0;
  }
  return hash;
}
