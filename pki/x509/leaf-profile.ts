// The last look at an X509-SVID before it leaves the authority: what was written is read again by
// the reader that validators use and compared with what was asked for. A fault here is ours, so that
// the reason is an internal one. The signature is not checked again: that would cost as much as all else.
import { pkiError } from "../errors.ts";
import { type Certificate, equalBytes } from "./certificate.ts";
import type { IssuerFields, LeafFields, LeafProfile } from "./leaf-template.ts";
import { ExtensionOid, PurposeOid } from "./oid.ts";

const CRITICAL: readonly string[] = [ExtensionOid.keyUsage, ExtensionOid.basicConstraints];
const NOT_CRITICAL: readonly string[] = [
  ExtensionOid.extKeyUsage,
  ExtensionOid.authorityKeyIdentifier,
  ExtensionOid.subjectKeyIdentifier,
];
const PURPOSES: readonly string[] = [PurposeOid.serverAuth, PurposeOid.clientAuth];

/**
 * Checks that a leaf is exactly what was asked for, and nothing more.
 * @throws SVID_PROFILE
 */
export function checkLeaf(
  leaf: Certificate,
  issuer: IssuerFields,
  profile: LeafProfile,
  fields: LeafFields,
): void {
  const problem =
    fieldProblem(leaf, issuer, profile, fields) ?? extensionProblem(leaf, issuer, profile);
  if (problem === undefined) return;
  throw pkiError("SVID_PROFILE", `the SVID made for "${profile.spiffeId}" is wrong: ${problem}`);
}

function fieldProblem(
  leaf: Certificate,
  issuer: IssuerFields,
  profile: LeafProfile,
  fields: LeafFields,
): string | undefined {
  if (!equalBytes(leaf.serial, fields.serial)) return "serial number";
  if (!equalBytes(leaf.issuerDer, issuer.nameDer)) return "issuer";
  if (!equalBytes(leaf.subjectDer, profile.subjectDer)) return "subject";
  if (leaf.notBefore.getTime() !== fields.notBefore.getTime()) return "start of validity";
  if (leaf.notAfter.getTime() !== fields.notAfter.getTime()) return "end of validity";
  if (!equalBytes(leaf.spki, fields.spki)) return "public key";
  if (!equalOptional(leaf.subjectKeyId, fields.keyId)) return "subject key identifier";
  if (!equalOptional(leaf.authorityKeyId, issuer.keyId)) return "authority key identifier";
  return undefined;
}

function extensionProblem(
  leaf: Certificate,
  issuer: IssuerFields,
  profile: LeafProfile,
): string | undefined {
  if (!equalLists(leaf.uris, [profile.spiffeId.toString()])) return "URI names";
  if (!equalLists(leaf.dnsNames, profile.dnsNames)) return "DNS names";
  if (leaf.isCa) return "it is an authority";
  if (leaf.keyUsage !== profile.keyUsage) return "key usage";
  if (!equalLists(leaf.extKeyUsage ?? [], PURPOSES)) return "extended key usage";
  const optional = issuer.crlPointsDer === undefined ? 1 : 2;
  if (leaf.extensions.size !== CRITICAL.length + NOT_CRITICAL.length + optional) {
    return "extensions";
  }
  const isCritical = (oid: string) => leaf.extensions.get(oid)?.critical;
  if (issuer.crlPointsDer !== undefined) {
    const points = leaf.extensions.get(ExtensionOid.crlDistributionPoints);
    if (points?.critical !== false || !equalBytes(points.value, issuer.crlPointsDer)) {
      return "revocation list's address";
    }
  }
  if (isCritical(ExtensionOid.subjectAltName) !== profile.hasEmptySubject)
    return "alternative name";
  if (CRITICAL.some((oid) => isCritical(oid) !== true)) return "a critical extension";
  if (NOT_CRITICAL.some((oid) => isCritical(oid) !== false)) return "an extension";
  return undefined;
}

function equalOptional(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && equalBytes(a, b);
}

function equalLists(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
