// Signatures of the nine algorithms with keys of node:crypto, over any bytes: for what a workload signs
// with its own key (proof tokens, HTTP messages). Authorities sign through a Signer: sign-token.ts.

import { constants, sign as cryptoSign, verify as cryptoVerify, type KeyObject } from "node:crypto";
import { algorithmFits, isAlgorithm } from "./algorithms.ts";

/**
 * Signs in JOSE's form (RFC 7518 s3): R and S as raw bytes for ECDSA.
 * @throws TypeError when the key does not fit the algorithm
 */
export function signWith(alg: string, privateKey: KeyObject, data: Uint8Array): Uint8Array {
  if (!isAlgorithm(alg) || !algorithmFits(alg, privateKey)) {
    throw new TypeError(`${alg} does not fit the key`);
  }
  return cryptoSign(hashOf(alg), data, { key: privateKey, ...parametersOf(alg) });
}

/** A compact JWS (RFC 7515 s7.1) of claims, in the order in which they are given. As {@link signWith}. */
export function signJws(
  header: { readonly alg: string; readonly typ: string; readonly jwk?: object },
  claims: object,
  privateKey: KeyObject,
): string {
  const input = `${encodePart(header)}.${encodePart(claims)}`;
  const signature = signWith(header.alg, privateKey, Buffer.from(input, "latin1"));
  return `${input}.${Buffer.from(signature).toString("base64url")}`;
}

/** A part of a token: JSON, base64url. */
export function encodePart(value: object): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

/** Whether the signature is one by this key, of this algorithm; false when the key does not fit it. */
export function isSignedWith(
  alg: string,
  publicKey: KeyObject,
  data: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (!isAlgorithm(alg) || !algorithmFits(alg, publicKey)) return false;
  return cryptoVerify(hashOf(alg), data, { key: publicKey, ...parametersOf(alg) }, signature);
}

/** The algorithm a key signs with unless something else was agreed. */
export function defaultAlgorithm(key: KeyObject): string | undefined {
  return ["ES256", "ES384", "ES512", "RS256"].find((alg) => algorithmFits(alg, key));
}

function hashOf(alg: string): string {
  return `sha${alg.slice(2)}`;
}

function parametersOf(alg: string): object {
  if (alg.startsWith("ES")) return { dsaEncoding: "ieee-p1363" };
  if (alg.startsWith("RS")) return { padding: constants.RSA_PKCS1_PADDING };
  return {
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  };
}
