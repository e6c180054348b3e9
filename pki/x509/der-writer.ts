// Writing DER: small functions that each return one element. Only for documents of our own making;
// the hot path fills a finished template instead (issue.ts). Reading: der.ts.
import { Tag } from "./der.ts";

/** One element: identifier octet, minimal length, the parts one after the other. */
export function derElement(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const header = headerOf(tag, length);
  const bytes = new Uint8Array(header.length + length);
  bytes.set(header);
  let at = header.length;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(Tag.sequence, ...parts);
}

/** An INTEGER of zero or more: leading zeros are dropped, a zero byte keeps the sign positive. */
export function derUnsignedInteger(bigEndian: Uint8Array): Uint8Array {
  let start = 0;
  while (start < bigEndian.length - 1 && bigEndian[start] === 0) start += 1;
  const value = bigEndian.subarray(start);
  const needsZero = value.length === 0 || (value[0] ?? 0) >= 0x80;
  return derElement(Tag.integer, needsZero ? Uint8Array.of(0) : new Uint8Array(0), value);
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function derObjectIdentifier(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes: number[] = [];
  for (const arc of [first * 40 + second, ...rest]) {
    const groups = [arc & 0x7f];
    for (let high = Math.floor(arc / 128); high > 0; high = Math.floor(high / 128)) {
      groups.unshift((high & 0x7f) | 0x80);
    }
    bytes.push(...groups);
  }
  return derElement(Tag.objectIdentifier, Uint8Array.from(bytes));
}

export function derBoolean(value: boolean): Uint8Array {
  return Uint8Array.of(Tag.boolean, 1, value ? 0xff : 0);
}

/** A BIT STRING of whole octets. */
export function derBitString(octets: Uint8Array): Uint8Array {
  return derElement(Tag.bitString, Uint8Array.of(0), octets);
}

/** A BIT STRING of named bits, as KeyUsage is: bit i of `bits` is named bit i; trailing zeros are dropped. */
export function derNamedBits(bits: number): Uint8Array {
  const count = 32 - Math.clz32(bits);
  const octets = new Uint8Array(Math.ceil(count / 8));
  for (let bit = 0; bit < count; bit += 1) {
    if ((bits >> bit) & 1) octets[bit >> 3] = (octets[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  }
  return derElement(Tag.bitString, Uint8Array.of(octets.length * 8 - count), octets);
}

/** A string of ASCII characters under any tag. */
export function derAscii(tag: number, text: string): Uint8Array {
  return derElement(tag, Buffer.from(text, "latin1"));
}

function headerOf(tag: number, length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(tag, length);
  if (length < 0x100) return Uint8Array.of(tag, 0x81, length);
  if (length < 0x1_0000) return Uint8Array.of(tag, 0x82, length >> 8, length & 0xff);
  return Uint8Array.of(tag, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff);
}
