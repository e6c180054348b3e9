// What a server tells its agents of revocations: lists signed by an authority, tokens named one way or
// another. Lists that no server would make: test-crl.ts.

import { keyIdOf } from "../../agent/cache/bundles.ts";
import type { ReceivedCrl, TokenRevocation } from "../../agent/cache/revocations.ts";
import type { Certificate } from "../../pki/x509/certificate.ts";
import { type Crl, parseCrl } from "../../pki/x509/crl.ts";
import { issueCrl } from "../../pki/x509/crl-issue.ts";
import type { X509Issuer } from "../../pki/x509/issue.ts";

/** Signs a list of serial numbers (hex). */
export async function crlOf(
  issuer: Pick<X509Issuer, "certificate" | "signer">,
  serials: readonly string[],
  number = 1n,
  thisUpdate = new Date(issuer.certificate.notBefore.getTime() + 1000),
): Promise<Crl> {
  const revokedAt = new Date(issuer.certificate.notBefore.getTime() + 1000);
  const der = await issueCrl({
    issuer,
    number,
    thisUpdate,
    nextUpdate: issuer.certificate.notAfter,
    revoked: serials.map((serial) => ({ serial, revokedAt, reason: "key-compromise" })),
  });
  return parseCrl(der);
}

/** The same as it comes over the link. */
export async function receivedCrl(
  issuer: Pick<X509Issuer, "certificate" | "signer">,
  serials: readonly string[],
  number = 1n,
): Promise<ReceivedCrl> {
  return {
    authorityId: authorityIdOf(issuer.certificate),
    crl: await crlOf(issuer, serials, number),
  };
}

export function authorityIdOf(certificate: Certificate): string {
  return keyIdOf(certificate.subjectKeyId) ?? "";
}

/** The revocation of tokens that have all expired at a moment. */
export function tokenRevocation(
  target: TokenRevocation["target"],
  expiresAt: Date,
): TokenRevocation {
  return { target, expiresAt };
}
