// The credential of a request, read from its raw header lines: exactly one, of bounded length. Two of them,
// or two spellings, could be read by the guard as one caller and by the server behind it as another.

import type { IncomingMessage } from "node:http";
import type { ServerRequest } from "../client/wit/request.ts";
import { type IdentityError, pkiError } from "../pki/errors.ts";
import { MAX_ACCESS_TOKEN_BYTES } from "../pki/token/access-token.ts";
import { PROOF_FIELD, WIT_FIELD } from "../pki/wit/http-request.ts";
import { guardError } from "./errors.ts";

/** How a token was sent. */
export interface SentToken {
  readonly scheme: "Bearer" | "DPoP";
  readonly token: string;
  /** The field DPoP, when there is one. */
  readonly proof: string | undefined;
}

/** A field that carries credentials of another kind: beside a token, or in its place, it is a mistake. */
const OTHER_FIELD = "txn-token";
const MAX_PROOF_LENGTH = 8192;
/** Three SPIFFE IDs at their longest, an RSA key, and the rest. */
const MAX_WIT_LENGTH = 16_384;
const TOKEN = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * The token of a request; undefined when it has none.
 * @throws GUARD_CREDENTIAL_AMBIGUOUS, GUARD_CREDENTIAL_TOO_LARGE, TOKEN_KIND_WRONG
 */
export function readSentToken(request: ServerRequest): SentToken | undefined {
  const authorizations = valuesOf(request, "authorization");
  const proofs = valuesOf(request, "dpop");
  if (valuesOf(request, OTHER_FIELD).length > 0) {
    // Not read here: whoever sends it believes to be known by it.
    throw pkiError("TOKEN_KIND_WRONG", `${OTHER_FIELD} is no credential of a task here`, {
      hint: "send an access token or a task's SVID",
    });
  }
  if (authorizations.length > 1 || proofs.length > 1) {
    throw ambiguous("there are several credentials in the request");
  }
  // RFC 6750 s2.2 and s2.3 are not served: a token in an URL ends up in logs.
  if (/[?&](?:access_token|token)=/i.test(request.originalUrl ?? request.url ?? "")) {
    throw ambiguous("a token stands in the URL");
  }
  const [authorization] = authorizations;
  const [proof] = proofs;
  if (authorization === undefined) {
    if (proof !== undefined) throw ambiguous("a DPoP proof came without a token");
    return undefined;
  }
  if (
    authorization.length > MAX_ACCESS_TOKEN_BYTES + 16 ||
    (proof ?? "").length > MAX_PROOF_LENGTH
  ) {
    throw guardError("GUARD_CREDENTIAL_TOO_LARGE", "the credential is too large", {
      hint: `tokens of at most ${MAX_ACCESS_TOKEN_BYTES} bytes are read`,
    });
  }
  // The proof of a WIT-SVID, which reads it: not a token.
  if (isProof(authorization) && valuesOf(request, WIT_FIELD).length > 0) {
    if (proof !== undefined) throw ambiguous("a DPoP proof came without a token");
    return undefined;
  }
  const [, scheme = "", token = ""] = TOKEN.exec(authorization) ?? [];
  if (token === "") throw ambiguous("Authorization is neither Bearer nor DPoP with one token");
  return { scheme: scheme.toLowerCase() === "dpop" ? "DPoP" : "Bearer", token, proof };
}

/**
 * The WIT-SVID of a request; undefined when it has none. Its proof is not looked at.
 * @throws GUARD_CREDENTIAL_AMBIGUOUS, GUARD_CREDENTIAL_TOO_LARGE
 */
export function readSentWit(request: ServerRequest): string | undefined {
  const [wit, ...more] = valuesOf(request, WIT_FIELD);
  const proofs = valuesOf(request, PROOF_FIELD);
  if (more.length > 0 || proofs.length > 1)
    throw ambiguous("there are several WIT-SVIDs or proofs");
  if (wit === undefined) {
    if (proofs.length > 0) throw ambiguous("a proof came without its WIT-SVID");
    return undefined;
  }
  if (wit.length <= MAX_WIT_LENGTH && (proofs[0] ?? "").length <= MAX_PROOF_LENGTH) return wit;
  throw guardError("GUARD_CREDENTIAL_TOO_LARGE", "the WIT-SVID or its proof is too large", {
    hint: `WIT-SVIDs of at most ${MAX_WIT_LENGTH} characters are read`,
  });
}

/** Every value of a field, as it came: `headers` would hide a repetition. */
export function valuesOf(
  { rawHeaders }: Pick<ServerRequest, "rawHeaders">,
  wanted: string,
): string[] {
  const values: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === wanted) values.push(rawHeaders[i + 1]?.trim() ?? "");
  }
  return values;
}

/** Takes the credentials out of a request, in each of the shapes in which it holds its fields. */
export function forgetCredentials({
  rawHeaders,
  headers,
  headersDistinct,
}: Pick<IncomingMessage, "rawHeaders" | "headers"> & Partial<IncomingMessage>): void {
  for (const name of ["authorization", "dpop", WIT_FIELD, PROOF_FIELD]) {
    delete headers[name];
    if (headersDistinct !== undefined) delete headersDistinct[name];
    for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
      if (rawHeaders[i]?.toLowerCase() === name) rawHeaders.splice(i, 2);
    }
  }
}

function isProof(authorization: string): boolean {
  return /^WPT +/i.test(authorization);
}

function ambiguous(why: string): IdentityError {
  return guardError("GUARD_CREDENTIAL_AMBIGUOUS", why, {
    hint: "send one credential: 'Authorization: Bearer TOKEN', or DPoP with one proof",
  });
}
