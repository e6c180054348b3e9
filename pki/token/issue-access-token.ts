// Issues access tokens (RFC 9068 s2): which claims go in, and that the result says what was asked for. Who
// may have which token is decided before: server/oauth. How one is checked: access-token.ts.

import type { JsonObject } from "../json.ts";
import { signToken } from "../jwt/sign-token.ts";
import type { Signer } from "../keys.ts";
import { parseAccessTokenInsecurely } from "./access-token.ts";
import { ACCESS_TOKEN_TYPE } from "./kinds.ts";
import type { StatusReference } from "./status-list-token.ts";
import type { Confirmation } from "./thumbprint.ts";

export interface AccessTokenRequest {
  readonly signer: Signer;
  /** Goes into the header as `kid`: the key's ID in the issuer's JWK Set. */
  readonly keyId: string;
  readonly issuer: string;
  readonly subject: string;
  /** SPIFFE ID of the AI agent. */
  readonly clientId: string;
  readonly audience: string;
  readonly jti: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** `authorization_details`. */
  readonly details: readonly object[];
  readonly txn?: string | undefined;
  /** Absent: a bearer token. */
  readonly cnf?: Confirmation | undefined;
  readonly status?: StatusReference | undefined;
  readonly act?: object | undefined;
  /** Further claims, by names that no standard has. */
  readonly more?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Signs an access token and reads it again before it leaves. At once when the signer can sign at once.
 * @throws ACCESS_TOKEN_CLAIMS, ACCESS_TOKEN_MALFORMED when what is asked for makes no sound token
 */
export function issueAccessToken(request: AccessTokenRequest): string | Promise<string> {
  const { signer, keyId, cnf, status, act, txn } = request;
  const iat = Math.floor(request.issuedAt.getTime() / 1000);
  const exp = Math.floor(request.expiresAt.getTime() / 1000);
  const claims = {
    ...request.more,
    iss: request.issuer,
    sub: request.subject,
    client_id: request.clientId,
    aud: request.audience,
    iat,
    exp,
    jti: request.jti,
    ...(txn !== undefined && { txn }),
    authorization_details: request.details,
    ...(act !== undefined && { act }),
    ...(cnf !== undefined && { cnf }),
    ...(status !== undefined && { status: { status_list: status } }),
  };
  const checked = (token: string): string => {
    const read = parseAccessTokenInsecurely(token);
    const isAsOrdered =
      read.keyId === keyId && exp > iat && sameJson(read.claims, claims as unknown as JsonObject);
    if (!isAsOrdered) throw new TypeError("an access token does not say what was to be signed");
    return token;
  };
  const token = signToken(signer, { keyId, typ: ACCESS_TOKEN_TYPE }, claims);
  return typeof token === "string" ? checked(token) : token.then(checked);
}

/** In the order in which it was written. */
function sameJson(read: JsonObject, written: JsonObject): boolean {
  return JSON.stringify(read) === JSON.stringify(written);
}
