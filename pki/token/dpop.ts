// DPoP proofs (RFC 9449): whoever sends a request shows that it holds a private key, by a short-lived JWT
// of its own about this one request. At the token endpoint the key becomes the token's `cnf.jkt`; at the
// resource the proof names the token by its hash and must be by that key. Whether one was seen before is
// for the verifier to remember: client/wit/replay-cache.ts.

import { createHash, type KeyObject, randomBytes } from "node:crypto";
import { jwkToSpki, spkiToJwk } from "../bundle/jwk.ts";
import { pkiError } from "../errors.ts";
import { isJsonObject, type JsonObject } from "../json.ts";
import { signJws } from "../jwt/signature.ts";
import { badClaims, checkSignature, malformed, quote, readTime, readToken } from "../jwt/token.ts";
import { importSpki } from "../keys.ts";
import { checkType, DPOP_TYPE, DPOP_PROOF as KIND } from "./kinds.ts";
import { jwkThumbprint } from "./thumbprint.ts";

const MAX_PROOF_BYTES = 8192;
const MAX_JTI_LENGTH = 256;
const JTI_BYTES = 16;
/** How old a proof may be, and how far its maker's clock may be ahead. */
const DPOP_MAX_AGE_SECONDS = 60;
const DPOP_LEEWAY_SECONDS = 10;
/** Members that only private and symmetric keys have. */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/** The request that a proof is about. */
export interface DpopTarget {
  readonly method: string;
  /** Whole URL; query and fragment do not count. */
  readonly url: string;
  /** The access token that goes with it: at resources, not at the token endpoint. */
  readonly accessToken?: string | undefined;
}

export interface DpopProofRequest extends DpopTarget {
  readonly key: {
    readonly privateKey: KeyObject;
    readonly alg: string;
    /** SubjectPublicKeyInfo, DER. */
    readonly spki: Uint8Array;
  };
  readonly now: Date;
  readonly nonce?: string;
}

/** Makes a proof for one request. */
export function issueDpopProof({ key, now, nonce, ...target }: DpopProofRequest): string {
  const header = { typ: DPOP_TYPE, alg: key.alg, jwk: spkiToJwk(key.spki) };
  const claims = {
    jti: randomBytes(JTI_BYTES).toString("base64url"),
    htm: target.method,
    htu: withoutQuery(target.url),
    iat: Math.floor(now.getTime() / 1000),
    ...(target.accessToken !== undefined && { ath: hashOf(target.accessToken) }),
    ...(nonce !== undefined && { nonce }),
  };
  return signJws(header, claims, key.privateKey);
}

export interface DpopExpectation extends DpopTarget {
  readonly now: Date;
  readonly maxAgeSeconds?: number;
  readonly leewaySeconds?: number;
  /** Proofs made before are refused: whoever remembers proofs does not remember those. */
  readonly notBefore?: Date | undefined;
  /** The key that the access token is bound to; any key without it. */
  readonly jkt?: string | undefined;
}

/** A proof that was verified: `jti` must not be accepted a second time of this key before `until`. */
export interface DpopProof {
  readonly jkt: string;
  readonly jti: string;
  readonly issuedAt: Date;
  readonly until: Date;
}

/**
 * Verifies a proof (s4.3).
 * @throws TOKEN_KIND_WRONG, DPOP_PROOF_MALFORMED, DPOP_PROOF_ALGORITHM, DPOP_PROOF_CLAIMS,
 * DPOP_PROOF_UNTRUSTED, DPOP_PROOF_EXPIRED, DPOP_PROOF_NOT_YET_VALID, DPOP_PROOF_BINDING
 */
export async function verifyDpopProof(
  proof: string,
  expectation: DpopExpectation,
): Promise<DpopProof> {
  const { alg, header, claims } = readToken(proof, KIND, MAX_PROOF_BYTES);
  checkType(header, DPOP_TYPE, KIND);
  const spki = readKey(header);
  const jkt = jwkThumbprint(spki);
  if (expectation.jkt !== undefined && expectation.jkt !== jkt) {
    throw unbound("it is made with another key than the one that the access token is bound to");
  }
  await checkSignature(proof, alg, { key: importKey(spki), keyName: "jwk" }, KIND);
  const { jti } = claims;
  if (typeof jti !== "string" || jti === "" || jti.length > MAX_JTI_LENGTH) {
    throw badClaims(KIND, "it has no jti of reasonable length");
  }
  const times = checkAge(claims, expectation);
  checkTarget(claims, expectation);
  return { jkt, jti, ...times };
}

function checkAge(
  claims: JsonObject,
  { now, maxAgeSeconds = DPOP_MAX_AGE_SECONDS, leewaySeconds, notBefore }: DpopExpectation,
): { readonly issuedAt: Date; readonly until: Date } {
  const issuedAt = readTime(claims, "iat", KIND);
  if (issuedAt === undefined) throw badClaims(KIND, "it has no iat");
  const leewayMs = (leewaySeconds ?? DPOP_LEEWAY_SECONDS) * 1000;
  const untilMs = issuedAt.getTime() + maxAgeSeconds * 1000 + leewayMs;
  const nowMs = now.getTime();
  if (!(nowMs < untilMs)) {
    throw pkiError("DPOP_PROOF_EXPIRED", `the DPoP proof is older than ${maxAgeSeconds} s`, {
      hint: "make one for each request; if it is new, compare the clocks",
    });
  }
  if (notBefore !== undefined && issuedAt < notBefore) {
    // One that was accepted then could be played again now.
    throw pkiError("DPOP_PROOF_EXPIRED", "the DPoP proof is older than this service's memory", {
      hint: "make another one: the service was just started",
    });
  }
  if (issuedAt.getTime() > nowMs + leewayMs) {
    throw pkiError("DPOP_PROOF_NOT_YET_VALID", "the DPoP proof is from the future", {
      hint: "compare the clocks",
    });
  }
  return { issuedAt, until: new Date(untilMs) };
}

function checkTarget(
  { htm, htu, ath }: JsonObject,
  { method, url, accessToken }: DpopExpectation,
): void {
  if (htm !== method) throw unbound(`its method is ${quote(htm)}`);
  const expectedUrl = withoutQuery(url);
  if (typeof htu !== "string" || expectedUrl === undefined || withoutQuery(htu) !== expectedUrl) {
    throw unbound(`it is for ${quote(htu)}, not for ${quote(expectedUrl)}`);
  }
  // At the token endpoint there is no token yet: a proof that names one was made for somewhere else.
  const expected = accessToken === undefined ? undefined : hashOf(accessToken);
  if (ath !== expected) throw unbound("its ath is not the hash of the access token");
}

function readKey({ jwk }: JsonObject): Uint8Array {
  if (!isJsonObject(jwk)) throw malformed(KIND, "it has no jwk");
  if (SECRET_MEMBERS.some((name) => name in jwk)) {
    throw malformed(KIND, "its jwk is not a public key");
  }
  let spki: Uint8Array | undefined;
  try {
    spki = jwkToSpki(jwk);
  } catch (cause) {
    throw pkiError(KIND.malformed, "the DPoP proof's jwk cannot be read", { cause });
  }
  if (spki === undefined) throw malformed(KIND, "its jwk is of an unknown type");
  return spki;
}

function importKey(spki: Uint8Array): KeyObject {
  try {
    return importSpki(spki);
  } catch (cause) {
    throw pkiError(KIND.malformed, "the DPoP proof's jwk is not a sound key", { cause });
  }
}

/** As proofs are compared (s4.3): in normal form, without query and fragment; undefined for no http URL. */
function withoutQuery(url: string): string | undefined {
  const parsed = url.length > 4096 ? null : URL.parse(url);
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) return undefined;
  return `${parsed.origin}${parsed.pathname}`;
}

function hashOf(accessToken: string): string {
  return createHash("sha256").update(accessToken, "latin1").digest("base64url");
}

function unbound(why: string): Error {
  return pkiError("DPOP_PROOF_BINDING", `the DPoP proof does not belong to this request: ${why}`, {
    hint: "make a proof for each request, with its method, its URL and its access token",
  });
}
