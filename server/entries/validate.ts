// What the server demands of a registration entry beyond its form (which proto/types/entry.ts checks):
// IDs of its own trust domain, no reserved name, selectors without repetition, names that may stand in
// a certificate. Applied to what is created, and to the outcome of each update.

import { IdentityError } from "../../pki/errors.ts";
import { MAX_SPIFFE_ID_BYTES, SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import type { Selector } from "../../proto/types/selector.ts";
import { serverError } from "../errors.ts";
import type { EntryDraft } from "../store/entries.ts";

/** What entries are checked against. */
export interface EntryRules {
  readonly trustDomain: TrustDomain;
  /** Whether the server has a bundle of this trust domain, by bare name. */
  readonly isFederated: (trustDomain: string) => boolean;
}

const MAX_HINT_BYTES = 1024;
const MAX_TTL_SECONDS = 2 ** 31 - 1;
/** The end of the year 9999, the last moment a certificate can name. */
const MAX_TIME_UNIX_SECONDS = 253_402_300_799;
const ENTRY_ID = /^[A-Za-z0-9._-]{1,255}$/;
const DNS_LABEL = /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/;
const MAX_DNS_NAME_LENGTH = 253;

/**
 * Returns the entry if it may be registered. An empty ID is fine: the store gives it one.
 * @throws ENTRY_INVALID
 */
export function validateEntry<T extends EntryDraft>(entry: T, rules: EntryRules): T {
  if (entry.id !== "" && !ENTRY_ID.test(entry.id)) {
    throw invalid(
      `the entry ID ${quote(entry.id)} has characters other than letters, digits, ".", "_" and "-"`,
    );
  }
  const spiffeId = member(entry.spiffeId, "SPIFFE ID", rules.trustDomain);
  if (spiffeId.path === "/spire" || spiffeId.path.startsWith("/spire/")) {
    throw invalid(`the SPIFFE ID ${quote(entry.spiffeId)} is reserved for servers and agents`, {
      hint: 'choose a path that does not begin with "/spire"',
    });
  }
  member(entry.parentId, "parent ID", rules.trustDomain);
  checkSelectors(entry.selectors, entry.storeSvid);
  checkNumber(entry.x509SvidTtlSeconds, "X509-SVID TTL", MAX_TTL_SECONDS);
  checkNumber(entry.jwtSvidTtlSeconds, "JWT-SVID TTL", MAX_TTL_SECONDS);
  checkNumber(entry.expiresAtUnixSeconds, "expiry", MAX_TIME_UNIX_SECONDS);
  checkFederation(entry.federatesWith, rules);
  checkDnsNames(entry.dnsNames);
  if (Buffer.byteLength(entry.hint) > MAX_HINT_BYTES)
    throw invalid(`the hint is longer than ${MAX_HINT_BYTES} bytes`);
  return entry;
}

/** An ID in the server's own trust domain, with a path. */
function member(text: string, what: string, trustDomain: TrustDomain): SpiffeId {
  let id: SpiffeId;
  try {
    id = SpiffeId.parse(text);
  } catch (cause) {
    const why = cause instanceof IdentityError ? cause.message : "it does not parse";
    throw invalid(`the ${what} is no SPIFFE ID: ${why}`, { cause });
  }
  if (!id.isMemberOf(trustDomain)) {
    throw invalid(`the ${what} ${quote(text)} is not in the trust domain "${trustDomain.name}"`, {
      hint: `let it begin with "${trustDomain.id}/"`,
    });
  }
  if (id.path === "") throw invalid(`the ${what} ${quote(text)} has no path`);
  if (text.length > MAX_SPIFFE_ID_BYTES)
    throw invalid(`the ${what} is longer than ${MAX_SPIFFE_ID_BYTES} bytes`);
  return id;
}

function checkSelectors(selectors: readonly Selector[], storeSvid: boolean): void {
  if (selectors.length === 0)
    throw invalid("the selector list is empty", { hint: "give at least one selector" });
  const seen = new Set<string>();
  for (const { type, value } of selectors) {
    const text = `${type}:${value}`;
    if (seen.has(text)) throw invalid(`the selector ${quote(text)} is given twice`);
    seen.add(text);
    if (!isText(text))
      throw invalid(`the selector ${quote(text)} has characters that cannot be shown`);
    if (storeSvid && type !== selectors[0]?.type) {
      throw invalid(
        "the selectors are of several types, which an entry with a stored SVID may not have",
      );
    }
  }
}

function checkFederation(names: readonly string[], { trustDomain, isFederated }: EntryRules): void {
  if (new Set(names).size !== names.length)
    throw invalid("a trust domain to federate with is given twice");
  for (const name of names) {
    if (name === trustDomain.name) throw invalid(`"${name}" is the server's own trust domain`);
    if (!isFederated(name)) {
      // What to do stands in the message: the status of an item in a batch has no place for a hint.
      throw invalid(
        `unable to find federated bundle "${name}": fetch it with 'signet federation create' or store it with 'signet bundle set' first; 'signet federation show' tells why one was not fetched`,
      );
    }
  }
}

function checkDnsNames(names: readonly string[]): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (!isDnsName(name)) throw invalid(`${quote(name)} is no DNS name`);
    const folded = name.toLowerCase();
    if (seen.has(folded)) throw invalid(`the DNS name ${quote(name)} is given twice`);
    seen.add(folded);
  }
}

/** Labels of letters, digits and inner hyphens; the first may be a wildcard before at least one other. */
function isDnsName(name: string): boolean {
  if (name.length > MAX_DNS_NAME_LENGTH) return false;
  const labels = name.split(".");
  if (labels[0] === "*" && labels.length > 1) labels.shift();
  return labels.every((label) => DNS_LABEL.test(label));
}

function checkNumber(value: number, what: string, limit: number): void {
  if (!Number.isSafeInteger(value) || value < 0 || value > limit)
    throw invalid(`the ${what} ${value} is out of range`);
}

/** No control characters, and no half of a surrogate pair, which would not come back from the store as it was. */
function isText(text: string): boolean {
  return !/[\p{Cc}\p{Cs}]/u.test(text);
}

function invalid(message: string, detail: { hint?: string; cause?: unknown } = {}): IdentityError {
  return serverError("ENTRY_INVALID", message, detail);
}

/** A value from outside, in quotes and not too long. */
function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}...` : text);
}
