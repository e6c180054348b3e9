// The trust bundles this node agent hands to workloads: its own trust domain's and those its entries
// federate with, each beside the bytes that the Workload API sends, made once per change. Also which
// X.509 authorities have been withdrawn (tainted or revoked), so that what they signed is replaced.

import type { Bundle, JwtAuthority, WitAuthority, X509Authority } from "../../pki/bundle/bundle.ts";
import { formatJwks, formatWitJwks } from "../../pki/bundle/format.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { type Certificate, parseCertificate } from "../../pki/x509/certificate.ts";

/** A bundle and its forms on the Workload API. */
export interface TrustBundle {
  readonly bundle: Bundle;
  /** Concatenated DER of the X.509 authorities. No bytes when there is none. */
  readonly x509: Uint8Array;
  /** JWK Set with the JWT authorities only, as JSON bytes. */
  readonly jwks: Uint8Array;
  /** JWK Set with the WIT authorities only, as JSON text. */
  readonly witJwks: string;
}

/** What a change did, by trust domain name. */
export interface BundleChange {
  readonly changed: ReadonlySet<string>;
  /** An X.509 authority of the own trust domain was withdrawn: see {@link BundleCache.isWithdrawn}. */
  readonly withdrewX509: boolean;
  /** The same for a WIT authority. */
  readonly withdrewWit: boolean;
}

/** Bundles by trust domain name. */
export class BundleCache {
  readonly #trustDomain: TrustDomain;
  readonly #bundles = new Map<string, TrustBundle>();
  readonly #anchors = new WeakMap<Bundle, readonly Certificate[]>();
  /** Own X.509 authorities by key ID (hex). */
  readonly #x509 = new Standing();
  /** Own WIT authorities by key ID. */
  readonly #wit = new Standing();

  constructor(trustDomain: TrustDomain) {
    this.#trustDomain = trustDomain;
  }

  /** The bundle of the own trust domain; undefined before the first one has arrived. */
  get own(): TrustBundle | undefined {
    return this.#bundles.get(this.#trustDomain.name);
  }

  get(name: string): TrustBundle | undefined {
    return this.#bundles.get(name);
  }

  /** Takes over a whole new set. The own bundle stays when the set does not hold one. */
  replaceAll(bundles: readonly Bundle[]): BundleChange {
    const kept = new Set(bundles.map((bundle) => bundle.trustDomain.name));
    kept.add(this.#trustDomain.name);
    return this.apply(
      bundles,
      [...this.#bundles.keys()].filter((name) => !kept.has(name)),
    );
  }

  /** Adds or replaces bundles, and removes those of other trust domains. */
  apply(bundles: readonly Bundle[], removedNames: readonly string[]): BundleChange {
    const changed = new Set<string>();
    for (const name of removedNames) {
      if (name !== this.#trustDomain.name && this.#bundles.delete(name)) changed.add(name);
    }
    let withdrawn = { withdrewX509: false, withdrewWit: false };
    for (const bundle of bundles) {
      const { name } = bundle.trustDomain;
      const held = this.#bundles.get(name);
      if (held !== undefined && hasSameAuthorities(held.bundle, bundle)) continue;
      this.#bundles.set(name, encode(bundle));
      changed.add(name);
      if (name === this.#trustDomain.name) withdrawn = this.#follow(bundle);
    }
    return { changed, ...withdrawn };
  }

  /**
   * Whether an own X.509 authority with this subject key identifier (hex) has been tainted or has left
   * the bundle: what it signed must be replaced.
   */
  isWithdrawn(keyId: string): boolean {
    return this.#x509.isWithdrawn(keyId);
  }

  /** The same for an own WIT authority. */
  isWitWithdrawn(keyId: string): boolean {
    return this.#wit.isWithdrawn(keyId);
  }

  /** The certificates that X509-SVIDs of a trust domain chain to; undefined when it has no bundle here. */
  anchorsOf(trustDomain: TrustDomain): readonly Certificate[] | undefined {
    const bundle = this.#bundles.get(trustDomain.name)?.bundle;
    return bundle === undefined ? undefined : this.#certificatesOf(bundle);
  }

  /** The keys that verify JWT-SVIDs of a trust domain. */
  jwtAuthoritiesOf(name: string): readonly JwtAuthority[] | undefined {
    return this.#bundles.get(name)?.bundle.jwtAuthorities;
  }

  #certificatesOf(bundle: Bundle): readonly Certificate[] {
    const held = this.#anchors.get(bundle);
    if (held !== undefined) return held;
    const parsed = bundle.x509Authorities.map((authority) => parseCertificate(authority.der));
    this.#anchors.set(bundle, parsed);
    return parsed;
  }

  #follow(bundle: Bundle): Pick<BundleChange, "withdrewX509" | "withdrewWit"> {
    const certificates = this.#certificatesOf(bundle);
    const x509 = bundle.x509Authorities.map(
      ({ tainted }, i) => [keyIdOf(certificates[i]?.subjectKeyId), tainted] as const,
    );
    const wit = bundle.witAuthorities.map(
      ({ keyId, tainted }: WitAuthority) => [keyId, tainted] as const,
    );
    return { withdrewX509: this.#x509.follow(x509), withdrewWit: this.#wit.follow(wit) };
  }
}

/** Which authorities of one kind are in good standing, and which no longer are. */
class Standing {
  #trusted = new Set<string>();
  #withdrawn = new Set<string>();

  isWithdrawn(keyId: string): boolean {
    return this.#withdrawn.has(keyId);
  }

  /** Takes over what the bundle holds, as key ID and whether it is tainted; answers whether one was withdrawn. */
  follow(
    authorities: readonly (readonly [keyId: string | undefined, tainted: boolean])[],
  ): boolean {
    const trusted = new Set<string>();
    const tainted = new Set<string>();
    for (const [keyId, isTainted] of authorities) {
      if (keyId !== undefined) (isTainted ? tainted : trusted).add(keyId);
    }
    const before = this.#withdrawn;
    const revoked = [...this.#trusted, ...before].filter((keyId) => !trusted.has(keyId));
    this.#trusted = trusted;
    // Bounded: an authority is remembered as withdrawn only as long as SVIDs below it can live.
    this.#withdrawn = new Set([...revoked, ...tainted].slice(-MAX_WITHDRAWN));
    return [...this.#withdrawn].some((keyId) => !before.has(keyId));
  }
}

const MAX_WITHDRAWN = 64;

/** A key identifier as it is compared: lower-case hex. */
export function keyIdOf(keyId: Uint8Array | undefined): string | undefined {
  return keyId === undefined ? undefined : Buffer.from(keyId).toString("hex");
}

function encode(bundle: Bundle): TrustBundle {
  return {
    bundle,
    x509: new Uint8Array(Buffer.concat(bundle.x509Authorities.map((authority) => authority.der))),
    jwks: Buffer.from(formatJwks(bundle)),
    witJwks: formatWitJwks(bundle),
  };
}

// The sequence number and the refresh hint do not reach workloads: a bundle that differs in these
// alone makes no message.
function hasSameAuthorities(a: Bundle, b: Bundle): boolean {
  return (
    sameList(a.x509Authorities, b.x509Authorities, sameX509) &&
    sameList(a.jwtAuthorities, b.jwtAuthorities, sameJwt) &&
    sameList(a.witAuthorities, b.witAuthorities, sameJwt)
  );
}

function sameList<T>(a: readonly T[], b: readonly T[], same: (x: T, y: T) => boolean): boolean {
  return a.length === b.length && a.every((one, i) => same(one, b[i] as T));
}

const sameX509 = (a: X509Authority, b: X509Authority): boolean =>
  a.tainted === b.tainted && Buffer.compare(a.der, b.der) === 0;

const sameJwt = (a: JwtAuthority, b: JwtAuthority): boolean =>
  a.keyId === b.keyId &&
  a.tainted === b.tainted &&
  a.expiresAt?.getTime() === b.expiresAt?.getTime() &&
  Buffer.compare(a.spki, b.spki) === 0;
