// Who waits for what. Callers with equal selectors share a view (view.ts); a change touches only the
// views it concerns; each subscriber gets every message once, in order, and a slow one skips to the
// newest, since every message carries the whole state. Messages that come out as before are not sent.

import type { Encoded } from "../../proto/rpc/service.ts";
import { formatSelector, type Selector } from "../../proto/types/selector.ts";
import type { BundleChange } from "./bundles.ts";
import type { EntryChange } from "./entries.ts";
import type { Usage } from "./holdings.ts";
import { notSynced, type Profile, View, type ViewSources } from "./view.ts";

export interface SubscribersOptions extends ViewSources {
  /** The name of the own trust domain. */
  readonly trustDomain: string;
}

/** Views that nobody listens to are kept for the next caller of the same kind, up to this many. */
const IDLE_VIEWS = 1024;
const LARGE_CHANGE = 256;

/** The views of the callers, and the streams that follow them. */
export class Subscribers {
  readonly #options: SubscribersOptions;
  readonly #views = new Map<string, View>();
  /** Views without listeners, least recently used first. */
  readonly #idle = new Set<View>();
  readonly #listeners = new Map<View, number>();
  /** Attestors answer equal callers with the same array: no need to build its key again. */
  readonly #byArray = new WeakMap<readonly Selector[], View>();
  #synced = false;

  constructor(options: SubscribersOptions) {
    this.#options = options;
  }

  /** How many streams there are. */
  get size(): number {
    let count = 0;
    for (const listeners of this.#listeners.values()) count += listeners;
    return count;
  }

  get synced(): boolean {
    return this.#synced;
  }

  /**
   * What callers with these selectors see now.
   * @throws AGENT_NOT_SYNCED before the first snapshot
   */
  view(selectors: readonly Selector[]): View {
    if (!this.#synced) throw notSynced();
    const known = this.#byArray.get(selectors);
    if (known !== undefined && this.#views.get(known.key) === known) return known;
    const keys = new Set(selectors.map(formatSelector));
    // No separator would do: the path of a program may hold any byte, so that one process could spell
    // out the selectors of another.
    const key = JSON.stringify([...keys].sort());
    const held = this.#views.get(key);
    const view = held ?? new View(key, keys, this.#options);
    this.#byArray.set(selectors, view);
    if (held === undefined) {
      this.#views.set(key, view);
      this.#rest(view);
    }
    return view;
  }

  /**
   * Yields the message of a profile, first as it is and then at each change. Ends by throwing, because a
   * client that sees a stream end well does not come back; returns only when the signal has aborted.
   * @throws NO_IDENTITY_ISSUED, SERVER_UNREACHABLE, SVIDS_EXPIRED, AGENT_NOT_SYNCED
   */
  async *watch(
    selectors: readonly Selector[],
    profile: Profile,
    signal: AbortSignal,
  ): AsyncGenerator<Encoded, void> {
    const view = this.view(selectors);
    this.#listen(view);
    try {
      if (view.missing(profile).length > 0) await this.#obtain(view, profile, signal);
      let sent: Encoded | undefined;
      while (!signal.aborted) {
        const svids = view.cacheOf(profile);
        const replacing = view.replacing(profile);
        // Comes, is refused, or fails: then the message says which.
        if (replacing.length > 0) await svids?.settled(replacing, signal);
        const version = view.version;
        const message = view.message(profile);
        if (message !== sent) {
          sent = message;
          yield message;
        }
        svids?.want(view.missing(profile));
        await view.changedSince(version, signal);
      }
    } finally {
      this.#unlisten(view);
    }
  }

  /**
   * Entries, bundles and revocation lists have changed in one step: each subscriber concerned gets one message.
   * Lists concern everyone.
   */
  changed(entries: EntryChange, bundles: BundleChange, crlsChanged: boolean): void {
    this.#synced = true;
    const entriesMoved = [...entries.current, ...entries.former];
    // A snapshot moves everything: matching each view anew is then cheaper than finding out which.
    const isLarge = entriesMoved.length > LARGE_CHANGE;
    const moved = isLarge ? [] : entriesMoved.map((entry) => entry.selectors.map(formatSelector));
    const everyone = crlsChanged || bundles.changed.has(this.#options.trustDomain);
    for (const view of this.#views.values()) {
      const isMatched = (selectors: readonly string[]): boolean =>
        selectors.every((one) => view.selectors.has(one));
      if (isLarge || moved.some(isMatched)) {
        view.rematch();
      } else if (everyone || this.#federates(view, bundles.changed)) {
        view.touch();
      }
    }
  }

  /** SVIDs have come, gone or expired. */
  svidsChanged(entryIds: ReadonlySet<string>): void {
    if (entryIds.size === 0) return;
    for (const view of this.#views.values()) {
      if (view.entries.some((entry) => entryIds.has(entry.id))) view.touch();
    }
  }

  /** Which entries are in use, for the cache of their SVIDs. */
  usage(): Usage {
    const idsOf = (views: Iterable<View>): string[] =>
      [...views].flatMap((view) => view.entries.map((entry) => entry.id));
    return { pinned: new Set(idsOf(this.#listeners.keys())), recent: idsOf(this.#idle) };
  }

  async #obtain(view: View, profile: Profile, signal: AbortSignal): Promise<void> {
    const svids = view.cacheOf(profile);
    if (svids === undefined) return;
    // Entries may come and go while the server signs: look again, but not for ever.
    for (let round = 0; round < 3; round++) {
      const missing = view.missing(profile);
      if (missing.length === 0) return;
      svids.want(missing);
      await svids.settled(
        missing.map((entry) => entry.id),
        signal,
      );
      if (missing.every((entry) => svids.get(entry.id) === undefined)) return;
    }
  }

  #federates(view: View, changed: ReadonlySet<string>): boolean {
    if (changed.size === 0) return false;
    return view.entries.some((entry) => entry.federatesWith.some((name) => changed.has(name)));
  }

  #listen(view: View): void {
    this.#idle.delete(view);
    this.#listeners.set(view, (this.#listeners.get(view) ?? 0) + 1);
  }

  #unlisten(view: View): void {
    const left = (this.#listeners.get(view) ?? 1) - 1;
    if (left > 0) {
      this.#listeners.set(view, left);
      return;
    }
    this.#listeners.delete(view);
    view.rest();
    this.#rest(view);
    this.#options.svids.trim();
    this.#options.witSvids.trim();
  }

  #rest(view: View): void {
    this.#idle.delete(view);
    this.#idle.add(view);
    for (const oldest of this.#idle) {
      if (this.#idle.size <= IDLE_VIEWS) return;
      this.#idle.delete(oldest);
      this.#views.delete(oldest.key);
    }
  }
}
