// A trust domain's bundle: the public keys that verify its SVIDs (SPIFFE Trust Domain and Bundle s3).
// The type and its comparison live here; the document as JSON: format.ts and parse.ts in this folder;
// how a bundle changes over time: authorities.ts.

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

export interface Bundle {
  readonly trustDomain: TrustDomain;
  readonly x509Authorities: readonly X509Authority[];
  readonly jwtAuthorities: readonly JwtAuthority[];
  /** Grows with every change of content; 0 when the bundle came without one. */
  readonly sequence: bigint;
  /** How often a consumer should look for a new one; 0 when the bundle does not say. */
  readonly refreshHintSeconds: number;
}
