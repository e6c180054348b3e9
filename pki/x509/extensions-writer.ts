// Writing the extensions that our certificates and requests have (RFC 5280 s4.2.1). Reading them:
// extensions.ts.
import { contextTag, Tag } from "./der.ts";
import {
  derAscii,
  derBoolean,
  derElement,
  derNamedBits,
  derObjectIdentifier,
  derSequence,
} from "./der-writer.ts";
import { ExtensionOid } from "./oid.ts";

/** One Extension around the DER of its value. */
export function derExtension(oid: string, critical: boolean, value: Uint8Array): Uint8Array {
  const flag = critical ? derBoolean(true) : new Uint8Array(0);
  return derSequence(derObjectIdentifier(oid), flag, derElement(Tag.octetString, value));
}

/** A SubjectAltName extension: URIs first, then DNS names. All of them are ASCII. */
export function derAltNames(
  uris: readonly string[],
  dnsNames: readonly string[],
  critical: boolean,
): Uint8Array {
  const names = [
    ...uris.map((uri) => derAscii(contextTag(6, false), uri)),
    ...dnsNames.map((name) => derAscii(contextTag(2, false), name)),
  ];
  return derExtension(ExtensionOid.subjectAltName, critical, derSequence(...names));
}

/** A KeyUsage extension, critical. `bits` as in KeyUsage of extensions.ts. */
export function derKeyUsage(bits: number): Uint8Array {
  return derExtension(ExtensionOid.keyUsage, true, derNamedBits(bits));
}

/** An ExtKeyUsage extension, not critical. */
export function derPurposes(oids: readonly string[]): Uint8Array {
  const list = derSequence(...oids.map(derObjectIdentifier));
  return derExtension(ExtensionOid.extKeyUsage, false, list);
}

/** BasicConstraints of a leaf: critical, cA false by default. */
export function derLeafConstraints(): Uint8Array {
  return derExtension(ExtensionOid.basicConstraints, true, derSequence());
}

export function derSubjectKeyId(keyId: Uint8Array): Uint8Array {
  const value = derElement(Tag.octetString, keyId);
  return derExtension(ExtensionOid.subjectKeyIdentifier, false, value);
}

/** The value of a CRLDistributionPoints extension (s4.2.1.13) with one point: a list behind an ASCII URL. */
export function derCrlPoints(url: string): Uint8Array {
  const fullName = derElement(contextTag(0, true), derAscii(contextTag(6, false), url));
  return derSequence(derSequence(derElement(contextTag(0, true), fullName)));
}

/** The value of an IssuingDistributionPoint extension (s5.2.5): the list behind this URL, and no other part. */
export function derIssuingPoint(url: string): Uint8Array {
  const fullName = derElement(contextTag(0, true), derAscii(contextTag(6, false), url));
  return derSequence(derElement(contextTag(0, true), fullName));
}

export function derAuthorityKeyId(keyId: Uint8Array): Uint8Array {
  const value = derSequence(derElement(contextTag(0, false), keyId));
  return derExtension(ExtensionOid.authorityKeyIdentifier, false, value);
}
