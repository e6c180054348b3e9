// How every stream of the Workload API runs: attest the caller, then follow one message of its view
// (agent/cache/view.ts). What the messages hold: x509.ts, jwt.ts and wit.ts.

import type { CallContext, Encoded } from "../../proto/rpc/service.ts";
import type { TrustBundle } from "../cache/bundles.ts";
import type { Subscribers } from "../cache/subscribers.ts";
import type { Profile, View } from "../cache/view.ts";
import type { Caller } from "./callers.ts";

/** gRPC clients take 4 MiB and none of them raises it; some room is left for framing. */
export const MAX_MESSAGE_BYTES: number = 4 * 1024 * 1024 - 64 * 1024;

export interface StreamOptions {
  readonly admit: (context: CallContext) => Promise<Caller>;
  readonly subscribers: Subscribers;
  /**
   * Callers without an identity get the bundles of the own trust domain too, to verify others. What entries
   * federate with stays with those who have the entries.
   */
  readonly allowUnauthenticatedVerifiers: boolean;
}

/** @throws NO_IDENTITY_ISSUED when the caller of a view may have no bundles */
export function assertVerifier(view: View, options: StreamOptions): void {
  if (!options.allowUnauthenticatedVerifiers) view.assertEntitled();
}

/**
 * Follows a message of the caller's view: the first at once, then one for each change. Ends only by
 * throwing: Java's clients never come back to a stream that ended with OK.
 */
export async function* follow(
  profile: Profile,
  options: StreamOptions,
  context: CallContext,
): AsyncGenerator<Encoded, void> {
  yield* followAs(await options.admit(context), profile, options);
}

/** The same for a caller who has been attested. */
export async function* followAs(
  caller: Caller,
  profile: Profile,
  options: StreamOptions,
): AsyncGenerator<Encoded, void> {
  const watch = options.subscribers.watch(caller.selectors, profile, caller.signal);
  for await (const message of watch) {
    caller.assertUnchanged();
    yield message;
  }
  if (!caller.signal.aborted) throw new TypeError("a watch ended without saying why");
}

/** The key of a bundle in the maps of the Workload API: the SPIFFE ID of its trust domain. */
export function mapKey({ bundle }: TrustBundle): string {
  return bundle.trustDomain.id;
}
