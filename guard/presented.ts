// A task as a request presents it, once its credential was verified: who, by what document, and what that
// document itself says of the mandate.

import { createHash } from "node:crypto";
import type { Peer } from "../client/verify.ts";
import { SpiffeId } from "../pki/spiffe-id.ts";
import { parseTaskId } from "../pki/task-id.ts";
import type { AccessToken } from "../pki/token/access-token.ts";
import { parseAuthorizationDetails } from "../policy/authorization-details.ts";
import type { Mandate } from "../policy/mandate.ts";
import { guardError } from "./errors.ts";

/** The document that was shown. */
export interface Credential {
  readonly kind: "x509-svid" | "jwt-svid" | "access-token";
  /** Serial number or `jti`; "" when the document has none. */
  readonly name: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Who calls. */
export interface PresentedTask {
  /** A ULID. */
  readonly taskId: string;
  readonly spiffeId: string;
  /** SPIFFE ID of its AI agent. */
  readonly agent: string;
  /** For whom, as far as the credential says. */
  readonly principal: string | undefined;
  readonly credential: Credential;
  readonly expiresAt: Date;
  /** What the credential is restricted to; undefined: to what the task may do. */
  readonly mandate: Mandate | undefined;
  /** Whether whoever sent it has shown a key that it is bound to. */
  readonly isBound: boolean;
  /** What the credential says of the task's class; undefined when it says nothing. */
  readonly failMode: "closed" | "ttl" | undefined;
}

/** Clocks differ: a token is taken for so long after its end. */
const LEEWAY_MS = 30_000;

/** After this moment what a task has open by its credential is open by nobody's word. */
export function lastMoment({ expiresAt }: Pick<PresentedTask, "expiresAt">): number {
  return expiresAt.getTime() + LEEWAY_MS;
}

/** @throws GUARD_TASK_REQUIRED when the peer's SVID is not one of a task */
export function presentedByPeer({ id, leaf }: Peer): PresentedTask {
  return {
    ...namesOf(id),
    principal: undefined,
    credential: { kind: "x509-svid", name: leaf.serialHex, sha256: sha256(leaf.der) },
    expiresAt: leaf.notAfter,
    mandate: undefined,
    isBound: true,
    failMode: undefined,
  };
}

/** @throws GUARD_TASK_REQUIRED when the SVID is not one of a task */
export function presentedByJwtSvid(
  token: string,
  id: SpiffeId,
  claims: Readonly<Record<string, unknown>>,
): PresentedTask {
  const { jti, exp } = claims;
  return {
    ...namesOf(id),
    principal: undefined,
    credential: {
      kind: "jwt-svid",
      name: typeof jti === "string" ? jti : "",
      sha256: sha256(token),
    },
    expiresAt: new Date(Number(exp) * 1000),
    mandate: undefined,
    isBound: false,
    failMode: failModeIn(claims),
  };
}

/** @throws GUARD_TASK_REQUIRED when the token is of no task, INVALID_AUTHORIZATION_DETAILS */
export function presentedByToken(
  token: string,
  read: AccessToken,
  isBound: boolean,
): PresentedTask {
  const { taskId, clientId } = read;
  if (taskId === undefined) throw taskRequired(clientId);
  const names = namesOf(taskId);
  // Its whole restriction is understood, or the token is refused.
  const { mandate } = parseAuthorizationDetails(read.claims["authorization_details"]);
  return {
    ...names,
    principal: read.sub,
    credential: { kind: "access-token", name: read.jti, sha256: sha256(token) },
    expiresAt: read.expiresAt,
    mandate,
    isBound,
    failMode: failModeIn(read.claims),
  };
}

/** The names of a task, for events about credentials that were refused; undefined for what is no task. */
export function taskNamesOf(
  spiffeId: string,
): Pick<PresentedTask, "taskId" | "spiffeId" | "agent"> | undefined {
  try {
    return namesOf(SpiffeId.parse(spiffeId));
  } catch {
    return undefined;
  }
}

function namesOf(id: SpiffeId): Pick<PresentedTask, "taskId" | "spiffeId" | "agent"> {
  const names = parseTaskId(id);
  if (names === undefined) throw taskRequired(id.toString());
  return { taskId: names.ulid, spiffeId: id.toString(), agent: names.agent };
}

export function taskRequired(who: string): Error {
  return guardError("GUARD_TASK_REQUIRED", `${who} calls outside of any task`, {
    hint: "open a task and use its SVID or an access token of it: docs/tasks.md",
  });
}

/** The namespaced claim `<issuer>/task`: of whichever issuer, it can only make things stricter. */
function failModeIn(claims: Readonly<Record<string, unknown>>): "closed" | "ttl" | undefined {
  let found: "closed" | "ttl" | undefined;
  for (const [name, value] of Object.entries(claims)) {
    if (!name.endsWith("/task") || typeof value !== "object" || value === null) continue;
    const mode = (value as Record<string, unknown>)["fail_mode"];
    if (mode === undefined) continue;
    if (mode !== "ttl") return "closed";
    found = "ttl";
  }
  return found;
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
