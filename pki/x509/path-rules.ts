// What RFC 5280 s6 asks of each certificate of a path by itself, and of an authority in view of how many
// stand below it. The search that calls these: path.ts. What authorities ask of all below them:
// name-constraints.ts, policies.ts.
import { IdentityError, pkiError } from "../errors.ts";
import { isP256Spki } from "../keys.ts";
import { type Certificate, equalBytes, KeyUsage } from "./certificate.ts";
import type { CrlSet } from "./crl-set.ts";
import { ExtensionOid } from "./oid.ts";

/** Extensions that are processed, so that they may be critical: in every certificate. */
const PROCESSED: readonly string[] = [
  ExtensionOid.subjectKeyIdentifier,
  ExtensionOid.keyUsage,
  ExtensionOid.subjectAltName,
  ExtensionOid.basicConstraints,
  ExtensionOid.certificatePolicies,
  ExtensionOid.policyConstraints,
  ExtensionOid.authorityKeyIdentifier,
  ExtensionOid.extKeyUsage,
];
/** Processed as well where certificates stand below; in a leaf they would mean nothing known. */
const PROCESSED_IN_AUTHORITIES: readonly string[] = [
  ExtensionOid.nameConstraints,
  ExtensionOid.policyMappings,
  ExtensionOid.inhibitAnyPolicy,
];

export function timeProblem(certificate: Certificate, now: Date): IdentityError | undefined {
  const { notBefore, notAfter } = certificate;
  const who = describe(certificate);
  if (now.getTime() < notBefore.getTime()) {
    return pkiError("SVID_NOT_YET_VALID", `${who} is valid from ${notBefore.toISOString()} on`, {
      hint: "compare the clocks of this machine and the issuer's",
    });
  }
  // notAfter is the last second of validity, all of it included (s4.1.2.5).
  if (now.getTime() >= notAfter.getTime() + 1000) {
    return pkiError("SVID_EXPIRED", `${who} expired at ${notAfter.toISOString()}`);
  }
  return undefined;
}

/** s6.1.4 (o) and s6.1.5 (f): a critical extension that is not processed fails the path. */
export function criticalProblem(certificate: Certificate): IdentityError | undefined {
  for (const [oid, { critical }] of certificate.extensions) {
    if (!critical || PROCESSED.includes(oid)) continue;
    if (certificate.isCa && PROCESSED_IN_AUTHORITIES.includes(oid)) continue;
    return pkiError(
      "SVID_CRITICAL_EXTENSION",
      `${describe(certificate)} has the critical extension ${oid}, which is not understood`,
    );
  }
  return undefined;
}

/** s6.1.4 (k) and (n), and X509-SVID s4.3: an authority says that it is one, twice. */
export function authorityProblem(
  issuer: Certificate,
  usageIfAbsent: number,
): IdentityError | undefined {
  const signs = ((issuer.keyUsage ?? usageIfAbsent) & KeyUsage.keyCertSign) !== 0;
  if (issuer.isCa && signs) return undefined;
  const lack = issuer.isCa ? "key usage keyCertSign" : "basic constraint cA";
  return pkiError("SVID_INTERMEDIATE_NOT_CA", `${describe(issuer)} signs without ${lack}`);
}

/** s6.1.4 (l), (m): intermediates below, not counting self-issued ones nor the leaf. */
export function pathLengthProblem(
  issuer: Certificate,
  path: readonly Certificate[],
): IdentityError | undefined {
  if (issuer.pathLen === undefined) return undefined;
  const below = path.slice(1).filter((c) => !equalBytes(c.subjectDer, c.issuerDer)).length;
  if (below <= issuer.pathLen) return undefined;
  return pkiError(
    "SVID_PATH_LENGTH",
    `${describe(issuer)} allows ${issuer.pathLen} intermediates below it and there are ${below}`,
  );
}

/**
 * A key too weak to prove anything, or so large that verifying with it keeps a validator busy: RSA below
 * 2048 and above 8192 bits, curves but P-256, P-384 and P-521, other kinds of keys.
 */
export function keyProblem(certificate: Certificate): IdentityError | undefined {
  try {
    void certificate.publicKey;
    return undefined;
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    const { message, hint } = error;
    return pkiError("KEY_UNSUPPORTED", `${describe(certificate)} cannot be used: ${message}`, {
      cause: error,
      ...(hint !== undefined && { hint }),
    });
  }
}

/** As {@link keyProblem}, of a leaf: P-256 is not imported for it, nearly every leaf's and not used here. */
export function leafKeyProblem(leaf: Certificate): IdentityError | undefined {
  return isP256Spki(leaf.spki) ? undefined : keyProblem(leaf);
}

/** A signature by an algorithm that is not known here, such as one on SHA-1, proves nothing. */
export function signatureProblem(certificate: Certificate): IdentityError | undefined {
  if (certificate.signatureAlgorithm !== undefined) return undefined;
  return pkiError(
    "SVID_SIGNATURE_ALGORITHM",
    `${describe(certificate)} is signed with an algorithm that is not accepted`,
    { hint: "sign with ECDSA, RSA or RSA-PSS on SHA-256, SHA-384 or SHA-512, or with Ed25519" },
  );
}

/** s6.3: whether a list of its issuer revokes a certificate of a path, leaf first, anchor last. */
export function revocationProblem(
  path: readonly Certificate[],
  crls: CrlSet | undefined,
): IdentityError | undefined {
  for (const [i, certificate] of path.entries()) {
    const issuer = path[i + 1];
    const reason = issuer && crls?.revocationOf(certificate, issuer);
    if (reason === undefined) continue;
    return pkiError("SVID_REVOKED", `${describe(certificate)} was revoked: ${reason}`, {
      hint: "its holder must fetch a new one",
    });
  }
  return undefined;
}

function describe(certificate: Certificate): string {
  const kind = certificate.isCa ? "the authority" : "the certificate";
  return `${kind} with serial number ${certificate.serialHex}`;
}
