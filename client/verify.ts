// The one verifier of peers in Signet: a TLS peer's certificates become a SPIFFE ID, or an error. Used
// by workloads, by the server's listener and by the agent's link. Only the anchors of the trust domain
// that the peer's own SVID names can vouch for it (X509-SVID s5, Workload API s4.6). The path
// validation itself, and whether a revocation list speaks against it: pki/x509. Whether this peer may come in: tls/authorize.ts.

import type { CrlSet } from "../pki/x509/crl-set.ts";
import {
  type AnchorsOf,
  type PeerRole,
  type ValidatedX509Svid,
  validateX509Svid,
} from "../pki/x509/svid.ts";
import { clientError } from "./errors.ts";

/** A peer whose SVID has been validated: its SPIFFE ID and its leaf certificate. */
export type Peer = ValidatedX509Svid;

/**
 * Validates the certificates a peer showed, DER, leaf first, and returns who it is. `role` is the role
 * that the peer has in the handshake, `crls` what is known to be revoked.
 * @throws PEER_CERTIFICATE_MISSING, and the reasons of `validateX509Svid`
 */
export function verifyPeer(
  chain: readonly Uint8Array[],
  anchorsOf: AnchorsOf,
  now: Date,
  role: PeerRole,
  crls?: CrlSet,
): Peer {
  if (chain.length === 0) {
    throw clientError("PEER_CERTIFICATE_MISSING", "the peer showed no certificate", {
      hint: "the peer must present an X509-SVID with its intermediates",
    });
  }
  return validateX509Svid(chain, anchorsOf, now, role, crls);
}
