// How a registration entry lies in the store: the record itself under its ID, and a second record that
// makes (parent ID, SPIFFE ID, set of selectors) unique. JSON arrays, because the strings it gives are
// flat: the entries stay in memory by the hundred thousand, and protobufjs would leave ropes there.

import { hash } from "node:crypto";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Selector } from "../../proto/types/selector.ts";
import { serverError } from "../errors.ts";
import type { StoredRecord } from "./log.ts";
import type { Transaction } from "./transaction.ts";

export const ENTRY_PREFIX = "entry/";
/** Of what stands beside an entry: entry-owners.ts. */
export const ENTRY_OWNER_PREFIX = "entry-owner/";
const IDENTITY_PREFIX = "entry-identity/";
const FORMAT = 1;

type EntryRow = [
  format: number,
  id: string,
  spiffeId: string,
  parentId: string,
  selectors: string[],
  x509SvidTtlSeconds: number,
  jwtSvidTtlSeconds: number,
  federatesWith: string[],
  flags: number,
  expiresAtUnixSeconds: number,
  dnsNames: string[],
  revisionNumber: number,
  hint: string,
  createdAtUnixSeconds: number,
  /** Entries of before it was recorded have none. */
  creationOrder?: number,
];

const ADMIN = 1;
const DOWNSTREAM = 2;
const STORE_SVID = 4;
const DISABLE_PREFETCH = 8;
const INCLUDE_JTI = 16;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function entryKey(id: string): string {
  return ENTRY_PREFIX + id;
}

/** The key of the record that says which entry has this parent, SPIFFE ID and set of selectors. */
export function identityKey(entry: {
  readonly parentId: string;
  readonly spiffeId: string;
  readonly selectors: readonly Selector[];
}): string {
  const selectors = entry.selectors.map(({ type, value }) => JSON.stringify([type, value])).sort();
  return (
    IDENTITY_PREFIX +
    hash("sha256", JSON.stringify([entry.parentId, entry.spiffeId, selectors]), "base64url")
  );
}

export function encodeEntry(entry: RegistrationEntry): Uint8Array {
  const row: EntryRow = [
    FORMAT,
    entry.id,
    entry.spiffeId,
    entry.parentId,
    entry.selectors.flatMap(({ type, value }) => [type, value]),
    entry.x509SvidTtlSeconds,
    entry.jwtSvidTtlSeconds,
    [...entry.federatesWith],
    (entry.admin ? ADMIN : 0) |
      (entry.downstream ? DOWNSTREAM : 0) |
      (entry.storeSvid ? STORE_SVID : 0) |
      (entry.disableX509SvidPrefetch ? DISABLE_PREFETCH : 0) |
      (entry.jwtSvidIncludeJti ? INCLUDE_JTI : 0),
    entry.expiresAtUnixSeconds,
    [...entry.dnsNames],
    entry.revisionNumber,
    entry.hint,
    entry.createdAtUnixSeconds,
    entry.creationOrder ?? 0,
  ];
  return encoder.encode(JSON.stringify(row));
}

/** @throws STORE_CORRUPT, STORE_FORMAT_UNKNOWN */
export function decodeEntry(value: Uint8Array, key: string): RegistrationEntry {
  let row: EntryRow;
  try {
    row = JSON.parse(decoder.decode(value)) as EntryRow;
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the stored registration entry "${key}" cannot be read`, {
      cause,
    });
  }
  if (row[0] !== FORMAT) {
    throw serverError(
      "STORE_FORMAT_UNKNOWN",
      `the stored registration entry "${key}" has format ${String(row[0])}`,
      {
        hint: "run the version of the server that wrote this store, or a later one",
      },
    );
  }
  const flat = row[4];
  const selectors: Selector[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    selectors.push({ type: flat[i] as string, value: flat[i + 1] as string });
  }
  const flags = row[8];
  return {
    id: row[1],
    spiffeId: row[2],
    parentId: row[3],
    selectors,
    x509SvidTtlSeconds: row[5],
    jwtSvidTtlSeconds: row[6],
    federatesWith: row[7],
    admin: (flags & ADMIN) !== 0,
    downstream: (flags & DOWNSTREAM) !== 0,
    expiresAtUnixSeconds: row[9],
    dnsNames: row[10],
    revisionNumber: row[11],
    storeSvid: (flags & STORE_SVID) !== 0,
    hint: row[12],
    createdAtUnixSeconds: row[13],
    ...(row[14] ? { creationOrder: row[14] } : {}),
    disableX509SvidPrefetch: (flags & DISABLE_PREFETCH) !== 0,
    jwtSvidIncludeJti: (flags & INCLUDE_JTI) !== 0,
  };
}

export function decodeEntryRecord(record: StoredRecord): RegistrationEntry {
  return decodeEntry(record.value, record.key);
}

/** The entry under an ID, as a transaction that loaded its key sees it. */
export function peekEntry(transaction: Transaction, id: string): RegistrationEntry | undefined {
  const value = transaction.peek(entryKey(id));
  return value === undefined ? undefined : decodeEntry(value, entryKey(id));
}

/** Writes an entry and the record of its identity; `before` is the state it replaces. */
export function writeEntry(
  transaction: Transaction,
  entry: RegistrationEntry,
  before?: RegistrationEntry,
): void {
  const identity = identityKey(entry);
  if (before !== undefined) {
    const previous = identityKey(before);
    if (previous !== identity) transaction.delete(previous);
  }
  transaction.put(entryKey(entry.id), encodeEntry(entry));
  transaction.put(identity, encoder.encode(entry.id));
}

/** Deletes an entry with all that belongs to it. */
export function removeEntry(transaction: Transaction, entry: RegistrationEntry): void {
  transaction.delete(entryKey(entry.id));
  transaction.delete(identityKey(entry));
  transaction.delete(ENTRY_OWNER_PREFIX + entry.id);
}

/** The ID of the entry that has this identity, as a transaction that loaded the identity's key sees it. */
export function peekIdentity(transaction: Transaction, identity: string): string | undefined {
  const value = transaction.peek(identity);
  return value === undefined ? undefined : decoder.decode(value);
}
