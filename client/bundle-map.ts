// BundleMapFile: trust without a node agent. A file with a SPIFFE bundle map says whom to trust, whole:
// who verifies peers or tokens on a machine without an agent holds one of these. The document itself:
// pki/bundle/map.ts. An identity to show may come from elsewhere; the map has none.

import { hash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { JwtAuthority, WitAuthority } from "../pki/bundle/bundle.ts";
import { MAX_BUNDLE_MAP_BYTES, parseBundleMap } from "../pki/bundle/map.ts";
import type { IdentityError } from "../pki/errors.ts";
import { validateJwtSvid } from "../pki/jwt/svid.ts";
import type { TrustDomain } from "../pki/spiffe-id.ts";
import { type Certificate, parseCertificate } from "../pki/x509/certificate.ts";
import type { CrlSet } from "../pki/x509/crl-set.ts";
import type { X509Svid } from "../pki/x509/svid.ts";
import { type Clock, systemClock, type Timer } from "../runtime/clock.ts";
import { readFileBounded } from "../runtime/files.ts";
import { clientError } from "./errors.ts";
import type { ValidatedJwtSvid } from "./jwt-context.ts";
import type { TlsSource } from "./tls/source.ts";

export interface BundleMapOptions {
  /** The file. Whoever replaces it writes another one and renames it. */
  readonly path: string;
  /** How often to look whether the file has changed. Default 1 s; hints inside bundles change nothing. */
  readonly pollMs?: number;
  /**
   * Whose SVID to show in TLS, such as an X509Source; its revocation lists count too, since a map has
   * none. Without it a client shows no SVID.
   */
  readonly identity?: Omit<TlsSource, "anchorsOf">;
  /** Told once of each failure to read a changed file: what was read before stays. */
  readonly onError?: (error: IdentityError) => void;
  /** Told of each key in the file that cannot be used, and is skipped. */
  readonly onSkip?: (reason: string) => void;
  readonly clock?: Clock;
}

interface Trusted {
  readonly anchors: readonly Certificate[];
  readonly jwtAuthorities: readonly JwtAuthority[];
  readonly witAuthorities: readonly WitAuthority[];
}

const DEFAULT_POLL_MS = 1000;

export class BundleMapFile implements TlsSource, Disposable {
  readonly #options: BundleMapOptions;
  readonly #clock: Clock;
  readonly #listeners: Set<() => void> = new Set();
  /** By the bare name of the trust domain; undefined once closed. */
  #trusted: ReadonlyMap<string, Trusted> | undefined = new Map();
  /** Which file was looked at last, in which state. */
  #version = "";
  /** Whether that state was seen twice: a change within one tick of the file's clock shows no trace. */
  #isSettled = false;
  #digest: string | undefined;
  #reported: string | undefined;
  #timer: Timer | undefined;

  private constructor(options: BundleMapOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /**
   * Reads the file, and follows it from then on.
   * @throws BUNDLE_MAP_UNUSABLE
   */
  static async start(options: BundleMapOptions): Promise<BundleMapFile> {
    const source = new BundleMapFile(options);
    await source.#look();
    source.#wait();
    return source;
  }

  /** The names of the trust domains that the map has. @throws SOURCE_CLOSED */
  trustDomains(): readonly string[] {
    return [...this.#state().keys()];
  }

  /** The X.509 authorities of a trust domain, for TLS. @throws SOURCE_CLOSED */
  readonly anchorsOf = (trustDomain: TrustDomain): readonly Certificate[] | undefined =>
    this.#state().get(trustDomain.name)?.anchors;

  /** The JWT authorities of a trust domain. @throws SOURCE_CLOSED */
  readonly authoritiesOf = (trustDomain: TrustDomain): readonly JwtAuthority[] | undefined =>
    this.#state().get(trustDomain.name)?.jwtAuthorities;

  /** The WIT authorities of a trust domain. @throws SOURCE_CLOSED */
  readonly witAuthoritiesOf = (trustDomain: TrustDomain): readonly WitAuthority[] | undefined =>
    this.#state().get(trustDomain.name)?.witAuthorities;

  /**
   * Validates a token that somebody presented to this workload, whose own name is `audience`.
   * @throws the reasons of `validateJwtSvid`, SOURCE_CLOSED
   */
  async validateJwtSvid(token: string, audience: string): Promise<ValidatedJwtSvid> {
    const { authoritiesOf } = this;
    return validateJwtSvid(token, {
      audience: [audience],
      authoritiesOf,
      now: this.#clock.now(),
    });
  }

  /** The SVID of `identity`. */
  svid(): X509Svid | undefined {
    return this.#options.identity?.svid();
  }

  /** The revocation lists of `identity`. */
  readonly crls = (): CrlSet | undefined => this.#options.identity?.crls?.();

  /** Calls `listener` after each change of the map or of the identity; returns how to stop that. */
  onChange(listener: () => void): () => void {
    const own = (): void => listener();
    this.#listeners.add(own);
    const stop = this.#options.identity?.onChange(listener);
    return () => {
      this.#listeners.delete(own);
      stop?.();
    };
  }

  close(): void {
    this.#timer?.cancel();
    this.#trusted = undefined;
    this.#notify();
    this.#listeners.clear();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #state(): ReadonlyMap<string, Trusted> {
    if (this.#trusted !== undefined) return this.#trusted;
    throw clientError("SOURCE_CLOSED", `the bundle map "${this.#options.path}" is closed`);
  }

  #wait(): void {
    if (this.#trusted === undefined) return;
    this.#timer = this.#clock.setTimer(this.#options.pollMs ?? DEFAULT_POLL_MS, () => {
      this.#look().then(
        () => this.#wait(),
        (error: IdentityError) => {
          this.#wait();
          this.#report(error);
        },
      );
    });
  }

  /** Takes over the file if it has changed. @throws BUNDLE_MAP_UNUSABLE */
  async #look(): Promise<void> {
    const { path } = this.#options;
    let trusted: ReadonlyMap<string, Trusted>;
    let digest: string;
    try {
      const version = await versionOf(path);
      if (version === this.#version && this.#isSettled) return;
      this.#isSettled = version === this.#version;
      this.#version = version;
      const bytes = await readFileBounded(path, { limitBytes: MAX_BUNDLE_MAP_BYTES });
      if (bytes === undefined) throw new Error("there is no such file");
      digest = hash("sha256", bytes, "base64");
      if (digest === this.#digest) {
        this.#reported = undefined;
        return;
      }
      trusted = this.#read(bytes);
    } catch (cause) {
      throw clientError(
        "BUNDLE_MAP_UNUSABLE",
        `the bundle map "${path}" cannot be used: ${cause instanceof Error ? cause.message : cause}`,
        {
          cause,
          hint: "write it with 'signet bundle list --format map' to a new file, and rename it",
        },
      );
    }
    if (this.#trusted === undefined) return; // closed meanwhile
    this.#reported = undefined;
    this.#digest = digest;
    this.#trusted = trusted;
    this.#notify();
  }

  #read(bytes: Uint8Array): ReadonlyMap<string, Trusted> {
    const trusted = new Map<string, Trusted>();
    for (const [name, bundle] of parseBundleMap(bytes, this.#options.onSkip)) {
      const { jwtAuthorities, witAuthorities } = bundle;
      const anchors = bundle.x509Authorities.map(({ der }) => parseCertificate(der));
      trusted.set(name, { anchors, jwtAuthorities, witAuthorities });
    }
    return trusted;
  }

  #report(error: IdentityError): void {
    if (error.message === this.#reported) return;
    this.#reported = error.message;
    this.#options.onError?.(error);
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        // As with event targets: a listener's fault is not ours, and must not end the following.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** Changes when the file is replaced or written to. */
async function versionOf(path: string): Promise<string> {
  const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [dev, ino, size, mtimeNs, ctimeNs].join("/");
}
