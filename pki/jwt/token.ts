// Reading signed tokens (RFC 7515 compact serialization, RFC 7519 claims): what JWT-SVIDs, WIT-SVIDs and
// proof tokens have in common. Everything in a token is hostile until its signature is checked. What each
// kind demands beyond this: svid.ts here, svid.ts and proof-token.ts in ../wit.

import type { KeyObject } from "node:crypto";
import type { JwtAuthority } from "../bundle/bundle.ts";
import { type IdentityError, pkiError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../json.ts";
import { importSpki } from "../keys.ts";
import { SpiffeId } from "../spiffe-id.ts";
import { algorithmFits, isAlgorithm } from "./algorithms.ts";

/** Longest token that is read, in bytes. */
const MAX_TOKEN_BYTES = 65_536;

/** The largest NumericDate that a Date can hold. */
const MAX_UNIX_SECONDS = 8_640_000_000_000;

type Reason = Parameters<typeof pkiError>[0];

/** A kind of token: its name in messages, and the reason of each way to be wrong. */
export interface TokenKind {
  readonly name: string;
  readonly malformed: Reason;
  readonly algorithm: Reason;
  readonly claims: Reason;
  readonly untrusted: Reason;
  readonly expired: Reason;
  readonly notYetValid: Reason;
}

/** The JSON objects of a token, read strictly, and its algorithm; nothing else in them is checked. */
export interface ReadToken {
  readonly alg: string;
  readonly header: JsonObject;
  readonly claims: JsonObject;
}

/** Reads a token; one whose algorithm is not allowed is read no further than its header. */
export function readToken(
  token: string,
  kind: TokenKind,
  maxBytes: number = MAX_TOKEN_BYTES,
): ReadToken {
  if (typeof token !== "string" || token.length > maxBytes) {
    throw malformed(kind, `it is not a string of at most ${maxBytes} bytes`);
  }
  const parts = token.split(".", 4);
  const [first, second, signature] = parts;
  if (parts.length !== 3 || first === undefined || second === undefined || !signature) {
    throw malformed(kind, "it does not have three parts");
  }
  const header = readPart(first, "header", kind);
  const { alg, crit } = header;
  if (!isAlgorithm(alg)) {
    throw pkiError(kind.algorithm, `${quote(alg)} is not an algorithm of ${kind.name}s`);
  }
  // No extension is understood here, and an extension marked critical must be (RFC 7515 s4.1.11).
  if (crit !== undefined) throw malformed(kind, "it has critical header parameters");
  return { alg, header, claims: readPart(second, "payload", kind) };
}

/** The key ID of a header: without one, no key is tried at random. */
export function readKeyId({ kid }: JsonObject, kind: TokenKind): string {
  if (typeof kid !== "string" || kid === "") throw malformed(kind, "it has no key ID");
  return kid;
}

/** The SPIFFE ID that the token is about. */
export function readSubject({ sub }: JsonObject, kind: TokenKind): SpiffeId {
  if (typeof sub !== "string") throw badClaims(kind, "sub is not a string");
  try {
    return SpiffeId.parse(sub);
  } catch (cause) {
    throw pkiError(kind.claims, `the ${kind.name}'s sub is ${quote(sub)}`, { cause });
  }
}

/** Reads a NumericDate, in Unix seconds, fractions allowed. */
export function readTime(
  claims: JsonObject,
  name: "exp" | "iat" | "nbf",
  kind: TokenKind,
): Date | undefined {
  const value = claims[name];
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !(Math.abs(value) <= MAX_UNIX_SECONDS)) {
    throw badClaims(kind, `${name} is not a date in seconds`);
  }
  return new Date(value * 1000);
}

/** Reads the one date that no token may lack. */
export function readExpiry(claims: JsonObject, kind: TokenKind): Date {
  const exp = readTime(claims, "exp", kind);
  if (exp === undefined) throw badClaims(kind, "it has no exp");
  return exp;
}

/** Checks `exp` and `nbf` against the clock; `whose` names the token in messages. */
export function checkTimes(
  token: { readonly expiresAt: Date; readonly claims: JsonObject },
  whose: string,
  { now, leewaySeconds }: { readonly now: Date; readonly leewaySeconds: number },
  kind: TokenKind,
): void {
  const leewayMs = leewaySeconds * 1000;
  if (!(now.getTime() < token.expiresAt.getTime() + leewayMs)) {
    throw pkiError(kind.expired, `the ${kind.name} of ${whose} has expired`, {
      hint: "fetch a new one; if it is new, compare the clocks",
    });
  }
  const nbf = readTime(token.claims, "nbf", kind);
  if (nbf !== undefined && nbf.getTime() > now.getTime() + leewayMs) {
    throw pkiError(kind.notYetValid, `the ${kind.name} of ${whose} is not valid yet`);
  }
}

/** The one key under the token's key ID, among those of the trust domain that it names. */
export function chooseAuthority(
  { id, keyId }: { readonly id: SpiffeId; readonly keyId: string },
  authorities: readonly JwtAuthority[],
  kind: TokenKind,
): JwtAuthority {
  const { trustDomain } = id;
  if (authorities.length === 0) {
    const what = kind.name.slice(0, 3);
    throw pkiError(kind.untrusted, `there is no ${what} authority for "${trustDomain}"`, {
      hint: "federate with that trust domain, or send a token of your own",
    });
  }
  return chooseKey(authorities, keyId, `the bundle of "${trustDomain}"`, kind);
}

/** The one key under a key ID; `whose` names the set in messages. */
export function chooseKey<K extends { readonly keyId: string }>(
  keys: readonly K[],
  keyId: string,
  whose: string,
  kind: TokenKind,
): K {
  const named = keys.filter((one) => one.keyId === keyId);
  const key = named[0];
  if (key !== undefined && named.length === 1) return key;
  const problem = named.length > 1 ? "more than one key" : "no key";
  throw pkiError(kind.untrusted, `${whose} has ${problem} with ID ${quote(keyId)}`);
}

/** Verifies the signature of a token that was read; `keyName` names the key in messages. */
export async function checkSignature(
  token: string,
  alg: string,
  { key, keyName }: { readonly key: KeyObject; readonly keyName: string },
  kind: TokenKind,
): Promise<void> {
  if (!algorithmFits(alg, key)) {
    throw pkiError(kind.algorithm, `${alg} does not fit the key ${quote(keyName)}`);
  }
  readBase64url(token.slice(token.lastIndexOf(".") + 1), "signature", kind);
  // Loaded when the first token comes: most agents and workloads never validate one.
  const { compactVerify } = await import("jose");
  try {
    await compactVerify(token, key, { algorithms: [alg] });
  } catch (cause) {
    throw pkiError(kind.untrusted, `the signature of the ${kind.name} is wrong`, { cause });
  }
}

/** Imported keys, by the authority object they came from: an import costs half a verification. */
const keys = new WeakMap<{ readonly spki: Uint8Array }, KeyObject>();

/** The public key of an authority. */
export function keyOf(authority: { readonly spki: Uint8Array }): KeyObject {
  let key = keys.get(authority);
  if (key === undefined) {
    key = importSpki(authority.spki);
    keys.set(authority, key);
  }
  return key;
}

function readPart(part: string, name: string, kind: TokenKind): JsonObject {
  let value: JsonValue;
  try {
    value = parseJson(readBase64url(part, name, kind));
  } catch (cause) {
    throw pkiError(kind.malformed, `the ${kind.name}'s ${name} cannot be read`, { cause });
  }
  if (!isJsonObject(value)) throw malformed(kind, `its ${name} is not a JSON object`);
  return value;
}

/** Decodes canonical base64url: other spellings of the same bytes would evade lists of seen tokens. */
function readBase64url(part: string, name: string, kind: TokenKind): Uint8Array {
  const bytes = Buffer.from(part, "base64url");
  if (bytes.toString("base64url") !== part) throw malformed(kind, `its ${name} is not base64url`);
  return bytes;
}

export function malformed(kind: TokenKind, why: string): IdentityError {
  const article = /^[aeiou]/.test(kind.name) ? "an" : "a";
  return pkiError(kind.malformed, `this is not ${article} ${kind.name}: ${why}`);
}

export function badClaims(kind: TokenKind, why: string): IdentityError {
  return pkiError(kind.claims, `the ${kind.name}'s claims are wrong: ${why}`);
}

/** Outside text in a message: escaped, so that it cannot forge a log line, and cut. */
export function quote(value: JsonValue | undefined): string {
  if (value === undefined) return "missing";
  const text = typeof value === "string" ? JSON.stringify(value) : `a ${typeof value}`;
  return text.length > 100 ? `${text.slice(0, 100)}...` : text;
}

/** The first few of several. */
export function quoteList(values: readonly string[]): string {
  return values.slice(0, 4).map(quote).join(", ");
}
