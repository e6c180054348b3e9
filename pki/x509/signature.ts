// Signature algorithms of certificates and requests: which identifiers are known, which key each
// needs, and the check itself. SHA-1 and MD5 are not there: their collisions forge certificates.
import { constants, verify as cryptoVerify, type KeyObject } from "node:crypto";
import { type HashName, type KeyType, spkiPem } from "../keys.ts";
import { contextTag, type DerFailure, DerReader, Tag } from "./der.ts";
import { derElement, derObjectIdentifier, derSequence } from "./der-writer.ts";
import { HashOid, MGF1_OID, SignatureOid } from "./oid.ts";

/** How a document was signed; `hash` is undefined where the scheme fixes it. */
export interface SignatureAlgorithm {
  readonly name: string;
  readonly keyKind: "ec" | "rsa" | "ed25519";
  readonly hash: HashName | undefined;
  /** Length of the salt of RSASSA-PSS; undefined for every other scheme. */
  readonly saltBytes?: number;
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
  const oid = fields.objectIdentifier();
  if (oid === SignatureOid.rsaPss) return parsePss(fields);
  const algorithm = ALGORITHMS.get(oid);
  if (algorithm === undefined) return undefined;
  // RSA has NULL parameters (RFC 8017 app. A.2.4; absent is tolerated), the others none at all.
  if (algorithm.keyKind === "rsa" && !fields.isAtEnd && fields.content(Tag.null).length > 0) {
    throw failure("the parameters of its signature algorithm are not NULL");
  }
  fields.finish();
  return algorithm;
}

const HASHES: ReadonlyMap<string, { readonly hash: HashName; readonly bytes: number }> = new Map([
  [HashOid.sha256, { hash: "sha256", bytes: 32 }],
  [HashOid.sha384, { hash: "sha384", bytes: 48 }],
  [HashOid.sha512, { hash: "sha512", bytes: 64 }],
]);

/**
 * RSASSA-PSS-params (RFC 4055 s3.1), of the kinds that are in use: one hash of SHA-2 for the message and
 * for MGF1, a salt as long as the hash. Undefined for others, such as the default, which is SHA-1.
 */
function parsePss(fields: DerReader): SignatureAlgorithm | undefined {
  if (fields.isAtEnd) return undefined;
  const params = fields.enter(Tag.sequence);
  fields.finish();
  const field = (number: number): DerReader | undefined =>
    params.isNext(contextTag(number, true)) ? params.enter(contextTag(number, true)) : undefined;
  const hash = hashOf(field(0));
  const mask = field(1)?.enter(Tag.sequence);
  const isMgf1 = mask?.objectIdentifier() === MGF1_OID;
  const maskHash = isMgf1 ? hashOf(mask) : undefined;
  const saltBytes = field(2)?.smallInteger();
  const trailer = field(3)?.smallInteger() ?? 1;
  params.finish();
  if (hash === undefined || maskHash !== hash || saltBytes !== hash.bytes || trailer !== 1) {
    return undefined;
  }
  return { name: `RSA-PSS with ${hash.hash}`, keyKind: "rsa", hash: hash.hash, saltBytes };
}

/** A hash AlgorithmIdentifier, its parameters NULL or absent. */
function hashOf(
  reader: DerReader | undefined,
): { readonly hash: HashName; readonly bytes: number } | undefined {
  const fields = reader?.enter(Tag.sequence);
  const hash = fields && HASHES.get(fields.objectIdentifier());
  if (fields && !fields.isAtEnd && fields.content(Tag.null).length > 0) return undefined;
  return fields?.isAtEnd ? hash : undefined;
}

/** Whether `signature` (DER for ECDSA) over `data` was made by the private half of `key`. Never throws. */
export function isSignedBy(
  key: KeyObject,
  algorithm: SignatureAlgorithm,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { saltBytes } = algorithm;
  const kind = key.asymmetricKeyType;
  // A key that is for PSS alone never signs with PKCS #1 v1.5 (RFC 4055 s1.2).
  const isKind = kind === algorithm.keyKind || (kind === "rsa-pss" && saltBytes !== undefined);
  if (!isKind) return false;
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  const verifier = saltBytes === undefined ? key : { key, padding, saltLength: saltBytes };
  try {
    return cryptoVerify(algorithm.hash, data, verifier, signature);
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
