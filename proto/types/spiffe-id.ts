// SPIFFE IDs on the wire of SPIRE's API: trust domain and path apart.

import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../codec.ts";
import type { spire } from "../schema.gen.ts";

const SCHEME = "spiffe://";

/**
 * The SPIFFE ID of a wire value; `undefined` counts as empty.
 * @throws SPIFFE_ID_INVALID, TRUST_DOMAIN_INVALID
 */
export function spiffeIdFromWire(wire: spire.api.types.SPIFFEID | undefined): SpiffeId {
  return SpiffeId.of(TrustDomain.parse(wire?.trustDomain ?? ""), wire?.path ?? "");
}

/** `id` is a SPIFFE ID that has been checked before. */
export function spiffeIdToWire(id: SpiffeId | string): Init<spire.api.types.SPIFFEID> {
  const text = id.toString();
  const slash = text.indexOf("/", SCHEME.length);
  const end = slash < 0 ? text.length : slash;
  return { trustDomain: text.slice(SCHEME.length, end), path: text.slice(end) };
}
