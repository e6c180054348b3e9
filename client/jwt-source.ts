// JwtSource: this workload's JWT identity for as long as it runs. Hands out tokens, keeps each until half
// of its life is over, and follows the JWT bundles. Tokens of others are validated by the agent unless
// the workload asks for local validation (Workload API s6.3).

import type { JwtAuthority } from "../pki/bundle/bundle.ts";
import { IdentityError, Status } from "../pki/errors.ts";
import { validateJwtSvid } from "../pki/jwt/svid.ts";
import type { TrustDomain } from "../pki/spiffe-id.ts";
import { systemClock } from "../runtime/clock.ts";
import { Follower } from "./follower.ts";
import type { JwtBundles, ValidatedJwtSvid, WorkloadJwtSvid } from "./jwt-context.ts";
import { type FetchOptions, type JwtRequest, WorkloadApi } from "./workload-api.ts";
import type { SourceOptions } from "./x509-source.ts";

/** Most tokens kept; the one fetched longest ago goes first. */
const MAX_KEPT = 1000;

export interface ValidateOptions extends FetchOptions {
  /** Validates in this process with the bundles held here, instead of asking the agent. */
  readonly local?: boolean;
}

export interface SourceJwtRequest extends JwtRequest {
  /** A new token, also when a held one is good by its times: after a service has refused that as revoked. */
  readonly fresh?: boolean;
}

export class JwtSource implements Disposable {
  readonly #follower: Follower<JwtBundles>;
  readonly #api: WorkloadApi;
  readonly #options: SourceOptions;
  readonly #kept: Map<string, WorkloadJwtSvid> = new Map();
  readonly #pending: Map<string, Promise<WorkloadJwtSvid>> = new Map();

  private constructor(options: SourceOptions) {
    this.#options = options;
    this.#api = new WorkloadApi(options);
    this.#follower = new Follower({
      what: "JWT identity",
      follow: (watching) => this.#api.watchJwtBundles(watching),
      holds: (bundles) => bundles.size > 0,
      ...options,
    });
    // Tokens of a withdrawn identity, or signed by a revoked key, are not handed out again.
    this.#follower.onChange(() => this.#kept.clear());
  }

  /**
   * Connects and waits for the JWT bundles.
   * @throws ENDPOINT_MISSING, ENDPOINT_INVALID, SOURCE_NOT_READY after the timeout, with the last failure
   * as its cause; at once what no waiting repairs
   */
  static async start(options: SourceOptions = {}): Promise<JwtSource> {
    const source = new JwtSource(options);
    try {
      await source.#follower.ready();
    } catch (error) {
      source.close();
      throw error;
    }
    return source;
  }

  /**
   * A token for an audience: one fetched before while less than half of its life is over, otherwise a new
   * one; if the agent is away, the old one until it expires.
   * @throws IDENTITY_WITHDRAWN, SOURCE_CLOSED, IDENTITY_NOT_FOUND, and what the agent says
   */
  async fetchJwtSvid(asked: SourceJwtRequest): Promise<WorkloadJwtSvid> {
    this.#follower.state();
    const { fresh = false, ...request } = asked;
    const { audience, spiffeId, hint } = request;
    const key = JSON.stringify([audience, spiffeId?.toString(), hint]);
    const kept = fresh ? undefined : this.#kept.get(key);
    const now = (this.#options.clock ?? systemClock).now().getTime();
    if (kept !== undefined && now < halfLife(kept)) return kept;
    try {
      const svid = await this.#fetch(key, request);
      this.#follower.state(); // withdrawn while the answer was on its way
      return svid;
    } catch (error) {
      const isAway = error instanceof IdentityError && error.code === Status.unavailable;
      if (isAway && kept !== undefined && now < kept.expiresAt.getTime()) return kept;
      throw error;
    }
  }

  /**
   * Validates a token that somebody presented to this workload, whose own name is `audience`.
   * @throws the reasons of `validateJwtSvid`, IDENTITY_WITHDRAWN, SOURCE_CLOSED
   */
  async validateJwtSvid(
    token: string,
    audience: string,
    options: ValidateOptions = {},
  ): Promise<ValidatedJwtSvid> {
    if (options.local !== true) return this.#api.validateJwtSvid(token, audience, options);
    const now = (this.#options.clock ?? systemClock).now();
    const { authoritiesOf } = this;
    return validateJwtSvid(token, { audience: [audience], authoritiesOf, now });
  }

  /** The JWT authorities of a trust domain. @throws IDENTITY_WITHDRAWN, SOURCE_CLOSED */
  readonly authoritiesOf = (trustDomain: TrustDomain): readonly JwtAuthority[] | undefined =>
    this.#follower.state().get(trustDomain.name);

  close(): void {
    this.#follower.close();
    this.#api.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Asks the agent; callers who want the same token at the same time share one question. */
  #fetch(key: string, request: JwtRequest): Promise<WorkloadJwtSvid> {
    const { signal, timeoutMs, ...shared } = request;
    if (signal !== undefined || timeoutMs !== undefined) return this.#fetchAlone(key, request);
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#fetchAlone(key, shared).finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return pending;
  }

  async #fetchAlone(key: string, request: JwtRequest): Promise<WorkloadJwtSvid> {
    const svid = await this.#api.fetchJwtSvid(request);
    this.#kept.delete(key);
    this.#kept.set(key, svid);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    return svid;
  }
}

function halfLife({ issuedAt, expiresAt }: WorkloadJwtSvid): number {
  return issuedAt === undefined ? 0 : (issuedAt.getTime() + expiresAt.getTime()) / 2;
}
