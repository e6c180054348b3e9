// A task as a request presents it, once its credential was verified: who, by what document, and what that
// document itself says of the mandate.

import { createHash } from "node:crypto";
import type { Peer } from "../client/verify.ts";
import { SpiffeId } from "../pki/spiffe-id.ts";
import { parseTaskId } from "../pki/task-id.ts";
import type { AccessToken } from "../pki/token/access-token.ts";
import type { WitSvid } from "../pki/wit/svid.ts";
import { parseAuthorizationDetails } from "../policy/authorization-details.ts";
import type { Mandate } from "../policy/mandate.ts";
import { guardError } from "./errors.ts";

/** The document that was shown. */
export interface Credential {
  readonly kind: "x509-svid" | "jwt-svid" | "wit-svid" | "access-token";
  /** Serial number or `jti`; "" when the document has none. */
  readonly name: string;
  /** Hexadecimal. */
  readonly sha256: string;
}

const documents = new WeakMap<Credential, Uint8Array>();

/** Makes the description of a document; the document itself is for `shownOf` alone. */
export function credentialOf(
  kind: Credential["kind"],
  name: string,
  document: string | Uint8Array,
  shown: Uint8Array = Buffer.from(document),
): Credential {
  const credential = { kind, name, sha256: sha256(document) };
  documents.set(credential, shown);
  return credential;
}

/** The document that was shown, for the node agent: a handler that sees the task does not see it. */
export function shownOf({ credential }: Pick<PresentedTask, "credential">): Uint8Array {
  return documents.get(credential) ?? new Uint8Array();
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
  /** "process-attested", or "host-asserted"; undefined when the credential says neither. */
  readonly assurance: string | undefined;
}

/** The process that holds the task was attested as its AI agent, not as a host of it. */
export const ATTESTED = "process-attested";

/** Clocks differ: a token is taken for so long after its end. */
const LEEWAY_MS = 30_000;

/** After this moment what a task has open by its credential is open by nobody's word. */
export function lastMoment({ expiresAt }: Pick<PresentedTask, "expiresAt">): number {
  return expiresAt.getTime() + LEEWAY_MS;
}

/** @throws GUARD_TASK_REQUIRED when the peer's SVID is not one of a task */
export function presentedByPeer({
  id,
  leaf,
  path = [leaf],
}: Pick<Peer, "id" | "leaf"> & Partial<Peer>): PresentedTask {
  // Not all that it sent: padded, it would be too large to be shown, time and again, until others were not heard.
  const chain = path.map(({ der }) => der);
  return {
    ...namesOf(id),
    principal: undefined,
    credential: credentialOf("x509-svid", leaf.serialHex, leaf.der, Buffer.concat(chain)),
    expiresAt: leaf.notAfter,
    mandate: undefined,
    isBound: true,
    failMode: undefined,
    assurance: undefined,
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
    ...namesOf(taskIn(id, claims) ?? id),
    principal: undefined,
    credential: credentialOf("jwt-svid", typeof jti === "string" ? jti : "", token),
    expiresAt: new Date(Number(exp) * 1000),
    mandate: undefined,
    isBound: false,
    failMode: failModeIn(claims),
    assurance: assuranceIn(claims),
  };
}

/** Its proof was good. @throws GUARD_TASK_REQUIRED when the SVID is not one of a task */
export function presentedByWit(
  token: string,
  { id, claims, expiresAt }: Pick<WitSvid, "id" | "claims" | "expiresAt">,
): PresentedTask {
  const { jti } = claims;
  return {
    ...namesOf(taskIn(id, claims) ?? id),
    principal: undefined,
    credential: credentialOf("wit-svid", typeof jti === "string" ? jti : "", token),
    expiresAt,
    mandate: undefined,
    isBound: true,
    failMode: failModeIn(claims),
    assurance: assuranceIn(claims),
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
    credential: credentialOf("access-token", read.jti, token),
    expiresAt: read.expiresAt,
    mandate,
    isBound,
    failMode: failModeIn(read.claims),
    assurance: assuranceIn(read.claims),
  };
}

/**
 * The task that an SVID is of though it names the AI agent: its class says so, and the namespaced claim
 * `<issuer>/task` which task. Only the own server makes such SVIDs, and it makes that claim for no other.
 */
export function taskIn(
  id: SpiffeId,
  claims: Readonly<Record<string, unknown>>,
): SpiffeId | undefined {
  for (const about of taskClaims(claims)) {
    const { id: named } = about;
    if (typeof named !== "string" || !named.startsWith(`${id}/`)) continue;
    const task = SpiffeId.parse(named);
    if (parseTaskId(task)?.agent === id.toString()) return task;
  }
  return undefined;
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

function taskRequired(who: string): Error {
  return guardError("GUARD_TASK_REQUIRED", `${who} calls outside of any task`, {
    hint: "open a task and use its SVID or an access token of it: docs/tasks.md",
  });
}

/** The namespaced claims `<issuer>/task`, of whichever issuer. */
function taskClaims(claims: Readonly<Record<string, unknown>>): Record<string, unknown>[] {
  return Object.entries(claims).flatMap(([name, value]) => {
    const isOfTask = name.endsWith("/task") && typeof value === "object" && value !== null;
    return isOfTask ? [value as Record<string, unknown>] : [];
  });
}

/** Of whichever issuer: it can only make things stricter. */
function failModeIn(claims: Readonly<Record<string, unknown>>): "closed" | "ttl" | undefined {
  let found: "closed" | "ttl" | undefined;
  for (const { fail_mode: mode } of taskClaims(claims)) {
    if (mode === undefined) continue;
    if (mode !== "ttl") return "closed";
    found = "ttl";
  }
  return found;
}

function assuranceIn(claims: Readonly<Record<string, unknown>>): string | undefined {
  const all = taskClaims(claims).map(({ assurance }) => assurance);
  const words = all.filter((one) => one !== undefined).map(String);
  return words.find((one) => one !== ATTESTED) ?? words[0];
}

function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}
