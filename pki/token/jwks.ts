// The keys that verify access tokens and status lists, as a JWK Set (RFC 7517 s5). They are never those of
// a SPIFFE bundle: a bundle says `use: jwt-svid`, this set `use: sig`, and a reader of one takes none of the other.

import { jwkToSpki, spkiToJwk } from "../bundle/jwk.ts";
import { pkiError } from "../errors.ts";
import { isJsonObject, parseJson } from "../json.ts";
import { algorithmFits, SIGNING_ALGORITHM } from "../jwt/algorithms.ts";
import { importSpki } from "../keys.ts";

/** A public key under the ID that tokens name it by. Keep the object: its import hangs on it. */
export interface VerificationKey {
  readonly keyId: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly spki: Uint8Array;
}

const MAX_BYTES = 262_144;
const MAX_KEYS = 64;
const MAX_KEY_ID_LENGTH = 256;
const ALGORITHMS: readonly string[] = [
  ...new Set(Object.values(SIGNING_ALGORITHM).map(({ alg }) => alg)),
  "ES512",
];

/** The document with these keys. */
export function formatJwks(keys: readonly VerificationKey[]): string {
  return JSON.stringify({
    keys: keys.map(({ keyId, spki }) => {
      const key = importSpki(spki);
      const alg = ALGORITHMS.find((one) => algorithmFits(one, key));
      return { kid: keyId, use: "sig", ...(alg !== undefined && { alg }), ...spkiToJwk(spki) };
    }),
  });
}

/**
 * Reads a JWK Set that an issuer published: the keys for signatures that have an ID. Others are left out,
 * above all those of SPIFFE bundles; two keys with one ID void the document.
 * @throws JWKS_INVALID
 */
export function parseJwks(document: string | Uint8Array): readonly VerificationKey[] {
  if (document.length > MAX_BYTES) throw invalid(`it is longer than ${MAX_BYTES}`);
  try {
    const json = parseJson(document);
    const list = isJsonObject(json) ? json["keys"] : undefined;
    if (!Array.isArray(list)) throw invalid("it has no keys");
    if (list.length > MAX_KEYS) throw invalid(`it has over ${MAX_KEYS} keys`);
    const keys = new Map<string, VerificationKey>();
    for (const jwk of list) {
      const { kid, use } = isJsonObject(jwk) ? jwk : {};
      if (typeof kid !== "string" || kid === "" || kid.length > MAX_KEY_ID_LENGTH) continue;
      if (use !== "sig") continue;
      const spki = jwkToSpki(jwk);
      if (spki === undefined) continue;
      if (keys.has(kid)) throw invalid("two keys have one ID");
      keys.set(kid, { keyId: kid, spki });
    }
    return [...keys.values()];
  } catch (cause) {
    if (cause instanceof Error && "reason" in cause && cause.reason === "JWKS_INVALID") throw cause;
    throw invalid("it cannot be read", cause);
  }
}

function invalid(why: string, cause?: unknown): Error {
  return pkiError("JWKS_INVALID", `the key set of the issuer is wrong: ${why}`, {
    hint: "fetch the jwks_uri that the issuer's metadata names",
    cause,
  });
}
