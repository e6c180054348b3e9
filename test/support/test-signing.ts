// The server as the agent's cache sees it: signs what it is asked to, unless the test says that it is away
// or refuses. Made of the product's own issuing code, with moments of the test's choosing.

import type { IssuedJwt, JwtSigning } from "../../agent/cache/jwt-svids.ts";
import type { X509Signing } from "../../agent/cache/mint.ts";
import type { WitSigning } from "../../agent/cache/mint-wit.ts";
import { agentError } from "../../agent/errors.ts";
import type { Bundle, JwtAuthority } from "../../pki/bundle/bundle.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { generateP256KeyPair, type Signer, signerOf } from "../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import { issueWitSvid } from "../../pki/wit/issue.ts";
import { createCaCertificate } from "../../pki/x509/ca.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import { issueX509Svid, type X509Issuer } from "../../pki/x509/issue.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";

const HOUR_MS = 3_600_000;

/** An authority of a trust domain, for every kind of SVID. */
export interface TestSigner {
  readonly x509: X509Issuer;
  readonly jwt: TokenSigner;
  readonly wit: TokenSigner;
}

interface TokenSigner {
  readonly signer: Signer;
  readonly authority: JwtAuthority;
}

let made = 0;

export async function createSigner(trustDomain: TrustDomain, now: Date): Promise<TestSigner> {
  const signer = signerOf("ca", generateP256KeyPair());
  const der = await createCaCertificate({
    signer,
    trustDomain,
    subject: { country: "US", organization: "Test" },
    notBefore: new Date(now.getTime() - HOUR_MS),
    notAfter: new Date(now.getTime() + 240 * HOUR_MS),
  });
  made += 1;
  return {
    x509: { certificate: parseCertificate(der), upstreamChain: [], signer },
    jwt: tokenSigner(`key-${made}`),
    wit: tokenSigner(`wit-${made}`),
  };
}

function tokenSigner(keyId: string): TokenSigner {
  const signer = signerOf(keyId, generateP256KeyPair());
  return { signer, authority: { keyId, spki: signer.spki, expiresAt: undefined, tainted: false } };
}

/** The bundle that holds these authorities; `tainted` ones are marked. */
export function bundleOf(
  trustDomain: TrustDomain | string,
  signers: readonly TestSigner[],
  tainted: readonly TestSigner[] = [],
): Bundle {
  return {
    trustDomain: TrustDomain.parse(trustDomain.toString()),
    x509Authorities: signers.map((one) => ({
      der: one.x509.certificate.der,
      tainted: tainted.includes(one),
    })),
    jwtAuthorities: signers.map((one) => ({
      ...one.jwt.authority,
      tainted: tainted.includes(one),
    })),
    witAuthorities: signers.map((one) => ({
      ...one.wit.authority,
      tainted: tainted.includes(one),
    })),
    sequence: 1n,
    refreshHintSeconds: 300,
  };
}

export class TestSigning implements X509Signing, WitSigning, JwtSigning {
  /** Signs from now on. */
  signer: TestSigner;
  x509TtlSeconds = 3600;
  jwtTtlSeconds = 300;
  witTtlSeconds = 3600;
  /** The server issues no WIT-SVIDs. */
  hasNoWit = false;
  isAway = false;
  /** Entries that the server does not issue for. */
  readonly refused: Set<string> = new Set();
  /** Entry IDs of each batch, in order. */
  readonly batches: (readonly string[])[] = [];
  /** The same of WIT-SVIDs. */
  readonly witBatches: (readonly string[])[] = [];
  /** Entry IDs of each JWT-SVID. */
  readonly tokens: string[] = [];
  /** Awaited before an answer, so that a test can look in between. */
  gate: Promise<void> = Promise.resolve();
  readonly #entryOf: (id: string) => RegistrationEntry | undefined;
  readonly #now: () => Date;

  constructor(
    signer: TestSigner,
    entryOf: (id: string) => RegistrationEntry | undefined,
    now: () => Date,
  ) {
    this.signer = signer;
    this.#entryOf = entryOf;
    this.#now = now;
  }

  assertConnected(): void {
    if (this.isAway) throw agentError("SERVER_UNREACHABLE", "the test's server is away");
  }

  async signX509(
    requests: readonly { readonly entryId: string; readonly csr: Uint8Array }[],
  ): Promise<(Uint8Array[] | IdentityError)[]> {
    this.batches.push(requests.map(({ entryId }) => entryId));
    const { signer } = this;
    const entries = requests.map(({ entryId }) => this.#entryOf(entryId));
    await this.gate;
    this.assertConnected();
    return Promise.all(
      requests.map(async ({ csr }, i) => {
        const entry = entries[i];
        if (entry === undefined || this.refused.has(entry.id)) return notFound();
        const nowMs = this.#now().getTime();
        const leaf = await issueX509Svid(signer.x509, {
          spki: parseCsr(csr).spki,
          spiffeId: SpiffeId.parse(entry.spiffeId),
          dnsNames: entry.dnsNames,
          notBefore: new Date(nowMs - 10_000),
          notAfter: new Date(nowMs + this.x509TtlSeconds * 1000),
        });
        return [leaf, ...signer.x509.upstreamChain];
      }),
    );
  }

  async issueWit(
    requests: Parameters<WitSigning["issueWit"]>[0],
  ): Promise<(string | IdentityError)[]> {
    this.witBatches.push(requests.map(({ entryId }) => entryId));
    const { signer } = this;
    const entries = requests.map(({ entryId }) => this.#entryOf(entryId));
    await this.gate;
    this.assertConnected();
    if (this.hasNoWit) throw new IdentityError("NOT_SUPPORTED", Status.unimplemented, "no WIT");
    return Promise.all(
      requests.map(async ({ publicKey, signingAlgorithm }, i) => {
        const entry = entries[i];
        if (entry === undefined || this.refused.has(entry.id)) return notFound();
        const issuedAt = this.#now();
        return issueWitSvid({
          signer: signer.wit.signer,
          keyId: signer.wit.authority.keyId,
          spiffeId: SpiffeId.parse(entry.spiffeId),
          spki: publicKey,
          alg: signingAlgorithm,
          issuedAt,
          expiresAt: new Date(issuedAt.getTime() + this.witTtlSeconds * 1000),
        });
      }),
    );
  }

  async newJwtSvid(entryId: string, audience: readonly string[]): Promise<IssuedJwt> {
    const { signer } = this;
    await this.gate;
    this.assertConnected();
    const entry = this.#entryOf(entryId);
    if (entry === undefined || this.refused.has(entryId)) throw notFound();
    this.tokens.push(entryId);
    const issuedAt = this.#now();
    const expiresAt = new Date(issuedAt.getTime() + this.jwtTtlSeconds * 1000);
    const token = await issueJwtSvid({
      signer: signer.jwt.signer,
      keyId: signer.jwt.authority.keyId,
      spiffeId: SpiffeId.parse(entry.spiffeId),
      audience,
      issuedAt,
      expiresAt,
    });
    return { token, spiffeId: entry.spiffeId, issuedAt, expiresAt };
  }
}

function notFound(): IdentityError {
  return new IdentityError(
    "ENTRY_NOT_AUTHORIZED",
    Status.notFound,
    "entry not found or not authorized",
  );
}
