// Issues SVIDs with the authorities that are active: lifetimes, the cap at the authority's end,
// backdating, and admission control. Who may have which SVID is decided by the callers (server/api);
// which authority signs, by authority.ts; on which core, by signing-pool.ts.

import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { IdentityError } from "../../pki/errors.ts";
import { issueJwtSvid, type JwtSvidRequest } from "../../pki/jwt/issue.ts";
import { parseJwtSvidInsecurely } from "../../pki/jwt/svid.ts";
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import type { Certificate } from "../../pki/x509/certificate.ts";
import { issueX509Leaf } from "../../pki/x509/issue.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { serverError } from "../errors.ts";
import { type AudiencePolicy, checkAudiencePolicy, NO_AUDIENCE_POLICY } from "./audience-policy.ts";
import type { Authorities } from "./authority.ts";
import { BACKDATE_MS } from "./make.ts";
import { SigningPool } from "./signing-pool.ts";
import {
  checkMember,
  type IssuedWitSvid,
  issueWitSvids,
  type WitSvidOrder,
  wholeSecond,
} from "./wit-batch.ts";

/** SVIDs that may wait at a time: about a second of work of one core. */
const MAX_PENDING = 4096;
/** What a caller who is turned away is told to wait. */
const RETRY_AFTER_MS = 1000;
/** Threads beyond which the connections on the main thread are the bottleneck. */
const MAX_THREADS = 4;

/** An X509-SVID to issue for whoever made the request. */
export interface X509SvidOrder {
  /** PKCS#10, DER. Only its public key is used, once its signature was verified. */
  readonly csr: Uint8Array;
  /** The key of the request, when the caller has verified its signature already. */
  readonly spki?: Uint8Array;
  readonly spiffeId: string;
  readonly dnsNames: readonly string[];
  /** 0 is the server's default. */
  readonly ttlSeconds: number;
  /** It is of a task: its revocation list is another one. */
  readonly isTask?: boolean;
}

export interface IssuedX509Svid {
  /** DER, leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly notAfter: Date;
  /** Which authority signed it. */
  readonly authorityId: string;
}

/** As above, with the leaf parsed. */
export interface IssuedForKey {
  readonly chain: readonly Uint8Array[];
  readonly leaf: Certificate;
  readonly authorityId: string;
}

export interface IssuedJwtSvid {
  readonly token: string;
  /** Its `jti`, if it has one. */
  readonly jti?: string | undefined;
  /** Whole seconds, as in the token. */
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

export interface IssuerOptions {
  readonly authorities: Pick<Authorities, "x509" | "jwt" | "wit">;
  readonly x509SvidTtlSeconds: number;
  readonly jwtSvidTtlSeconds: number;
  /** By default that of X509-SVIDs: both are bound to a key. */
  readonly witSvidTtlSeconds?: number;
  /** The `iss` claim of JWT-SVIDs; without it there is none. */
  readonly jwtIssuer?: string | undefined;
  /** Audiences that are refused. Default: none. */
  readonly jwtAudiencePolicy?: AudiencePolicy;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Threads that sign batches besides the main one. Default: the other cores, at most 4. */
  readonly threads?: number;
  /** SVIDs that may wait at a time. */
  readonly maxPending?: number;
}

export class Issuer {
  readonly #options: IssuerOptions;
  readonly #pool: SigningPool;
  readonly #maxPending: number;
  #pending = 0;

  constructor(options: IssuerOptions) {
    this.#options = options;
    const threads = options.threads ?? Math.min(availableParallelism() - 1, MAX_THREADS);
    this.#pool = new SigningPool({ threads, logger: options.logger });
    this.#maxPending = options.maxPending ?? MAX_PENDING;
  }

  /** SVIDs that are being signed or wait for it. */
  get pending(): number {
    return this.#pending;
  }

  /**
   * Issues X509-SVIDs; answers in the order of `orders` what was issued or why it was refused.
   * @throws ISSUER_OVERLOADED, AUTHORITY_NOT_READY
   */
  async issueX509Batch(
    orders: readonly X509SvidOrder[],
  ): Promise<(IssuedX509Svid | IdentityError)[]> {
    const issuer = this.#options.authorities.x509();
    const { clock, x509SvidTtlSeconds } = this.#options;
    const nowMs = clock.now().getTime();
    const signing = orders.map(({ csr, spki, spiffeId, dnsNames, ttlSeconds, isTask }) => ({
      csr,
      spiffeId,
      dnsNames,
      isTask,
      spki,
      notBeforeMs: nowMs - BACKDATE_MS,
      notAfterMs: nowMs + (ttlSeconds || x509SvidTtlSeconds) * 1000,
    }));
    const signed = await this.#admit(orders.length, () => this.#pool.sign(issuer, signing));
    const { upstreamChain } = issuer;
    const authorityId = authorityIdOf(issuer.certificate);
    return signed.map((leaf) =>
      leaf instanceof IdentityError
        ? leaf
        : { chain: [leaf.der, ...upstreamChain], notAfter: leaf.notAfter, authorityId },
    );
  }

  /** Issues one X509-SVID. @throws what refuses the request, ISSUER_OVERLOADED, AUTHORITY_NOT_READY */
  async issueX509(order: X509SvidOrder): Promise<IssuedX509Svid> {
    const [issued] = await this.issueX509Batch([order]);
    if (issued === undefined) throw new TypeError("one order, no answer");
    if (issued instanceof IdentityError) throw issued;
    return issued;
  }

  /**
   * Issues an X509-SVID for a key whose holder proved it otherwise: node agents (their CSR was parsed
   * by the caller) and the server itself. The leaf comes parsed, for its serial number and end.
   */
  async issueForKey(order: {
    /** SubjectPublicKeyInfo, DER. */
    readonly spki: Uint8Array;
    readonly spiffeId: SpiffeId;
    readonly ttlSeconds: number;
    readonly dnsNames?: readonly string[];
  }): Promise<IssuedForKey> {
    const issuer = this.#options.authorities.x509();
    const nowMs = this.#options.clock.now().getTime();
    const leaf = await this.#admit(1, async () =>
      issueX509Leaf(issuer, {
        spki: order.spki,
        spiffeId: order.spiffeId,
        dnsNames: order.dnsNames ?? [],
        notBefore: new Date(nowMs - BACKDATE_MS),
        notAfter: new Date(nowMs + order.ttlSeconds * 1000),
      }),
    );
    const authorityId = authorityIdOf(issuer.certificate);
    return { chain: [leaf.der, ...issuer.upstreamChain], leaf, authorityId };
  }

  /**
   * Issues a JWT-SVID that expires no later than the key it is signed with.
   * @throws SVID_TRUST_DOMAIN_FOREIGN, SVID_REQUEST_INVALID, JWT_SVID_AUDIENCE, JWT_SVID_CLAIMS,
   * ISSUER_OVERLOADED, AUTHORITY_NOT_READY
   */
  async issueJwt(order: {
    readonly spiffeId: SpiffeId;
    readonly audience: readonly string[];
    /** 0 is the server's default. */
    readonly ttlSeconds: number;
    readonly includeJti?: boolean;
    /** More claims: those of a task. */
    readonly claims?: Readonly<Record<string, unknown>>;
  }): Promise<IssuedJwtSvid> {
    const { authorities, clock, jwtIssuer, jwtSvidTtlSeconds } = this.#options;
    const { trustDomain, signer, keyId, expiresAt: keyExpiresAt } = authorities.jwt();
    checkMember(order.spiffeId, trustDomain);
    const policy = this.#options.jwtAudiencePolicy ?? NO_AUDIENCE_POLICY;
    checkAudiencePolicy(order.audience, policy, trustDomain);
    const issuedAt = wholeSecond(clock.now().getTime());
    const wantedMs = issuedAt.getTime() + (order.ttlSeconds || jwtSvidTtlSeconds) * 1000;
    const request: JwtSvidRequest = {
      signer,
      keyId,
      spiffeId: order.spiffeId,
      audience: order.audience,
      issuedAt,
      expiresAt: wholeSecond(Math.min(wantedMs, keyExpiresAt.getTime())),
      ...(jwtIssuer !== undefined && { issuer: jwtIssuer }),
      ...(order.includeJti === true && { jti: randomUUID() }),
      ...(order.claims !== undefined && { claims: order.claims }),
    };
    const token = await this.#admit(1, async () => issueJwtSvid(request));
    checkToken(token, request);
    return { token, jti: request.jti, issuedAt, expiresAt: request.expiresAt };
  }

  /**
   * Issues WIT-SVIDs that expire no later than the key they are signed with; answers in the order of
   * `orders` what was issued or why it was refused. A key belongs to one SPIFFE ID of the batch.
   * @throws ISSUER_OVERLOADED, AUTHORITY_NOT_READY, NOT_SUPPORTED when the server issues no WIT-SVIDs
   */
  async issueWitBatch(orders: readonly WitSvidOrder[]): Promise<(IssuedWitSvid | IdentityError)[]> {
    const authority = this.#options.authorities.wit();
    const { clock, x509SvidTtlSeconds, witSvidTtlSeconds = x509SvidTtlSeconds } = this.#options;
    const terms = { issuedAt: wholeSecond(clock.now().getTime()), ttlSeconds: witSvidTtlSeconds };
    return this.#admit(orders.length, () => issueWitSvids(authority, orders, terms));
  }

  /** Issues one WIT-SVID. @throws what refuses the request, and as {@link issueWitBatch} */
  async issueWit(order: WitSvidOrder): Promise<IssuedWitSvid> {
    const [issued] = await this.issueWitBatch([order]);
    if (issued === undefined) throw new TypeError("one order, no answer");
    if (issued instanceof IdentityError) throw issued;
    return issued;
  }

  /** Ends the threads. */
  async stop(): Promise<void> {
    await this.#pool.stop();
  }

  /** Turns work away that would only wait: a caller's deadline would pass, and memory would fill. */
  async #admit<T>(count: number, work: () => Promise<T>): Promise<T> {
    if (this.#pending > 0 && this.#pending + count > this.#maxPending) {
      throw serverError("ISSUER_OVERLOADED", "the server has too many SVIDs to sign already", {
        hint: `try again after ${RETRY_AFTER_MS} ms or more`,
      });
    }
    this.#pending += count;
    try {
      return await work();
    } finally {
      this.#pending -= count;
    }
  }
}

/** Reads a token again before it leaves: it says what was asked for, and nothing else was signed. */
function checkToken(token: string, request: JwtSvidRequest): void {
  const { keyId, id, audience, expiresAt, issuedAt } = parseJwtSvidInsecurely(token);
  const isAsOrdered =
    keyId === request.keyId &&
    id.equals(request.spiffeId) &&
    audience.length === request.audience.length &&
    audience.every((value, i) => value === request.audience[i]) &&
    expiresAt.getTime() === request.expiresAt.getTime() &&
    issuedAt?.getTime() === request.issuedAt.getTime();
  if (!isAsOrdered) throw new TypeError("a JWT-SVID does not say what was to be signed");
}

/** As in the bundle and the journal: the subject key ID in hexadecimal. */
function authorityIdOf({ subjectKeyId }: Certificate): string {
  return Buffer.from(subjectKeyId ?? []).toString("hex");
}
