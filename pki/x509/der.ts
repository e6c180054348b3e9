// Reading DER (X.690 s8 to s11), strictly: definite minimal lengths, single-byte tags, a limit on
// depth, nothing left over. Two readings of one document are how forged certificates slip through.
// Values are slices of the input, never copies. Writing DER: der-writer.ts; times: time.ts.
import type { IdentityError } from "../errors.ts";

/** Identifier octets of the types that certificates use. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** The identifier octet of `[n]` of the context class, primitive or constructed. */
export function contextTag(number: number, constructed: boolean): number {
  return (constructed ? 0xa0 : 0x80) | number;
}

const MAX_DEPTH = 16;
/** Lengths have at most this many octets: 16 MiB is far over any size limit of ours. */
const MAX_LENGTH_OCTETS = 3;
const MAX_OID_BYTES = 64;
const CERTIFICATE_EXTENSION_OIDS: readonly string[] = Array.from(
  { length: 0x80 },
  (_, last) => `2.5.29.${last}`,
);

/** Makes the error of the document being read: each kind of document has its own reason. */
export type DerFailure = (problem: string) => IdentityError;

/** A cursor over the elements inside one DER value. Every method throws the failure it was made with. */
export class DerReader {
  private readonly bytes: Uint8Array;
  private readonly failure: DerFailure;
  private readonly endAt: number;
  private readonly depth: number;
  private position: number;
  /** Where the content of the element whose header was read last ends. */
  private contentEnd = 0;

  constructor(
    bytes: Uint8Array,
    failure: DerFailure,
    start: number = 0,
    endAt: number = bytes.length,
    depth: number = 0,
  ) {
    this.bytes = bytes;
    this.failure = failure;
    this.position = start;
    this.endAt = endAt;
    this.depth = depth;
  }

  /** The error for a problem that the caller found in what was read. */
  invalid(problem: string): IdentityError {
    return this.failure(problem);
  }

  get isAtEnd(): boolean {
    return this.position === this.endAt;
  }

  /** Whether the next element has this identifier octet. */
  isNext(tag: number): boolean {
    return this.position < this.endAt && this.bytes[this.position] === tag;
  }

  /** The identifier octet of the next element, undefined at the end. */
  peekTag(): number | undefined {
    return this.position < this.endAt ? this.bytes[this.position] : undefined;
  }

  /** Steps over the next element and returns a reader of its content. */
  enter(tag: number): DerReader {
    if (this.depth >= MAX_DEPTH) throw this.failure("its elements are nested too deeply");
    const start = this.header(tag);
    this.position = this.contentEnd;
    return new DerReader(this.bytes, this.failure, start, this.contentEnd, this.depth + 1);
  }

  /** The content octets of the next element. */
  content(tag: number): Uint8Array {
    const start = this.header(tag);
    this.position = this.contentEnd;
    return this.bytes.subarray(start, this.contentEnd);
  }

  /** The whole next element, header included; of any type when no tag is given. */
  element(tag?: number): Uint8Array {
    const start = this.position;
    this.header(tag);
    this.position = this.contentEnd;
    return this.bytes.subarray(start, this.contentEnd);
  }

  /** Fails unless every element has been read. */
  finish(): void {
    if (this.position !== this.endAt) throw this.failure("it has more elements than it should");
  }

  /** An INTEGER's content octets: two's complement, big-endian, minimal. */
  integer(tag: number = Tag.integer): Uint8Array {
    const value = this.content(tag);
    const first = value[0];
    const second = value[1];
    if (first === undefined) throw this.failure("an integer is empty");
    if (second !== undefined) {
      const redundant = (first === 0 && second < 0x80) || (first === 0xff && second >= 0x80);
      if (redundant) throw this.failure("an integer is not in its shortest form");
    }
    return value;
  }

  /** A non-negative INTEGER of at most 31 bits. */
  smallInteger(tag: number = Tag.integer): number {
    const value = this.integer(tag);
    if (value.length > 4 || (value[0] ?? 0) >= 0x80) throw this.failure("an integer is too large");
    return value.reduce((sum, byte) => sum * 256 + byte, 0);
  }

  boolean(): boolean {
    const value = this.content(Tag.boolean);
    const byte = value[0];
    if (value.length !== 1 || (byte !== 0 && byte !== 0xff)) {
      throw this.failure("a boolean is neither true nor false");
    }
    return byte === 0xff;
  }

  /** An OBJECT IDENTIFIER in dotted form. */
  objectIdentifier(): string {
    const content = this.content(Tag.objectIdentifier);
    const last = content[content.length - 1];
    if (last === undefined || last >= 0x80 || content.length > MAX_OID_BYTES) {
      throw this.failure("an object identifier is malformed");
    }
    // Those of certificate extensions, 2.5.29.n, are most of what is read: ready strings for them.
    if (content.length === 3 && content[0] === 0x55 && content[1] === 0x1d) {
      return CERTIFICATE_EXTENSION_OIDS[last] ?? "";
    }
    let text = "";
    let arc = 0;
    let atStart = true;
    for (const byte of content) {
      if (atStart && byte === 0x80) throw this.failure("an object identifier is not minimal");
      arc = arc * 128 + (byte & 0x7f);
      if (arc > 0xffff_ffff) throw this.failure("an object identifier's arc is too large");
      atStart = byte < 0x80;
      if (!atStart) continue;
      text += text === "" ? firstArcs(arc) : `.${arc}`;
      arc = 0;
    }
    return text;
  }

  /** A BIT STRING: its octets and how many bits of the last one do not count (they are zero). */
  bitString(): { readonly bytes: Uint8Array; readonly unusedBits: number } {
    const content = this.content(Tag.bitString);
    const unusedBits = content[0];
    if (unusedBits === undefined || unusedBits > 7 || (content.length === 1 && unusedBits > 0)) {
      throw this.failure("a bit string is malformed");
    }
    const last = content[content.length - 1] ?? 0;
    if (content.length > 1 && (last & ((1 << unusedBits) - 1)) !== 0) {
      throw this.failure("a bit string has bits set past its end");
    }
    return { bytes: content.subarray(1), unusedBits };
  }

  /** A BIT STRING of whole octets, as signatures and keys are. */
  octetsOfBitString(): Uint8Array {
    const { bytes, unusedBits } = this.bitString();
    if (unusedBits !== 0) throw this.failure("a bit string is not of whole octets");
    return bytes;
  }

  /** A string of ASCII characters, under any tag. */
  ascii(tag: number): string {
    const content = this.content(tag);
    let text = "";
    for (const byte of content) {
      if (byte >= 0x80) throw this.failure("a string has a character outside ASCII");
      text += String.fromCharCode(byte);
    }
    return text;
  }

  /** Reads the next header, leaves `position` on the element, returns where its content starts. */
  private header(tag: number | undefined): number {
    const { bytes, endAt } = this;
    let at = this.position;
    if (at >= endAt) throw this.failure("an element is missing");
    const found = bytes[at] ?? 0;
    if ((found & 0x1f) === 0x1f) throw this.failure("a tag has more than one byte");
    if (tag !== undefined && found !== tag) {
      throw this.failure(`a tag is 0x${hexByte(found)} instead of 0x${hexByte(tag)}`);
    }
    at += 1;
    if (at >= endAt) throw this.failure("it is cut short");
    let length = bytes[at] ?? 0;
    at += 1;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0) throw this.failure("a length is indefinite");
      if (octets > MAX_LENGTH_OCTETS) throw this.failure("a length is too large");
      if (at + octets > endAt) throw this.failure("it is cut short");
      length = 0;
      for (let i = 0; i < octets; i += 1) length = length * 256 + (bytes[at + i] ?? 0);
      at += octets;
      const shortest = length < 0x80 ? 0 : Math.ceil((32 - Math.clz32(length)) / 8);
      if (octets !== shortest) throw this.failure("a length is not in its shortest form");
    }
    if (length > endAt - at) throw this.failure("it is cut short");
    this.contentEnd = at + length;
    return at;
  }
}

function firstArcs(value: number): string {
  const first = Math.min(Math.floor(value / 40), 2);
  return `${first}.${value - first * 40}`;
}

function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}
