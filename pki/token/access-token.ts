// Access tokens (RFC 9068) of tasks: for whom and with what mandate (RFC 9396) an AI agent may use one
// service. Who signs them has keys of its own, which verify nothing else than these and status lists.
// SVIDs say who is calling: ../jwt, ../wit. What may stand in `authorization_details`: policy/. How they
// are made: issue-access-token.ts.

import { pkiError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import {
  badClaims,
  checkSignature,
  checkTimes,
  chooseKey,
  keyOf,
  quote,
  readExpiry,
  readKeyId,
  readTime,
  readToken,
} from "../jwt/token.ts";
import { SpiffeId } from "../spiffe-id.ts";
import { parseTaskId } from "../task-id.ts";
import type { VerificationKey } from "./jwks.ts";
import { ACCESS_TOKEN_TYPE, checkType, ACCESS_TOKEN as KIND } from "./kinds.ts";
import { readStatusReference, type StatusReference } from "./status-list-token.ts";
import { type Confirmation, isThumbprint } from "./thumbprint.ts";

/** The `type` of the element of `authorization_details` that is the mandate of a task. */
export const TASK_DETAIL_TYPE = "agent_task";

/** Longest token: what fits into a field of HTTP everywhere. */
export const MAX_ACCESS_TOKEN_BYTES = 16_384;
const MAX_TEXT_LENGTH = 2048;
const MAX_JTI_LENGTH = 256;
const MAX_DETAILS = 16;
/** Longest chain of actors that is read; longer ones are refused, never cut. */
const MAX_ACTORS = 8;
const DEFAULT_LEEWAY_SECONDS = 30;

/** What an access token says. */
export interface AccessToken {
  readonly keyId: string;
  readonly iss: string;
  /** For whom: the AI agent itself, or who asked it. */
  readonly sub: string;
  /** SPIFFE ID of the AI agent: the stable one, whatever task it is in. */
  readonly clientId: string;
  /** The one service it is for. */
  readonly audience: string;
  readonly jti: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** SPIFFE ID of the task, which lies below `clientId`; undefined when it is of none. */
  readonly taskId: SpiffeId | undefined;
  /** The element of `authorization_details` that is the task's mandate; undefined without a task. */
  readonly taskDetails: JsonObject | undefined;
  /** All of `authorization_details`. */
  readonly details: readonly JsonObject[];
  /** Of the root task. */
  readonly txn: string | undefined;
  /** Undefined: a bearer token. Otherwise whoever takes it must check it: `isConfirmedBy`. */
  readonly cnf: Confirmation | undefined;
  readonly status: StatusReference | undefined;
  /** Who acts for `sub`, outermost first; empty when it acts for itself. Only the first decides anything. */
  readonly actors: readonly { readonly sub: string; readonly iss: string }[];
  readonly act: JsonObject | undefined;
  readonly claims: JsonObject;
}

export interface AccessTokenExpectation {
  /** Compared to the letter. */
  readonly issuer: string;
  /** The service's own address: what tokens for it name. One, or several names of the same service. */
  readonly audience: string | readonly string[];
  /** The issuer's keys, from its JWK Set. */
  readonly keys: readonly VerificationKey[];
  readonly now: Date;
  readonly leewaySeconds?: number;
  /** Refuses tokens that live longer from `iat` to `exp`. Default: an hour. */
  readonly maxLifetimeSeconds?: number;
}

/**
 * Validates an access token and returns what it says. A token with `cnf` is of no use until the key or the
 * certificate was checked too, and none of these checks asks whether its task still runs.
 * @throws TOKEN_KIND_WRONG, ACCESS_TOKEN_MALFORMED, ACCESS_TOKEN_ALGORITHM, ACCESS_TOKEN_CLAIMS,
 * ACCESS_TOKEN_UNTRUSTED, ACCESS_TOKEN_EXPIRED, ACCESS_TOKEN_NOT_YET_VALID, ACCESS_TOKEN_AUDIENCE
 */
export async function validateAccessToken(
  token: string,
  expectation: AccessTokenExpectation,
): Promise<AccessToken> {
  const { issuer, keys, now, leewaySeconds = DEFAULT_LEEWAY_SECONDS } = expectation;
  const { alg, read } = readAccessToken(token);
  if (read.iss !== issuer) {
    throw pkiError("ACCESS_TOKEN_UNTRUSTED", `the access token is from ${quote(read.iss)}`, {
      hint: `get one from ${quote(issuer)}`,
    });
  }
  const key = chooseKey(keys, read.keyId, quote(issuer), KIND);
  await checkSignature(token, alg, { key: keyOf(key), keyName: read.keyId }, KIND);
  checkTimes(read, quote(read.clientId), { now, leewaySeconds }, KIND);
  if (read.issuedAt.getTime() > now.getTime() + leewaySeconds * 1000) {
    throw pkiError("ACCESS_TOKEN_NOT_YET_VALID", "the access token is from the future", {
      hint: "compare the clocks",
    });
  }
  const lifetimeSeconds = (read.expiresAt.getTime() - read.issuedAt.getTime()) / 1000;
  const maxSeconds = expectation.maxLifetimeSeconds ?? 3600;
  if (!(lifetimeSeconds > 0 && lifetimeSeconds <= maxSeconds)) {
    throw badClaims(KIND, `it lives ${lifetimeSeconds} s, of at most ${maxSeconds} s`);
  }
  const audiences = [expectation.audience].flat();
  if (read.audience === "" || !audiences.includes(read.audience)) {
    throw pkiError(
      "ACCESS_TOKEN_AUDIENCE",
      `the access token is for ${quote(read.audience)}, not for ${audiences.map(quote).join(", ")}`,
      { hint: "ask the token endpoint for a token with this resource" },
    );
  }
  return read;
}

/**
 * Reads a token without verifying it: for tokens that just came from the issuer over a trusted channel.
 * Anything else goes through `validateAccessToken`.
 * @throws TOKEN_KIND_WRONG, ACCESS_TOKEN_MALFORMED, ACCESS_TOKEN_ALGORITHM, ACCESS_TOKEN_CLAIMS
 */
export function parseAccessTokenInsecurely(token: string): AccessToken {
  return readAccessToken(token).read;
}

function readAccessToken(token: string): { readonly alg: string; readonly read: AccessToken } {
  const { alg, header, claims } = readToken(token, KIND, MAX_ACCESS_TOKEN_BYTES);
  checkType(header, ACCESS_TOKEN_TYPE, KIND);
  const issuedAt = readTime(claims, "iat", KIND);
  if (issuedAt === undefined) throw badClaims(KIND, "it has no iat");
  readTime(claims, "nbf", KIND);
  const clientId = textOf(claims, "client_id");
  const details = readDetails(claims["authorization_details"]);
  const { taskId, taskDetails } = readTask(details, clientId);
  const { status, act } = claims;
  const reference = readStatusReference(status);
  // A status that cannot be read cannot be looked up either: the token might be void.
  if (status !== undefined && reference === undefined) throw badClaims(KIND, "its status is wrong");
  const read: AccessToken = {
    keyId: readKeyId(header, KIND),
    iss: textOf(claims, "iss"),
    sub: textOf(claims, "sub"),
    clientId,
    audience: readAudience(claims["aud"]),
    jti: textOf(claims, "jti", MAX_JTI_LENGTH),
    issuedAt,
    expiresAt: readExpiry(claims, KIND),
    taskId,
    taskDetails,
    details,
    txn: claims["txn"] === undefined ? undefined : textOf(claims, "txn"),
    cnf: readConfirmation(claims["cnf"]),
    status: reference,
    actors: readActors(act),
    act: isJsonObject(act) ? act : undefined,
    claims,
  };
  return { alg, read };
}

function textOf(claims: JsonObject, name: string, maxLength: number = MAX_TEXT_LENGTH): string {
  const value = claims[name];
  if (typeof value === "string" && value !== "" && value.length <= maxLength) return value;
  throw badClaims(KIND, `it has no ${name} of reasonable length`);
}

/** One audience: a token for two services could be passed on by one to the other. */
function readAudience(aud: JsonValue | undefined): string {
  const value = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
  if (typeof value === "string" && value !== "" && value.length <= MAX_TEXT_LENGTH) return value;
  throw badClaims(KIND, "it has no single aud");
}

function readDetails(value: JsonValue | undefined): readonly JsonObject[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > MAX_DETAILS) {
    throw badClaims(KIND, `authorization_details is no list of at most ${MAX_DETAILS}`);
  }
  return value.map((element: JsonValue) => {
    if (isJsonObject(element) && typeof element["type"] === "string") return element;
    throw badClaims(KIND, "an element of authorization_details has no type");
  });
}

function readTask(
  details: readonly JsonObject[],
  clientId: string,
): Pick<AccessToken, "taskId" | "taskDetails"> {
  const [taskDetails, ...more] = details.filter(({ type }) => type === TASK_DETAIL_TYPE);
  if (taskDetails === undefined) return { taskId: undefined, taskDetails };
  // Two mandates could be read as their sum.
  if (more.length > 0) throw badClaims(KIND, "it has the mandates of two tasks");
  const { task } = taskDetails;
  const taskId = typeof task === "string" ? tryParseId(task) : undefined;
  // A task is its AI agent's: the one directly below which its ID lies.
  if (taskId === undefined || parseTaskId(taskId)?.agent !== clientId) {
    throw badClaims(KIND, `${quote(task)} is no task of ${quote(clientId)}`);
  }
  return { taskId, taskDetails };
}

function tryParseId(text: string): SpiffeId | undefined {
  try {
    return SpiffeId.parse(text);
  } catch {
    return undefined;
  }
}

/** One confirmation, of a kind that is known here: a token that is bound otherwise is no bearer token. */
function readConfirmation(cnf: JsonValue | undefined): Confirmation | undefined {
  if (cnf === undefined) return undefined;
  const entries = isJsonObject(cnf) ? Object.entries(cnf) : [];
  const [name, value] = entries[0] ?? [];
  if (entries.length === 1 && isThumbprint(value)) {
    if (name === "jkt") return { jkt: value };
    if (name === "x5t#S256") return { "x5t#S256": value };
  }
  throw badClaims(KIND, "its cnf is not one thumbprint, jkt or x5t#S256");
}

function readActors(act: JsonValue | undefined): AccessToken["actors"] {
  const actors = [];
  for (let actor = act; actor !== undefined; actor = actor["act"]) {
    if (!isJsonObject(actor)) throw badClaims(KIND, "an act is not an object");
    const { sub, iss } = actor;
    if (typeof sub !== "string" || typeof iss !== "string" || sub === "" || iss === "") {
      throw badClaims(KIND, "an act does not say who, or of which issuer");
    }
    actors.push({ sub, iss });
    if (actors.length > MAX_ACTORS) throw badClaims(KIND, `it has over ${MAX_ACTORS} actors`);
  }
  return actors;
}
