// Where the link to the server puts what it hears. A step (a snapshot, or a delta) is taken over whole:
// entries, bundles, revocations, SVIDs and tokens first, and only then are subscribers told, once.

import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { CrlSet } from "../../pki/x509/crl-set.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { BundleCache, BundleChange } from "./bundles.ts";
import type { EntryCache, EntryChange } from "./entries.ts";
import type { JwtSvidCache } from "./jwt-svids.ts";
import type { HeldWit } from "./mint-wit.ts";
import type { RevocationChange, RevocationEffect, Revocations } from "./revocations.ts";
import type { Rotation } from "./rotation.ts";
import type { Subscribers } from "./subscribers.ts";
import type { SvidCache } from "./svids.ts";
import type { TaskStatusCache, TaskStatusChange } from "./task-status.ts";

/** A change on its way in. */
export interface Delta {
  readonly entries: readonly RegistrationEntry[];
  readonly removedEntryIds: readonly string[];
  readonly bundles: readonly Bundle[];
  readonly removedBundles: readonly string[];
  readonly revocations: RevocationChange;
  readonly tasks: TaskStatusChange;
  /** What the server refused may be had again. */
  readonly reask: boolean;
}

/** Everything, on its way in. */
export interface Snapshot {
  readonly entries: readonly RegistrationEntry[];
  readonly bundles: readonly Bundle[];
  readonly revocations: Omit<RevocationChange, "removedCrls">;
  readonly tasks: Omit<TaskStatusChange, "removedClasses">;
}

export interface FeedOptions {
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
  /** The own trust domain's bundle has changed: told before subscribers are. */
  readonly onOwnBundle: (bundle: Bundle) => void;
  /** The revocation lists of the own trust domain have changed: told before subscribers are. */
  readonly onCrls: (crls: CrlSet | undefined) => void;
  /** Bundles, or the revocation lists of the own trust domain, have changed: told after subscribers were. */
  readonly onFollowed?: (bundles: BundleChange, revoked: RevocationEffect) => void;
  readonly trustDomain: string;
  /** Whether X509-SVIDs are got ahead of their first use. Default: yes. */
  readonly prefetchesX509?: boolean;
}

/** Takes over what the server sends. */
export class Feed {
  readonly #options: FeedOptions;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Everything this agent may serve, as it is now. */
  snapshot({ entries, bundles, revocations, tasks }: Snapshot): void {
    const options = this.#options;
    // First, and told at once: nothing of what follows makes a task good that has ended.
    options.taskStatus.replaceAll(tasks);
    this.#follow(options.entries.replaceAll(entries), options.bundles.replaceAll(bundles), () =>
      options.revocations.replaceAll(revocations),
    );
    // What the server refused before, it may issue now that it has started over.
    options.svids.resume();
    options.witSvids.resume();
  }

  /** What has changed since. */
  delta(delta: Delta): void {
    const { entries, bundles, revocations, svids, witSvids } = this.#options;
    this.#options.taskStatus.apply(delta.tasks);
    this.#follow(
      entries.apply(delta.entries, delta.removedEntryIds),
      bundles.apply(delta.bundles, delta.removedBundles),
      () => revocations.apply(delta.revocations),
    );
    if (!delta.reask) return;
    svids.resume();
    witSvids.resume();
  }

  #follow(entries: EntryChange, bundles: BundleChange, revoke: () => RevocationEffect): void {
    const { svids, witSvids, jwtSvids, revocations, rotation, subscribers, trustDomain } =
      this.#options;
    const removed = new Set(entries.former.map((entry) => entry.id));
    for (const entry of entries.current) removed.delete(entry.id);
    svids.entriesChanged(entries.current, removed);
    witSvids.entriesChanged(entries.current, removed);
    jwtSvids.entriesChanged(entries.current, removed);
    const own = this.#options.bundles.own;
    if (bundles.changed.has(trustDomain) && own !== undefined) {
      jwtSvids.authoritiesChanged();
      this.#options.onOwnBundle(own.bundle);
    }
    const hasOwnChanged = bundles.changed.has(trustDomain) && revocations.bundleChanged();
    const revoked = revoke();
    const hasNewCrls = revoked.crls || hasOwnChanged;
    if (hasNewCrls) {
      this.#options.onCrls(revocations.crlSet);
      svids.dropRevoked();
    }
    if (revoked.tokens) jwtSvids.dropRevoked();
    // As other tokens, and unlike certificates, they are not used on while they are replaced.
    if (revoked.tokens || bundles.withdrewWit) subscribers.svidsChanged(witSvids.dropRevoked());
    if (bundles.withdrewX509) rotation.replaceWithdrawn();
    subscribers.changed(entries, bundles, hasNewCrls);
    this.#options.onFollowed?.(bundles, { ...revoked, crls: hasNewCrls });
    if (this.#options.prefetchesX509 !== false) svids.prefetch(entries.current);
    rotation.changed();
    this.#options.witRotation.changed();
  }
}
