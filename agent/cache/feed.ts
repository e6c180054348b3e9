// Where the link to the server puts what it hears. A step (a snapshot, or a delta) is taken over whole:
// entries, bundles, SVIDs and tokens first, and only then are subscribers told, once.

import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { BundleCache, BundleChange } from "./bundles.ts";
import type { EntryCache, EntryChange } from "./entries.ts";
import type { JwtSvidCache } from "./jwt-svids.ts";
import type { Rotation } from "./rotation.ts";
import type { Subscribers } from "./subscribers.ts";
import type { SvidCache } from "./svids.ts";

/** A change on its way in. */
export interface Delta {
  readonly entries: readonly RegistrationEntry[];
  readonly removedEntryIds: readonly string[];
  readonly bundles: readonly Bundle[];
  readonly removedBundles: readonly string[];
}

export interface FeedOptions {
  readonly entries: EntryCache;
  readonly bundles: BundleCache;
  /** Whether X509-SVIDs are got ahead of their first use. Default: yes. */
  readonly prefetchesX509?: boolean;
  readonly svids: SvidCache;
  readonly jwtSvids: JwtSvidCache;
  readonly rotation: Rotation;
  readonly subscribers: Subscribers;
  /** The own trust domain's bundle has changed: told before subscribers are. */
  readonly onOwnBundle: (bundle: Bundle) => void;
  readonly trustDomain: string;
}

/** Takes over what the server sends. */
export class Feed {
  readonly #options: FeedOptions;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  /** Everything this agent may serve, as it is now. */
  snapshot(entries: readonly RegistrationEntry[], bundles: readonly Bundle[]): void {
    const options = this.#options;
    this.#follow(options.entries.replaceAll(entries), options.bundles.replaceAll(bundles));
    // What the server refused before, it may issue now that it has started over.
    options.svids.resume();
  }

  /** What has changed since. */
  delta(delta: Delta): void {
    const { entries, bundles } = this.#options;
    this.#follow(
      entries.apply(delta.entries, delta.removedEntryIds),
      bundles.apply(delta.bundles, delta.removedBundles),
    );
  }

  #follow(entries: EntryChange, bundles: BundleChange): void {
    const { svids, jwtSvids, rotation, subscribers, trustDomain } = this.#options;
    const removed = new Set(entries.former.map((entry) => entry.id));
    for (const entry of entries.current) removed.delete(entry.id);
    svids.entriesChanged(entries.current, removed);
    jwtSvids.entriesChanged(entries.current, removed);
    const own = this.#options.bundles.own;
    if (bundles.changed.has(trustDomain) && own !== undefined) {
      jwtSvids.authoritiesChanged();
      this.#options.onOwnBundle(own.bundle);
    }
    if (bundles.withdrewX509) rotation.replaceWithdrawn();
    subscribers.changed(entries, bundles);
    if (this.#options.prefetchesX509 !== false) svids.prefetch(entries.current);
    rotation.changed();
  }
}
