// How the ordered log lies in LevelDB. "m/..." says what the store is (level-files.ts), "r/<key>" is a
// record: 8 bytes of revision, then its value; "c/<revision, 16 hex digits>" is the change of one commit.

import { serverError } from "../errors.ts";
import type { StoredRecord } from "./log.ts";

export const RECORD = "r/";
export const CHANGE = "c/";
const REVISION_BYTES = 8;

export function changeKey(revision: number): string {
  return CHANGE + revision.toString(16).padStart(16, "0");
}

export function revisionOfChange(key: string): number {
  return Number.parseInt(key.slice(CHANGE.length), 16);
}

/** The first key after all that begin with `prefix`, whose last character must not be the last of all. */
export function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** The stored bytes of a record. */
export function withRevision(value: Uint8Array, revision: number): Uint8Array {
  const stored = new Uint8Array(REVISION_BYTES + value.byteLength);
  new DataView(stored.buffer).setBigUint64(0, BigInt(revision));
  stored.set(value, REVISION_BYTES);
  return stored;
}

/** The record in stored bytes. @throws STORE_CORRUPT */
export function toRecord(key: string, stored: Uint8Array): StoredRecord {
  const view = new DataView(stored.buffer, stored.byteOffset, stored.byteLength);
  if (stored.byteLength < REVISION_BYTES)
    throw serverError("STORE_CORRUPT", `the record "${key}" is cut off`);
  const revision = view.getUint32(0) * 2 ** 32 + view.getUint32(4);
  return { key, value: stored.subarray(REVISION_BYTES), revision };
}
