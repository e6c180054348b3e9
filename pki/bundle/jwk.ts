// Public keys as JWK members (RFC 7517, RFC 7518 s6, RFC 8037) and as SubjectPublicKeyInfo (DER).
// Translated by hand in both directions: exporting a JWK from a fresh key has deadlocked Node, and
// a hand-made JWK cannot contain private members.

import type { IdentityError } from "../errors.ts";
import { pkiError } from "../errors.ts";
import type { JsonObject, JsonValue } from "../json.ts";
import { DerReader, Tag } from "../x509/der.ts";
import {
  derBitString,
  derObjectIdentifier,
  derSequence,
  derUnsignedInteger,
} from "../x509/der-writer.ts";

/** The members of a public JWK that describe the key itself. */
export type JwkKey =
  | { readonly kty: "EC"; readonly crv: string; readonly x: string; readonly y: string }
  | { readonly kty: "RSA"; readonly n: string; readonly e: string }
  | { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string };

export interface Curve {
  readonly crv: string;
  readonly oid: string;
  readonly coordinateBytes: number;
}

/** The curves of ECDSA keys. */
export const CURVES: readonly Curve[] = [
  { crv: "P-256", oid: "1.2.840.10045.3.1.7", coordinateBytes: 32 },
  { crv: "P-384", oid: "1.3.132.0.34", coordinateBytes: 48 },
  { crv: "P-521", oid: "1.3.132.0.35", coordinateBytes: 66 },
];
export const EC_OID = "1.2.840.10045.2.1";
export const RSA_OID = "1.2.840.113549.1.1.1";
const ED25519_OID = "1.3.101.112";
const ED25519_BYTES = 32;
/** The parameters of RSA keys. */
export const DER_NULL: Uint8Array = Uint8Array.of(Tag.null, 0);
/** RSA of 16384 bits: beyond it a value is no key but an attack on the reader. */
const MAX_RSA_BYTES = 2048;

/**
 * The JWK members of a public key, from its SubjectPublicKeyInfo (DER).
 * @throws BUNDLE_INVALID for kinds of keys that bundles cannot hold
 */
export function spkiToJwk(spki: Uint8Array): JwkKey {
  const reader = new DerReader(spki, keyProblem).enter(Tag.sequence);
  const algorithm = reader.enter(Tag.sequence);
  const key = reader.octetsOfBitString();
  const oid = algorithm.objectIdentifier();
  if (oid === EC_OID) return ecJwk(algorithm.objectIdentifier(), key);
  if (oid === ED25519_OID) return { kty: "OKP", crv: "Ed25519", x: encodeMember(key) };
  if (oid !== RSA_OID) throw keyProblem(`its algorithm is ${oid}`);
  const numbers = new DerReader(key, keyProblem).enter(Tag.sequence);
  const n = encodeMember(withoutSign(numbers.integer()));
  return { kty: "RSA", n, e: encodeMember(withoutSign(numbers.integer())) };
}

/**
 * The SubjectPublicKeyInfo (DER) of a JWK; undefined when its `kty` or `crv` is not known here. Whether
 * the numbers are a sound key is not checked: `importSpki` does.
 * @throws BUNDLE_INVALID when a member is missing or malformed
 */
export function jwkToSpki(jwk: JsonObject): Uint8Array | undefined {
  switch (jwk["kty"]) {
    case "EC": {
      const curve = CURVES.find(({ crv }) => crv === jwk["crv"]);
      if (curve === undefined) return undefined;
      const point = Buffer.concat([
        Uint8Array.of(4),
        decodeMember(jwk["x"], curve.coordinateBytes),
        decodeMember(jwk["y"], curve.coordinateBytes),
      ]);
      return spkiOf(point, derObjectIdentifier(EC_OID), derObjectIdentifier(curve.oid));
    }
    case "RSA": {
      const n = derUnsignedInteger(decodeMember(jwk["n"]));
      const e = derUnsignedInteger(decodeMember(jwk["e"]));
      return spkiOf(derSequence(n, e), derObjectIdentifier(RSA_OID), DER_NULL);
    }
    case "OKP":
      if (jwk["crv"] !== "Ed25519") return undefined;
      return spkiOf(decodeMember(jwk["x"], ED25519_BYTES), derObjectIdentifier(ED25519_OID));
    default:
      return undefined;
  }
}

function ecJwk(curveOid: string, point: Uint8Array): JwkKey {
  const curve = CURVES.find(({ oid }) => oid === curveOid);
  if (curve === undefined) throw keyProblem(`its curve is ${curveOid}`);
  const half = curve.coordinateBytes;
  if (point.length !== 1 + 2 * half || point[0] !== 4) throw keyProblem("its point is compressed");
  const x = encodeMember(point.subarray(1, 1 + half));
  return { kty: "EC", crv: curve.crv, x, y: encodeMember(point.subarray(1 + half)) };
}

function spkiOf(key: Uint8Array, ...algorithm: readonly Uint8Array[]): Uint8Array {
  return derSequence(derSequence(...algorithm), derBitString(key));
}

function withoutSign(integer: Uint8Array): Uint8Array {
  return integer[0] === 0 ? integer.subarray(1) : integer;
}

/** Bytes as a member of a JWK. */
export function encodeMember(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64url");
}

/**
 * Decodes a member of a JWK: canonical base64url, of an exact number of bytes if one is given.
 * @throws BUNDLE_INVALID
 */
export function decodeMember(value: JsonValue | undefined, exactBytes?: number): Uint8Array {
  if (typeof value !== "string" || value === "") throw keyProblem("a member is missing");
  const bytes = Buffer.from(value, "base64url");
  if (bytes.toString("base64url") !== value) throw keyProblem("a member is not base64url");
  if (exactBytes === undefined ? bytes.length > MAX_RSA_BYTES : bytes.length !== exactBytes) {
    throw keyProblem("a member has a wrong length");
  }
  return bytes;
}

function keyProblem(problem: string): IdentityError {
  return pkiError("BUNDLE_INVALID", `a key cannot stand in a bundle: ${problem}`);
}
