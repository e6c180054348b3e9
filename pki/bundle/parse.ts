// Reads bundle documents (SPIFFE Trust Domain and Bundle s4): the SPIFFE form with keys of all
// kinds, and the plain JWK Sets of JWT or of WIT keys that the Workload API carries. An element that cannot be used is
// skipped whole and reported, never repaired; a document that is no bundle is refused.

import { type IdentityError, pkiError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../json.ts";
import { importSpki } from "../keys.ts";
import type { TrustDomain } from "../spiffe-id.ts";
import { parseCertificate } from "../x509/certificate.ts";
import type { Bundle, JwtAuthority, WitAuthority, X509Authority } from "./bundle.ts";
import { jwkToSpki } from "./jwk.ts";

/** Largest document that is read, in bytes (or in UTF-16 units of a string). */
export const MAX_BUNDLE_BYTES: number = 4 * 1024 * 1024;
const MAX_KEYS = 2000;
const MAX_KEY_ID_LENGTH = 1024;
const MAX_SEQUENCE = 2n ** 64n - 1n;

/** Told of each element that was skipped, and why. */
export type OnSkip = (reason: string) => void;

/**
 * Parses a SPIFFE bundle document. The name of the trust domain is the caller's knowledge: a bundle
 * does not contain it. Every key is checked; duplicates of a certificate are one.
 * @throws BUNDLE_INVALID
 */
export function parseBundle(
  trustDomain: TrustDomain,
  document: string | Uint8Array,
  onSkip: OnSkip = () => {},
): Bundle {
  return readBundle(trustDomain, parseDocument(document, "bundle", MAX_BUNDLE_BYTES), onSkip);
}

/**
 * Reads a bundle from JSON that was parsed already, as it stands in a bundle map (map.ts).
 * @throws BUNDLE_INVALID
 */
export function readBundle(trustDomain: TrustDomain, root: JsonObject, onSkip: OnSkip): Bundle {
  const x509 = new Map<string, X509Authority>();
  const jwt: JwtAuthority[] = [];
  const wit: WitAuthority[] = [];
  eachKey(root, onSkip, (jwk) => {
    if (jwk["use"] === "x509-svid") {
      const der = readX5c(jwk);
      x509.set(Buffer.from(der).toString("base64"), { der, tainted: false });
    } else if (jwk["use"] === "jwt-svid") {
      jwt.push(readKeyAuthority(jwk));
    } else if (jwk["use"] === "wit-svid") {
      wit.push(readKeyAuthority(jwk));
    } else {
      throw unusable("its use is unknown or missing");
    }
  });
  const repeated = repeatedIds([...jwt, ...wit], onSkip);
  return {
    trustDomain,
    x509Authorities: [...x509.values()],
    jwtAuthorities: jwt.filter(({ keyId }) => !repeated.has(keyId)),
    witAuthorities: wit.filter(({ keyId }) => !repeated.has(keyId)),
    sequence: readSequence(root["spiffe_sequence"]),
    refreshHintSeconds: readRefreshHint(root["spiffe_refresh_hint"]),
  };
}

/**
 * Parses a JWK Set of JWT keys as FetchJWTBundles carries it: `use` is absent or `jwt-svid`.
 * @throws BUNDLE_INVALID
 */
export function parseJwks(
  document: string | Uint8Array,
  onSkip: OnSkip = () => {},
): readonly JwtAuthority[] {
  return readJwks(document, "jwt-svid", onSkip);
}

/**
 * Parses a JWK Set of WIT keys as FetchWITBundles carries it: `use` is absent or `wit-svid`.
 * @throws BUNDLE_INVALID
 */
export function parseWitJwks(
  document: string | Uint8Array,
  onSkip: OnSkip = () => {},
): readonly WitAuthority[] {
  return readJwks(document, "wit-svid", onSkip);
}

function readJwks(
  document: string | Uint8Array,
  expectedUse: "jwt-svid" | "wit-svid",
  onSkip: OnSkip,
): readonly JwtAuthority[] {
  const read: JwtAuthority[] = [];
  eachKey(parseDocument(document, "bundle", MAX_BUNDLE_BYTES), onSkip, (jwk) => {
    const use = jwk["use"];
    if (use !== undefined && use !== expectedUse) throw unusable(`its use is not ${expectedUse}`);
    read.push(readKeyAuthority(jwk));
  });
  const repeated = repeatedIds(read, onSkip);
  return read.filter(({ keyId }) => !repeated.has(keyId));
}

/**
 * Parses a document of at most `maxBytes` that is a JSON object; `what` it should be is for messages.
 * @throws BUNDLE_INVALID
 */
export function parseDocument(
  document: string | Uint8Array,
  what: "bundle" | "bundle map",
  maxBytes: number,
): JsonObject {
  const refuse = (why: string, cause?: unknown): IdentityError =>
    pkiError("BUNDLE_INVALID", `this is not a ${what}: ${why}`, { cause });
  if (document.length > maxBytes) {
    throw refuse(`it has ${document.length} bytes, over ${maxBytes}`);
  }
  let root: JsonValue;
  try {
    root = parseJson(document);
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : "it is not JSON", cause);
  }
  if (!isJsonObject(root)) throw refuse("it is not a JSON object");
  return root;
}

function eachKey(root: JsonObject, onSkip: OnSkip, read: (jwk: JsonObject) => void): void {
  const keys = root["keys"];
  if (!Array.isArray(keys)) throw invalid('"keys" is not an array');
  if (keys.length > MAX_KEYS) throw invalid(`it has ${keys.length} keys, over ${MAX_KEYS}`);
  keys.forEach((jwk: JsonValue, index) => {
    try {
      if (!isJsonObject(jwk)) throw unusable("it is not an object");
      read(jwk);
    } catch (error) {
      onSkip(`key ${index} of the bundle is skipped: ${(error as Error).message}`);
    }
  });
}

/** The first certificate of `x5c`; the others are ignored (X509-SVID s6.2). */
function readX5c(jwk: JsonObject): Uint8Array {
  const x5c = jwk["x5c"];
  const first: JsonValue | undefined = Array.isArray(x5c) ? x5c[0] : undefined;
  if (typeof first !== "string") throw unusable("it has no certificate");
  const der = Buffer.from(first, "base64");
  if (der.toString("base64") !== first) throw unusable("its certificate is not base64");
  const certificate = parseCertificate(der);
  const described = jwkToSpki(jwk);
  if (described === undefined) throw unusable("its key type is unknown");
  // A reader that takes the key from the members must not get another key than one that takes x5c.
  if (!Buffer.from(described).equals(certificate.spki))
    throw unusable("its key is not its certificate's");
  return certificate.der;
}

function readKeyAuthority(jwk: JsonObject): JwtAuthority {
  const keyId = jwk["kid"];
  if (typeof keyId !== "string" || keyId === "") throw unusable("it has no key ID");
  if (keyId.length > MAX_KEY_ID_LENGTH) throw unusable("its key ID is too long");
  const spki = jwk["kty"] === "OKP" ? undefined : jwkToSpki(jwk);
  if (spki === undefined) throw unusable("its key type is unknown");
  importSpki(spki);
  return { keyId, spki, expiresAt: undefined, tainted: false };
}

/** Two keys under one ID leave it to the reader which one counts: none does. */
function repeatedIds(authorities: readonly JwtAuthority[], onSkip: OnSkip): ReadonlySet<string> {
  const seen = new Set<string>();
  const repeated = new Set<string>();
  for (const { keyId } of authorities) (seen.has(keyId) ? repeated : seen).add(keyId);
  for (const keyId of repeated) onSkip(`key ID ${JSON.stringify(keyId)} appears more than once`);
  return repeated;
}

function readSequence(value: JsonValue | undefined): bigint {
  if (value === undefined) return 0n;
  // Beyond 2^53 only an integer literal is exact: 9007199254740993.0 has been rounded already.
  const isInteger = typeof value === "bigint" || Number.isSafeInteger(value);
  if (!isInteger) throw invalid("spiffe_sequence is not an integer");
  const sequence = BigInt(value as bigint | number);
  if (sequence < 0n || sequence > MAX_SEQUENCE) throw invalid("spiffe_sequence is out of range");
  return sequence;
}

function readRefreshHint(value: JsonValue | undefined): number {
  if (value === undefined) return 0;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw invalid("spiffe_refresh_hint is not a whole number of seconds");
  }
  return value;
}

function invalid(why: string): IdentityError {
  return pkiError("BUNDLE_INVALID", `this is not a bundle: ${why}`);
}

function unusable(why: string): IdentityError {
  return pkiError("BUNDLE_INVALID", why);
}
