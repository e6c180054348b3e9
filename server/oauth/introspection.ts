// Introspection (RFC 7662): whether a token still counts, for services that would rather ask than follow
// status lists. Any identity of the trust domain may ask. A token counts while its task is active.

import { IdentityError, Status } from "../../pki/errors.ts";
import { parseJwtSvidInsecurely, validateJwtSvid } from "../../pki/jwt/svid.ts";
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import { parseAccessTokenInsecurely, validateAccessToken } from "../../pki/token/access-token.ts";
import { typeOf } from "../../pki/token/kinds.ts";
import type { Answer } from "../documents/answer.ts";
import type { Post } from "../documents/post.ts";
import type { OAuthAddresses } from "./addresses.ts";
import { json, refusal } from "./answers.ts";
import type { CallersOptions, OAuthCaller } from "./callers.ts";
import { type Callers, clientInvalid, taskOf } from "./callers.ts";
import { readForm, required } from "./form.ts";
import type { OAuthKeys } from "./keys.ts";
import type { OAuthTasks } from "./token-endpoint.ts";

/** The tokens are of servers of one trust domain. */
const LEEWAY_SECONDS = 5;
const INACTIVE = { active: false };

export interface IntrospectionOptions
  extends Pick<CallersOptions, "trustDomain" | "bundle" | "held" | "clock"> {
  readonly addresses: OAuthAddresses;
  readonly keys: Pick<OAuthKeys, "published">;
  readonly callers: Callers;
  readonly tasks: Pick<OAuthTasks, "get">;
}

export class Introspection {
  readonly #options: IntrospectionOptions;

  constructor(options: IntrospectionOptions) {
    this.#options = options;
  }

  async answer(post: Post): Promise<Answer> {
    try {
      const form = readForm(post);
      const bearer = /^Bearer +(\S+)$/i.exec(post.headers.authorization ?? "")?.[1];
      const caller = await this.#options.callers.identify(
        form,
        post,
        bearer === undefined ? [] : [bearer],
      );
      this.#checkCaller(caller);
      return json(200, await this.#about(required(form, "token")));
    } catch (error) {
      const { answer } = refusal(error, "invalid_client");
      if (answer.status !== 401) return answer;
      return { ...answer, headers: { ...answer.headers, "www-authenticate": "Bearer" } };
    }
  }

  /** An SVID of a task is good for as long as the task is active. */
  #checkCaller({ id }: OAuthCaller): void {
    if (parseTaskId(id) !== undefined && !this.#isActive(id)) {
      throw clientInvalid(`the task "${id}" is not active`);
    }
  }

  /** What is said of a token: of one that does not count, nothing (s2.2). */
  async #about(token: string): Promise<object> {
    try {
      const type = typeOf(token);
      if (type === "at+jwt") return await this.#aboutAccessToken(token);
      if (type === "" || type === "jwt" || type === "jose") return await this.#aboutSvid(token);
      return INACTIVE;
    } catch (error) {
      if (error instanceof IdentityError && error.code !== Status.internal) return INACTIVE;
      throw error;
    }
  }

  async #aboutAccessToken(token: string): Promise<object> {
    const { addresses, keys, clock, held } = this.#options;
    const { audience } = parseAccessTokenInsecurely(token);
    const { claims, cnf, taskId, clientId } = await validateAccessToken(token, {
      issuer: addresses.issuer,
      audience,
      keys: keys.published(),
      now: clock.now(),
      leewaySeconds: LEEWAY_SECONDS,
    });
    if (taskId === undefined || !this.#isActive(taskId)) return INACTIVE;
    if (held.refusal(clientId, "") !== undefined) return INACTIVE;
    const type = cnf !== undefined && "jkt" in cnf ? "DPoP" : "Bearer";
    return { active: true, token_type: type, ...claims };
  }

  async #aboutSvid(token: string): Promise<object> {
    const { trustDomain, bundle, clock, held } = this.#options;
    const { audience } = parseJwtSvidInsecurely(token);
    const { id, claims, issuedAt } = await validateJwtSvid(token, {
      audience,
      authoritiesOf: ({ name }) =>
        name === trustDomain.name ? bundle()?.jwtAuthorities : undefined,
      now: clock.now(),
      leewaySeconds: LEEWAY_SECONDS,
    });
    const { taskClaim } = this.#options.addresses;
    if (!this.#isActive(taskOf({ id, claims }, taskClaim) ?? id)) return INACTIVE;
    const issuedSeconds = (issuedAt ?? new Date(0)).getTime() / 1000;
    if (held.tokenRefusal(id.toString(), issuedSeconds) !== undefined) return INACTIVE;
    return { active: true, ...claims };
  }

  #isActive(id: SpiffeId): boolean {
    const named = parseTaskId(id);
    if (named === undefined) return false;
    const task = this.#options.tasks.get(named.ulid);
    return task?.state === "ACTIVE" && task.agentId === named.agent;
  }
}
