// The WIT-SVID of a task as credential of a request: in its own field, with a fresh proof of the task's key that
// was made for this service (client/wit/verify.ts). Never in Authorization, where it would work for whoever
// has seen it.
//
// Every service that a task has called holds its WIT-SVID. A proof by another key is therefore nobody's in
// particular: named after the task it would let each of them have the task suspended.

import { authorizeAny } from "../client/tls/authorize.ts";
import type { ReplayGuard } from "../client/wit/replay-cache.ts";
import { type ServerRequest, unpresentable } from "../client/wit/request.ts";
import { type VerifyWitOptions, verifyWitRequest } from "../client/wit/verify.ts";
import { IdentityError, pkiError, Status } from "../pki/errors.ts";
import { typeOf } from "../pki/token/kinds.ts";
import { PROOF_FIELD } from "../pki/wit/http-request.ts";
import { parseWitSvidInsecurely } from "../pki/wit/svid.ts";
import type { Clock } from "../runtime/clock.ts";
import { noted } from "./attempts.ts";
import { type PresentedTask, presentedByWit, taskIn, taskNamesOf } from "./presented.ts";

export interface GuardWitOptions {
  /** This service's own address. */
  readonly resource: string;
  /** Knows the WIT authorities. Started when the first WIT-SVID comes. */
  readonly witSource: () => Promise<VerifyWitOptions["source"]>;
  readonly replay: ReplayGuard;
  readonly requireTls: boolean;
  readonly clock: Clock;
}

/**
 * The task that a request's WIT-SVID, `wit`, is of.
 * @throws TOKEN_KIND_WRONG, GUARD_TASK_REQUIRED, and the reasons of `verifyWitRequest`
 */
export async function presentedWit(
  request: ServerRequest,
  wit: string,
  { resource, witSource, replay, requireTls, clock }: GuardWitOptions,
): Promise<PresentedTask> {
  if (typeOf(wit) !== "wit+jwt") {
    throw noted(
      pkiError("TOKEN_KIND_WRONG", "what came in workload-identity-token is no WIT-SVID", {
        hint: "send access tokens and JWT-SVIDs in Authorization",
      }),
      { kind: "token-kind-confused", task: undefined },
    );
  }
  // Read first: what cannot be one makes nobody ask for keys.
  const claimed = parseWitSvidInsecurely(wit);
  const source = await startSource(witSource);
  try {
    const { id, claims, expiresAt } = await verifyWitRequest(request, {
      ...placeOf(resource),
      authorize: authorizeAny(),
      source,
      replay,
      requireTls,
      clock,
    });
    return presentedByWit(wit, { id, claims, expiresAt });
  } catch (error) {
    throw explain(error, () => (taskIn(claimed.id, claimed.claims) ?? claimed.id).toString());
  }
}

/** How proofs name this service: by its origin and the path of the request, or by a name that is no URL. */
function placeOf(resource: string): Pick<VerifyWitOptions, "origin" | "audience"> {
  const { protocol, origin } = new URL(resource);
  const isWeb = protocol === "https:" || protocol === "http:";
  return isWeb ? { origin } : { audience: resource };
}

async function startSource(
  start: GuardWitOptions["witSource"],
): Promise<VerifyWitOptions["source"]> {
  try {
    return await start();
  } catch (cause) {
    if (!(cause instanceof IdentityError) || cause.code !== Status.unimplemented) throw cause;
    throw pkiError("TOKEN_KIND_WRONG", "no WIT-SVIDs are taken here", {
      hint: "connect with the task's X509-SVID; WIT-SVIDs stand behind a feature flag of the node agent here",
      cause,
    });
  }
}

/** What is said, and which attempt it was. `taskOf` is asked where WIT-SVID and proof were good. */
function explain(error: unknown, taskOf: () => string): unknown {
  if (!(error instanceof IdentityError)) return error;
  switch (error.reason) {
    case "BODY_MISSING":
      return unpresentable(
        "signatures of requests with a body are not read here",
        `send ${PROOF_FIELD}`,
      );
    case "WIT_PROOF_AUDIENCE":
      return noted(error, { kind: "wrong-audience", task: taskNamesOf(taskOf()) });
    case "WIT_PROOF_UNTRUSTED":
      return noted(error, { kind: "key-mismatch", task: undefined });
    default:
      return error;
  }
}
