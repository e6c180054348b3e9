// Validates JWT-SVIDs (JWT-SVID s4; RFC 7515, RFC 7519 s7.2). Everything in a token is hostile until
// its signature is checked: only `alg` and `kid` of its header are used, and only to choose among keys
// of the bundle of the trust domain that `sub` names. What all signed tokens share: token.ts. How
// JWT-SVIDs are made: issue.ts.

import type { JwtAuthority } from "../bundle/bundle.ts";
import { pkiError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import type { SpiffeId, TrustDomain } from "../spiffe-id.ts";
import {
  badClaims,
  checkSignature,
  checkTimes,
  chooseAuthority,
  keyOf,
  malformed,
  quote,
  quoteList,
  readExpiry,
  readKeyId,
  readSubject,
  readTime,
  readToken,
  type TokenKind,
} from "./token.ts";

/** Most elements of `aud` that are read. */
const MAX_AUDIENCES = 64;
/** Allowance for clocks that differ, unless the caller gives one: what JWT libraries usually grant. */
const DEFAULT_LEEWAY_SECONDS = 60;

const JWT_SVID: TokenKind = {
  name: "JWT-SVID",
  malformed: "JWT_SVID_MALFORMED",
  algorithm: "JWT_SVID_ALGORITHM",
  claims: "JWT_SVID_CLAIMS",
  untrusted: "JWT_SVID_UNTRUSTED",
  expired: "JWT_SVID_EXPIRED",
  notYetValid: "JWT_SVID_NOT_YET_VALID",
};

/** What a token says, read but not verified. */
export interface ParsedJwtSvid {
  readonly alg: string;
  readonly keyId: string;
  readonly id: SpiffeId;
  readonly audience: readonly string[];
  readonly expiresAt: Date;
  readonly issuedAt: Date | undefined;
  readonly claims: JsonObject;
}

export type JwtSvid = Omit<ParsedJwtSvid, "alg">;

export interface JwtSvidExpectation {
  /** The audiences the validator answers to: the token must name one of them. Never empty. */
  readonly audience: readonly string[];
  /** The JWT authorities of a trust domain; undefined or none when it is not trusted. */
  readonly authoritiesOf: (trustDomain: TrustDomain) => readonly JwtAuthority[] | undefined;
  readonly now: Date;
  readonly leewaySeconds?: number;
}

/**
 * Validates a JWT-SVID and returns what it says.
 * @throws JWT_SVID_MALFORMED, JWT_SVID_ALGORITHM, JWT_SVID_CLAIMS, JWT_SVID_UNTRUSTED,
 * JWT_SVID_EXPIRED, JWT_SVID_NOT_YET_VALID, JWT_SVID_AUDIENCE
 */
export async function validateJwtSvid(
  token: string,
  expectation: JwtSvidExpectation,
): Promise<JwtSvid> {
  if (expectation.audience.every((value) => value === "")) {
    // Libraries that skip the check for an empty list accept tokens meant for anybody.
    throw pkiError("JWT_SVID_AUDIENCE", "no audience is expected, so no token can be meant for it");
  }
  const { alg, ...svid } = parseJwtSvidInsecurely(token);
  const authorities = expectation.authoritiesOf(svid.id.trustDomain) ?? [];
  const key = keyOf(chooseAuthority(svid, authorities, JWT_SVID));
  await checkSignature(token, alg, { key, keyName: svid.keyId }, JWT_SVID);
  const { now, leewaySeconds = DEFAULT_LEEWAY_SECONDS } = expectation;
  checkTimes(svid, svid.id.toString(), { now, leewaySeconds }, JWT_SVID);
  if (!svid.audience.some((value) => value !== "" && expectation.audience.includes(value))) {
    throw pkiError(
      "JWT_SVID_AUDIENCE",
      `the JWT-SVID is meant for ${quoteList(svid.audience)}, not for ${quoteList(expectation.audience)}`,
      { hint: "fetch a token for this audience" },
    );
  }
  return svid;
}

/**
 * Reads a token without verifying it: for tokens that just came from the issuer over a trusted channel.
 * Anything else goes through `validateJwtSvid`.
 * @throws JWT_SVID_MALFORMED, JWT_SVID_ALGORITHM, JWT_SVID_CLAIMS
 */
export function parseJwtSvidInsecurely(token: string): ParsedJwtSvid {
  const { alg, header, claims } = readToken(token, JWT_SVID);
  const { typ } = header;
  if (typ !== undefined && typ !== "JWT" && typ !== "JOSE") {
    throw malformed(JWT_SVID, `its type is ${quote(typ)}`);
  }
  const keyId = readKeyId(header, JWT_SVID);
  const id = readSubject(claims, JWT_SVID);
  const expiresAt = readExpiry(claims, JWT_SVID);
  const issuedAt = readTime(claims, "iat", JWT_SVID);
  readTime(claims, "nbf", JWT_SVID);
  const audience = readAudience(claims["aud"]);
  return { alg, keyId, id, audience, expiresAt, issuedAt, claims };
}

function readAudience(aud: JsonValue | undefined): readonly string[] {
  const values = typeof aud === "string" ? [aud] : aud;
  if (!Array.isArray(values) || values.length === 0) throw badClaims(JWT_SVID, "it has no aud");
  if (values.length > MAX_AUDIENCES)
    throw badClaims(JWT_SVID, `aud has over ${MAX_AUDIENCES} elements`);
  return values.map((value: JsonValue) => {
    if (typeof value !== "string") throw badClaims(JWT_SVID, "an element of aud is not a string");
    return value;
  });
}
