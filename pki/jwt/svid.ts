// Validates JWT-SVIDs (JWT-SVID s4; RFC 7515, RFC 7519 s7.2). Everything in a token is hostile until
// its signature is checked: only `alg` and `kid` of its header are used, and only to choose among keys
// of the bundle of the trust domain that `sub` names. How tokens are made: issue.ts.

import type { KeyObject } from "node:crypto";
import type { JwtAuthority } from "../bundle/bundle.ts";
import { pkiError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../json.ts";
import { importSpki } from "../keys.ts";
import { SpiffeId, type TrustDomain } from "../spiffe-id.ts";
import { algorithmFits, isAlgorithm } from "./algorithms.ts";

/** Longest token that is read, in bytes. */
export const MAX_TOKEN_BYTES = 65_536;
/** Most elements of `aud` that are read. */
const MAX_AUDIENCES = 64;
/** Allowance for clocks that differ, unless the caller gives one: what JWT libraries usually grant. */
const DEFAULT_LEEWAY_SECONDS = 60;

/** The largest NumericDate that a Date can hold. */
const MAX_UNIX_SECONDS = 8_640_000_000_000;

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
  await checkSignature(token, alg, svid, expectation);
  checkTimes(svid, expectation);
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
  if (typeof token !== "string" || token.length > MAX_TOKEN_BYTES) {
    throw malformed(`it is not a string of at most ${MAX_TOKEN_BYTES} bytes`);
  }
  const parts = token.split(".", 4);
  const [header, payload, signature] = parts;
  if (parts.length !== 3 || header === undefined || payload === undefined || !signature) {
    throw malformed("it does not have three parts");
  }
  const { alg, keyId } = readHeader(readPart(header, "header"));
  const claims = readPart(payload, "payload");
  return { alg, keyId, ...readClaims(claims), claims };
}

function readHeader(header: JsonObject): { alg: string; keyId: string } {
  const { alg, kid, typ, crit } = header;
  if (!isAlgorithm(alg)) {
    throw pkiError("JWT_SVID_ALGORITHM", `${quote(alg)} is not an algorithm of JWT-SVIDs`);
  }
  if (typ !== undefined && typ !== "JWT" && typ !== "JOSE") {
    throw malformed(`its type is ${quote(typ)}`);
  }
  // No extension is understood here, and an extension marked critical must be (RFC 7515 s4.1.11).
  if (crit !== undefined) throw malformed("it has critical header parameters");
  if (typeof kid !== "string" || kid === "") throw malformed("it has no key ID");
  return { alg, keyId: kid };
}

function readClaims(claims: JsonObject): Omit<ParsedJwtSvid, "alg" | "keyId" | "claims"> {
  if (typeof claims["sub"] !== "string") throw badClaims("sub is not a string");
  let id: SpiffeId;
  try {
    id = SpiffeId.parse(claims["sub"]);
  } catch (cause) {
    throw pkiError("JWT_SVID_CLAIMS", `the JWT-SVID's sub is ${quote(claims["sub"])}`, { cause });
  }
  const exp = readTime(claims, "exp");
  if (exp === undefined) throw badClaims("it has no exp");
  const iat = readTime(claims, "iat");
  readTime(claims, "nbf");
  return {
    id,
    audience: readAudience(claims["aud"]),
    expiresAt: new Date(exp * 1000),
    issuedAt: iat === undefined ? undefined : new Date(iat * 1000),
  };
}

function readAudience(aud: JsonValue | undefined): readonly string[] {
  const values = typeof aud === "string" ? [aud] : aud;
  if (!Array.isArray(values) || values.length === 0) throw badClaims("it has no aud");
  if (values.length > MAX_AUDIENCES) throw badClaims(`aud has over ${MAX_AUDIENCES} elements`);
  return values.map((value: JsonValue) => {
    if (typeof value !== "string") throw badClaims("an element of aud is not a string");
    return value;
  });
}

/** Reads a NumericDate, in Unix seconds, fractions allowed. */
function readTime(claims: JsonObject, name: "exp" | "iat" | "nbf"): number | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !(Math.abs(value) <= MAX_UNIX_SECONDS)) {
    throw badClaims(`${name} is not a date in seconds`);
  }
  return value;
}

async function checkSignature(
  token: string,
  alg: string,
  svid: JwtSvid,
  expectation: JwtSvidExpectation,
): Promise<void> {
  const key = keyOf(chooseAuthority(svid, expectation));
  if (!algorithmFits(alg, key)) {
    throw pkiError("JWT_SVID_ALGORITHM", `${alg} does not fit the key ${quote(svid.keyId)}`);
  }
  readBase64url(token.slice(token.lastIndexOf(".") + 1), "signature");
  // Loaded when the first token comes: most agents and workloads never validate one.
  const { compactVerify } = await import("jose");
  try {
    await compactVerify(token, key, { algorithms: [alg] });
  } catch (cause) {
    throw pkiError("JWT_SVID_UNTRUSTED", "the signature of the JWT-SVID is wrong", { cause });
  }
}

function chooseAuthority(svid: JwtSvid, expectation: JwtSvidExpectation): JwtAuthority {
  const { trustDomain } = svid.id;
  const authorities = expectation.authoritiesOf(trustDomain) ?? [];
  if (authorities.length === 0) {
    throw pkiError("JWT_SVID_UNTRUSTED", `there is no JWT authority for "${trustDomain}"`, {
      hint: "federate with that trust domain, or send a token of your own",
    });
  }
  const named = authorities.filter((authority) => authority.keyId === svid.keyId);
  const authority = named[0];
  if (authority !== undefined && named.length === 1) return authority;
  const problem = named.length > 1 ? "more than one key" : "no key";
  throw pkiError(
    "JWT_SVID_UNTRUSTED",
    `the bundle of "${trustDomain}" has ${problem} with ID ${quote(svid.keyId)}`,
  );
}

/** Imported keys, by the authority object they came from: an import costs half a verification. */
const keys = new WeakMap<JwtAuthority, KeyObject>();

function keyOf(authority: JwtAuthority): KeyObject {
  let key = keys.get(authority);
  if (key === undefined) {
    key = importSpki(authority.spki);
    keys.set(authority, key);
  }
  return key;
}

function checkTimes(svid: JwtSvid, { now, leewaySeconds }: JwtSvidExpectation): void {
  const leewayMs = (leewaySeconds ?? DEFAULT_LEEWAY_SECONDS) * 1000;
  if (!(now.getTime() < svid.expiresAt.getTime() + leewayMs)) {
    throw pkiError("JWT_SVID_EXPIRED", `the JWT-SVID of ${svid.id} has expired`, {
      hint: "fetch a new one; if it is new, compare the clocks",
    });
  }
  const nbf = readTime(svid.claims, "nbf");
  if (nbf !== undefined && nbf * 1000 > now.getTime() + leewayMs) {
    throw pkiError("JWT_SVID_NOT_YET_VALID", `the JWT-SVID of ${svid.id} is not valid yet`);
  }
}

function readPart(part: string, name: string): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(readBase64url(part, name));
  } catch (cause) {
    throw pkiError("JWT_SVID_MALFORMED", `the JWT-SVID's ${name} cannot be read`, { cause });
  }
  if (!isJsonObject(value)) throw malformed(`its ${name} is not a JSON object`);
  return value;
}

/** Decodes canonical base64url: other spellings of the same bytes would evade lists of seen tokens. */
function readBase64url(part: string, name: string): Uint8Array {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) throw malformed(`its ${name} is not base64url`);
  return bytes;
}

function malformed(why: string): Error {
  return pkiError("JWT_SVID_MALFORMED", `this is not a JWT-SVID: ${why}`);
}

function badClaims(why: string): Error {
  return pkiError("JWT_SVID_CLAIMS", `the JWT-SVID's claims are wrong: ${why}`);
}

/** Outside text in a message: escaped, so that it cannot forge a log line, and cut. */
function quote(value: JsonValue | undefined): string {
  if (value === undefined) return "missing";
  const text = typeof value === "string" ? JSON.stringify(value) : `a ${typeof value}`;
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

function quoteList(values: readonly string[]): string {
  return values.slice(0, 4).map(quote).join(", ");
}
