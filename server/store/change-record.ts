// The bytes of one change in the log of changes: what a commit put and deleted.
// Layout, all numbers unsigned, big endian: u32 puts, then per put u32 key length, key (UTF-8),
// u32 value length, value; u32 deletes, then per delete u32 key length, key.

import { serverError } from "../errors.ts";
import type { Change, Commit } from "./log.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeChange(commit: Commit): Uint8Array {
  const puts = commit.puts ?? [];
  const deletes = commit.deletes ?? [];
  const putKeys = puts.map(({ key }) => encoder.encode(key));
  const deleteKeys = deletes.map((key) => encoder.encode(key));
  let length = 8;
  for (const [i, { value }] of puts.entries())
    length += 8 + lengthOf(putKeys[i]) + value.byteLength;
  for (const key of deleteKeys) length += 4 + key.byteLength;
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const number = (value: number): void => {
    view.setUint32(at, value);
    at += 4;
  };
  const block = (block: Uint8Array): void => {
    number(block.byteLength);
    bytes.set(block, at);
    at += block.byteLength;
  };
  number(puts.length);
  for (const [i, { value }] of puts.entries()) {
    block(putKeys[i] ?? new Uint8Array());
    block(value);
  }
  number(deleteKeys.length);
  for (const key of deleteKeys) block(key);
  return bytes;
}

/** @throws STORE_CORRUPT */
export function decodeChange(bytes: Uint8Array, revision: number): Change {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const number = (): number => {
    const value = view.getUint32(at);
    at += 4;
    return value;
  };
  const block = (): Uint8Array => {
    const length = number();
    if (at + length > bytes.byteLength) throw new RangeError("a block runs over the end");
    at += length;
    return bytes.slice(at - length, at);
  };
  try {
    const puts = Array.from({ length: checked(number(), bytes) }, () => {
      const key = decoder.decode(block());
      return { key, value: block(), revision };
    });
    const deletes = Array.from({ length: checked(number(), bytes) }, () => decoder.decode(block()));
    if (at !== bytes.byteLength) throw new RangeError("bytes follow the last block");
    return { revision, puts, deletes };
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `change ${revision} in the store cannot be read`, { cause });
  }
}

/** A count of blocks that the bytes could hold: a damaged one must not make a huge array. */
function checked(count: number, bytes: Uint8Array): number {
  if (count > bytes.byteLength / 4) throw new RangeError("more blocks than bytes");
  return count;
}

function lengthOf(bytes: Uint8Array | undefined): number {
  return bytes?.byteLength ?? 0;
}
