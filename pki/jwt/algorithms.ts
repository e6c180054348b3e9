// The nine signature algorithms a JWT-SVID may name (JWT-SVID s2.1), which key each one needs
// (RFC 7518 s3), and ECDSA signatures in JOSE's form: R and S as raw bytes, not DER (RFC 7518 s3.4).
// Signing happens in issue.ts, verifying in svid.ts.

import type { KeyObject } from "node:crypto";
import type { HashName, KeyType } from "../keys.ts";

/** What each algorithm needs: an ECDSA key on this curve (OpenSSL's name), or an RSA key. */
const KEY_OF: ReadonlyMap<string, string> = new Map([
  ["ES256", "prime256v1"],
  ["ES384", "secp384r1"],
  ["ES512", "secp521r1"],
  ["RS256", "rsa"],
  ["RS384", "rsa"],
  ["RS512", "rsa"],
  ["PS256", "rsa"],
  ["PS384", "rsa"],
  ["PS512", "rsa"],
]);

/** The algorithm each kind of key of ours signs with. */
export const SIGNING_ALGORITHM: Readonly<
  Record<KeyType, { readonly alg: string; readonly hash: HashName; readonly halfBytes?: number }>
> = {
  "ec-p256": { alg: "ES256", hash: "sha256", halfBytes: 32 },
  "ec-p384": { alg: "ES384", hash: "sha384", halfBytes: 48 },
  "rsa-2048": { alg: "RS256", hash: "sha256" },
  "rsa-4096": { alg: "RS256", hash: "sha256" },
};

const MIN_RSA_BITS = 2048;

/** Whether a JWT-SVID may be signed with this algorithm. */
export function isAlgorithm(alg: unknown): alg is string {
  return typeof alg === "string" && KEY_OF.has(alg);
}

/** Whether the key is of the type, curve and size that the algorithm demands. */
export function algorithmFits(alg: string, key: KeyObject): boolean {
  const needed = KEY_OF.get(alg);
  const details = key.asymmetricKeyDetails;
  if (needed !== "rsa") return key.asymmetricKeyType === "ec" && details?.namedCurve === needed;
  return key.asymmetricKeyType === "rsa" && (details?.modulusLength ?? 0) >= MIN_RSA_BITS;
}

/** Turns our own signer's DER ECDSA-Sig-Value into R and S of `halfBytes` each. */
export function derToRaw(der: Uint8Array, halfBytes: number): Uint8Array {
  const raw = new Uint8Array(2 * halfBytes);
  let at = 2; // past the SEQUENCE's header, whose length takes one byte up to P-384
  for (let end = halfBytes; end <= 2 * halfBytes; end += halfBytes) {
    let length = der[at + 1] ?? 0;
    let start = at + 2;
    at = start + length;
    while (length > halfBytes) {
      start++;
      length--;
    }
    raw.set(der.subarray(start, start + length), end - length);
  }
  return raw;
}
