// Removing a foreign bundle together with what entries say of its trust domain, in one commit: no
// entry is left that federates with a trust domain whose bundle is gone.

import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { serverError } from "../errors.ts";
import type { BundleTransaction } from "./bundles.ts";
import { entryKey, identityKey, peekEntry, removeEntry, writeEntry } from "./entry-records.ts";

/** What becomes of entries that federate with the trust domain: keep the bundle while there is one, delete them, or end their federation. */
export type FederatedEntries = "restrict" | "delete" | "dissociate";

/**
 * Deletes the bundle of a foreign trust domain. `entryIds` are the entries that federate with it as
 * far as the caller knows; each is looked at again here.
 * @throws BUNDLE_NOT_FOUND, BUNDLE_IN_USE
 */
export async function removeBundle(
  bundles: BundleTransaction,
  trustDomain: TrustDomain,
  mode: FederatedEntries,
  entryIds: readonly string[],
): Promise<void> {
  const { transaction } = bundles;
  if ((await bundles.get(trustDomain)) === undefined) throw bundleNotFound(trustDomain);
  await transaction.load(entryIds.map(entryKey));
  const federated = entryIds
    .map((id) => peekEntry(transaction, id))
    .filter((entry) => entry?.federatesWith.includes(trustDomain.name) === true)
    .filter((entry) => entry !== undefined);
  if (mode === "restrict" && federated.length > 0) throw inUse(trustDomain, federated);
  await transaction.load(federated.map(identityKey));
  for (const entry of federated) {
    if (mode === "delete") removeEntry(transaction, entry);
    else writeEntry(transaction, dissociated(entry, trustDomain), entry);
  }
  bundles.delete(trustDomain);
}

/** The answer to a trust domain without bundle. */
export function bundleNotFound(trustDomain: TrustDomain): Error {
  return serverError("BUNDLE_NOT_FOUND", `there is no bundle of "${trustDomain}"`, {
    hint: "list the bundles with 'signet bundle list'",
  });
}

function dissociated(entry: RegistrationEntry, { name }: TrustDomain): RegistrationEntry {
  return {
    ...entry,
    federatesWith: entry.federatesWith.filter((other) => other !== name),
    revisionNumber: entry.revisionNumber + 1,
  };
}

function inUse(trustDomain: TrustDomain, entries: readonly RegistrationEntry[]): Error {
  return serverError(
    "BUNDLE_IN_USE",
    `the bundle of "${trustDomain}" cannot be deleted: ${entries.length} entries federate with it, such as "${entries[0]?.id}"`,
    {
      hint: "delete with mode 'dissociate' to end their federation, or 'delete' to delete them too",
    },
  );
}
