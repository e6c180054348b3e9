// Registration entries: the value that server and agent work with, and its wire form with masks.
// What a server demands of a new entry beyond its form: server/entries/validate.ts.

import { IdentityError } from "../../pki/errors.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../codec.ts";
import { protoError } from "../errors.ts";
import type { spire } from "../schema.gen.ts";
import { applyMask, isMeant } from "./mask.ts";
import { type Selector, selectorsFromWire, selectorToWire } from "./selector.ts";
import { spiffeIdFromWire, spiffeIdToWire } from "./spiffe-id.ts";

/** Who gets which identity: workloads with these selectors, on nodes under this parent. */
export interface RegistrationEntry {
  readonly id: string;
  readonly spiffeId: string;
  readonly parentId: string;
  readonly selectors: readonly Selector[];
  /** 0 is the server's default. */
  readonly x509SvidTtlSeconds: number;
  /** 0 is the server's default. */
  readonly jwtSvidTtlSeconds: number;
  /** Bare trust domain names. */
  readonly federatesWith: readonly string[];
  readonly admin: boolean;
  readonly downstream: boolean;
  /** 0 is never. */
  readonly expiresAtUnixSeconds: number;
  readonly dnsNames: readonly string[];
  readonly revisionNumber: number;
  readonly storeSvid: boolean;
  readonly hint: string;
  readonly createdAtUnixSeconds: number;
  /**
   * Grows with every entry that a store creates: tells apart those of one second. Absent, as 0, where it was
   * not recorded. It is no part of the entry's own message: the link carries it beside the entries.
   */
  readonly creationOrder?: number;
  readonly disableX509SvidPrefetch: boolean;
  readonly jwtSvidIncludeJti: boolean;
}

type Wire = spire.api.types.Entry;
type WireMask = Init<spire.api.types.EntryMask>;

/** Longest entry ID and hint, in UTF-16 units, as in SPIRE. */
const MAX_ENTRY_ID_LENGTH = 255;
const MAX_HINT_LENGTH = 1024;
/** Most DNS names, and most trust domains to federate with, of one entry. */
export const MAX_DNS_NAMES = 256;
const MAX_FEDERATES_WITH = 256;
const MAX_DNS_NAME_LENGTH = 253;

/**
 * Checks the form of an entry: IDs, selectors, sizes, signs. It may still lack an ID or selectors.
 * @throws ENTRY_MALFORMED
 */
export function entryFromWire(wire: Wire): RegistrationEntry {
  return describing(wire, () => ({
    id: short(wire.id, "ID", MAX_ENTRY_ID_LENGTH),
    spiffeId: spiffeIdFromWire(wire.spiffeId).toString(),
    parentId: spiffeIdFromWire(wire.parentId).toString(),
    selectors: selectorsFromWire(wire.selectors),
    x509SvidTtlSeconds: natural(wire.x509SvidTtl, "X509-SVID TTL"),
    jwtSvidTtlSeconds: natural(wire.jwtSvidTtl, "JWT-SVID TTL"),
    federatesWith: trustDomains(wire.federatesWith),
    admin: wire.admin,
    downstream: wire.downstream,
    expiresAtUnixSeconds: natural(wire.expiresAt, "expiry"),
    dnsNames: dnsNames(wire.dnsNames),
    revisionNumber: natural(wire.revisionNumber, "revision number"),
    storeSvid: wire.storeSvid,
    hint: short(wire.hint, "hint", MAX_HINT_LENGTH),
    createdAtUnixSeconds: natural(wire.createdAt, "creation time"),
    disableX509SvidPrefetch: wire.additionalAttributes?.disableX509SvidPrefetch ?? false,
    jwtSvidIncludeJti: wire.additionalAttributes?.jwtSvidIncludeJti ?? false,
  }));
}

/**
 * `current` with the fields of `wire` that `mask` means (all of them without a mask). ID, revision
 * number and creation time stay: they are the server's to set.
 * @throws ENTRY_MALFORMED
 */
export function updateEntry(
  current: RegistrationEntry,
  wire: Wire,
  mask: WireMask | undefined,
): RegistrationEntry {
  const now = entryToWire(current);
  const merged = { ...now, ...applyMask(wire, mask, "id") } as Wire;
  const { id, revisionNumber, createdAtUnixSeconds, creationOrder } = current;
  return {
    ...entryFromWire(merged),
    id,
    revisionNumber,
    createdAtUnixSeconds,
    ...(creationOrder !== undefined && { creationOrder }),
  };
}

/** The wire form, with the fields that `mask` means and the ID. */
export function entryToWire(entry: RegistrationEntry, mask?: WireMask): Init<Wire> {
  const hasAttributes = entry.disableX509SvidPrefetch || entry.jwtSvidIncludeJti;
  return {
    id: entry.id,
    spiffeId: isMeant(mask, "spiffeId") ? spiffeIdToWire(entry.spiffeId) : undefined,
    parentId: isMeant(mask, "parentId") ? spiffeIdToWire(entry.parentId) : undefined,
    selectors: isMeant(mask, "selectors") ? entry.selectors.map(selectorToWire) : [],
    x509SvidTtl: isMeant(mask, "x509SvidTtl") ? entry.x509SvidTtlSeconds : 0,
    jwtSvidTtl: isMeant(mask, "jwtSvidTtl") ? entry.jwtSvidTtlSeconds : 0,
    federatesWith: isMeant(mask, "federatesWith") ? entry.federatesWith : [],
    admin: isMeant(mask, "admin") && entry.admin,
    downstream: isMeant(mask, "downstream") && entry.downstream,
    expiresAt: isMeant(mask, "expiresAt") ? entry.expiresAtUnixSeconds : 0,
    dnsNames: isMeant(mask, "dnsNames") ? entry.dnsNames : [],
    revisionNumber: isMeant(mask, "revisionNumber") ? entry.revisionNumber : 0,
    storeSvid: isMeant(mask, "storeSvid") && entry.storeSvid,
    hint: isMeant(mask, "hint") ? entry.hint : "",
    createdAt: isMeant(mask, "createdAt") ? entry.createdAtUnixSeconds : 0,
    additionalAttributes:
      isMeant(mask, "additionalAttributes") && hasAttributes ? attributesOf(entry) : undefined,
  };
}

function attributesOf(entry: RegistrationEntry): Init<Wire["additionalAttributes"]> {
  const { disableX509SvidPrefetch, jwtSvidIncludeJti } = entry;
  return { disableX509SvidPrefetch, jwtSvidIncludeJti };
}

function describing(wire: Wire, read: () => RegistrationEntry): RegistrationEntry {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof IdentityError)) throw cause;
    const which = wire.id === "" ? "entry" : `entry ${JSON.stringify(wire.id.slice(0, 64))}`;
    const hint = cause.hint === undefined ? {} : { hint: cause.hint };
    throw protoError("ENTRY_MALFORMED", `${which}: ${cause.message}`, { ...hint, cause });
  }
}

function natural(value: number, what: string): number {
  if (value >= 0 && Number.isSafeInteger(value)) return value;
  throw protoError("ENTRY_MALFORMED", `the ${what} ${value} is out of range`);
}

function short(text: string, what: string, limit: number): string {
  if (text.length <= limit) return text;
  throw protoError("ENTRY_MALFORMED", `the ${what} is longer than ${limit} characters`);
}

function trustDomains(names: readonly string[]): string[] {
  if (names.length > MAX_FEDERATES_WITH) {
    throw protoError("ENTRY_MALFORMED", `${names.length} federated trust domains are too many`);
  }
  return names.map((name) => TrustDomain.parse(name).name);
}

function dnsNames(names: readonly string[]): readonly string[] {
  if (names.length > MAX_DNS_NAMES) {
    throw protoError("ENTRY_MALFORMED", `${names.length} DNS names are too many`);
  }
  return names.map((name) => short(name, "DNS name", MAX_DNS_NAME_LENGTH));
}
