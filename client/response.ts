// What reading any answer of the Workload API needs (Workload API s4.5): one error for whatever is wrong
// with it, and the keys of its bundle maps.

import type { IdentityError } from "../pki/errors.ts";
import { SpiffeId, type TrustDomain } from "../pki/spiffe-id.ts";
import { clientError } from "./errors.ts";

/** The trust domain of a bundle map's key, which is the trust domain's SPIFFE ID. */
export function readBundleKey(key: string): TrustDomain {
  const id = SpiffeId.parse(key);
  if (id.path !== "") throw invalid(`${key} is not the ID of a trust domain`);
  return id.trustDomain;
}

/** Turns whatever goes wrong while reading a message into one error. */
export function reading<T>(message: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw clientError(
      "WORKLOAD_API_RESPONSE_INVALID",
      `the agent sent a wrong ${message}: ${why}`,
      {
        cause,
      },
    );
  }
}

export function missing(field: string): IdentityError {
  return invalid(`${field} is empty`);
}

export function invalid(why: string): IdentityError {
  return clientError("WORKLOAD_API_RESPONSE_INVALID", why);
}
