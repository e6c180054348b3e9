// A trust domain's bundle: the public keys that verify its SVIDs (SPIFFE Trust Domain and Bundle s3).
// The type and its comparison live here; the document as JSON: parse.ts and format.ts in this folder;
// how a bundle changes over time: authorities.ts.

import { pkiError } from "../errors.ts";
import type { TrustDomain } from "../spiffe-id.ts";

/** A certificate that X509-SVIDs of the trust domain chain to. */
export interface X509Authority {
  /** The certificate, DER. */
  readonly der: Uint8Array;
  /** What it signed must be replaced, but still verifies until it is revoked. */
  readonly tainted: boolean;
}

/** A public key that verifies JWT-SVIDs of the trust domain. */
export interface JwtAuthority {
  readonly keyId: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
  readonly expiresAt: Date | undefined;
  /** What it signed must be replaced, but still verifies until it is revoked. */
  readonly tainted: boolean;
}

/**
 * A public key that verifies WIT-SVIDs of the trust domain. A key is of one kind: what verifies WIT-SVIDs
 * verifies no JWT-SVID, and the other way round. No two keys of a bundle share an ID (WIT-SVID s6.1).
 */
export type WitAuthority = JwtAuthority;

export interface Bundle {
  readonly trustDomain: TrustDomain;
  readonly x509Authorities: readonly X509Authority[];
  readonly jwtAuthorities: readonly JwtAuthority[];
  readonly witAuthorities: readonly WitAuthority[];
  /** Grows with every change of content; 0 when the bundle came without one. */
  readonly sequence: bigint;
  /** How often a consumer should look for a new one; 0 when the bundle does not say. */
  readonly refreshHintSeconds: number;
}

/** A bundle that trusts nobody. */
export function emptyBundle(trustDomain: TrustDomain): Bundle {
  const none = { x509Authorities: [], jwtAuthorities: [], witAuthorities: [] };
  return { trustDomain, ...none, sequence: 0n, refreshHintSeconds: 0 };
}

/**
 * Checks that each key has an ID of its own, over both kinds of keys together (WIT-SVID s6.1).
 * @throws BUNDLE_INVALID
 */
export function checkKeyIds({ trustDomain, jwtAuthorities, witAuthorities }: Bundle): void {
  const ids = [...jwtAuthorities, ...witAuthorities].map(({ keyId }) => keyId);
  if (ids.includes("")) {
    throw pkiError("BUNDLE_INVALID", `an authority of "${trustDomain}" has no key ID`);
  }
  if (new Set(ids).size !== ids.length) {
    throw pkiError("BUNDLE_INVALID", `two authorities of "${trustDomain}" share a key ID`);
  }
}

/**
 * Whether two bundles say the same: same trust domain, same authorities in any order with the same
 * taints, same refresh hint. The sequence number does not count: it numbers contents.
 */
export function equalBundles(a: Bundle, b: Bundle): boolean {
  return (
    a.trustDomain.equals(b.trustDomain) &&
    a.refreshHintSeconds === b.refreshHintSeconds &&
    equalSets(a.x509Authorities.map(x509Key), b.x509Authorities.map(x509Key)) &&
    equalSets(a.jwtAuthorities.map(jwtKey), b.jwtAuthorities.map(jwtKey)) &&
    equalSets(a.witAuthorities.map(jwtKey), b.witAuthorities.map(jwtKey))
  );
}

function x509Key({ der, tainted }: X509Authority): string {
  return `${tainted} ${Buffer.from(der).toString("base64")}`;
}

function jwtKey({ keyId, spki, expiresAt, tainted }: JwtAuthority): string {
  const key = Buffer.from(spki).toString("base64");
  return `${tainted} ${expiresAt?.getTime()} ${key} ${keyId}`;
}

function equalSets(a: readonly string[], b: readonly string[]): boolean {
  const inA = new Set(a);
  const inB = new Set(b);
  return inA.size === inB.size && [...inA].every((value) => inB.has(value));
}
