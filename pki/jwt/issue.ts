// Issues JWT-SVIDs (JWT-SVID s2 and s3): which claims go in. Who may have which token is decided before; how
// it is signed: sign-token.ts; how a token is checked: svid.ts.

import { pkiError } from "../errors.ts";
import type { Signer } from "../keys.ts";
import type { SpiffeId } from "../spiffe-id.ts";
import { signToken } from "./sign-token.ts";

/** Most audiences one token may name: clients of other languages refuse longer lists. */
export const MAX_AUDIENCES = 32;
/** Longest audience, in UTF-16 units. */
const MAX_AUDIENCE_LENGTH = 2048;

export interface JwtSvidRequest {
  readonly signer: Signer;
  /** Goes into the header as `kid`: the bundle's key ID of the signer's key. */
  readonly keyId: string;
  readonly spiffeId: SpiffeId;
  /** One value in normal use; each a non-empty string. */
  readonly audience: readonly string[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly issuer?: string;
  readonly jti?: string;
  /** More claims; those above stand over them. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * Signs a JWT-SVID: header `alg`, `kid`, `typ`; claims `sub`, `aud` (array), `exp`, `iat`, and `iss` and
 * `jti` when given. Answers at once when the signer can sign at once.
 * @throws JWT_SVID_AUDIENCE, JWT_SVID_CLAIMS
 */
export function issueJwtSvid(request: JwtSvidRequest): string | Promise<string> {
  return signToken(request.signer, { keyId: request.keyId, typ: "JWT" }, claimsOf(request));
}

/**
 * Checks the audience of a token that somebody asks for.
 * @throws JWT_SVID_AUDIENCE
 */
export function checkAudience(audience: readonly string[]): void {
  if (audience.length === 0) {
    throw pkiError("JWT_SVID_AUDIENCE", "a JWT-SVID needs an audience", {
      hint: "name the service that will receive the token",
    });
  }
  if (audience.length > MAX_AUDIENCES) {
    throw pkiError(
      "JWT_SVID_AUDIENCE",
      `a JWT-SVID cannot name ${audience.length} audiences, at most ${MAX_AUDIENCES}`,
    );
  }
  for (const value of audience) {
    if (value === "") throw pkiError("JWT_SVID_AUDIENCE", "an audience is an empty string");
    if (value.length > MAX_AUDIENCE_LENGTH) {
      throw pkiError(
        "JWT_SVID_AUDIENCE",
        `an audience has ${value.length} characters, over ${MAX_AUDIENCE_LENGTH}`,
      );
    }
  }
}

function claimsOf(request: JwtSvidRequest): object {
  const { spiffeId, issuer, jti } = request;
  checkAudience(request.audience);
  // The standard says nothing of `sub` without a path; no workload is its own trust domain.
  if (spiffeId.path === "") {
    throw pkiError("JWT_SVID_CLAIMS", `${spiffeId} has no path and so names no workload`);
  }
  const iat = Math.floor(request.issuedAt.getTime() / 1000);
  const exp = Math.floor(request.expiresAt.getTime() / 1000);
  if (!(exp > iat)) throw pkiError("JWT_SVID_CLAIMS", "a JWT-SVID must expire after it is issued");
  return {
    ...request.claims,
    sub: spiffeId.toString(),
    aud: request.audience,
    exp,
    iat,
    ...(issuer !== undefined && { iss: issuer }),
    ...(jti !== undefined && { jti }),
  };
}
