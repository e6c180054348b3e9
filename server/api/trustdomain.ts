// The service spire.api.server.trustdomain.v1.TrustDomain: federation relationships by administrators. As
// in SPIRE, those of the configuration do not appear here, stand over what is made here, and can be
// refreshed. Unlike there, deleting a relationship ends the federation: SPIFFE Federation s6.3. How
// relationships fare: api/federation.ts.

import type { Bundle } from "../../pki/bundle/bundle.ts";
import { IdentityError } from "../../pki/errors.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import type { Handlers } from "../../proto/rpc/service.ts";
import type { spire, TrustDomainService } from "../../proto/schema.gen.ts";
import { bundleFromWire, bundleToWire } from "../../proto/types/bundle.ts";
import { isMeant } from "../../proto/types/mask.ts";
import type { Clock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";
import { checkVerifiable } from "../federation/bootstrap.ts";
import type { Refresher } from "../federation/refresher.ts";
import { endpointName, parseEndpoint, refuseOwn } from "../federation/relationship.ts";
import {
  endFederation,
  relationshipNotFound,
  type TerminationOptions,
} from "../federation/termination.ts";
import type { ActiveRelationship } from "../federation/update.ts";
import { type BundleStore, BundleTransaction } from "../store/bundles.ts";
import { forgetFetched, writeFetched } from "../store/fetched-bundles.ts";
import type {
  Relationship,
  RelationshipStore,
  RelationshipTransaction,
} from "../store/relationships.ts";

/** Most relationships one call may change. */
const MAX_BATCH = 500;
const MAX_PAGE = 1000;
/** Bundles of a page together: a message carries no more than 4 MiB. */
const PAGE_BYTES = 1024 * 1024;

const OK = { code: 0, message: "OK" };

type Wire = spire.api.types.FederationRelationship;
type Mask = Init<spire.api.types.FederationRelationshipMask> | undefined;

export interface TrustDomainServiceOptions extends TerminationOptions {
  readonly trustDomain: TrustDomain;
  readonly relationships: RelationshipStore;
  readonly bundles: BundleStore;
  /** Those of the configuration. */
  readonly fixed: readonly ActiveRelationship[];
  readonly refresher: Pick<Refresher, "refresh">;
  readonly clock: Clock;
}

/** The handlers of the TrustDomain service. */
export function trustDomainHandlers(
  options: TrustDomainServiceOptions,
): Handlers<typeof TrustDomainService> {
  const { relationships, bundles, refresher } = options;
  const show = (relationship: Relationship, mask: Mask): Init<Wire> =>
    toWire(relationship, bundles.get(relationship.trustDomain.name), mask);
  return {
    async listFederationRelationships({ outputMask, pageSize, pageToken }) {
      if (pageSize < 0) throw invalid(`a page of ${pageSize} relationships`);
      const rest = relationships.list().filter(({ trustDomain }) => trustDomain.name > pageToken);
      const limit = pageSize === 0 ? MAX_PAGE : Math.min(pageSize, MAX_PAGE);
      const page: Init<Wire>[] = [];
      for (let bytes = 0; page.length < Math.min(limit, rest.length) && bytes <= PAGE_BYTES; ) {
        const next = rest[page.length];
        if (next === undefined) break;
        const wire = show(next, outputMask);
        page.push(wire);
        for (const { asn1 } of wire.trustDomainBundle?.x509Authorities ?? [])
          bytes += asn1?.length ?? 0;
        for (const { publicKey } of wire.trustDomainBundle?.jwtAuthorities ?? [])
          bytes += publicKey?.length ?? 0;
      }
      const last = page.length < rest.length ? (page.at(-1)?.trustDomain ?? "") : "";
      return { federationRelationships: page, nextPageToken: last };
    },

    async getFederationRelationship({ trustDomain: name, outputMask }) {
      const trustDomain = TrustDomain.parse(name);
      const relationship = relationships.get(trustDomain.name);
      if (relationship === undefined) throw relationshipNotFound(trustDomain);
      return show(relationship, outputMask);
    },

    async batchCreateFederationRelationship({ federationRelationships, outputMask }) {
      return batchOf(federationRelationships, async (wire) => {
        const draft = readDraft(wire, options);
        const relationship = { ...draft.relationship, createdAt: options.clock.now() };
        await change(options, async (stored) => {
          if ((await stored.get(relationship.trustDomain)) !== undefined)
            throw exists(relationship);
          await put(stored, relationship, draft.bundle, options);
        });
        return show(relationship, outputMask);
      });
    },

    async batchUpdateFederationRelationship({ federationRelationships, inputMask, outputMask }) {
      return batchOf(federationRelationships, async (wire) => {
        const trustDomain = TrustDomain.parse(wire.trustDomain);
        const updated = await change(options, async (stored) => {
          const before = await stored.get(trustDomain);
          if (before === undefined) throw relationshipNotFound(trustDomain);
          const draft = readDraft(merged(before, wire, inputMask), options);
          const after = { ...draft.relationship, createdAt: before.createdAt };
          await put(stored, after, draft.bundle, options);
          return after;
        });
        return show(updated, outputMask);
      });
    },

    async batchDeleteFederationRelationship({ trustDomains }) {
      checkBatch(trustDomains.length);
      const results = [];
      for (const name of trustDomains) {
        const outcome = await settle(async () => {
          const trustDomain = TrustDomain.parse(name);
          if (relationships.get(trustDomain.name) === undefined)
            throw relationshipNotFound(trustDomain);
          if (isFixed(options, trustDomain)) {
            await relationships.change(async (stored) => stored.delete(trustDomain));
          } else await endFederation(options, trustDomain);
          return OK;
        });
        const status = outcome instanceof IdentityError ? statusOf(outcome) : outcome;
        results.push({ status, trustDomain: name });
      }
      return { results };
    },

    async refreshBundle({ trustDomain: name }) {
      const trustDomain = TrustDomain.parse(name);
      if (!(await refresher.refresh(trustDomain))) throw relationshipNotFound(trustDomain);
      return {};
    },
  };
}

/** What a request says of a relationship, checked but for what needs the store. */
interface Draft {
  readonly relationship: Omit<Relationship, "createdAt">;
  readonly bundle: Bundle | undefined;
}

function readDraft(wire: Init<Wire>, { trustDomain: own }: TrustDomainServiceOptions): Draft {
  const trustDomain = TrustDomain.parse(wire.trustDomain ?? "");
  refuseOwn(trustDomain, own);
  const { httpsSpiffe, httpsWeb } = wire;
  const endpoint = parseEndpoint({
    url: wire.bundleEndpointUrl ?? "",
    profile: httpsSpiffe ? "https_spiffe" : httpsWeb && "https_web",
    endpointSpiffeId: httpsSpiffe?.endpointSpiffeId,
  });
  const given = wire.trustDomainBundle as spire.api.types.Bundle | undefined;
  const bundle = given && bundleFromWire(given);
  if (bundle !== undefined && !bundle.trustDomain.equals(trustDomain)) {
    throw invalid(`the bundle is that of "${bundle.trustDomain}", and not of "${trustDomain}"`);
  }
  return { relationship: { trustDomain, ...endpoint }, bundle };
}

/** The relationship as it was, with the fields that the mask means changed. */
function merged(before: Relationship, wire: Wire, mask: Mask): Init<Wire> {
  const old = toWire(before, undefined, undefined);
  const { bundleEndpointUrl, httpsSpiffe, httpsWeb, trustDomainBundle } = wire;
  const profile = isMeant(mask, "bundleEndpointProfile")
    ? { httpsSpiffe, httpsWeb }
    : { httpsSpiffe: old.httpsSpiffe, httpsWeb: old.httpsWeb };
  return {
    trustDomain: wire.trustDomain,
    bundleEndpointUrl: isMeant(mask, "bundleEndpointUrl") ? bundleEndpointUrl : before.url,
    ...profile,
    ...(isMeant(mask, "trustDomainBundle") && { trustDomainBundle }),
  };
}

/** Writes a relationship, and the bundle that came with it. What was fetched before counts no more. */
async function put(
  stored: RelationshipTransaction,
  relationship: Relationship,
  bundle: Bundle | undefined,
  options: TrustDomainServiceOptions,
): Promise<void> {
  const { trustDomain } = relationship;
  const { relationships, bundles } = options;
  checkVerifiable(
    relationship,
    (name) =>
      bundles.get(name) !== undefined || (bundle !== undefined && name === trustDomain.name),
    (name) =>
      relationships.get(name) !== undefined ||
      options.fixed.some((one) => one.trustDomain.name === name),
  );
  stored.put(relationship);
  // A relationship of the configuration counts instead, and this one's bundle with it.
  if (isFixed(options, trustDomain)) return;
  if (bundle === undefined) return forgetFetched(stored.transaction, trustDomain);
  new BundleTransaction(stored.transaction).put(bundle);
  const { sequence } = bundle;
  writeFetched(stored.transaction, { trustDomain, endpoint: endpointName(relationship), sequence });
}

async function change<T>(
  { relationships, bundles }: TrustDomainServiceOptions,
  decide: (stored: RelationshipTransaction) => Promise<T>,
): Promise<T> {
  const { result, revision } = await relationships.change(decide);
  await bundles.reached(revision);
  return result;
}

function isFixed({ fixed }: TrustDomainServiceOptions, trustDomain: TrustDomain): boolean {
  return fixed.some((one) => one.trustDomain.equals(trustDomain));
}

function toWire(relationship: Relationship, bundle: Bundle | undefined, mask: Mask): Init<Wire> {
  const { trustDomain, url, profile, endpointId } = relationship;
  const endpoint =
    profile === "https_web"
      ? { httpsWeb: {} }
      : { httpsSpiffe: { endpointSpiffeId: endpointId?.toString() ?? "" } };
  return {
    trustDomain: trustDomain.name,
    ...(isMeant(mask, "bundleEndpointUrl") && { bundleEndpointUrl: url }),
    ...(isMeant(mask, "bundleEndpointProfile") && endpoint),
    ...(bundle &&
      isMeant(mask, "trustDomainBundle") && { trustDomainBundle: bundleToWire(bundle) }),
  };
}

/** Changes relationships one by one, each in a commit of its own, and answers for each. */
async function batchOf(wires: readonly Wire[], change: (wire: Wire) => Promise<Init<Wire>>) {
  checkBatch(wires.length);
  const results = [];
  for (const wire of wires) {
    const outcome = await settle(() => change(wire));
    results.push(
      outcome instanceof IdentityError
        ? { status: statusOf(outcome) }
        : { status: OK, federationRelationship: outcome },
    );
  }
  return { results };
}

async function settle<T>(change: () => Promise<T>): Promise<T | IdentityError> {
  try {
    return await change();
  } catch (error) {
    if (error instanceof IdentityError) return error;
    throw error;
  }
}

/** A status has no field for the hint, and without it half of the answer would be lost. */
function statusOf({ code, message, hint }: IdentityError): Init<spire.api.types.Status> {
  return { code, message: hint === undefined ? message : `${message}: ${hint}` };
}

function checkBatch(count: number): void {
  if (count <= MAX_BATCH) return;
  throw serverError("BATCH_TOO_LARGE", `${count} relationships in one call, over ${MAX_BATCH}`);
}

function exists({ trustDomain }: Relationship): IdentityError {
  return serverError(
    "FEDERATION_EXISTS",
    `there is a federation relationship with "${trustDomain}" already`,
    { hint: "update it instead" },
  );
}

function invalid(problem: string): IdentityError {
  return serverError("FEDERATION_INVALID", problem);
}
