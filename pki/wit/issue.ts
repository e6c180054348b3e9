// Issues WIT-SVIDs (WIT-SVID s2 and s3). Who may have which one is decided before; how a token is checked:
// svid.ts. No `aud`, which the standard forbids, and no `iss`: nobody is to look for keys at an address
// that the token itself names.

import { type KeyObject, randomBytes } from "node:crypto";
import { pkiError } from "../errors.ts";
import { signToken } from "../jwt/sign-token.ts";
import { exportSpki, importSpki, isP256Spki, type Signer } from "../keys.ts";
import type { SpiffeId } from "../spiffe-id.ts";
import { formatConfirmation } from "./confirmation.ts";
import { parseWitSvidInsecurely, WIT_TYPE } from "./svid.ts";

/** How far `nbf` lies before the issue: for validators whose clocks are behind, as in X509-SVIDs. */
const BACKDATE_SECONDS = 10;
const JTI_BYTES = 16;

export interface WitSvidRequest {
  readonly signer: Signer;
  /** Goes into the header as `kid`: the bundle's key ID of the signer's key. */
  readonly keyId: string;
  readonly spiffeId: SpiffeId;
  /** The workload's public key, SubjectPublicKeyInfo DER: one that no other SPIFFE ID has. */
  readonly spki: Uint8Array;
  /** The algorithm the workload will prove with; by default the usual one of such a key. */
  readonly alg?: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** By default 128 random bits. */
  readonly jti?: string;
  /** More claims; those of a WIT-SVID stand over them. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/**
 * Signs a WIT-SVID: header `alg`, `kid`, `typ`; claims `sub`, `exp`, `iat`, `nbf`, `jti`, `cnf`. Reads it
 * again before it leaves: with more claims it is a WIT-SVID still. Answers at once when the signer can
 * sign at once.
 * @throws WIT_SVID_CLAIMS, WIT_SVID_CONFIRMATION, KEY_INVALID, KEY_UNSUPPORTED
 */
export function issueWitSvid(request: WitSvidRequest): string | Promise<string> {
  const { signer, keyId } = request;
  const key = importSpki(request.spki);
  // As it is spelled in the token: the one spelling of a P-256 key is known without an export.
  const spki = isP256Spki(request.spki) ? request.spki : exportSpki(key);
  const claims = claimsOf(request, key, spki);
  // Reads a token again: it says what was asked for, and nothing else was signed.
  const checked = (token: string): string => {
    const read = parseWitSvidInsecurely(token);
    const isAsOrdered =
      read.keyId === keyId &&
      read.id.equals(request.spiffeId) &&
      read.expiresAt.getTime() === claims.exp * 1000 &&
      read.issuedAt?.getTime() === claims.iat * 1000 &&
      Buffer.compare(read.confirmation.spki, spki) === 0;
    if (!isAsOrdered) throw new TypeError("a WIT-SVID does not say what was to be signed");
    return token;
  };
  const token = signToken(signer, { keyId, typ: WIT_TYPE }, claims);
  if (typeof token === "string") return checked(token);
  return token.then(checked);
}

function claimsOf(request: WitSvidRequest, key: KeyObject, spki: Uint8Array) {
  const { spiffeId, alg, issuedAt, expiresAt, jti } = request;
  // The standard says nothing of `sub` without a path; no workload is its own trust domain.
  if (spiffeId.path === "") {
    throw pkiError("WIT_SVID_CLAIMS", `${spiffeId} has no path and so names no workload`);
  }
  const iat = Math.floor(issuedAt.getTime() / 1000);
  const exp = Math.floor(expiresAt.getTime() / 1000);
  if (!(exp > iat)) throw pkiError("WIT_SVID_CLAIMS", "a WIT-SVID must expire after it is issued");
  return {
    ...request.claims,
    sub: spiffeId.toString(),
    exp,
    iat,
    nbf: iat - BACKDATE_SECONDS,
    jti: jti ?? randomBytes(JTI_BYTES).toString("base64url"),
    cnf: formatConfirmation(key, alg, spki),
  };
}
