// The kinds of authority as rows: how one is made, and what it is in a bundle. Everything else about
// authorities (slots, rotation, journal, laws) is the same code for all kinds: authority.ts.

import { randomBytes } from "node:crypto";
import {
  addJwt,
  addWit,
  addX509,
  revokeJwt,
  revokeWit,
  revokeX509,
  taintJwt,
  taintWit,
  taintX509,
  x509AuthorityId,
} from "../../pki/bundle/authorities.ts";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { KeyType, Signer } from "../../pki/keys.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { AuthorityKindName, AuthorityRecord } from "../store/journal.ts";

/** From when to when an authority signs. Whole seconds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** One kind of authority. The functions on bundles are those of pki/bundle/authorities.ts. */
export interface AuthorityKind {
  readonly name: AuthorityKindName;
  readonly keyType: KeyType;
  readonly ttlSeconds: number;
  /** Makes the authority of a new key: its ID, and for X.509 its certificate (DER). */
  make(
    signer: Signer,
    validity: Validity,
  ): Promise<{ readonly authorityId: string; readonly certificate?: Uint8Array }>;
  publish(bundle: Bundle, authority: AuthorityRecord): Bundle;
  /** @throws AUTHORITY_NOT_FOUND when the bundle does not hold it */
  taint(bundle: Bundle, authority: AuthorityRecord): Bundle;
  /** Also when it is not there any more: what counts is that it is gone. */
  revoke(bundle: Bundle, authority: AuthorityRecord): Bundle;
}

/** The settings of the CA: `ca` of the server's configuration. */
export interface CaConfig {
  /** How long an authority lives, of any kind. */
  readonly ttlSeconds: number;
  readonly keyType: KeyType;
  readonly jwtKeyType: KeyType;
  /** Absent when the server issues no WIT-SVIDs: then it makes no WIT authority. */
  readonly witKeyType?: KeyType | undefined;
  /** Absent when the server issues no access tokens. */
  readonly oauthKeyType?: KeyType | undefined;
  readonly subject: {
    readonly country: string;
    readonly organization: string;
    readonly commonName: string;
  };
}

/** The kinds of authority a server has, in the order in which they are looked after. */
export function authorityKinds(
  trustDomain: TrustDomain,
  config: CaConfig,
): readonly AuthorityKind[] {
  const { ttlSeconds, witKeyType, oauthKeyType } = config;
  return [
    {
      name: "x509",
      keyType: config.keyType,
      ttlSeconds,
      make: async (signer, validity) => {
        const { subject } = config;
        // On use: the packages behind it take as long to load as the rest of a start takes, and a
        // start that finds its authorities makes none.
        const { createCaCertificate } = await import("../../pki/x509/ca.ts");
        const certificate = await createCaCertificate({
          signer,
          trustDomain,
          subject,
          ...validity,
        });
        return { authorityId: x509AuthorityId(certificate), certificate };
      },
      publish: (bundle, { certificate }) => addX509(bundle, certificateOf(certificate)),
      taint: (bundle, { authorityId }) => taintX509(bundle, authorityId),
      revoke: (bundle, { authorityId }) =>
        bundle.x509Authorities.some(({ der }) => x509AuthorityId(der) === authorityId)
          ? revokeX509(bundle, authorityId)
          : bundle,
    },
    {
      name: "jwt",
      keyType: config.jwtKeyType,
      ttlSeconds,
      make: async () => ({ authorityId: randomKeyId() }),
      publish: (bundle, { authorityId, spki, notAfter }) =>
        addJwt(bundle, { keyId: authorityId, spki, expiresAt: notAfter, tainted: false }),
      taint: (bundle, { authorityId }) => taintJwt(bundle, authorityId),
      revoke: (bundle, { authorityId }) =>
        bundle.jwtAuthorities.some(({ keyId }) => keyId === authorityId)
          ? revokeJwt(bundle, authorityId)
          : bundle,
    },
    ...(witKeyType === undefined ? [] : [witKind(witKeyType, ttlSeconds)]),
    ...(oauthKeyType === undefined ? [] : [oauthKind(oauthKeyType, ttlSeconds)]),
  ];
}

/**
 * The keys of access tokens and status lists: never in a bundle, where they would verify SVIDs. Those who
 * verify poll the issuer's own key set, which has every key of the journal (server/oauth/keys.ts).
 */
function oauthKind(keyType: KeyType, ttlSeconds: number): AuthorityKind {
  return {
    name: "oauth",
    keyType,
    ttlSeconds,
    make: async () => ({ authorityId: randomKeyId() }),
    publish: (bundle) => bundle,
    taint: (bundle) => bundle,
    revoke: (bundle) => bundle,
  };
}

function witKind(keyType: KeyType, ttlSeconds: number): AuthorityKind {
  return {
    name: "wit",
    keyType,
    ttlSeconds,
    make: async () => ({ authorityId: randomKeyId() }),
    publish: (bundle, { authorityId, spki, notAfter }) =>
      addWit(bundle, { keyId: authorityId, spki, expiresAt: notAfter, tainted: false }),
    taint: (bundle, { authorityId }) => taintWit(bundle, authorityId),
    revoke: (bundle, { authorityId }) =>
      bundle.witAuthorities.some(({ keyId }) => keyId === authorityId)
        ? revokeWit(bundle, authorityId)
        : bundle,
  };
}

/** 24 random bytes are 32 characters: never the same twice, over all kinds, and says nothing of the key. */
function randomKeyId(): string {
  return randomBytes(24).toString("base64url");
}

function certificateOf(certificate: Uint8Array | undefined): Uint8Array {
  if (certificate === undefined) throw new TypeError("an X.509 authority without certificate");
  return certificate;
}
