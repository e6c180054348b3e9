// The tokens of a task: JWT-SVIDs, which say who is calling, and access tokens, which say with what mandate.

import type { MandateRequest } from "../../policy/mandate-request.ts";
import { mandateRequestToWire } from "../../policy/mandate-wire.ts";
import type { Init } from "../../proto/codec.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";
import { KeptTokens } from "./kept-tokens.ts";
import type { CallTimes, TaskClient } from "./node-calls.ts";

/** A JWT-SVID of a task. */
export interface TaskJwtSvid {
  readonly token: string;
  readonly expiresAt: Date;
}

/** An access token for one resource. */
export interface TaskAccessToken extends TaskJwtSvid {
  /** "DPoP", which is worth nothing without a proof of the key it is bound to, or "Bearer". */
  readonly tokenType: string;
}

export interface AccessTokenOptions {
  /** Narrower than the task's own. */
  readonly mandate?: MandateRequest;
  /**
   * The key that whoever presents the token must prove to have: the task's (default), or one that is named by
   * its RFC 7638 thumbprint. False: a bearer token, which some task classes refuse.
   */
  readonly bound?: boolean | { readonly jkt: string };
}

/** One call of the task service, with a proof. */
export type AskNode = <T>(
  method: string,
  call: (
    client: TaskClient,
    proof: Init<signet.task.v1.TaskProof>,
    options: CallTimes,
    attempt: number,
  ) => Promise<T>,
  timeoutMs?: number,
) => Promise<T>;

export class TaskTokens {
  readonly #ask: AskNode;
  readonly #jwts: KeptTokens<TaskJwtSvid>;
  readonly #accessTokens: KeptTokens<TaskAccessToken>;

  constructor(ask: AskNode, clock: Clock) {
    this.#ask = ask;
    this.#jwts = new KeptTokens(clock);
    this.#accessTokens = new KeptTokens(clock);
  }

  jwtSvid(audience: string): Promise<TaskJwtSvid> {
    return this.#jwts.get(audience, async (timeoutMs) => {
      const answer = await this.#ask(
        "FetchTaskJWTSVID",
        (client, proof, times) => client.fetchTaskJWTSVID({ proof, audience }, times),
        timeoutMs,
      );
      return { token: answer.token, expiresAt: new Date(answer.expiresAt * 1000) };
    });
  }

  accessToken(resource: string, options: AccessTokenOptions): Promise<TaskAccessToken> {
    const { bound = true } = options;
    const request = {
      resource,
      ...(options.mandate && { mandate: mandateRequestToWire(options.mandate) }),
      confirmationJkt: typeof bound === "object" ? bound.jkt : "",
      unbound: bound === false,
    };
    return this.#accessTokens.get(JSON.stringify(request), async (timeoutMs) => {
      const answer = await this.#ask(
        "IssueToken",
        (client, proof, times) => client.issueToken({ proof, ...request }, times),
        timeoutMs,
      );
      const { accessToken: token, tokenType } = answer;
      return { token, tokenType, expiresAt: new Date(answer.expiresAt * 1000) };
    });
  }

  /** Those that are on their way are not kept either. */
  forget(): void {
    this.#jwts.clear();
    this.#accessTokens.clear();
  }
}
