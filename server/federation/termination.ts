// How federation with a trust domain ends (SPIFFE Federation s6.3): in one commit the relationship, the
// bundle and what entries say of the trust domain go, so that no workload is given the bundle any more,
// and none gets it back when a bundle of that name is stored again. Polling ends with the relationship.

import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { serverError } from "../errors.ts";
import { removeBundle } from "../store/bundle-removal.ts";
import { type BundleStore, BundleTransaction } from "../store/bundles.ts";
import { forgetFetched } from "../store/fetched-bundles.ts";
import type { RelationshipStore } from "../store/relationships.ts";

export interface TerminationOptions {
  readonly relationships: RelationshipStore;
  readonly bundles: BundleStore;
  /** The registration entries: store/entries.ts. */
  readonly entries: {
    values(): Iterable<RegistrationEntry>;
    reached(revision: number): Promise<void>;
  };
}

/**
 * Ends federation with a trust domain; resolves when everyone in this process knows. Nothing happens
 * when there is neither relationship nor bundle.
 */
export async function endFederation(
  { relationships, bundles, entries }: TerminationOptions,
  trustDomain: TrustDomain,
): Promise<void> {
  const entryIds: string[] = [];
  for (const { id, federatesWith } of entries.values()) {
    if (federatesWith.includes(trustDomain.name)) entryIds.push(id);
  }
  const { revision } = await relationships.change(async (stored) => {
    const { transaction } = stored;
    const bundle = new BundleTransaction(transaction);
    stored.delete(trustDomain);
    forgetFetched(transaction, trustDomain);
    if ((await bundle.get(trustDomain)) === undefined) return;
    await removeBundle(bundle, trustDomain, "dissociate", entryIds);
  });
  await Promise.all([bundles.reached(revision), entries.reached(revision)]);
}

/** The answer when there is no relationship with a trust domain. */
export function relationshipNotFound(trustDomain: TrustDomain): Error {
  return serverError(
    "FEDERATION_NOT_FOUND",
    `there is no federation relationship with "${trustDomain}"`,
    { hint: "list them with 'signet federation list'" },
  );
}
