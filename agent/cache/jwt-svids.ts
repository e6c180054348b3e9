// JWT-SVIDs by entry and audience. A token is asked for when a workload first wants it and refreshed
// behind the scenes from half its lifetime on, so that callers wait only for the first; one that is still
// valid is served while the server is away. Tokens that were revoked, or signed by a withdrawn key, are
// dropped at once.

import { IdentityError, Status } from "../../pki/errors.ts";
import type { JsonObject } from "../../pki/json.ts";
import { parseJwtSvidInsecurely } from "../../pki/jwt/svid.ts";
import { renewAt } from "../../pki/lifetime.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";
import type { BundleCache } from "./bundles.ts";
import type { Revocations } from "./revocations.ts";

/** A token as the server answers it. */
export interface IssuedJwt {
  readonly token: string;
  readonly spiffeId: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** Has JWT-SVIDs issued by the server. Implemented by agent/link. */
export interface JwtSigning {
  /** @throws SERVER_UNREACHABLE and what the server answers */
  newJwtSvid(entryId: string, audience: readonly string[]): Promise<IssuedJwt>;
}

export interface JwtSvidCacheOptions {
  readonly signing: JwtSigning;
  readonly bundles: BundleCache;
  readonly revocations: Revocations;
  readonly now: () => Date;
  readonly random: () => number;
  readonly log: Logger;
  /** How many tokens are held; the least recently used leave first. */
  readonly limit: number;
}

interface HeldJwt extends IssuedJwt {
  readonly entryId: string;
  readonly inputs: string;
  readonly keyId: string;
  readonly jti: string | undefined;
  readonly renewAt: Date;
}

/** With less than this share of its lifetime left a token is not handed out without trying for a new one. */
const URGENT_SHARE = 1 / 6;

/** Tokens by (entry, audience). */
export class JwtSvidCache {
  readonly #options: JwtSvidCacheOptions;
  /** In the order of their last use. */
  readonly #held = new Map<string, HeldJwt>();
  readonly #inFlight = new Map<string, Promise<HeldJwt>>();

  constructor(options: JwtSvidCacheOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size;
  }

  /**
   * A token of an entry for exactly these audiences, in this order.
   * @throws SERVER_UNREACHABLE when the server is away and no valid token is held, and what it answers
   */
  async fetch(entry: RegistrationEntry, audience: readonly string[]): Promise<string> {
    // Entries that want a token ID want one per token.
    if (entry.jwtSvidIncludeJti) return (await this.#issue(entry, audience)).token;
    const key = JSON.stringify([entry.id, ...audience]);
    const held = this.#held.get(key);
    const nowMs = this.#options.now().getTime();
    if (
      held === undefined ||
      held.inputs !== inputsOf(entry) ||
      held.expiresAt.getTime() <= nowMs
    ) {
      return (await this.#refresh(key, entry, audience)).token;
    }
    this.#held.delete(key);
    this.#held.set(key, held);
    if (nowMs < held.renewAt.getTime()) return held.token;
    const fresh = this.#refresh(key, entry, audience);
    const lifetimeMs = held.expiresAt.getTime() - held.issuedAt.getTime();
    if (held.expiresAt.getTime() - nowMs > lifetimeMs * URGENT_SHARE) {
      fresh.catch((error: unknown) => {
        this.#options.log.debug({ entry_id: entry.id, error }, "could not refresh a JWT-SVID");
      });
      return held.token;
    }
    try {
      return (await fresh).token;
    } catch (error) {
      if (isRefusal(error)) throw error;
      return held.token;
    }
  }

  /** Follows changes of entries. */
  entriesChanged(current: readonly RegistrationEntry[], removedIds: ReadonlySet<string>): void {
    const inputs = new Map(current.map((entry) => [entry.id, inputsOf(entry)]));
    for (const [key, held] of this.#held) {
      const now = inputs.get(held.entryId);
      const isChanged = now !== undefined && now !== held.inputs;
      if (isChanged || removedIds.has(held.entryId)) this.#held.delete(key);
    }
  }

  /** Follows changes of the own bundle: tokens whose key is tainted or gone are not served again. */
  authoritiesChanged(): void {
    for (const [key, held] of this.#held) {
      if (!this.#isInGoodStanding(held.keyId)) this.#held.delete(key);
    }
  }

  /** Tokens have been revoked: those that are held are not served again. */
  dropRevoked(): void {
    for (const [key, held] of this.#held) {
      if (this.#options.revocations.isTokenRevoked(held)) this.#held.delete(key);
    }
  }

  #isInGoodStanding(keyId: string): boolean {
    const authorities = this.#options.bundles.own?.bundle.jwtAuthorities ?? [];
    return authorities.some((authority) => authority.keyId === keyId && !authority.tainted);
  }

  /** One call to the server for all that ask for the same token at the same time. */
  #refresh(key: string, entry: RegistrationEntry, audience: readonly string[]): Promise<HeldJwt> {
    const flight = `${inputsOf(entry)}${key}`;
    const running = this.#inFlight.get(flight);
    if (running !== undefined) return running;
    const issued = this.#issue(entry, audience)
      .then((token) => {
        if (this.#isInGoodStanding(token.keyId)) this.#hold(key, token);
        return token;
      })
      .finally(() => this.#inFlight.delete(flight));
    this.#inFlight.set(flight, issued);
    return issued;
  }

  async #issue(entry: RegistrationEntry, audience: readonly string[]): Promise<HeldJwt> {
    const issued = await this.#ask(entry, audience);
    if (!this.#options.revocations.isTokenRevoked(issued)) return issued;
    // Its revocation has overtaken it. What the server issues from now on is another token.
    const again = await this.#ask(entry, audience);
    if (!this.#options.revocations.isTokenRevoked(again)) return again;
    throw agentError("SERVER_ANSWER_INVALID", `the JWT-SVID of ${entry.spiffeId} is revoked`, {
      hint: "try again in a second: a token made in the second of the revocation counts as older",
    });
  }

  async #ask(entry: RegistrationEntry, audience: readonly string[]): Promise<HeldJwt> {
    const issued = await this.#options.signing.newJwtSvid(entry.id, audience);
    if (issued.spiffeId !== entry.spiffeId) {
      throw agentError(
        "SERVER_ANSWER_INVALID",
        `the server answered entry ${entry.id} with a JWT-SVID of ${issued.spiffeId}, not of ${entry.spiffeId}`,
      );
    }
    return {
      ...issued,
      entryId: entry.id,
      inputs: inputsOf(entry),
      ...readIssued(issued.token),
      renewAt: renewAt(issued.issuedAt, issued.expiresAt, this.#options.random()),
    };
  }

  #hold(key: string, token: HeldJwt): void {
    this.#held.delete(key);
    this.#held.set(key, token);
    for (const oldest of this.#held.keys()) {
      if (this.#held.size <= this.#options.limit) return;
      this.#held.delete(oldest);
    }
  }
}

/** The `jti` of a token's claims. */
export function tokenId(claims: JsonObject): string | undefined {
  const { jti } = claims;
  return typeof jti === "string" ? jti : undefined;
}

/** Whether the server said no, rather than nothing: the same question would get the same answer. */
export function isRefusal(error: unknown): boolean {
  return (
    error instanceof IdentityError &&
    (error.code === Status.notFound ||
      error.code === Status.permissionDenied ||
      error.code === Status.failedPrecondition ||
      error.code === Status.invalidArgument)
  );
}

function inputsOf(entry: RegistrationEntry): string {
  return JSON.stringify([entry.spiffeId, entry.jwtSvidTtlSeconds, entry.createdAtUnixSeconds]);
}

/** The token came from our server over a verified channel: it is read, not validated. */
function readIssued(token: string): { keyId: string; jti: string | undefined } {
  try {
    const { keyId, claims } = parseJwtSvidInsecurely(token);
    return { keyId, jti: tokenId(claims) };
  } catch (cause) {
    throw agentError("SERVER_ANSWER_INVALID", "the server answered with an unreadable JWT-SVID", {
      cause,
    });
  }
}
