// One X509-SVID from one order: verify the request, build, sign, read again. The same function runs
// on the main thread and on signing threads (signing-thread.ts). Who may have it was decided before.

import { SpiffeId } from "../../pki/spiffe-id.ts";
import type { Certificate } from "../../pki/x509/certificate.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import { issueX509Leaf, type X509Issuer } from "../../pki/x509/issue.ts";

/** An X509-SVID to sign. */
export interface X509Order {
  /** PKCS#10, DER. Only its public key is used, once its signature was verified. */
  readonly csr: Uint8Array;
  /** The key of the request, whose signature was verified by the caller: it is not verified again. */
  readonly spki?: Uint8Array | undefined;
  readonly spiffeId: string;
  readonly dnsNames: readonly string[];
  readonly notBeforeMs: number;
  /** Cut to the end of the authority. */
  readonly notAfterMs: number;
  /** It is of a task. */
  readonly isTask?: boolean | undefined;
}

/** Signs one order: at once when the authority's signer can sign at once. */
export function signOrder(
  issuer: X509Issuer,
  order: X509Order,
): Certificate | Promise<Certificate> {
  const spki = order.spki ?? parseCsr(order.csr).spki;
  return issueX509Leaf(issuer, {
    spki,
    spiffeId: SpiffeId.parse(order.spiffeId),
    dnsNames: order.dnsNames,
    notBefore: new Date(order.notBeforeMs),
    notAfter: new Date(order.notAfterMs),
    isTask: order.isTask,
  });
}
