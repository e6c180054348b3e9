// Validates WIT-SVIDs (WIT-SVID s2 to s4, Incubating; revision 665a28f of the standards). A WIT-SVID alone
// proves nothing: who shows it must also prove that it holds the key in `cnf`, by a proof token
// (proof-token.ts) or by signing the HTTP message (http-signature.ts). How they are issued: issue.ts.

import type { WitAuthority } from "../bundle/bundle.ts";
import { pkiError } from "../errors.ts";
import type { JsonObject } from "../json.ts";
import {
  badClaims,
  checkSignature,
  checkTimes,
  chooseAuthority,
  keyOf,
  malformed,
  quote,
  readExpiry,
  readKeyId,
  readSubject,
  readTime,
  readToken,
  type TokenKind,
} from "../jwt/token.ts";
import type { SpiffeId, TrustDomain } from "../spiffe-id.ts";
import { type ConfirmationKey, importConfirmation, readConfirmation } from "./confirmation.ts";

/** What the header says of the type, to the letter. */
export const WIT_TYPE = "wit+jwt";

/** Allowance for clocks that differ, unless the caller gives one. */
const DEFAULT_LEEWAY_SECONDS = 60;
/** The most that the standard lets anybody allow (s3.4). */
export const MAX_LEEWAY_SECONDS = 120;

const WIT_SVID: TokenKind = {
  name: "WIT-SVID",
  malformed: "WIT_SVID_MALFORMED",
  algorithm: "WIT_SVID_ALGORITHM",
  claims: "WIT_SVID_CLAIMS",
  untrusted: "WIT_SVID_UNTRUSTED",
  expired: "WIT_SVID_EXPIRED",
  notYetValid: "WIT_SVID_NOT_YET_VALID",
};

/** What a WIT-SVID says. */
export interface WitSvid {
  readonly id: SpiffeId;
  readonly keyId: string;
  /** The key whose holder the token is about, and the algorithm of proofs by it. */
  readonly confirmation: ConfirmationKey;
  readonly expiresAt: Date;
  readonly issuedAt: Date | undefined;
  readonly claims: JsonObject;
}

export interface WitSvidExpectation {
  /** The WIT authorities of a trust domain; undefined or none when it is not trusted. */
  readonly authoritiesOf: (trustDomain: TrustDomain) => readonly WitAuthority[] | undefined;
  readonly now: Date;
  /** At most 120. */
  readonly leewaySeconds?: number;
  /** Refuses tokens that live longer, from `nbf` (or, without one, from now) to `exp`. Default: no limit. */
  readonly maxLifetimeSeconds?: number;
}

/**
 * Validates a WIT-SVID and returns what it says. Its holder is not proven by this: verify a proof with the
 * key in `confirmation` before trusting the caller.
 * @throws WIT_SVID_MALFORMED, WIT_SVID_ALGORITHM, WIT_SVID_CLAIMS, WIT_SVID_CONFIRMATION,
 * WIT_SVID_UNTRUSTED, WIT_SVID_EXPIRED, WIT_SVID_NOT_YET_VALID
 */
export async function validateWitSvid(
  token: string,
  expectation: WitSvidExpectation,
): Promise<WitSvid> {
  const { now, leewaySeconds = DEFAULT_LEEWAY_SECONDS } = expectation;
  checkLeeway(leewaySeconds);
  const { alg, jwk, ...read } = readWit(token);
  const authorities = expectation.authoritiesOf(read.id.trustDomain) ?? [];
  const key = keyOf(chooseAuthority(read, authorities, WIT_SVID));
  await checkSignature(token, alg, { key, keyName: read.keyId }, WIT_SVID);
  checkTimes(read, read.id.toString(), { now, leewaySeconds }, WIT_SVID);
  checkLifetime(read, expectation);
  return { ...read, confirmation: importConfirmation(jwk) };
}

/**
 * Reads a token without verifying it: for tokens that just came from the issuer over a trusted channel.
 * Anything else goes through `validateWitSvid`.
 * @throws WIT_SVID_MALFORMED, WIT_SVID_ALGORITHM, WIT_SVID_CLAIMS, WIT_SVID_CONFIRMATION
 */
export function parseWitSvidInsecurely(token: string): WitSvid {
  const { alg: _, jwk, ...read } = readWit(token);
  return { ...read, confirmation: importConfirmation(jwk) };
}

/** Whether a text would be taken for a WIT-SVID by its header, sound or not: it is then no bearer token. */
export function isWit(text: string): boolean {
  const [header = "", ...rest] = text.split(".", 3);
  if (rest.length !== 2) return false;
  const { typ } = Object(parseLoosely(Buffer.from(header, "base64url").toString("utf8")));
  return typeof typ === "string" && typ.toLowerCase().endsWith(WIT_TYPE);
}

/** As a careless reader would: whatever such a one takes for a WIT-SVID counts as one. */
function parseLoosely(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws TypeError for an allowance that is larger than the standard lets anybody grant */
function checkLeeway(leewaySeconds: number): void {
  if (leewaySeconds >= 0 && leewaySeconds <= MAX_LEEWAY_SECONDS) return;
  throw new TypeError(
    `a leeway of ${leewaySeconds} s: at most ${MAX_LEEWAY_SECONDS} s are allowed`,
  );
}

function readWit(token: string) {
  const { alg, header, claims } = readToken(token, WIT_SVID);
  if (header["typ"] !== WIT_TYPE) {
    throw malformed(WIT_SVID, `its type is ${quote(header["typ"])}`);
  }
  const keyId = readKeyId(header, WIT_SVID);
  const id = readSubject(claims, WIT_SVID);
  const expiresAt = readExpiry(claims, WIT_SVID);
  // `iat` says when, never from when: a token of an issuer whose clock is ahead is valid (s3.6).
  const issuedAt = readTime(claims, "iat", WIT_SVID);
  readTime(claims, "nbf", WIT_SVID);
  // A WIT-SVID is for nobody in particular; its proof is. A token with both is something else (s3.8).
  if ("aud" in claims) throw badClaims(WIT_SVID, "it has an aud");
  const jwk = readConfirmation(claims["cnf"]);
  return { alg, jwk, id, keyId, expiresAt, issuedAt, claims };
}

function checkLifetime(
  { id, expiresAt, claims }: Omit<WitSvid, "confirmation">,
  { now, maxLifetimeSeconds }: WitSvidExpectation,
): void {
  if (maxLifetimeSeconds === undefined) return;
  const from = readTime(claims, "nbf", WIT_SVID) ?? now;
  const lifetimeSeconds = (expiresAt.getTime() - from.getTime()) / 1000;
  if (lifetimeSeconds <= maxLifetimeSeconds) return;
  throw pkiError(
    "WIT_SVID_CLAIMS",
    `the WIT-SVID of ${id} lives ${lifetimeSeconds} s, over the ${maxLifetimeSeconds} s allowed here`,
  );
}
