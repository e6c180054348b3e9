// Task proofs: a task's holder shows with each call of the task service that it has the task's key, by a
// small JWT for one method, one task and one minute. Whether a proof was seen before is for the verifier
// to remember: a proof that was answered once is no secret any more.

import { type KeyObject, randomBytes } from "node:crypto";
import { pkiError } from "./errors.ts";
import { defaultAlgorithm, isSignedWith, signJws } from "./jwt/signature.ts";
import { badClaims, malformed, quote, readTime, readToken, type TokenKind } from "./jwt/token.ts";

/** The header's `typ`: no other token has it, so none can pass for a proof. */
export const TASK_PROOF_TYPE = "task-proof+jwt";
/** How far a proof's `iat` may lie from the verifier's clock, either way. */
const TASK_PROOF_WINDOW_SECONDS = 60;

const MAX_ID_LENGTH = 64;
const ID_BYTES = 16;

const PROOF: TokenKind = {
  name: "task proof",
  malformed: "TASK_PROOF_MALFORMED",
  algorithm: "TASK_PROOF_ALGORITHM",
  claims: "TASK_PROOF_CLAIMS",
  untrusted: "TASK_PROOF_UNTRUSTED",
  expired: "TASK_PROOF_EXPIRED",
  notYetValid: "TASK_PROOF_NOT_YET_VALID",
};

/** What a proof is for. */
export interface TaskProofRequest {
  /** The bare name of the method of signet.task.v1.TaskAPI, such as "WatchTask". */
  readonly method: string;
  /** The task's ULID. */
  readonly taskId: string;
  readonly now: Date;
  /** Default: 128 random bits. */
  readonly jti?: string;
}

/**
 * Makes a proof: a compact JWS with `aud` (the method), `sub` (the task), `iat` and `jti`.
 * `key` is the private key of the request that the task was opened with.
 */
export function issueTaskProof(key: KeyObject, request: TaskProofRequest): string {
  const alg = defaultAlgorithm(key);
  if (alg === undefined) throw new TypeError("a task proof is made with an ECDSA or RSA key");
  const claims = {
    aud: request.method,
    sub: request.taskId,
    iat: Math.floor(request.now.getTime() / 1000),
    jti: request.jti ?? randomBytes(ID_BYTES).toString("base64url"),
  };
  return signJws({ alg, typ: TASK_PROOF_TYPE }, claims, key);
}

/** What a proof is held against. */
export interface TaskProofExpectation {
  readonly method: string;
  readonly taskId: string;
  /** The task's. */
  readonly publicKey: KeyObject;
  readonly now: Date;
}

/** A proof that was verified: its ID must not be taken a second time before `until`. */
export interface ValidatedTaskProof {
  readonly jti: string;
  readonly until: Date;
}

/**
 * Verifies a proof. The signature is checked before any claim, so that a wrong key is told from a
 * mistake of the right one.
 * @throws TASK_PROOF_MALFORMED, TASK_PROOF_ALGORITHM, TASK_PROOF_UNTRUSTED, TASK_PROOF_CLAIMS,
 * TASK_PROOF_EXPIRED, TASK_PROOF_NOT_YET_VALID
 */
export function validateTaskProof(jws: string, expected: TaskProofExpectation): ValidatedTaskProof {
  const { method, taskId, publicKey, now } = expected;
  const { alg, header, claims } = readToken(jws, PROOF);
  if (header["typ"] !== TASK_PROOF_TYPE) {
    throw malformed(PROOF, `its type is ${quote(header["typ"])}`);
  }
  // The key says which: one key, one algorithm.
  if (alg !== defaultAlgorithm(publicKey)) {
    throw pkiError("TASK_PROOF_ALGORITHM", `the proof is made with ${alg}, which is not the key's`);
  }
  if (!isSigned(jws, alg, publicKey)) {
    throw pkiError(
      "TASK_PROOF_UNTRUSTED",
      `the proof is not signed with the key of task ${taskId}`,
      {
        hint: "prove with the key of the certificate request that the task was opened with",
      },
    );
  }
  if (claims["aud"] !== method) throw badClaims(PROOF, `its aud is ${quote(claims["aud"])}`);
  if (claims["sub"] !== taskId) throw badClaims(PROOF, `its sub is ${quote(claims["sub"])}`);
  const { jti } = claims;
  if (typeof jti !== "string" || jti === "" || jti.length > MAX_ID_LENGTH) {
    throw badClaims(PROOF, `it has no jti of at most ${MAX_ID_LENGTH} characters`);
  }
  const iat = readTime(claims, "iat", PROOF);
  if (iat === undefined) throw badClaims(PROOF, "it has no iat");
  const windowMs = TASK_PROOF_WINDOW_SECONDS * 1000;
  if (iat.getTime() < now.getTime() - windowMs) {
    throw pkiError("TASK_PROOF_EXPIRED", `the proof for task ${taskId} is too old`, {
      hint: "make a new proof for each call; if it is new, compare the clocks",
    });
  }
  if (iat.getTime() > now.getTime() + windowMs) {
    throw pkiError("TASK_PROOF_NOT_YET_VALID", `the proof for task ${taskId} is from the future`, {
      hint: "compare the clocks",
    });
  }
  return { jti, until: new Date(iat.getTime() + windowMs) };
}

function isSigned(jws: string, alg: string, publicKey: KeyObject): boolean {
  const end = jws.lastIndexOf(".");
  const part = jws.slice(end + 1);
  const signature = Buffer.from(part, "base64url");
  if (signature.toString("base64url") !== part) {
    throw malformed(PROOF, "its signature is not base64url");
  }
  return isSignedWith(alg, publicKey, Buffer.from(jws.slice(0, end), "latin1"), signature);
}
