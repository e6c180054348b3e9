// The agent's memory: entries, bundles and SVIDs, in their order of dependence.
import { BundleCache } from "../cache/bundles.ts";
import { EntryCache } from "../cache/entries.ts";
import { JwtSvidCache } from "../cache/jwt-svids.ts";
import { Revocations } from "../cache/revocations.ts";
import { Rotation } from "../cache/rotation.ts";
import { Subscribers } from "../cache/subscribers.ts";
import { SvidCache } from "../cache/svids.ts";
import type { ServerSigning } from "../link/signing.ts";
import type { Context } from "./context.ts";

/** What the agent holds of entries, bundles and SVIDs, and who waits for them. */
export interface Cache {
  readonly entries: EntryCache;
  readonly bundles: BundleCache;
  readonly svids: SvidCache;
  readonly jwtSvids: JwtSvidCache;
  readonly revocations: Revocations;
  readonly rotation: Rotation;
  readonly subscribers: Subscribers;
}

/** Builds them; they are empty until the link brings something. */
export function buildCache(context: Context, signing: ServerSigning): Cache {
  const { config, clock, random, log, lifecycle } = context;
  const now = (): Date => clock.now();
  const entries = new EntryCache();
  const bundles = new BundleCache(config.trustDomain);
  const revocations = new Revocations({
    anchors: () => bundles.anchorsOf(config.trustDomain) ?? [],
    now,
    log,
  });
  const changed = (entryIds: ReadonlySet<string>): void => {
    subscribers.svidsChanged(entryIds);
    rotation.changed();
  };
  const svids = new SvidCache({
    signing,
    keyType: config.x509SvidKeyType,
    now,
    random,
    clock,
    log,
    entryOf: (id) => entries.get(id),
    limit: config.cache.x509Svids,
    usage: () => subscribers.usage(),
    isRevoked: (svid) => revocations.isSvidRevoked(svid),
    onChange: changed,
  });
  const rotation = new Rotation({ svids, bundles, clock, onExpired: changed });
  const limit = config.cache.jwtSvids;
  const jwtSvids = new JwtSvidCache({
    signing,
    bundles,
    revocations,
    now,
    random,
    log,
    limit,
  });
  const trustDomain = config.trustDomain.name;
  const subscribers = new Subscribers({
    entries,
    svids,
    bundles,
    revocations,
    now,
    trustDomain,
  });
  lifecycle.own("cache", () => {
    rotation.stop();
    svids.close();
  });
  return { entries, bundles, svids, jwtSvids, revocations, rotation, subscribers };
}
