// What a refusal looks like over HTTP: status, WWW-Authenticate (RFC 6750, RFC 9449, RFC 9728 s5.1, and what
// MCP asks of it), and a body for people. And the metadata by which a client finds out whom to ask for a
// token (RFC 9728).

import type { ServerResponse } from "node:http";
import { IdentityError, Status } from "../pki/errors.ts";
import { TASK_DETAIL_TYPE } from "../pki/token/access-token.ts";
import type { Guard } from "./guard.ts";
import { toldOf } from "./refusals.ts";

/** What a challenge is about. */
export interface ChallengeOptions {
  readonly guard: Pick<Guard, "resource" | "issuer">;
  /** The action that was refused, or what a client that shows nothing should ask for. */
  readonly scope: string;
}

/** A refusal as it is sent. */
export interface Refused {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly message: string;
  readonly hint: string | undefined;
}

const WELL_KNOWN = "/.well-known/oauth-protected-resource";
const DPOP_ALGORITHMS = "ES256 ES384 RS256 PS256";

/** Reasons that a better credential would help against, whatever their gRPC status is. */
const CREDENTIAL = /^(?:ACCESS_TOKEN|JWT_SVID|SVID|DPOP_PROOF|TOKEN_KIND|INVALID_AUTHORIZATION)_/;
const ENDED: ReadonlySet<string> = new Set(["TASK_ENDED", "TASK_SUSPENDED", "TASK_PARKED"]);

/** Where the metadata of a resource stand: between its host and its path (RFC 9728 s3.1). */
function metadataUrl(resource: string): string {
  const { origin, pathname, search } = new URL(resource);
  return `${origin}${WELL_KNOWN}${pathname === "/" ? "" : pathname}${search}`;
}

/** Whether a request asks for the metadata: with the resource's path, or without, as older clients do. */
export function isMetadataRequest(
  method: string | undefined,
  target: string,
  resource: string,
): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  return target === new URL(metadataUrl(resource)).pathname || target === WELL_KNOWN;
}

/** The document (RFC 9728 s2). */
export function metadataOf(
  { resource, issuer }: Pick<Guard, "resource" | "issuer">,
  scopes: string,
): object {
  return {
    resource,
    ...(issuer !== undefined && { authorization_servers: [issuer] }),
    scopes_supported: scopes.split(" "),
    bearer_methods_supported: ["header"],
    tls_client_certificate_bound_access_tokens: true,
    dpop_signing_alg_values_supported: DPOP_ALGORITHMS.split(" "),
    authorization_details_types_supported: [TASK_DETAIL_TYPE],
  };
}

/** What to answer to an error. What was not expected is told to nobody. */
export function refusedBy(error: unknown, options: ChallengeOptions): Refused {
  if (!(error instanceof IdentityError)) {
    return {
      status: 500,
      headers: {},
      reason: "INTERNAL",
      message: "internal error",
      hint: undefined,
    };
  }
  const { reason } = error;
  const said = toldOf(error);
  // To those who show a WIT-SVID nobody says that they should try Authorization.
  if (/^WIT_(?:PROOF|PRESENTATION)_/.test(reason)) return { status: 400, headers: {}, ...said };
  if (reason === "GUARD_CREDENTIAL_MISSING") {
    return { status: 401, headers: challenge(options), ...said };
  }
  if (error.code === Status.unauthenticated || CREDENTIAL.test(reason) || ENDED.has(reason)) {
    return { status: 401, headers: challenge(options, "invalid_token", error), ...said };
  }
  if (reason === "GUARD_ORIGIN_REFUSED") return { status: 403, headers: {}, ...said };
  if (error.code === Status.permissionDenied) {
    return { status: 403, headers: challenge(options, "insufficient_scope", error), ...said };
  }
  if (error.code === Status.unavailable) {
    return { status: 503, headers: { "retry-after": "1" }, ...said };
  }
  if (error.code === Status.notFound) return { status: 404, headers: {}, ...said };
  if (error.code === Status.resourceExhausted) return { status: 429, headers: {}, ...said };
  if (error.code === Status.invalidArgument || error.code === Status.failedPrecondition) {
    return { status: 400, headers: {}, ...said };
  }
  return {
    status: 500,
    headers: {},
    reason: "INTERNAL",
    message: "internal error",
    hint: undefined,
  };
}

/** Sends a refusal. `body` in place of the plain one. */
export function sendRefused(response: ServerResponse, refused: Refused, body?: object): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { reason, message, hint } = refused;
  sendJson(response, refused.status, body ?? { error: reason, message, hint }, refused.headers);
}

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    ...headers,
  });
  response.end(JSON.stringify(body));
}

function challenge(
  { guard, scope }: ChallengeOptions,
  error?: string,
  cause?: IdentityError,
): Record<string, string> {
  const fields = [
    `resource_metadata="${metadataUrl(guard.resource)}"`,
    `scope="${quotable(scope)}"`,
    ...(error === undefined ? [] : [`error="${error}"`]),
    ...(cause === undefined ? [] : [`error_description="${quotable(cause.reason)}"`]),
  ];
  const isProof = cause !== undefined && /^DPOP_|^GUARD_PROOF_/.test(cause.reason);
  const dpop = isProof ? `, DPoP algs="${DPOP_ALGORITHMS}", error="invalid_dpop_proof"` : "";
  return { "www-authenticate": `Bearer ${fields.join(", ")}${dpop}` };
}

/** What may stand in a quoted string of a header without an escape. */
function quotable(text: string): string {
  return text.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, "").slice(0, 1000);
}
