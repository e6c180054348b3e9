// The credential of a request, read from its raw header lines: exactly one, of bounded length. Two of them,
// or two spellings, could be read by the guard as one caller and by the server behind it as another.

import type { IncomingMessage } from "node:http";
import type { ServerRequest } from "../client/wit/request.ts";
import { type IdentityError, pkiError } from "../pki/errors.ts";
import { MAX_ACCESS_TOKEN_BYTES } from "../pki/token/access-token.ts";
import { guardError } from "./errors.ts";

/** How a token was sent. */
export interface SentToken {
  readonly scheme: "Bearer" | "DPoP";
  readonly token: string;
  /** The field DPoP, when there is one. */
  readonly proof: string | undefined;
}

/** Fields that carry credentials of other kinds: beside a token, or in its place, they are a mistake. */
const OTHER_FIELDS = ["workload-identity-token", "workload-proof-token", "txn-token"];
const MAX_PROOF_LENGTH = 8192;
const TOKEN = /^(Bearer|DPoP) +([A-Za-z0-9._~+/-]+=*)$/i;

/**
 * The token of a request; undefined when it has none.
 * @throws GUARD_CREDENTIAL_AMBIGUOUS, GUARD_CREDENTIAL_TOO_LARGE, TOKEN_KIND_WRONG
 */
export function readSentToken(request: ServerRequest): SentToken | undefined {
  const authorizations = valuesOf(request, "authorization");
  const proofs = valuesOf(request, "dpop");
  const other = OTHER_FIELDS.find((name) => valuesOf(request, name).length > 0);
  if (other !== undefined) {
    // Not read here: whoever sends it believes to be known by it.
    throw pkiError("TOKEN_KIND_WRONG", `${other} is no credential of a task here`, {
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
  const [, scheme = "", token = ""] = TOKEN.exec(authorization) ?? [];
  if (token === "") throw ambiguous("Authorization is neither Bearer nor DPoP with one token");
  return { scheme: scheme.toLowerCase() === "dpop" ? "DPoP" : "Bearer", token, proof };
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
  for (const name of ["authorization", "dpop"]) {
    delete headers[name];
    if (headersDistinct !== undefined) delete headersDistinct[name];
    for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
      if (rawHeaders[i]?.toLowerCase() === name) rawHeaders.splice(i, 2);
    }
  }
}

function ambiguous(why: string): IdentityError {
  return guardError("GUARD_CREDENTIAL_AMBIGUOUS", why, {
    hint: "send one credential: 'Authorization: Bearer TOKEN', or DPoP with one proof",
  });
}
