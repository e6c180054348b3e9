// What becomes of a fetched document (SPIFFE Federation s4.2, s6.2): it is parsed for the trust domain
// it was fetched for, must be one that node agents can take, and replaces the stored bundle as a whole,
// unless its sequence number says that it is older than what the same endpoint gave before. It is
// stored before anyone uses it.

import { type Bundle, equalBundles } from "../../pki/bundle/bundle.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { codecOf } from "../../proto/schema.gen.ts";
import { bundleFromWire, bundleToWire } from "../../proto/types/bundle.ts";
import { serverError } from "../errors.ts";
import type { BundleStore, BundleTransaction } from "../store/bundles.ts";
import { readFetched, writeFetched } from "../store/fetched-bundles.ts";
import { type Relationship, RelationshipTransaction } from "../store/relationships.ts";
import { type Endpoint, endpointName } from "./relationship.ts";

/** A relationship that counts: of the API, or of the configuration. */
export interface ActiveRelationship extends Relationship {
  readonly isStatic: boolean;
}

/** What a fetched bundle changed; "ended" when the relationship was changed or deleted meanwhile. */
export type Outcome = "changed" | "unchanged" | "ended";

/**
 * Reads a fetched document.
 * @throws BUNDLE_FETCH_FAILED
 */
export function readDocument(
  trustDomain: TrustDomain,
  document: Uint8Array,
  onSkip: (reason: string) => void,
): Bundle {
  try {
    const bundle = parseBundle(trustDomain, document, onSkip);
    // Node agents check bundles as they arrive, and one they refuse would keep them from all others.
    const codec = codecOf("spire.api.types.Bundle");
    bundleFromWire(codec.decode(codec.encode(bundleToWire(bundle))));
    return bundle;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw serverError("BUNDLE_FETCH_FAILED", `what was fetched for "${trustDomain}": ${why}`, {
      hint: "the URL must lead to the SPIFFE bundle document of that trust domain",
      cause,
    });
  }
}

/**
 * Stores a fetched bundle.
 * @throws BUNDLE_FETCH_FAILED when it is older than what the endpoint gave before
 */
export function storeFetched(
  bundles: BundleStore,
  relationship: ActiveRelationship,
  fetched: Bundle,
): Promise<Outcome> {
  const { trustDomain } = relationship;
  const endpoint = endpointName(relationship);
  return bundles.change(async (stored): Promise<Outcome> => {
    const { transaction } = stored;
    if (!(await isCurrent(stored, relationship))) return "ended";
    const last = await readFetched(transaction, trustDomain);
    const isSameEndpoint = last?.endpoint === endpoint;
    // 0 is no number: then the last one fetched wins.
    if (isSameEndpoint && fetched.sequence > 0n && fetched.sequence < last.sequence) {
      throw older(relationship, fetched.sequence, last.sequence);
    }
    if (!isSameEndpoint || last.sequence !== fetched.sequence) {
      writeFetched(transaction, { trustDomain, endpoint, sequence: fetched.sequence });
    }
    const before = await stored.get(trustDomain);
    const isSame = before !== undefined && equalBundles(before, fetched);
    if (!isSame || before.sequence !== fetched.sequence) stored.put(fetched);
    return isSame ? "unchanged" : "changed";
  });
}

/** A fetch that was under way when its relationship ended must not bring the bundle back. */
async function isCurrent(
  { transaction }: BundleTransaction,
  relationship: ActiveRelationship,
): Promise<boolean> {
  if (relationship.isStatic) return true;
  const now = await new RelationshipTransaction(transaction).get(relationship.trustDomain);
  return now !== undefined && endpointName(now) === endpointName(relationship);
}

function older({ trustDomain, url }: Endpoint & Relationship, now: bigint, before: bigint): Error {
  return serverError(
    "BUNDLE_FETCH_FAILED",
    `the bundle of "${trustDomain}" from ${url} has sequence number ${now}, older than ${before} which was fetched before`,
    {
      hint: "if the trust domain has truly started to count anew, 'signet federation update' with the same settings forgets the number",
    },
  );
}
