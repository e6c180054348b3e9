// The tokens of a task: JWT-SVIDs and WIT-SVIDs, which say who is calling, and access tokens, which say with what
// mandate.

import type { SpiffeId } from "../../pki/spiffe-id.ts";
import type { MandateRequest } from "../../policy/mandate-request.ts";
import { mandateRequestToWire } from "../../policy/mandate-wire.ts";
import type { Init } from "../../proto/codec.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { WorkloadWitSvid } from "../wit/wit-context.ts";
import { KeptTokens } from "./kept-tokens.ts";
import type { CallTimes, TaskClient } from "./node-calls.ts";
import type { TaskKey } from "./task-key.ts";
import { readTaskWit } from "./task-wit.ts";

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

export interface TaskTokensOptions {
  /** The task's, and its SPIFFE ID. */
  readonly key: TaskKey;
  readonly task: SpiffeId;
  readonly clock: Clock;
}

export class TaskTokens {
  readonly #ask: AskNode;
  readonly #key: TaskKey;
  readonly #task: SpiffeId;
  readonly #jwts: KeptTokens<TaskJwtSvid>;
  readonly #wits: KeptTokens<WorkloadWitSvid>;
  readonly #accessTokens: KeptTokens<TaskAccessToken>;

  constructor(ask: AskNode, { key, task, clock }: TaskTokensOptions) {
    this.#ask = ask;
    this.#key = key;
    this.#task = task;
    this.#jwts = new KeptTokens(clock);
    this.#wits = new KeptTokens(clock);
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

  witSvid(): Promise<WorkloadWitSvid> {
    return this.#wits.get("", async (timeoutMs) => {
      const answer = await this.#ask(
        "FetchTaskWITSVID",
        (client, proof, times) => client.fetchTaskWITSVID({ proof }, times),
        timeoutMs,
      );
      return readTaskWit(answer, this.#key, this.#task);
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
    this.#wits.clear();
    this.#accessTokens.clear();
  }
}
