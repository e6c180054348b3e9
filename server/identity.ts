// The server's own SVID, spiffe://TRUST-DOMAIN/spire/server, which its listener shows: made at the
// start, renewed at half its life, as soon as its authority is tainted, and when the clock was set back
// to before it was made, with a new key each time that never leaves memory. It is the source of the listener's TLS, with the bundles as the anchors.
import type { TlsSource } from "../client/tls/source.ts";
import { generateP256KeyPair } from "../pki/keys.ts";
import { renewAt } from "../pki/lifetime.ts";
import { SpiffeId, type TrustDomain } from "../pki/spiffe-id.ts";
import { type Certificate, parseCertificate } from "../pki/x509/certificate.ts";
import type { AnchorsOf, X509Svid } from "../pki/x509/svid.ts";
import { type Backoff, backoff } from "../runtime/backoff.ts";
import { type Clock, onClockSetBack, type Timer } from "../runtime/clock.ts";
import type { Logger } from "../runtime/log.ts";
import type { Issuer } from "./ca/issuer.ts";
import type { BundleStore } from "./store/bundles.ts";

export interface ServerIdentityOptions {
  readonly trustDomain: TrustDomain;
  readonly issuer: Pick<Issuer, "issueForKey">;
  readonly bundles: BundleStore;
  readonly ttlSeconds: number;
  readonly clock: Clock;
  readonly log: Logger;
}

export class ServerIdentity implements TlsSource {
  readonly #options: ServerIdentityOptions;
  readonly #id: SpiffeId;
  readonly #listeners = new Set<() => void>();
  readonly #anchors = new Map<string, readonly Certificate[]>();
  readonly #unsubscribe: () => void;
  readonly #setBack: Timer;
  readonly #retry: Backoff = backoff({ initialMs: 1000, maxMs: 60_000 });
  #svid: X509Svid | undefined;
  #timer: Timer | undefined;
  #renewing: Promise<void> | undefined;
  #stopped = false;

  private constructor(options: ServerIdentityOptions) {
    this.#options = options;
    this.#id = SpiffeId.of(options.trustDomain, "/spire/server");
    this.#unsubscribe = options.bundles.onChange((changes) => {
      for (const { id } of changes) this.#anchors.delete(id);
      this.#notify();
    });
    this.#setBack = onClockSetBack(options.clock, () => {
      if (!this.isValid) void this.renew();
    });
  }

  /** Makes the first SVID. @throws AUTHORITY_NOT_READY */
  static async start(options: ServerIdentityOptions): Promise<ServerIdentity> {
    const identity = new ServerIdentity(options);
    try {
      await identity.#renew();
    } catch (error) {
      await identity.stop();
      throw error;
    }
    return identity;
  }

  svid(): X509Svid | undefined {
    return this.#svid;
  }

  /** Whether there is an SVID that peers would accept. */
  get isValid(): boolean {
    const now = this.#options.clock.now().getTime();
    const leaf = this.#svid?.leaf;
    return leaf !== undefined && leaf.notBefore.getTime() <= now && now < leaf.notAfter.getTime();
  }

  readonly anchorsOf: AnchorsOf = ({ name }) => {
    const known = this.#anchors.get(name);
    if (known !== undefined) return known;
    const bundle = this.#options.bundles.get(name);
    if (bundle === undefined) return undefined;
    // Tainted ones too: an agent must get in to replace what they signed. A revoked one is not there.
    const anchors = bundle.x509Authorities.map(({ der }) => parseCertificate(der));
    this.#anchors.set(name, anchors);
    return anchors;
  };

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Replaces the SVID now: its authority is no longer to be used. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renewOrRetry().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unsubscribe();
    this.#timer?.cancel();
    this.#setBack.cancel();
    await this.#renewing;
  }

  async #renewOrRetry(): Promise<void> {
    try {
      await this.#renew();
      this.#retry.reset();
    } catch (error) {
      const delayMs = this.#retry.next();
      this.#options.log.error(
        { error, delay_ms: delayMs },
        "the server's own SVID was not renewed",
      );
      this.#renewLater(delayMs);
    }
  }

  async #renew(): Promise<void> {
    const { issuer, ttlSeconds, clock, log } = this.#options;
    const keyPair = generateP256KeyPair();
    const { chain, leaf } = await issuer.issueForKey({
      spki: keyPair.spki,
      spiffeId: this.#id,
      ttlSeconds,
    });
    if (this.#stopped) return;
    this.#svid = { id: this.#id, chain, leaf, privateKey: keyPair.privateKey };
    // From now and not from notBefore: that is backdated, by more than a whole life when lives are tiny.
    this.#renewLater(renewAt(clock.now(), leaf.notAfter, Math.random()));
    this.#notify();
    log.info(
      { serial: leaf.serialDecimal, expires_at: leaf.notAfter.toISOString() },
      "the server has a new SVID",
    );
  }

  #renewLater(when: number | Date): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(when, () => void this.renew());
  }

  #notify(): void {
    for (const listener of this.#listeners) listener();
  }
}
