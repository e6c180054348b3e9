// The agent's memory: entries, bundles and SVIDs, in their order of dependence.
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { BundleCache } from "../cache/bundles.ts";
import { EntryCache } from "../cache/entries.ts";
import { JwtSvidCache } from "../cache/jwt-svids.ts";
import { mintX509Svids, svidInputs } from "../cache/mint.ts";
import { type HeldWit, mintWitSvids, witInputs } from "../cache/mint-wit.ts";
import { Revocations } from "../cache/revocations.ts";
import { Rotation } from "../cache/rotation.ts";
import { Subscribers } from "../cache/subscribers.ts";
import { SvidCache } from "../cache/svids.ts";
import { TaskStatusCache } from "../cache/task-status.ts";
import type { ServerSigning } from "../link/signing.ts";
import type { Context } from "./context.ts";

/** What the agent holds of entries, bundles and SVIDs, and who waits for them. */
export interface Cache {
  readonly entries: EntryCache;
  readonly bundles: BundleCache;
  readonly svids: SvidCache;
  readonly witSvids: SvidCache<HeldWit>;
  readonly jwtSvids: JwtSvidCache;
  readonly revocations: Revocations;
  readonly rotation: Rotation;
  readonly witRotation: Rotation<HeldWit>;
  readonly subscribers: Subscribers;
  readonly taskStatus: TaskStatusCache;
}

/** Builds them; they are empty until the link brings something. `ask` has the server give a sign of life. */
export function buildCache(context: Context, signing: ServerSigning, ask: () => void): Cache {
  const { config, clock, random, log, lifecycle } = context;
  const now = (): Date => clock.now();
  const entries = new EntryCache();
  const bundles = new BundleCache(config.trustDomain);
  const revocations = new Revocations({
    anchors: () => bundles.anchorsOf(config.trustDomain) ?? [],
    now,
    log,
  });
  const entryOf = (id: string): RegistrationEntry | undefined => entries.get(id);
  const shared = { now, random, clock, log, entryOf, usage: () => subscribers.usage() };
  const keys = { signing, keyType: config.x509SvidKeyType, now, random };
  const changed = (entryIds: ReadonlySet<string>): void => {
    subscribers.svidsChanged(entryIds);
    rotation.changed();
    witRotation.changed();
  };
  const svids = new SvidCache({
    ...shared,
    kind: "X509-SVID",
    mint: (wanted) => mintX509Svids(wanted, keys),
    inputsOf: svidInputs,
    nameOf: ({ serials }) => ({ serial: serials[0]?.serialHex }),
    limit: config.cache.x509Svids,
    isRevoked: (svid) => revocations.isSvidRevoked(svid),
    onChange: changed,
  });
  const rotation = new Rotation({
    svids,
    isWithdrawn: ({ issuerKeyIds }) => issuerKeyIds.some((keyId) => bundles.isWithdrawn(keyId)),
    clock,
    onExpired: changed,
  });
  const witSvids = new SvidCache({
    ...shared,
    kind: "WIT-SVID",
    mint: (wanted) => mintWitSvids(wanted, keys),
    inputsOf: witInputs,
    nameOf: ({ jti }) => ({ jti }),
    limit: config.cache.witSvids,
    isRevoked: (wit) => bundles.isWitWithdrawn(wit.keyId) || revocations.isTokenRevoked(wit),
    onChange: changed,
  });
  const isWithdrawn = ({ keyId }: HeldWit): boolean => bundles.isWitWithdrawn(keyId);
  const witRotation = new Rotation({ svids: witSvids, isWithdrawn, clock, onExpired: changed });
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
    witSvids,
    bundles,
    revocations,
    now,
    trustDomain,
  });
  lifecycle.own("cache", () => {
    rotation.stop();
    witRotation.stop();
    svids.close();
    witSvids.close();
  });
  const caches = { entries, bundles, svids, witSvids, jwtSvids, revocations };
  const taskStatus = new TaskStatusCache({ clock, ask });
  return { ...caches, rotation, witRotation, subscribers, taskStatus };
}
