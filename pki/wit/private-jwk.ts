// The private half of a WIT-SVID's key as the Workload API carries it (Workload API s7.1, `wit_svid_key`):
// a private JWK as JSON text. Translated by hand in both directions, as the public half in
// bundle/jwk.ts, where the reason stands; node:crypto sees PKCS #8 only.

import { createPublicKey, type KeyObject } from "node:crypto";
import {
  CURVES,
  DER_NULL,
  decodeMember,
  EC_OID,
  encodeMember,
  jwkToSpki,
  RSA_OID,
  spkiToJwk,
} from "../bundle/jwk.ts";
import { type IdentityError, pkiError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "../json.ts";
import { algorithmFits, isAlgorithm } from "../jwt/algorithms.ts";
import { defaultAlgorithm, isSignedWith, signWith } from "../jwt/signature.ts";
import { exportPkcs8, exportSpki, importPkcs8 } from "../keys.ts";
import { DerReader, Tag } from "../x509/der.ts";
import {
  derElement,
  derObjectIdentifier,
  derSequence,
  derUnsignedInteger,
} from "../x509/der-writer.ts";

/** A private key and the algorithm it proves with. */
export interface ProofKey {
  readonly privateKey: KeyObject;
  readonly alg: string;
  /** The public half as SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
}

/** Longest text that is read: RSA of 8192 bits takes about 7000 characters. */
const MAX_LENGTH = 16_384;
/** The private numbers of RSA keys, in the order of RFC 8017 s A.1.2. */
const RSA_MEMBERS = ["d", "p", "q", "dp", "dq", "qi"] as const;
const ZERO: Uint8Array = derUnsignedInteger(Uint8Array.of(0));
const ONE: Uint8Array = derUnsignedInteger(Uint8Array.of(1));

/**
 * Formats a private key as a JWK; `alg` by default the usual one of such a key.
 * @throws KEY_UNSUPPORTED when the key has no such algorithm
 */
export function formatPrivateJwk(privateKey: KeyObject, alg?: string): string {
  const chosen = alg ?? defaultAlgorithm(privateKey);
  if (!isAlgorithm(chosen) || !algorithmFits(chosen, privateKey)) {
    throw pkiError(
      "KEY_UNSUPPORTED",
      `the key of a WIT-SVID does not fit ${chosen ?? "any algorithm"}`,
    );
  }
  const jwk = spkiToJwk(exportSpki(createPublicKey(privateKey)));
  const pkcs8 = new DerReader(exportPkcs8(privateKey), problem).enter(Tag.sequence);
  pkcs8.integer();
  pkcs8.enter(Tag.sequence);
  const inner = new DerReader(pkcs8.content(Tag.octetString), problem).enter(Tag.sequence);
  inner.integer();
  if (jwk.kty === "EC") {
    const d = encodeMember(inner.content(Tag.octetString));
    return JSON.stringify({ ...jwk, d, alg: chosen });
  }
  inner.integer(); // n
  inner.integer(); // e
  const numbers = RSA_MEMBERS.map((name) => [name, encodeMember(unsigned(inner.integer()))]);
  return JSON.stringify({ ...jwk, ...Object.fromEntries(numbers), alg: chosen });
}

/**
 * Reads a private JWK: a sound key of one of the nine algorithms, which `alg` names.
 * @throws KEY_INVALID
 */
export function parsePrivateJwk(text: string): ProofKey {
  if (text.length > MAX_LENGTH) throw problem(`it is longer than ${MAX_LENGTH} characters`);
  try {
    const jwk = parseJson(text);
    if (!isJsonObject(jwk)) throw problem("it is not a JSON object");
    return readPrivateJwk(jwk);
  } catch (cause) {
    // What the parsers say could quote the key.
    throw problem("it is not a private JWK with a sound key and an algorithm that fits it", cause);
  }
}

function readPrivateJwk(jwk: JsonObject): ProofKey {
  const { alg } = jwk;
  const privateKey = importPkcs8(jwk["kty"] === "EC" ? ecPkcs8(jwk) : rsaPkcs8(jwk));
  if (!isAlgorithm(alg) || !algorithmFits(alg, privateKey)) throw problem("wrong algorithm");
  const publicKey = createPublicKey(privateKey);
  const spki = exportSpki(publicKey);
  const described = jwkToSpki(jwk);
  if (described === undefined || Buffer.compare(described, spki) !== 0) {
    throw problem("its halves are of two keys");
  }
  // The numbers of an RSA key can contradict each other: only a signature tells.
  if (!isSignedWith(alg, publicKey, spki, signWith(alg, privateKey, spki))) {
    throw problem("its halves are of two keys");
  }
  return { privateKey, alg, spki };
}

function ecPkcs8(jwk: JsonObject): Uint8Array {
  const curve = CURVES.find(({ crv }) => crv === jwk["crv"]);
  if (curve === undefined) throw problem("its curve is unknown");
  const d = derElement(Tag.octetString, decodeMember(jwk["d"], curve.coordinateBytes));
  return pkcs8Of(derSequence(ONE, d), derObjectIdentifier(EC_OID), derObjectIdentifier(curve.oid));
}

function rsaPkcs8(jwk: JsonObject): Uint8Array {
  if (jwk["kty"] !== "RSA") throw problem("its key type is unknown");
  const number = (value: JsonValue | undefined) => derUnsignedInteger(decodeMember(value));
  const numbers = ["n", "e", ...RSA_MEMBERS].map((name) => number(jwk[name]));
  return pkcs8Of(derSequence(ZERO, ...numbers), derObjectIdentifier(RSA_OID), DER_NULL);
}

function pkcs8Of(key: Uint8Array, ...algorithm: readonly Uint8Array[]): Uint8Array {
  return derSequence(ZERO, derSequence(...algorithm), derElement(Tag.octetString, key));
}

function unsigned(integer: Uint8Array): Uint8Array {
  return integer[0] === 0 ? integer.subarray(1) : integer;
}

function problem(why: string, cause?: unknown): IdentityError {
  return pkiError("KEY_INVALID", `the private key of a WIT-SVID cannot be used: ${why}`, { cause });
}
