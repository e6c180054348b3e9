// A step of the start: relationships with other trust domains, and the fetching of their bundles.

import type { Handlers, Service } from "../../proto/rpc/service.ts";
import { FederationService, TrustDomainService } from "../../proto/schema.gen.ts";
import { federationHandlers } from "../api/federation.ts";
import { trustDomainHandlers } from "../api/trustdomain.ts";
import { checkVerifiable, readBundleFile } from "../federation/bootstrap.ts";
import { createFetcher } from "../federation/fetch.ts";
import { Refresher } from "../federation/refresher.ts";
import { endpointName } from "../federation/relationship.ts";
import { endFederation } from "../federation/termination.ts";
import type { ActiveRelationship } from "../federation/update.ts";
import { listFetched, writeFetched } from "../store/fetched-bundles.ts";
import { RelationshipStore } from "../store/relationships.ts";
import type { Base } from "./base.ts";
import type { Ca } from "./ca.ts";
import type { Stores } from "./stores.ts";

/** Relationships with other trust domains. */
export interface Federation {
  readonly relationships: RelationshipStore;
  readonly fixed: readonly ActiveRelationship[];
  readonly refresher: Refresher;
}

/** Starts the fetching. @throws FEDERATION_INCOMPLETE for a relationship of the configuration */
export async function startFederation(base: Base, stores: Stores, ca: Ca): Promise<Federation> {
  const { config, log, clock, lifecycle, metrics } = base;
  const { store, bundles } = stores;
  const { followRedirects, webCaFile, refresh } = config.federation;
  const relationships = await RelationshipStore.start(store);
  lifecycle.own("relationships", () => relationships.stop());
  const fixed = await readFixed(base, stores, relationships);
  await endForgotten(base, stores, relationships, fixed);
  const { anchorsOf } = ca.identity;
  const refresher = new Refresher({
    relationships,
    fixed,
    bundles,
    fetch: createFetcher({ anchorsOf, clock, followRedirects, webCaFile }),
    intervals: refresh,
    clock,
    log,
    metrics,
  });
  lifecycle.own("federation", () => refresher.stop());
  return { relationships, fixed, refresher };
}

/** The relationships of the configuration, with their first bundles stored where there was none. */
async function readFixed(
  { config, clock, log }: Base,
  { bundles }: Stores,
  relationships: RelationshipStore,
): Promise<readonly ActiveRelationship[]> {
  const rows = config.federation.relationships;
  const fixed = rows.map(({ bundleFile, ...endpoint }) => ({
    ...endpoint,
    createdAt: clock.now(),
    isStatic: true,
  }));
  for (const { trustDomain, bundleFile, ...endpoint } of rows) {
    if (bundleFile === undefined || bundles.get(trustDomain.name) !== undefined) continue;
    const bundle = await readBundleFile(trustDomain, bundleFile);
    await bundles.change(async (stored) => {
      stored.put(bundle);
      const { sequence } = bundle;
      writeFetched(stored.transaction, { trustDomain, endpoint: endpointName(endpoint), sequence });
    });
    log.info(
      { trust_domain: trustDomain.name, file: bundleFile },
      "first bundle taken from a file",
    );
  }
  const names = new Set(rows.map(({ trustDomain }) => trustDomain.name));
  for (const relationship of fixed) {
    checkVerifiable(
      relationship,
      (name) => bundles.get(name) !== undefined,
      (name) => names.has(name) || relationships.get(name) !== undefined,
    );
  }
  return fixed;
}

/** What the configuration federated with before, and no longer does, has ended. */
async function endForgotten(
  { log }: Base,
  { store, bundles, entries }: Stores,
  relationships: RelationshipStore,
  fixed: readonly ActiveRelationship[],
): Promise<void> {
  for (const trustDomain of await listFetched(store)) {
    if (relationships.get(trustDomain.name) !== undefined) continue;
    if (fixed.some((one) => one.trustDomain.equals(trustDomain))) continue;
    await endFederation({ relationships, bundles, entries }, trustDomain);
    log.audit({
      who: "server",
      method: "end federation",
      object: trustDomain.name,
      outcome: "ok",
      why: "the configuration no longer has the relationship",
    });
  }
}

/** The services by which administrators make, end and watch relationships. */
export function addFederation(
  { config, clock }: Base,
  { bundles, entries }: Stores,
  federation: Federation,
  add: <S extends Service>(service: S, handlers: Handlers<S>) => void,
): void {
  const { trustDomain } = config;
  add(
    TrustDomainService,
    trustDomainHandlers({ ...federation, trustDomain, bundles, entries, clock }),
  );
  add(FederationService, federationHandlers({ ...federation, bundles }));
}
