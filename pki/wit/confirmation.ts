// The key that a WIT-SVID is bound to (WIT-SVID s3.2, RFC 7800 s3.2): a public JWK in `cnf`, with the one
// algorithm that proofs by it are made with. The private half, as the Workload API hands it out:
// private-jwk.ts.

import type { KeyObject } from "node:crypto";
import { jwkToSpki, spkiToJwk } from "../bundle/jwk.ts";
import { type IdentityError, pkiError } from "../errors.ts";
import { isJsonObject, type JsonObject, type JsonValue } from "../json.ts";
import { algorithmFits, isAlgorithm } from "../jwt/algorithms.ts";
import { defaultAlgorithm } from "../jwt/signature.ts";
import { quote } from "../jwt/token.ts";
import { exportSpki, importSpki } from "../keys.ts";

/** A public key and the algorithm of its proofs. */
export interface ConfirmationKey {
  readonly key: KeyObject;
  readonly alg: string;
  /** The key as SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
}

/** Members that only private and symmetric keys have. */
const SECRET_MEMBERS = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/** Other ways to name a key: RFC 7800 s3.1 allows one of them at a time. */
const OTHER_CONFIRMATIONS = ["jwe", "jku"];

/**
 * The members of `cnf` for a public key; `alg` by default the usual one of such a key. `spki` is the key
 * as SubjectPublicKeyInfo, DER: who has it at hand saves an export, which costs more than a signature.
 * @throws WIT_SVID_CONFIRMATION when the algorithm does not fit
 */
export function formatConfirmation(
  key: KeyObject,
  alg?: string,
  spki?: Uint8Array,
): { readonly jwk: object } {
  const chosen = alg ?? defaultAlgorithm(key);
  if (!isAlgorithm(chosen) || !algorithmFits(chosen, key)) {
    throw wrong(`its algorithm ${quote(chosen)} does not fit`);
  }
  try {
    return { jwk: { ...spkiToJwk(spki ?? exportSpki(key)), alg: chosen } };
  } catch (cause) {
    throw wrong("it cannot be written as a JWK", cause);
  }
}

/**
 * The JWK in `cnf`, checked as far as it can be without importing the key.
 * @throws WIT_SVID_CONFIRMATION
 */
export function readConfirmation(cnf: JsonValue | undefined): JsonObject {
  if (!isJsonObject(cnf)) throw wrong("there is none");
  const { jwk } = cnf;
  if (!isJsonObject(jwk)) throw wrong("it is not a JWK");
  if (OTHER_CONFIRMATIONS.some((name) => name in cnf)) throw wrong("it is named in two ways");
  if (!isAlgorithm(jwk["alg"])) throw wrong(`its algorithm is ${quote(jwk["alg"])}`);
  if (SECRET_MEMBERS.some((name) => name in jwk)) throw wrong("it is not a public key");
  return jwk;
}

/**
 * The key of a JWK that `readConfirmation` returned.
 * @throws WIT_SVID_CONFIRMATION
 */
export function importConfirmation(jwk: JsonObject): ConfirmationKey {
  const alg = jwk["alg"] as string;
  let spki: Uint8Array | undefined;
  let key: KeyObject | undefined;
  try {
    spki = jwkToSpki(jwk);
    key = spki && importSpki(spki);
  } catch (cause) {
    throw wrong("it is not a sound key", cause);
  }
  if (spki === undefined || key === undefined) throw wrong("its key type is unknown");
  if (!algorithmFits(alg, key)) throw wrong(`its algorithm ${alg} does not fit`);
  return { key, alg, spki };
}

function wrong(why: string, cause?: unknown): IdentityError {
  return pkiError("WIT_SVID_CONFIRMATION", `the key of the WIT-SVID (cnf.jwk) is wrong: ${why}`, {
    cause,
  });
}
