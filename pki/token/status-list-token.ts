// Status list tokens (draft-ietf-oauth-status-list-21 s5.1 and s8.3): a status list that its issuer signed,
// and the reference to a place in one that other tokens carry.

import { pkiError } from "../errors.ts";
import { isJsonObject, type JsonValue } from "../json.ts";
import { signToken } from "../jwt/sign-token.ts";
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
import type { Signer } from "../keys.ts";
import type { VerificationKey } from "./jwks.ts";
import { checkType, STATUS_LIST_TOKEN as KIND, STATUS_LIST_TYPE } from "./kinds.ts";
import { decodeStatusList, type EncodedStatusList, type StatusList } from "./status-list.ts";

/** Where the status of a token stands: the claim `status.status_list` (s6.1). */
export interface StatusReference {
  readonly idx: number;
  readonly uri: string;
}

const MAX_URI_LENGTH = 2048;
/** A list of a million random statuses of two bits, and the rest of the token. */
const MAX_TOKEN_BYTES = 1_500_000;
const DEFAULT_LEEWAY_SECONDS = 30;

export interface StatusListTokenRequest {
  readonly signer: Signer;
  readonly keyId: string;
  /** Its address: what tokens refer to. */
  readonly uri: string;
  readonly list: EncodedStatusList;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** For how long whoever has it may go without asking again. */
  readonly ttlSeconds: number;
}

/** Signs a status list: claims `sub`, `iat`, `exp`, `ttl`, `status_list`. At once when the signer can sign at once. */
export function issueStatusListToken(request: StatusListTokenRequest): string | Promise<string> {
  const { signer, keyId, uri, list, issuedAt, expiresAt, ttlSeconds } = request;
  return signToken(
    signer,
    { keyId, typ: STATUS_LIST_TYPE },
    {
      sub: uri,
      iat: Math.floor(issuedAt.getTime() / 1000),
      exp: Math.floor(expiresAt.getTime() / 1000),
      ttl: ttlSeconds,
      status_list: { bits: list.bits, lst: list.lst },
    },
  );
}

export interface StatusListExpectation {
  /** Of the token that refers to the list, which was validated before. */
  readonly uri: string;
  /** Those of the issuer of that token. */
  readonly keys: readonly VerificationKey[];
  readonly now: Date;
  readonly leewaySeconds?: number;
}

/** A status list that was validated. */
export interface StatusListToken {
  readonly list: StatusList;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** How long it may be used without asking again, whatever HTTP says; undefined: until it expires. */
  readonly ttlSeconds: number | undefined;
}

/**
 * Validates a status list token. The status itself is then `list.get(idx)`.
 * @throws TOKEN_KIND_WRONG, STATUS_LIST_MALFORMED, STATUS_LIST_ALGORITHM, STATUS_LIST_CLAIMS,
 * STATUS_LIST_UNTRUSTED, STATUS_LIST_EXPIRED, STATUS_LIST_NOT_YET_VALID
 */
export async function validateStatusListToken(
  token: string,
  { uri, keys, now, leewaySeconds = DEFAULT_LEEWAY_SECONDS }: StatusListExpectation,
): Promise<StatusListToken> {
  const { alg, header, claims } = readToken(token, KIND, MAX_TOKEN_BYTES);
  checkType(header, STATUS_LIST_TYPE, KIND);
  const keyId = readKeyId(header, KIND);
  const key = chooseKey(keys, keyId, "the issuer", KIND);
  await checkSignature(token, alg, { key: keyOf(key), keyName: keyId }, KIND);
  const expiresAt = readExpiry(claims, KIND);
  const issuedAt = readTime(claims, "iat", KIND);
  if (issuedAt === undefined) throw badClaims(KIND, "it has no iat");
  checkTimes({ expiresAt, claims }, quote(uri), { now, leewaySeconds }, KIND);
  if (issuedAt.getTime() > now.getTime() + leewaySeconds * 1000) {
    throw pkiError("STATUS_LIST_NOT_YET_VALID", "the status list is from the future");
  }
  const { sub, ttl, status_list: body } = claims;
  // A list of the same issuer at another address says nothing of this token (s8.3).
  if (sub !== uri) throw badClaims(KIND, `it is the list at ${quote(sub)}, not at ${quote(uri)}`);
  if (ttl !== undefined && !(typeof ttl === "number" && ttl > 0)) {
    throw badClaims(KIND, "its ttl is not a positive number");
  }
  if (!isJsonObject(body)) throw badClaims(KIND, "it has no status_list");
  const list = decodeStatusList({ bits: body["bits"], lst: body["lst"] });
  return { list, issuedAt, expiresAt, ttlSeconds: ttl };
}

/** Reads the claim `status`; undefined when it is none that is known here, and so no status can be learned. */
export function readStatusReference(status: JsonValue | undefined): StatusReference | undefined {
  const reference = isJsonObject(status) ? status["status_list"] : undefined;
  const { idx, uri } = isJsonObject(reference) ? reference : {};
  if (typeof idx !== "number" || !Number.isSafeInteger(idx) || idx < 0) return undefined;
  if (typeof uri !== "string" || uri === "" || uri.length > MAX_URI_LENGTH) return undefined;
  return { idx, uri };
}
