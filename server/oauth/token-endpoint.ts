// The token endpoint (RFC 6749 s3.2): a task shows its SVID and gets an access token for one service within
// its mandate. Grants: client_credentials, where the SVID authenticates the client, and jwt-bearer
// (RFC 7523), where it is the grant. What goes into the token: issue.ts.

import { ReplayCache } from "../../client/wit/replay-cache.ts";
import { IdentityError, pkiError } from "../../pki/errors.ts";
import { parseJson } from "../../pki/json.ts";
import { parseJwtSvidInsecurely } from "../../pki/jwt/svid.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import {
  type AccessToken,
  parseAccessTokenInsecurely,
  validateAccessToken,
} from "../../pki/token/access-token.ts";
import { verifyDpopProof } from "../../pki/token/dpop.ts";
import { type Confirmation, certificateThumbprint } from "../../pki/token/thumbprint.ts";
import { parseRequestedDetails } from "../../policy/authorization-details.ts";
import type { MandateRequest } from "../../policy/mandate-request.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Answer } from "../documents/answer.ts";
import type { Post } from "../documents/post.ts";
import { serverError } from "../errors.ts";
import type { KnownTask, TaskRecord } from "../store/task-record.ts";
import type { OAuthAddresses } from "./addresses.ts";
import { json, refusal } from "./answers.ts";
import { type Callers, clientInvalid, type OAuthCaller } from "./callers.ts";
import { type Form, readForm, required, shown } from "./form.ts";
import type { OAuthIssuer, ReportEscalation } from "./issue.ts";
import type { OAuthKeys } from "./keys.ts";
import { CLIENT_CREDENTIALS, JWT_BEARER } from "./metadata.ts";

/** What the endpoint asks of the tasks: server/tasks/tasks.ts. */
export interface OAuthTasks {
  get(id: string): KnownTask | undefined;
  /** A credential of it is made: a sign of life. @throws TASK_NOT_FOUND, TASK_ENDED, TASK_SUSPENDED, TASK_PARKED */
  noteUse(id: string): TaskRecord;
}

export interface TokenEndpointOptions {
  readonly addresses: OAuthAddresses;
  readonly keys: Pick<OAuthKeys, "published">;
  readonly callers: Callers;
  readonly tasks: OAuthTasks;
  readonly issuer: Pick<OAuthIssuer, "issueAccessToken">;
  readonly report: ReportEscalation;
  /** Told how each request ended: "issued", or the code of the refusal. */
  readonly onEnd: (result: string) => void;
  /** Remembers proofs. Default: a ReplayCache. */
  readonly proofs?: ReplayCache;
  readonly clock: Clock;
}

export class TokenEndpoint {
  readonly #options: TokenEndpointOptions;
  readonly #proofs: ReplayCache;

  constructor(options: TokenEndpointOptions) {
    this.#options = options;
    this.#proofs = options.proofs ?? new ReplayCache({ clock: options.clock });
  }

  async answer(post: Post): Promise<Answer> {
    let who: "invalid_client" | "invalid_grant" = "invalid_client";
    try {
      const form = readForm(post);
      const grantType = required(form, "grant_type");
      if (grantType === JWT_BEARER) who = "invalid_grant";
      else if (grantType !== CLIENT_CREDENTIALS) throw unsupported(grantType);
      const answer = await this.#issue(form, post, grantType);
      this.#options.onEnd("issued");
      return answer;
    } catch (error) {
      const { code, answer } = refusal(error, who);
      this.#options.onEnd(code);
      return answer;
    }
  }

  async #issue(form: Form, post: Post, grantType: string): Promise<Answer> {
    const grants = grantType === JWT_BEARER ? [required(form, "assertion")] : [];
    // RFC 6749 s2.3: one way to say who asks, and no password is one here.
    if (post.headers.authorization !== undefined || form.has("client_secret")) {
      throw clientInvalid("there are no secrets here", {
        hint: "send a JWT-SVID for this issuer as client_assertion, or show an X509-SVID",
      });
    }
    const caller = await this.#identify(form, post, grants);
    const task = await this.#taskOf(caller);
    const cnf = await this.#confirmation(post, caller);
    const resource = form.get("resource");
    if (resource === undefined) {
      throw serverError("OAUTH_RESOURCE_REFUSED", "the request names no resource", {
        hint: "name the one service that the token is for (RFC 8707)",
      });
    }
    const mandate = requestedMandate(form, caller);
    const { issuer, tasks, clock } = this.#options;
    const issued = await issuer.issueAccessToken({
      task,
      resource,
      mandate,
      cnf,
      unbound: cnf === undefined,
    });
    // Ended while it was made: it does not leave.
    tasks.noteUse(task.id);
    return json(200, {
      access_token: issued.token,
      token_type: issued.tokenType,
      expires_in: Math.round((issued.expiresAt.getTime() - clock.now().getTime()) / 1000),
      authorization_details: issued.details,
    });
  }

  /** The caller; before a refusal leaves, what it tells of a task whose document it is. */
  async #identify(form: Form, post: Post, grants: readonly string[]): Promise<OAuthCaller> {
    try {
      return await this.#options.callers.identify(form, post, grants);
    } catch (error) {
      const shownTokens = [...grants, form.get("client_assertion")];
      for (const token of shownTokens) {
        if (token !== undefined) await this.#reportMisuse(token);
      }
      throw error;
    }
  }

  /** Only what is signed by us counts: from anything else strangers could accuse any task. */
  async #reportMisuse(token: string): Promise<void> {
    // What is wrong with this one: the refusal may be about another, and this one anybody's work.
    const error = await this.#options.callers.byToken(token).catch((reason: unknown) => reason);
    const reason = error instanceof IdentityError ? error.reason : "";
    if (reason === "JWT_SVID_AUDIENCE") {
      // Checked last, after the signature.
      const { id, audience } = parseJwtSvidInsecurely(token);
      const task = parseTaskId(id);
      if (task === undefined) return;
      const detail = { audience: audience.join(" "), at: "token" };
      const about = { task: task.ulid, agent: task.agent };
      await this.#options.report({ kind: "wrong-audience", ...about, detail });
    }
    if (reason === "TOKEN_KIND_WRONG") {
      const own = await this.#ownAccessToken(token);
      if (own?.taskId === undefined) return;
      const task = parseTaskId(own.taskId);
      if (task === undefined) return;
      const detail = { presented: "access token", audience: own.audience, at: "token" };
      const about = { task: task.ulid, agent: task.agent };
      await this.#options.report({ kind: "token-kind-confused", ...about, detail });
    }
  }

  async #ownAccessToken(token: string): Promise<AccessToken | undefined> {
    const { addresses, keys, clock } = this.#options;
    try {
      const { audience } = parseAccessTokenInsecurely(token);
      const expected = { issuer: addresses.issuer, audience, keys: keys.published() };
      return await validateAccessToken(token, { ...expected, now: clock.now() });
    } catch {
      return undefined;
    }
  }

  async #taskOf({ id }: OAuthCaller): Promise<TaskRecord> {
    const { tasks, report } = this.#options;
    const named = parseTaskId(id);
    if (named === undefined) {
      throw clientInvalid(`"${id}" is no task`, {
        hint: "open a task and use its SVIDs: other identities get no access tokens",
      });
    }
    if (tasks.get(named.ulid)?.agentId !== named.agent) {
      throw clientInvalid(`there is no task "${id}"`, { hint: "it ended long ago: open another" });
    }
    try {
      return tasks.noteUse(named.ulid);
    } catch (error) {
      if (error instanceof IdentityError && error.reason === "TASK_ENDED") {
        const about = { task: named.ulid, agent: named.agent };
        await report({ kind: "used-after-end", ...about, detail: { at: "token" } });
      }
      throw error;
    }
  }

  /** What the token is bound to: the key of a proof, else the certificate of the connection. */
  async #confirmation(post: Post, { certificate }: OAuthCaller): Promise<Confirmation | undefined> {
    const proof = post.headers["dpop"];
    if (proof === undefined) {
      if (certificate === undefined) return undefined;
      return { "x5t#S256": certificateThumbprint(certificate) };
    }
    const { addresses, clock } = this.#options;
    try {
      const target = { method: "POST", url: addresses.token.url };
      const { jkt, jti, until } = await verifyDpopProof(String(proof), {
        ...target,
        now: clock.now(),
        notBefore: this.#proofs.since,
      });
      this.#proofs.remember({ sender: jkt, id: jti, until });
      return { jkt };
    } catch (error) {
      throw asProofError(error);
    }
  }
}

/** What is wrong with a proof, in its own words: a token of another kind in its place is a wrong proof. */
function asProofError(error: unknown): unknown {
  if (!(error instanceof IdentityError)) return error;
  const { reason, message } = error;
  if (reason === "WIT_PROOF_REPLAYED") {
    return pkiError("DPOP_PROOF_REPLAYED", "the DPoP proof came before", {
      hint: "make a proof for each request",
      cause: error,
    });
  }
  return reason === "TOKEN_KIND_WRONG"
    ? pkiError("DPOP_PROOF_MALFORMED", message, { cause: error })
    : error;
}

function requestedMandate(form: Form, { id }: OAuthCaller): MandateRequest | undefined {
  const text = form.get("authorization_details");
  if (text === undefined) return undefined;
  const { request, task } = parseRequestedDetails(readDetails(text));
  if (task !== undefined && task !== id.toString()) {
    throw clientInvalid(`its authorization_details are of ${shown(task)}`);
  }
  return request;
}

function readDetails(text: string) {
  try {
    return parseJson(text);
  } catch {
    // Not JSON: the reader of details says so in the words that OAuth has for it.
    return null;
  }
}

function unsupported(grantType: string): IdentityError {
  return serverError("OAUTH_GRANT_UNSUPPORTED", `no grants of type ${shown(grantType)} are taken`, {
    hint: "use client_credentials, or jwt-bearer with the task's JWT-SVID as assertion",
  });
}
