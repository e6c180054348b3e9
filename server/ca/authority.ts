// The authorities of this server: which one signs, which one is ready to take over, which ones are
// retired, and the bundle of the trust domain that follows from it. Every change keeps the three laws
// of architecture s3.6: nothing signs before it is published; nothing leaves the bundle before its
// last document has expired, except by revocation; an old authority keeps its key until then.
// When a change is due by lifetime: rotation.ts. What is signed: issuer.ts. First start and restart,
// where keys and journal are matched: recovery.ts.

import { pruneExpired } from "../../pki/bundle/authorities.ts";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { Signer } from "../../pki/keys.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import type { X509Issuer } from "../../pki/x509/issue.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { KeyManager } from "../keymanager/key-manager.ts";
import type { BundleStore } from "../store/bundles.ts";
import type { AuthorityKindName, AuthorityRecord } from "../store/journal.ts";
import type { OrderedLog } from "../store/log.ts";
import { ActiveIssuers, type TokenIssuer } from "./active.ts";
import type { AuthorityJournal } from "./journal.ts";
import { type AuthorityKind, authorityKinds, type CaConfig } from "./kinds.ts";
import { makeAuthority } from "./make.ts";
import { type Publication, PublicationWatch } from "./publication.ts";
import { recover } from "./recovery.ts";
import { notPublished, notTainted, unknownAuthority, wrongState } from "./refusals.ts";
import { type AuthoritySlots, activated, slotsOf, without } from "./slots.ts";

/** How long a forced activation waits for the node agents before it goes on without them. */
const FORCED_WAIT_MS = 10_000;
/**
 * How long an expired authority stays in the bundle: as long again as it lived, within these bounds.
 * Clocks differ, and validators allow some leeway; and a server whose own clock is ahead for a moment must
 * not throw away for good what every agent's identity hangs from.
 */
const MIN_EXPIRED_GRACE_MS = 60_000;
const MAX_EXPIRED_GRACE_MS = 24 * 3_600_000;

export interface AuthoritiesOptions {
  readonly trustDomain: TrustDomain;
  readonly ca: CaConfig;
  readonly refreshHintSeconds: number;
  readonly log: OrderedLog;
  readonly bundles: BundleStore;
  readonly keys: KeyManager;
  /** First asked when an activation is due, so it may refer to parts that are started later. */
  readonly publication: Publication;
  /** Which kinds are served to those who poll: see publication.ts. Default: none. */
  readonly isPolled?: (kind: AuthorityKindName) => boolean;
  /** Where the revocation list of an X.509 authority is, for SVIDs to say so. Default: they do not. */
  readonly crlUrlOf?: ((authorityId: string) => string) | undefined;
  /** As above, of the list for SVIDs of tasks. */
  readonly taskCrlUrlOf?: ((authorityId: string) => string) | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** An authority as far as it signs revocation lists. */
export type ListSigner = Pick<X509Issuer, "certificate" | "signer">;

/** The authorities of this server, of all kinds. */
export class Authorities {
  readonly kinds: readonly AuthorityKind[];
  readonly #options: AuthoritiesOptions;
  readonly #journal: AuthorityJournal;
  readonly #signers: Map<string, Signer>;
  readonly #publications: PublicationWatch;
  readonly #active: ActiveIssuers;
  readonly #taintListeners = new Set<(authority: AuthorityRecord) => void>();
  /** The end of the queue of changes: they run one at a time. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    options: AuthoritiesOptions,
    kinds: readonly AuthorityKind[],
    journal: AuthorityJournal,
    signers: Map<string, Signer>,
  ) {
    this.#options = options;
    this.kinds = kinds;
    this.#journal = journal;
    this.#signers = signers;
    this.#publications = new PublicationWatch(options);
    this.#active = new ActiveIssuers({ ...options, kinds });
    this.#active.read(journal.authorities, signers);
  }

  /** Matches journal and keys; afterwards there is an active authority of each kind. */
  static async start(options: AuthoritiesOptions): Promise<Authorities> {
    const kinds = authorityKinds(options.trustDomain, options.ca);
    const { journal, signers } = await recover(options, kinds);
    return new Authorities(options, kinds, journal, signers);
  }

  /**
   * The X.509 authority that signs. The same object until another one is activated.
   * @throws AUTHORITY_NOT_READY when it has expired, or was made while the clock was ahead
   */
  x509(): X509Issuer {
    return this.#active.x509();
  }

  /**
   * The JWT authority that signs. The same object until another one is activated.
   * @throws AUTHORITY_NOT_READY when it has expired
   */
  jwt(): TokenIssuer {
    return this.#active.jwt();
  }

  /**
   * The WIT authority that signs. The same object until another one is activated.
   * @throws NOT_SUPPORTED when this server issues no WIT-SVIDs, AUTHORITY_NOT_READY when it has expired
   */
  wit(): TokenIssuer {
    return this.#active.wit();
  }

  /**
   * The authority that signs access tokens. The same object until another one is activated.
   * @throws OAUTH_NOT_CONFIGURED, AUTHORITY_NOT_READY when it has expired
   */
  oauth(): TokenIssuer {
    return this.#active.oauth();
  }

  /** Every authority of a kind that this server has: prepared, active and old. */
  records(kindName: AuthorityKindName): readonly AuthorityRecord[] {
    return this.#journal.authorities.filter(({ kind }) => kind === kindName);
  }

  /** The X.509 authorities whose keys this server has, old ones too, by ID: the third law. They sign lists. */
  x509ListSigners(): ReadonlyMap<string, ListSigner> {
    const signers = new Map<string, ListSigner>();
    for (const { kind, authorityId, keyId, certificate } of this.#journal.authorities) {
      const signer = this.#signers.get(keyId);
      if (kind !== "x509" || certificate === undefined || signer === undefined) continue;
      signers.set(authorityId, { certificate: parseCertificate(certificate), signer });
    }
    return signers;
  }

  /** When the last of what the authorities of now can have signed ends. */
  horizon(kind: "x509" | "token"): Date {
    const { jwtAuthorities, witAuthorities, x509Authorities } = this.bundle();
    const ends =
      kind === "x509"
        ? x509Authorities.map(({ der }) => parseCertificate(der).notAfter)
        : [...jwtAuthorities, ...witAuthorities].map(({ expiresAt }) => expiresAt);
    const now = this.#options.clock.now().getTime();
    return new Date(ends.reduce((latest, end) => Math.max(latest, end?.getTime() ?? now), now));
  }

  /** The bundle of the own trust domain, as committed. */
  bundle(): Bundle {
    const bundle = this.#options.bundles.get(this.#options.trustDomain.name);
    if (bundle === undefined) throw new TypeError("authorities were started without a bundle");
    return bundle;
  }

  /** Calls `listener` with the own bundle after each change of it; returns the function that ends it. */
  onBundle(listener: (bundle: Bundle) => void): () => void {
    return this.#options.bundles.onChange((changes) => {
      for (const { id, after } of changes) {
        if (id === this.#options.trustDomain.name && after !== undefined) listener(after);
      }
    });
  }

  /** Calls `listener` after an authority was tainted; returns the function that ends it. */
  onTaint(listener: (authority: AuthorityRecord) => void): () => void {
    this.#taintListeners.add(listener);
    return () => void this.#taintListeners.delete(listener);
  }

  /** Whether this server makes authorities of a kind: WIT-SVIDs stand behind a feature flag. */
  makes(kind: AuthorityKindName): boolean {
    return this.kinds.some(({ name }) => name === kind);
  }

  /** The authorities of a kind by what they are doing. */
  slots(kind: AuthorityKindName): AuthoritySlots {
    return slotsOf(this.#journal.authorities, kind);
  }

  /** Whether a prepared authority may sign: the first law. `urgent` when no other one of its kind can. */
  isPublished(authority: AuthorityRecord, options: { readonly urgent?: boolean } = {}): boolean {
    return this.#publications.isPublished(authority, options);
  }

  /**
   * Makes a new authority and puts it into the bundle; it signs nothing yet. One that was prepared
   * before is dropped: it never signed anything.
   */
  prepare(kindName: AuthorityKindName): Promise<AuthorityRecord> {
    return this.#exclusive(async () => {
      const kind = this.#kind(kindName);
      const replaced = this.slots(kindName).prepared;
      const { authority, signer } = await makeAuthority(kind, "prepared", this.#options);
      this.#signers.set(signer.keyId, signer);
      let prepared = authority;
      await this.#journal.change(({ bundle, authorities }) => {
        const cleared = replaced === undefined ? bundle : kind.revoke(bundle, replaced);
        const published = kind.publish(cleared, authority);
        prepared = { ...authority, publishedSequence: published.sequence };
        const kept = replaced === undefined ? authorities : without(authorities, replaced);
        return { bundle: published, authorities: [...kept, prepared] };
      });
      this.#logChange(prepared, "authority prepared");
      if (replaced !== undefined) await this.#destroyKey(replaced);
      return prepared;
    });
  }

  /**
   * Lets the prepared authority sign, and retires the active one. A forced activation waits a while for
   * the node agents, then goes on without those who may not know the authority yet, and says so. An
   * urgent one goes on without those who poll: nothing else can sign.
   * @throws AUTHORITY_ID_UNKNOWN, AUTHORITY_STATE_WRONG, AUTHORITY_NOT_READY (not forced and not published)
   */
  async activate(
    kindName: AuthorityKindName,
    authorityId: string,
    options: { readonly forced: boolean; readonly urgent?: boolean },
  ): Promise<AuthorityRecord> {
    const wanted = this.#find(kindName, authorityId, "prepared");
    if (options.forced) await this.#publications.acknowledged(wanted, FORCED_WAIT_MS);
    return this.#exclusive(async () => {
      const authority = this.#find(kindName, authorityId, "prepared");
      const missing = this.#publications.missing(authority);
      const isAllowed = options.forced || this.#publications.isPublished(authority, options);
      if (missing !== undefined && !isAllowed) throw notPublished(authority, missing);
      await this.#journal.change(({ bundle, authorities }) => ({
        bundle,
        authorities: activated(authorities, authority),
      }));
      this.#publications.forget(authorityId);
      this.#active.read(this.#journal.authorities, this.#signers);
      if (missing === undefined) this.#logChange(authority, "authority activated");
      else {
        const message = `authority activated ${options.forced ? "by force" : "because no other one can sign"}, before ${missing} have had the time to know it: they may refuse new SVIDs until they do`;
        this.#logChange(authority, message, "warn");
      }
      return { ...authority, status: "active" };
    });
  }

  /**
   * Marks an old authority in the bundle: node agents replace what it signed.
   * @throws AUTHORITY_ID_UNKNOWN, AUTHORITY_STATE_WRONG
   */
  taint(kindName: AuthorityKindName, authorityId: string): Promise<AuthorityRecord> {
    return this.#exclusive(async () => {
      const kind = this.#kind(kindName);
      const authority = { ...this.#find(kindName, authorityId, "old"), tainted: true };
      await this.#journal.change(({ bundle, authorities }) => ({
        bundle: kind.taint(bundle, authority),
        authorities: authorities.map((other) =>
          other.authorityId === authorityId ? authority : other,
        ),
      }));
      this.#logChange(authority, "authority tainted", "warn");
      for (const listener of this.#taintListeners) listener(authority);
      return authority;
    });
  }

  /**
   * Takes an old, tainted authority out of the bundle at once: whatever it signed is void. Its key is destroyed.
   * @throws AUTHORITY_ID_UNKNOWN, AUTHORITY_STATE_WRONG
   */
  revoke(kindName: AuthorityKindName, authorityId: string): Promise<AuthorityRecord> {
    return this.#exclusive(async () => {
      const kind = this.#kind(kindName);
      const authority = this.#find(kindName, authorityId, "old");
      if (!authority.tainted) throw notTainted(authority);
      await this.#journal.change(({ bundle, authorities }) => ({
        bundle: kind.revoke(bundle, authority),
        authorities: without(authorities, authority),
      }));
      this.#logChange(authority, "authority revoked", "warn");
      await this.#destroyKey(authority);
      return authority;
    });
  }

  /** Takes what has expired out of the bundle and the journal, then destroys the keys: the second and third law. */
  dropExpired(): Promise<void> {
    return this.#exclusive(async () => {
      const { clock, ca } = this.#options;
      const graceMs = Math.max(ca.ttlSeconds * 1000, MIN_EXPIRED_GRACE_MS);
      const limit = new Date(clock.now().getTime() - Math.min(graceMs, MAX_EXPIRED_GRACE_MS));
      const expired = this.#journal.authorities.filter(
        ({ kind, status, notAfter }) =>
          // The last active one of a kind that is made no longer is nobody's to replace.
          (status !== "active" || !this.makes(kind)) && notAfter.getTime() < limit.getTime(),
      );
      if (expired.length === 0 && pruneExpired(this.bundle(), limit) === this.bundle()) return;
      await this.#journal.change(({ bundle, authorities }) => ({
        bundle: pruneExpired(bundle, limit),
        authorities: expired.reduce(without, authorities),
      }));
      for (const authority of expired) {
        this.#logChange(authority, "expired authority dropped");
        await this.#destroyKey(authority);
      }
    });
  }

  #kind(name: AuthorityKindName): AuthorityKind {
    const kind = this.kinds.find((one) => one.name === name);
    if (kind === undefined) throw new TypeError(`no such kind of authority: ${name}`);
    return kind;
  }

  #find(
    kindName: AuthorityKindName,
    authorityId: string,
    status: "prepared" | "old",
  ): AuthorityRecord {
    const authority = this.#journal.authorities.find(
      (one) => one.kind === kindName && one.authorityId === authorityId,
    );
    if (authority === undefined) throw unknownAuthority(kindName, authorityId);
    if (authority.status !== status) throw wrongState(authority, status);
    return authority;
  }

  /** Runs one change after the ones before it, whether those succeeded or not. */
  #exclusive<T>(change: () => Promise<T>): Promise<T> {
    const run = this.#last.then(change, change);
    this.#last = run.catch(() => undefined);
    return run;
  }

  /** After the commit that no longer names the key; a crash in between is made good at the next start. */
  async #destroyKey({ keyId }: AuthorityRecord): Promise<void> {
    this.#signers.delete(keyId);
    await this.#options.keys.delete(keyId);
  }

  #logChange(authority: AuthorityRecord, message: string, level: "info" | "warn" = "info"): void {
    const { kind, authorityId, notAfter } = authority;
    this.#options.logger[level](
      { kind, authority_id: authorityId, expires_at: notAfter.toISOString() },
      message,
    );
  }
}
