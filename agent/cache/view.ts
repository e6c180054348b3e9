// What callers with one set of selectors see: their entries, the SVIDs of these, and bundles. All callers
// with equal selectors share a view, and each message is encoded once for all of them and kept until
// something it is made of changes. Who listens, and when a view is made anew: subscribers.ts.

import type { Encoded } from "../../proto/rpc/service.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { agentError } from "../errors.ts";
import type { BundleCache, TrustBundle } from "./bundles.ts";
import type { EntryCache } from "./entries.ts";
import type { HeldDocument } from "./holdings.ts";
import type { HeldSvid } from "./mint.ts";
import type { HeldWit } from "./mint-wit.ts";
import type { Revocations } from "./revocations.ts";
import type { SvidCache } from "./svids.ts";

/** An identity that can be served now. */
export interface Identity<T extends HeldDocument> {
  readonly entry: RegistrationEntry;
  readonly svid: T;
}

/** The kinds of SVIDs that are held per entry. */
export type HeldKind = "x509" | "wit";

/** A kind of message made from a view, such as the answer of FetchX509SVID. */
export interface Profile {
  readonly name: string;
  /** The kind of SVIDs that the message holds: they are asked for, and kept while somebody listens. */
  readonly needs?: HeldKind;
  /** Of them only those of this SPIFFE ID. */
  readonly only?: string;
  /** The encoded message. @throws what the caller is to be told instead */
  encode(view: View): Encoded;
}

export interface ViewSources {
  readonly entries: EntryCache;
  readonly svids: SvidCache;
  readonly witSvids: SvidCache<HeldWit>;
  readonly bundles: BundleCache;
  readonly revocations: Revocations;
  readonly now: () => Date;
}

/** The largest message that is kept for a caller to come. */
const MAX_IDLE_BYTES = 64 * 1024;

const NONE: readonly RegistrationEntry[] = [];

/** One set of selectors and what it amounts to. */
export class View {
  readonly key: string;
  readonly selectors: ReadonlySet<string>;
  readonly #sources: ViewSources;
  #entries: readonly RegistrationEntry[] = [];
  #stale = true;
  /** From this moment on an entry or SVID in what was made has expired. */
  #expiresAtMs = Number.POSITIVE_INFINITY;
  readonly #messages = new Map<Profile, Encoded>();
  /** Messages that something has changed under since they were made. */
  readonly #outdated = new Set<Profile>();
  /** Messages with SVIDs that somebody who listens has been given. */
  readonly #hasServed = new Set<Profile>();
  #version = 0;
  #missing: readonly RegistrationEntry[] = [];
  /** What was asked when it was looked up, and at which version. */
  #missingFor: Profile | undefined;
  #missingAt = -1;
  readonly #waiting = new Set<() => void>();

  constructor(key: string, selectors: ReadonlySet<string>, sources: ViewSources) {
    this.key = key;
    this.selectors = selectors;
    this.#sources = sources;
  }

  /** Grows with every change. */
  get version(): number {
    return this.#version;
  }

  /** The entries that match, oldest first; those that repeat an earlier one's hint are left out. */
  get entries(): readonly RegistrationEntry[] {
    this.#dropExpired();
    if (this.#stale) this.#match();
    return this.#entries;
  }

  /** The bundle of the own trust domain. @throws AGENT_NOT_SYNCED before there is one */
  get own(): TrustBundle {
    const own = this.#sources.bundles.own;
    if (own === undefined || own.x509.length === 0) throw notSynced();
    return own;
  }

  /** The revocation lists that revoke anything, DER, as far as they fit into so many bytes. */
  crls(maxBytes: number): readonly Uint8Array[] {
    return this.#sources.revocations.crlsWithin(maxBytes);
  }

  /** @throws NO_IDENTITY_ISSUED when no entry matches */
  assertEntitled(): void {
    if (this.entries.length === 0) throw noIdentity();
  }

  /** The bundles of foreign trust domains that these entries federate with, by name. */
  federated(entries: readonly RegistrationEntry[]): [string, TrustBundle][] {
    const names = new Set(entries.flatMap((entry) => entry.federatesWith));
    const own = this.#sources.bundles.own?.bundle.trustDomain.name;
    return [...names].sort().flatMap((name): [string, TrustBundle][] => {
      const bundle = this.#sources.bundles.get(name);
      return bundle === undefined || name === own ? [] : [[name, bundle]];
    });
  }

  /** X509-SVIDs to serve: see {@link View.#identities}. */
  x509Identities(profile: Profile): Identity<HeldSvid>[] {
    return this.#identities(this.#sources.svids, profile);
  }

  /** The same with WIT-SVIDs. */
  witIdentities(profile: Profile): Identity<HeldWit>[] {
    return this.#identities(this.#sources.witSvids, profile);
  }

  /**
   * The identities to serve, the default one first. One that the server does not issue is left out. The
   * default identity never changes because an SVID is missing: then nothing is served.
   * @throws NO_IDENTITY_ISSUED, SERVER_UNREACHABLE, SVIDS_EXPIRED
   */
  #identities<T extends HeldDocument>(svids: SvidCache<T>, profile: Profile): Identity<T>[] {
    const entries = this.#entriesOf(profile);
    if (entries.length === 0) throw noIdentity();
    const hasServed = this.#hasServed.has(profile);
    const nowMs = this.#sources.now().getTime();
    const found: Identity<T>[] = [];
    for (const entry of entries) {
      const svid = svids.get(entry.id);
      if (svid !== undefined && svid.notAfter.getTime() > nowMs) {
        this.#expiresAtMs = Math.min(this.#expiresAtMs, svid.notAfter.getTime());
        found.push({ entry, svid });
      } else if (svids.refusalOf(entry) !== undefined) continue;
      else if (found.length === 0 && svid !== undefined) throw expired(svid, svids.kind);
      else if (found.length === 0 && (!hasServed || svids.isReplacing(entry.id))) {
        throw missing(entry, svids.kind);
      }
    }
    if (found.length > 0) return found;
    const waiting = entries.find((entry) => svids.refusalOf(entry) === undefined);
    throw waiting === undefined ? notIssued() : missing(waiting, svids.kind);
  }

  /** The cache of the SVIDs that a message holds; undefined when it holds none. */
  cacheOf({ needs }: Profile): SvidCache<HeldSvid> | SvidCache<HeldWit> | undefined {
    if (needs === undefined) return undefined;
    return needs === "x509" ? this.#sources.svids : this.#sources.witSvids;
  }

  /**
   * Entries before the first that can be served whose SVID was revoked, and is being replaced: until it is known
   * what becomes of them there is no default identity.
   */
  replacing(profile: Profile): string[] {
    const svids = this.cacheOf(profile);
    if (svids === undefined) return [];
    const entries = this.#entriesOf(profile);
    const end = entries.findIndex(({ id }) => svids.get(id) !== undefined);
    const before = end < 0 ? entries : entries.slice(0, end);
    return before.filter(({ id }) => svids.isReplacing(id)).map(({ id }) => id);
  }

  /** Entries whose SVID is not there and was not refused. Looked up once per version and profile. */
  missing(profile: Profile): readonly RegistrationEntry[] {
    if (this.#missingAt === this.#version && this.#missingFor === profile) return this.#missing;
    const svids = this.cacheOf(profile);
    if (svids === undefined) return NONE;
    this.#missing = this.#entriesOf(profile).filter(
      (entry) => svids.get(entry.id) === undefined && svids.refusalOf(entry) === undefined,
    );
    this.#missingFor = profile;
    this.#missingAt = this.#version;
    return this.#missing;
  }

  #entriesOf({ only }: Profile): readonly RegistrationEntry[] {
    const { entries } = this;
    return only === undefined ? entries : entries.filter(({ spiffeId }) => spiffeId === only);
  }

  /** The message as it is now; the same value as before when nothing in it changed. */
  message(profile: Profile): Encoded {
    this.#dropExpired();
    const held = this.#messages.get(profile);
    const isCurrent = held !== undefined && !this.#outdated.has(profile);
    const fresh = isCurrent ? held : profile.encode(this);
    if (profile.needs !== undefined) this.#hasServed.add(profile);
    if (isCurrent) return held;
    this.#outdated.delete(profile);
    if (held?.bytes.equals(fresh.bytes)) return held;
    this.#messages.set(profile, fresh);
    return fresh;
  }

  /** Entries were added, changed or removed: match again at the next look. */
  rematch(): void {
    this.#stale = true;
    this.touch();
  }

  /** Something that messages are made of has changed: wakes everyone who waits. */
  touch(): void {
    this.#version += 1;
    for (const profile of this.#messages.keys()) this.#outdated.add(profile);
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the first change after `version`, or when the signal aborts. */
  changedSince(version: number, signal: AbortSignal): Promise<void> {
    if (this.#version !== version || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  /** Nobody listens any more. Large messages are not kept: a thousand views would each hold the same lists. */
  rest(): void {
    this.#hasServed.clear();
    for (const [profile, { bytes }] of this.#messages) {
      if (bytes.length <= MAX_IDLE_BYTES) continue;
      this.#messages.delete(profile);
      this.#outdated.delete(profile);
    }
  }

  /**
   * What has expired is not served again, though nobody said so: timers stand still while a machine
   * sleeps, and no server may be there to take expired entries away.
   */
  #dropExpired(): void {
    if (this.#sources.now().getTime() < this.#expiresAtMs) return;
    this.#expiresAtMs = Number.POSITIVE_INFINITY;
    this.rematch();
  }

  #match(): void {
    const { entries, now } = this.#sources;
    const nowSeconds = now().getTime() / 1000;
    const hints = new Set<string>();
    const matched = entries.matching(this.selectors).filter((entry) => {
      // Entries that store their SVID elsewhere are not for the Workload API.
      if (entry.storeSvid) return false;
      if (entry.expiresAtUnixSeconds !== 0) {
        if (entry.expiresAtUnixSeconds <= nowSeconds) return false;
        this.#expiresAtMs = Math.min(this.#expiresAtMs, entry.expiresAtUnixSeconds * 1000);
      }
      if (entry.hint === "") return true;
      if (hints.has(entry.hint)) return false;
      hints.add(entry.hint);
      return true;
    });
    this.#entries = matched;
    this.#stale = false;
  }
}

/** What a caller without a registration entry is told; clients know the case by these words. */
export function noIdentity(): Error {
  return agentError("NO_IDENTITY_ISSUED", "no identity issued", {
    hint: "create a registration entry whose selectors this process has, for this node",
  });
}

/** The same when there is an entry, and the server refuses: its SVIDs are held back, or it issues none of this kind. */
export function notIssued(): Error {
  return agentError("NO_IDENTITY_ISSUED", "no identity issued", {
    hint: "there is an entry, and the server issues nothing for it: the agent's log says why; 'signet svid revocations --held' lists who is held back",
  });
}

export function notSynced(): Error {
  return agentError("AGENT_NOT_SYNCED", "the agent has not heard from the server yet", {
    hint: "try again in a moment; if it lasts, look at the agent's log",
  });
}

function missing(entry: RegistrationEntry, kind: string): Error {
  return agentError("SERVER_UNREACHABLE", `there is no ${kind} of ${entry.spiffeId} yet`, {
    hint: "the agent asks the server again by itself; check that the server can be reached",
  });
}

function expired(svid: HeldDocument, kind: string): Error {
  return agentError(
    "SVIDS_EXPIRED",
    `the ${kind} of ${svid.spiffeId} expired at ${svid.notAfter.toISOString()} and the server issued no other`,
    { hint: "check that the agent reaches the server" },
  );
}
