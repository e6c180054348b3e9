// Issues access tokens of tasks: the one place, whichever door they are asked for at (the token endpoint,
// or a node agent for its workload). A token is for one service within the task's mandate, carries that
// mandate or less, and ends with the task at the latest. That the task goes on is known before.

import { createHash, randomUUID } from "node:crypto";
import { IdentityError, pkiError } from "../../pki/errors.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { taskSpiffeId } from "../../pki/task-id.ts";
import { issueAccessToken } from "../../pki/token/issue-access-token.ts";
import type { Confirmation } from "../../pki/token/thumbprint.ts";
import { formatAuthorizationDetails } from "../../policy/authorization-details.ts";
import { canonicalLocation } from "../../policy/location.ts";
import { allowsLocation, type Mandate } from "../../policy/mandate.ts";
import { grant, type MandateRequest } from "../../policy/mandate-request.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { AuditSink } from "../audit/log.ts";
import { oauthNotConfigured } from "../ca/refusals.ts";
import { serverError } from "../errors.ts";
import type { HeldBack } from "../ledger/record-issued.ts";
import type { TaskClassRecord } from "../store/task-classes.ts";
import type { TaskRecord } from "../store/task-record.ts";
import type { EscalationReport } from "../tasks/escalation-event.ts";
import type { OAuthAddresses } from "./addresses.ts";
import type { OAuthKeys } from "./keys.ts";

export interface AccessTokenOrder {
  /** Active: whoever asks has looked. */
  readonly task: TaskRecord;
  /** The service's URI: becomes the audience. */
  readonly resource: string;
  /** Less than the task's own; what is left out is as in the task's. */
  readonly mandate?: MandateRequest | undefined;
  /** The key or certificate the token is bound to. Default: the task's key. */
  readonly cnf?: Confirmation | undefined;
  /** A bearer token; `cnf` is then not looked at. */
  readonly unbound?: boolean | undefined;
}

export interface IssuedAccessToken {
  readonly token: string;
  readonly expiresAt: Date;
  readonly tokenType: "Bearer" | "DPoP";
  readonly jti: string;
  /** As in the token. */
  readonly details: readonly object[];
}

/** Told of attempts to get more than was granted: server/tasks/escalations.ts. Does not reject. */
export type ReportEscalation = (report: EscalationReport) => Promise<unknown>;

export interface OAuthIssuerOptions {
  /** Undefined when access tokens are not configured: none are issued then. */
  readonly addresses: OAuthAddresses | undefined;
  readonly keys: OAuthKeys;
  readonly trustDomain: TrustDomain;
  readonly classOf: (name: string) => TaskClassRecord | undefined;
  readonly held: Pick<HeldBack, "refusal">;
  readonly report: ReportEscalation;
  readonly audit: AuditSink;
  readonly clock: Clock;
}

/** What holds for a task whose class is gone. */
const WITHOUT_CLASS = { accessTokenTtlSeconds: 60, requirePop: true, failMode: "closed" } as const;

export class OAuthIssuer {
  readonly #options: OAuthIssuerOptions;

  constructor(options: OAuthIssuerOptions) {
    this.#options = options;
  }

  /**
   * Issues an access token. Attempts to get more than was granted are reported before this rejects.
   * @throws OAUTH_NOT_CONFIGURED, OAUTH_POP_REQUIRED, OAUTH_RESOURCE_REFUSED, MANDATE_EXCEEDED and what
   * else is wrong with a mandate, TASK_ENDED, SVID_HELD, AUTHORITY_NOT_READY
   */
  async issueAccessToken(order: AccessTokenOrder): Promise<IssuedAccessToken> {
    const { addresses, keys, classOf, held } = this.#options;
    if (addresses === undefined) throw oauthNotConfigured();
    const { task } = order;
    const rules = classOf(task.taskClass) ?? WITHOUT_CLASS;
    const cnf = confirmationOf(order);
    if (cnf === undefined && rules.requirePop) throw popRequired(task.taskClass);
    const own = taskSpiffeId(task.agentId, task.id).toString();
    for (const id of [task.agentId, task.host, own]) {
      const refusal = id === "" ? undefined : held.refusal(id, task.nodeAgent);
      if (refusal !== undefined) throw refusal;
    }
    const { resource, mandate } = await this.#granted(order);
    const { signer, keyId, expiresAt: keyExpiresAt } = keys.active();
    const nowMs = this.#options.clock.now().getTime();
    const issuedAt = new Date(Math.floor(nowMs / 1000) * 1000);
    const ttlSeconds = Math.min(rules.accessTokenTtlSeconds, task.maxCredentialSeconds);
    const endMs = Math.min(
      issuedAt.getTime() + ttlSeconds * 1000,
      task.expiresAtMs,
      keyExpiresAt.getTime(),
      (mandate.untilUnixSeconds ?? Infinity) * 1000,
    );
    const expiresAt = new Date(Math.floor(endMs / 1000) * 1000);
    if (!(expiresAt > issuedAt)) {
      throw pkiError("TASK_ENDED", `the task ${task.id} is about to end: no token lives so short`, {
        hint: "open another task",
      });
    }
    const jti = randomUUID();
    const spiffeId = taskSpiffeId(task.agentId, task.id).toString();
    const details = formatAuthorizationDetails({ mandate, task: spiffeId });
    const token = await issueAccessToken({
      signer,
      keyId,
      issuer: addresses.issuer,
      subject: task.principal,
      clientId: task.agentId,
      audience: resource,
      jti,
      issuedAt,
      expiresAt,
      details,
      txn: task.root,
      cnf,
      status: { idx: task.status.index, uri: addresses.status.url + task.status.list },
      act: this.#actorOf(task),
      more: this.#moreOf(task, rules, addresses),
    });
    await this.#record(task, { token, jti, resource, spiffeId, cnf });
    const tokenType = cnf !== undefined && "jkt" in cnf ? "DPoP" : "Bearer";
    return { token, expiresAt, tokenType, jti, details };
  }

  /** The resource in its canonical spelling, and the mandate of the token: for that one location. */
  async #granted({ task, resource, mandate: request = {} }: AccessTokenOrder): Promise<{
    readonly resource: string;
    readonly mandate: Mandate;
  }> {
    const about = { task: task.id, agent: task.agentId };
    let granted: Mandate;
    try {
      granted = grant(request, [{ name: "the task's mandate", mandate: task.mandate }]);
    } catch (error) {
      if (error instanceof IdentityError && error.reason === "MANDATE_EXCEEDED") {
        const detail = { message: error.message, at: "token" };
        await this.#options.report({ kind: "mandate-exceeded", ...about, detail });
      }
      throw error;
    }
    const location = canonicalResource(resource);
    if (!allowsLocation(granted, location)) {
      await this.#options.report({
        kind: "audience-not-in-mandate",
        ...about,
        detail: { resource: location, at: "token" },
      });
      throw serverError(
        "OAUTH_RESOURCE_REFUSED",
        `"${location}" is not within the locations of the mandate of task ${task.id}`,
        { hint: "ask for a token for a location of the mandate, or open a task that has it" },
      );
    }
    return { resource: location, mandate: { ...granted, locations: [location] } };
  }

  /** Who acts, when it is for somebody else (RFC 8693 s4.1). */
  #actorOf({ principal, agentId }: TaskRecord): object | undefined {
    if (principal === agentId) return undefined;
    return { sub: agentId, iss: this.#options.trustDomain.id, sub_profile: "ai_agent" };
  }

  #moreOf(
    task: TaskRecord,
    { failMode }: { readonly failMode: string },
    { taskClaim }: OAuthAddresses,
  ): Readonly<Record<string, unknown>> {
    const { agentId: agent, taskClass, root, depth, grantHash, principal } = task;
    const { assurance, host } = task;
    const isOwn = principal === agent;
    return {
      ...(isOwn && { sub_profile: "ai_agent" }),
      [taskClaim]: {
        agent,
        class: taskClass,
        root,
        depth,
        grant_hash: grantHash,
        fail_mode: failMode,
        assurance,
        ...(host !== "" && { host }),
        // Nobody but the AI agent itself has said for whom it works.
        ...(!isOwn && { principal: "agent-asserted" }),
      },
    };
  }

  /** In the log before the token leaves. */
  #record(
    task: TaskRecord,
    issued: Pick<IssuedAccessToken, "token" | "jti"> & {
      readonly resource: string;
      readonly spiffeId: string;
      readonly cnf: Confirmation | undefined;
    },
  ): Promise<void> {
    return this.#options.audit.append({
      stream: "identity",
      type: "access-token.issued",
      outcome: "ok",
      agent: task.agentId,
      task: issued.spiffeId,
      root: task.root,
      principal: task.principal,
      resource: issued.resource,
      credential: {
        kind: "access-token",
        name: issued.jti,
        sha256: createHash("sha256").update(issued.token).digest("hex"),
      },
      detail: { bound: boundTo(issued.cnf) },
    });
  }
}

/** For the record: what the token is of no use without. */
function boundTo(cnf: Confirmation | undefined): string {
  if (cnf === undefined) return "no";
  return "jkt" in cnf ? "key" : "certificate";
}

function confirmationOf({ task, cnf, unbound }: AccessTokenOrder): Confirmation | undefined {
  if (unbound === true) return undefined;
  if (cnf !== undefined) return cnf;
  return task.keyThumbprint === "" ? undefined : { jkt: task.keyThumbprint };
}

function canonicalResource(resource: string): string {
  try {
    return canonicalLocation(resource);
  } catch (cause) {
    const { message } = cause as Error;
    throw serverError("OAUTH_RESOURCE_REFUSED", `the resource cannot be used: ${message}`, {
      hint: "name the service by its URI, without query and fragment",
      cause,
    });
  }
}

function popRequired(taskClass: string): IdentityError {
  return serverError("OAUTH_POP_REQUIRED", `tasks of class "${taskClass}" get no bearer tokens`, {
    hint: "send a DPoP proof, or come with the task's X509-SVID over TLS",
  });
}
