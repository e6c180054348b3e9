// Who may come in, once verify.ts has said who it is: decisions over a peer's SPIFFE ID. An exact ID,
// one of several, any member of a trust domain, or a predicate of the caller's own. Never a prefix: a
// path has no meaning that SPIFFE gives it.

import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { clientError } from "../errors.ts";
import type { Peer } from "../verify.ts";

/** Whether a verified peer is authorised. Whatever it throws refuses the peer too. */
export type Authorize = (id: SpiffeId, peer: Peer) => boolean;

/** An authorisation that looks at nothing but the SPIFFE ID: for peers of TLS, and for senders of tokens. */
export type AuthorizeId = (id: SpiffeId) => boolean;

/** Authorises exactly this SPIFFE ID. */
export function authorizeId(id: SpiffeId | string): AuthorizeId {
  return authorizeOneOf([id]);
}

/** Authorises these SPIFFE IDs and no others. */
export function authorizeOneOf(ids: readonly (SpiffeId | string)[]): AuthorizeId {
  const allowed = new Set(ids.map((id) => SpiffeId.parse(id.toString()).toString()));
  return (id) => allowed.has(id.toString());
}

/** Authorises every workload of a trust domain. */
export function authorizeMemberOf(trustDomain: TrustDomain | string): AuthorizeId {
  const allowed = TrustDomain.parse(trustDomain.toString());
  return (id) => id.isMemberOf(allowed);
}

/**
 * Authorises every peer with a valid SVID of any trust domain whose bundle is there, federated ones
 * included: the caller decides later by the peer's ID.
 */
export function authorizeAny(): AuthorizeId {
  return () => true;
}

/**
 * Applies an authorisation to a peer.
 * @throws PEER_NOT_AUTHORIZED
 */
export function checkAuthorized<P extends { readonly id: SpiffeId }>(
  peer: P,
  authorize: (id: SpiffeId, peer: P) => boolean,
): void {
  let cause: unknown;
  try {
    // A predicate without types may answer a promise, which is truthy and would let everyone in.
    if (authorize(peer.id, peer) === true) return;
  } catch (error) {
    cause = error;
  }
  throw clientError("PEER_NOT_AUTHORIZED", `the peer ${peer.id} is not authorised`, {
    cause,
    hint: "check the SPIFFE ID that this side authorises",
  });
}
