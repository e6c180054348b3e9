// Proof tokens (draft-ietf-wimse-wpt): a workload shows that it holds the key of its WIT-SVID by signing a
// short-lived JWT for one target, which also names the WIT-SVID and each other token of the request by
// its hash. The body and other fields are not bound: http-signature.ts binds them. Whether a proof was
// seen before is for the verifier to remember (client/wit/replay-cache.ts).

import { randomBytes } from "node:crypto";
import { pkiError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { signJws } from "../jwt/signature.ts";
import {
  badClaims,
  checkSignature,
  checkTimes,
  malformed,
  quote,
  readExpiry,
  readToken,
  type TokenKind,
} from "../jwt/token.ts";
import type { ConfirmationKey } from "./confirmation.ts";
import {
  type HttpRequest,
  type OtherTokens,
  singleField,
  tokenHash,
  unbound,
} from "./http-request.ts";
import type { ProofKey } from "./private-jwk.ts";

const PROOF_TYPE = "wpt+jwt";
/** How long a proof lives unless its maker says otherwise: one request long. */
export const DEFAULT_PROOF_LIFETIME_SECONDS = 60;
/** Longest life that verifiers accept unless they are told otherwise. */
export const MAX_PROOF_LIFETIME_SECONDS = 300;
export const DEFAULT_PROOF_LEEWAY_SECONDS = 10;
const MAX_ID_LENGTH = 256;
const ID_BYTES = 16;

const PROOF: TokenKind = {
  name: "proof token",
  malformed: "WIT_PROOF_MALFORMED",
  algorithm: "WIT_PROOF_ALGORITHM",
  claims: "WIT_PROOF_CLAIMS",
  untrusted: "WIT_PROOF_UNTRUSTED",
  expired: "WIT_PROOF_EXPIRED",
  notYetValid: "WIT_PROOF_NOT_YET_VALID",
};

export interface ProofTokenRequest {
  readonly wit: string;
  readonly key: ProofKey;
  /** The target URI without query and fragment, or what else its receiver calls itself. */
  readonly audience: string;
  readonly tokens: OtherTokens;
  readonly now: Date;
  readonly lifetimeSeconds?: number;
}

/** Makes a proof token. */
export function makeProofToken(request: ProofTokenRequest): string {
  const { wit, key, audience, tokens, now } = request;
  const { access, transaction, others } = tokens;
  const lifetimeSeconds = request.lifetimeSeconds ?? DEFAULT_PROOF_LIFETIME_SECONDS;
  const claims = {
    aud: audience,
    exp: Math.floor(now.getTime() / 1000) + lifetimeSeconds,
    jti: randomBytes(ID_BYTES).toString("base64url"),
    wth: tokenHash(wit),
    ...(access !== undefined && { ath: tokenHash(access) }),
    ...(transaction !== undefined && { tth: tokenHash(transaction) }),
    ...(others.size > 0 && {
      oth: Object.fromEntries([...others].map(([name, value]) => [name, tokenHash(value)])),
    }),
  };
  return signJws({ alg: key.alg, typ: PROOF_TYPE }, claims, key.privateKey);
}

/** What a proof of possession is held against, whatever its form. */
export interface ProofExpectation {
  /** The WIT-SVID that came with it, validated. */
  readonly wit: string;
  readonly confirmation: ConfirmationKey;
  /** Whether this audience means the verifier: decided by its configuration, never by the request. */
  readonly isAudience: (audience: string) => boolean;
  readonly request: HttpRequest;
  /** The tokens of the request: each must be bound. */
  readonly tokens: OtherTokens;
  readonly now: Date;
  readonly leewaySeconds?: number;
  readonly maxLifetimeSeconds?: number;
}

/** A proof that was verified: its ID, which must not be accepted a second time before `expiresAt`. */
export interface VerifiedProof {
  readonly id: string;
  readonly expiresAt: Date;
}

/**
 * Verifies a proof token.
 * @throws WIT_PROOF_MALFORMED, WIT_PROOF_ALGORITHM, WIT_PROOF_CLAIMS, WIT_PROOF_UNTRUSTED,
 * WIT_PROOF_EXPIRED, WIT_PROOF_NOT_YET_VALID, WIT_PROOF_AUDIENCE, WIT_PROOF_BINDING
 */
export async function verifyProofToken(
  token: string,
  expectation: ProofExpectation,
): Promise<VerifiedProof> {
  const { confirmation, now } = expectation;
  const { alg, header, claims } = readToken(token, PROOF);
  if (header["typ"] !== PROOF_TYPE) throw malformed(PROOF, `its type is ${quote(header["typ"])}`);
  if (alg !== confirmation.alg) {
    throw pkiError(
      "WIT_PROOF_ALGORITHM",
      `the proof is made with ${alg}, the WIT-SVID names ${confirmation.alg}`,
    );
  }
  const expiresAt = readExpiry(claims, PROOF);
  const { jti } = claims;
  if (typeof jti !== "string" || jti === "" || jti.length > MAX_ID_LENGTH) {
    throw badClaims(PROOF, "it has no jti of reasonable length");
  }
  await checkSignature(token, alg, { key: confirmation.key, keyName: "cnf.jwk" }, PROOF);
  const leewaySeconds = expectation.leewaySeconds ?? DEFAULT_PROOF_LEEWAY_SECONDS;
  checkTimes({ expiresAt, claims }, "this request", { now, leewaySeconds }, PROOF);
  const maxSeconds = expectation.maxLifetimeSeconds ?? MAX_PROOF_LIFETIME_SECONDS;
  if (expiresAt.getTime() > now.getTime() + (maxSeconds + leewaySeconds) * 1000) {
    throw badClaims(PROOF, `it lives longer than ${maxSeconds} s`);
  }
  checkAudience(readAudience(claims), expectation);
  checkTokens(claims, expectation);
  return { id: jti, expiresAt };
}

/** @throws WIT_PROOF_AUDIENCE */
export function checkAudience(audience: string, { isAudience }: ProofExpectation): void {
  if (isAudience(audience)) return;
  throw pkiError("WIT_PROOF_AUDIENCE", `the proof is meant for ${quote(audience)}`, {
    hint: "prove for the URI of the request as this service is configured to know it",
  });
}

/** One audience: a proof for two receivers could be passed on by one to the other. */
function readAudience({ aud }: JsonObject): string {
  const value = Array.isArray(aud) && aud.length === 1 ? aud[0] : aud;
  if (typeof value !== "string" || value === "") throw badClaims(PROOF, "it has no single aud");
  return value;
}

function checkTokens(claims: JsonObject, { wit, tokens, request }: ProofExpectation): void {
  const check = (name: string, claim: unknown, token: string | undefined): void => {
    const expected = token === undefined ? undefined : tokenHash(token);
    if (claim !== expected) throw unbound(`its ${name} is not the hash of what came with it`);
  };
  check("wth", claims["wth"], wit);
  check("ath", claims["ath"], tokens.access);
  check("tth", claims["tth"], tokens.transaction);
  const { oth } = claims;
  if (oth !== undefined && !isJsonObject(oth)) throw badClaims(PROOF, "oth is not an object");
  for (const [name, value] of tokens.others) check(`oth.${name}`, oth?.[name], value);
  // An entry that names no field of the request is one that is not understood here.
  for (const [name, hash] of Object.entries(oth ?? {})) {
    const value = singleField(request, name);
    if (value === undefined) throw unbound(`it binds ${quote(name)}, which did not come with it`);
    check("oth", hash, value);
  }
}
