// The one verifier of peers in Signet: a TLS peer's certificates become a SPIFFE ID, or an error. Used
// by workloads, by the server's listener and by the agent's link. Only the anchors of the trust domain
// that the peer's own SVID names can vouch for it (X509-SVID s5, Workload API s4.6). The path
// validation itself: pki/x509. Whether this peer may come in: tls/authorize.ts.

import type { SpiffeId, TrustDomain } from "../pki/spiffe-id.ts";
import type { Certificate } from "../pki/x509/certificate.ts";
import { validateX509Svid } from "../pki/x509/svid.ts";
import { clientError } from "./errors.ts";

/** The X.509 authorities of a trust domain; undefined or none when it is not trusted. */
export type AnchorsOf = (trustDomain: TrustDomain) => readonly Certificate[] | undefined;

/** A peer whose SVID has been validated. */
export interface Peer {
  readonly id: SpiffeId;
  readonly leaf: Certificate;
}

/** Most certificates a peer may show: path validation is quadratic at worst. */
const MAX_CHAIN_LENGTH = 16;

/**
 * Validates the certificates a peer showed, DER, leaf first, and returns who it is.
 * @throws PEER_CERTIFICATE_MISSING, and the reasons of `validateX509Svid`
 */
export function verifyPeer(chain: readonly Uint8Array[], anchorsOf: AnchorsOf, now: Date): Peer {
  if (chain.length === 0 || chain.length > MAX_CHAIN_LENGTH) {
    const what = chain.length === 0 ? "no certificate" : `${chain.length} certificates`;
    throw clientError("PEER_CERTIFICATE_MISSING", `the peer showed ${what}`, {
      hint: "the peer must present an X509-SVID with its intermediates",
    });
  }
  return validateX509Svid(chain, anchorsOf, now);
}
