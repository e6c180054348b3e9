// Certificate requests (RFC 2986): read and checked by the issuer, made by the agent. The subject
// and everything else that a request asks for is only a wish; what an SVID says comes from its
// registration entry (issue.ts).
import { type KeyObject, sign } from "node:crypto";
import { type IdentityError, pkiError } from "../errors.ts";
import { importSpki, isP256Spki, type KeyPair, keyTypeOf } from "../keys.ts";
import { contextTag, DerReader, Tag } from "./der.ts";
import {
  derBitString,
  derElement,
  derObjectIdentifier,
  derSequence,
  derUnsignedInteger,
} from "./der-writer.ts";
import { extensionValues, readExtensions } from "./extensions.ts";
import { derAltNames } from "./extensions-writer.ts";
import { derName, SVID_SUBJECT } from "./name.ts";
import { EXTENSION_REQUEST_OID } from "./oid.ts";
import {
  isSignedBy,
  isSignedByP256,
  parseSignatureAlgorithm,
  SIGNING_SCHEMES,
  type SignatureAlgorithm,
} from "./signature.ts";

const MAX_CSR_BYTES = 16_384;
const MAX_ATTRIBUTES = 16;
const CERTIFIED_CURVES: readonly (string | undefined)[] = ["prime256v1", "secp384r1"];

/** What a request proves (its key) and what it asks for (its names). */
export interface CertificateRequest {
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
}

/**
 * Parses a request of at most 16 KiB and checks that its own key signed it. Keys: RSA of 2048 to
 * 8192 bits, P-256, P-384.
 * @throws CSR_INVALID, KEY_INVALID, KEY_UNSUPPORTED
 */
export function parseCsr(der: Uint8Array): CertificateRequest {
  if (der.length > MAX_CSR_BYTES) {
    throw failure(`it has ${der.length} bytes, over ${MAX_CSR_BYTES}`);
  }
  const outer = new DerReader(der, failure);
  const parts = outer.enter(Tag.sequence);
  outer.finish();
  const info = parts.element(Tag.sequence);
  const algorithm = parseSignatureAlgorithm(parts.element(Tag.sequence), failure);
  const signature = parts.octetsOfBitString();
  parts.finish();

  const fields = new DerReader(info, failure).enter(Tag.sequence);
  if (fields.smallInteger() !== 0) throw failure("it is not version 1");
  fields.element(Tag.sequence);
  const spki = new Uint8Array(fields.element(Tag.sequence));
  const names = readRequestedNames(fields);
  fields.finish();

  if (algorithm === undefined) throw failure("its signature algorithm is not supported");
  if (!isSignedByItsKey(spki, algorithm, info, signature)) {
    throw failure("its signature was not made by its own key");
  }
  return { spki, uris: names.uris, dnsNames: names.dnsNames };
}

/** Makes a request signed by its key: subject C=US, O=SPIRE and, if given, URI and DNS names. DER. */
export function createCsr(
  keyPair: KeyPair,
  names: { readonly uris?: readonly string[]; readonly dnsNames?: readonly string[] } = {},
): Uint8Array {
  const keyType = keyTypeOf(keyPair.publicKey);
  if (keyType === undefined) throw new TypeError("a request is made with a key of ours");
  const { algorithmDer, hash } = SIGNING_SCHEMES[keyType];
  const { uris = [], dnsNames = [] } = names;
  const attributes: Uint8Array[] = [];
  if (uris.length + dnsNames.length > 0) {
    const value = derElement(Tag.set, derSequence(derAltNames(uris, dnsNames, false)));
    attributes.push(derSequence(derObjectIdentifier(EXTENSION_REQUEST_OID), value));
  }
  const info = derSequence(
    derUnsignedInteger(Uint8Array.of(0)),
    derName(SVID_SUBJECT),
    keyPair.spki,
    derElement(contextTag(0, true), ...attributes),
  );
  const signature = sign(hash, info, keyPair.privateKey);
  return derSequence(info, algorithmDer, derBitString(signature));
}

/** The names in the extension request among the attributes. Both may be absent. */
function readRequestedNames(fields: DerReader): {
  uris: readonly string[];
  dnsNames: readonly string[];
} {
  const tag = contextTag(0, true);
  let names: { uris: readonly string[]; dnsNames: readonly string[] } | undefined;
  const attributes = fields.isNext(tag) ? fields.enter(tag) : undefined;
  for (let count = 0; attributes && !attributes.isAtEnd; count += 1) {
    if (count === MAX_ATTRIBUTES) throw failure("it has too many attributes");
    const attribute = attributes.enter(Tag.sequence);
    const oid = attribute.objectIdentifier();
    const values = attribute.enter(Tag.set);
    attribute.finish();
    if (oid !== EXTENSION_REQUEST_OID) continue;
    if (names !== undefined) throw failure("it asks for extensions twice");
    const extensions = readExtensions(values.enter(Tag.sequence));
    values.finish();
    const { uris, dnsNames } = extensionValues(extensions, failure);
    names = { uris, dnsNames };
  }
  return names ?? { uris: [], dnsNames: [] };
}

function isSignedByItsKey(
  spki: Uint8Array,
  algorithm: SignatureAlgorithm,
  info: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (isP256Spki(spki) && isSignedByP256(spki, algorithm, info, signature)) return true;
  // Another kind of key; or a bad request, of which this finds out what is bad.
  const key = importSpki(spki);
  checkCertifiable(key);
  return isSignedBy(key, algorithm, info, signature);
}

function checkCertifiable(key: KeyObject): void {
  if (key.asymmetricKeyType === "rsa") return;
  const curve = key.asymmetricKeyDetails?.namedCurve;
  if (key.asymmetricKeyType === "ec" && CERTIFIED_CURVES.includes(curve)) return;
  throw pkiError("KEY_UNSUPPORTED", `no SVID is issued for a key of ${curve ?? "this kind"}`, {
    hint: "request it with a key on P-256 or P-384, or RSA of 2048 to 8192 bits",
  });
}

function failure(problem: string): IdentityError {
  return pkiError("CSR_INVALID", `the certificate request cannot be accepted: ${problem}`);
}
