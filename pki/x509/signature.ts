// Signature algorithms of certificates and requests: which identifiers are known, which key each
// needs, and the check itself. SHA-1 and MD5 are not there: their collisions forge certificates.
import { verify as cryptoVerify, type KeyObject } from "node:crypto";
import { type HashName, type KeyType, spkiPem } from "../keys.ts";
import { type DerFailure, DerReader, Tag } from "./der.ts";
import { derElement, derObjectIdentifier, derSequence } from "./der-writer.ts";
import { SignatureOid } from "./oid.ts";

/** How a document was signed; `hash` is undefined where the scheme fixes it. */
export interface SignatureAlgorithm {
  readonly name: string;
  readonly keyKind: "ec" | "rsa" | "ed25519";
  readonly hash: HashName | undefined;
}

const ALGORITHMS: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  [SignatureOid.ecdsaSha256, { name: "ECDSA with SHA-256", keyKind: "ec", hash: "sha256" }],
  [SignatureOid.ecdsaSha384, { name: "ECDSA with SHA-384", keyKind: "ec", hash: "sha384" }],
  [SignatureOid.ecdsaSha512, { name: "ECDSA with SHA-512", keyKind: "ec", hash: "sha512" }],
  [SignatureOid.rsaSha256, { name: "RSA with SHA-256", keyKind: "rsa", hash: "sha256" }],
  [SignatureOid.rsaSha384, { name: "RSA with SHA-384", keyKind: "rsa", hash: "sha384" }],
  [SignatureOid.rsaSha512, { name: "RSA with SHA-512", keyKind: "rsa", hash: "sha512" }],
  [SignatureOid.ed25519, { name: "Ed25519", keyKind: "ed25519", hash: undefined }],
]);

/**
 * Reads an AlgorithmIdentifier (DER). Undefined for an algorithm that is not known here, which is
 * no fault of the document: it just cannot be verified.
 */
export function parseSignatureAlgorithm(
  der: Uint8Array,
  failure: DerFailure,
): SignatureAlgorithm | undefined {
  const outer = new DerReader(der, failure);
  const fields = outer.enter(Tag.sequence);
  const algorithm = ALGORITHMS.get(fields.objectIdentifier());
  if (algorithm === undefined) return undefined;
  // RSA has NULL parameters (RFC 8017 app. A.2.4; absent is tolerated), the others none at all.
  if (algorithm.keyKind === "rsa" && !fields.isAtEnd && fields.content(Tag.null).length > 0) {
    throw failure("the parameters of its signature algorithm are not NULL");
  }
  fields.finish();
  return algorithm;
}

/** Whether `signature` (DER for ECDSA) over `data` was made by the private half of `key`. Never throws. */
export function isSignedBy(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (key.asymmetricKeyType !== algorithm.keyKind) return false;
  try {
    return cryptoVerify(algorithm.hash, data, key, signature);
  } catch {
    return false;
  }
}

/**
 * As {@link isSignedBy}, for the key of a P-256 SubjectPublicKeyInfo (DER) that is used this once:
 * verifying with its text spares making a KeyObject. Also false when there is no such key.
 */
export function isSignedByP256(
  spki: Uint8Array,
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (algorithm.keyKind !== "ec") return false;
  try {
    return cryptoVerify(algorithm.hash, data, spkiPem(spki), signature);
  } catch {
    return false;
  }
}

/** How a key of ours signs: the AlgorithmIdentifier (DER) and the hash. */
export interface SigningScheme {
  readonly algorithmDer: Uint8Array;
  readonly hash: HashName;
}

const RSA_SHA256: SigningScheme = {
  algorithmDer: derSequence(derObjectIdentifier(SignatureOid.rsaSha256), derElement(Tag.null)),
  hash: "sha256",
};

/** The signing scheme of each kind of key; the hash is as strong as the key. */
export const SIGNING_SCHEMES: Readonly<Record<KeyType, SigningScheme>> = {
  "ec-p256": {
    algorithmDer: derSequence(derObjectIdentifier(SignatureOid.ecdsaSha256)),
    hash: "sha256",
  },
  "ec-p384": {
    algorithmDer: derSequence(derObjectIdentifier(SignatureOid.ecdsaSha384)),
    hash: "sha384",
  },
  "rsa-2048": RSA_SHA256,
  "rsa-4096": RSA_SHA256,
};
