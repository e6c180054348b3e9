// TestWit: a trust domain's WIT authority that a test runs, the WIT-SVIDs of its workloads, and what the
// Workload API says of them.

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { emptyBundle, type WitAuthority } from "../../pki/bundle/bundle.ts";
import { formatWitJwks } from "../../pki/bundle/format.ts";
import { defaultAlgorithm } from "../../pki/jwt/signature.ts";
import { exportSpki, generateP256KeyPair, type Signer, signerOf } from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { issueWitSvid } from "../../pki/wit/issue.ts";
import { formatPrivateJwk, type ProofKey } from "../../pki/wit/private-jwk.ts";
import type { Init } from "../../proto/codec.ts";
import type { workload } from "../../proto/schema.gen.ts";

export interface HeldWit {
  readonly id: SpiffeId;
  readonly token: string;
  readonly key: ProofKey;
  readonly issuedAt: Date | undefined;
  readonly expiresAt: Date;
  readonly hint: string;
}

/** A key pair to prove with: P-256, or one of `generateKeyPairSync`. */
export function proofKey(
  pair: { privateKey: KeyObject; publicKey: KeyObject } = generateKeyPairSync("ec", {
    namedCurve: "P-256",
  }),
  alg: string = defaultAlgorithm(pair.publicKey) ?? "",
): ProofKey {
  return { privateKey: pair.privateKey, spki: exportSpki(pair.publicKey), alg };
}

export class TestWit {
  readonly trustDomain: TrustDomain;
  readonly signer: Signer;
  readonly authority: WitAuthority;

  constructor(name = "north.test", keyId = "w1") {
    this.trustDomain = TrustDomain.parse(name);
    this.signer = signerOf(keyId, generateP256KeyPair());
    const { spki } = this.signer;
    this.authority = { keyId, spki, expiresAt: undefined, tainted: false };
  }

  readonly witAuthoritiesOf = (trustDomain: TrustDomain): readonly WitAuthority[] | undefined =>
    trustDomain.equals(this.trustDomain) ? [this.authority] : undefined;

  /** A WIT-SVID, of five minutes unless told otherwise. */
  issue(
    path: string,
    more: {
      now?: Date;
      ttlSeconds?: number;
      key?: ProofKey;
      hint?: string;
      claims?: Readonly<Record<string, unknown>>;
    } = {},
  ): HeldWit {
    const { now: issuedAt = new Date(), ttlSeconds = 300, key = proofKey(), hint = "" } = more;
    const id = SpiffeId.of(this.trustDomain, path);
    const wholeMs = Math.floor(issuedAt.getTime() / 1000) * 1000;
    const expiresAt = new Date(wholeMs + ttlSeconds * 1000);
    const token = issueWitSvid({
      ...{ signer: this.signer, keyId: this.authority.keyId, spiffeId: id },
      ...{ spki: key.spki, alg: key.alg, issuedAt, expiresAt },
      ...(more.claims !== undefined && { claims: more.claims }),
    }) as string;
    return { id, token, key, issuedAt, expiresAt, hint };
  }

  /** The WIT bundle of FetchWITBundles. */
  bundles(...others: readonly TestWit[]): Init<workload.WITBundlesResponse> {
    return {
      bundles: Object.fromEntries(
        [this, ...others].map(({ trustDomain, authority }) => [
          trustDomain.id,
          formatWitJwks({ ...emptyBundle(trustDomain), witAuthorities: [authority] }),
        ]),
      ),
    };
  }
}

/** A message of FetchWITSVID. */
export function witResponse(...svids: readonly HeldWit[]): Init<workload.WITSVIDResponse> {
  return {
    svids: svids.map(({ id, token, key, hint }) => ({
      spiffeId: id.toString(),
      witSvid: token,
      witSvidKey: formatPrivateJwk(key.privateKey, key.alg),
      hint,
    })),
  };
}
