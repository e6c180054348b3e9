// Tokens with any header and payload, signed by keys that are the same in every run: what was signed for a
// seed, or kept in the corpus, is still signed when it is read again, and what lies behind the check of a
// signature is reached with every input.
import {
  createECDH,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
} from "node:crypto";
import { type KeyPair, keyPairOf } from "../../pki/keys.ts";
import { assertRefusal, bytesOf } from "./target.ts";

/** The key with this name: P-256, the same in every process. */
export function fixedKey(name: string): KeyPair {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(createHash("sha256").update(`fuzzing: ${name}`).digest());
  const point = ecdh.getPublicKey();
  const [d, x, y] = [ecdh.getPrivateKey(), point.subarray(1, 33), point.subarray(33)].map((part) =>
    part.toString("base64url"),
  ) as [string, string, string];
  const key = { kty: "EC", crv: "P-256", d, x, y };
  return keyPairOf(createPrivateKey({ key, format: "jwk" }));
}

/** Stands between header and payload in inputs that are signed. */
const SEPARATOR = "\n";

/** An input with this header and payload. */
export function parts(header: object | string, payload: object | string): Uint8Array {
  const text = (part: object | string): string =>
    typeof part === "string" ? part : JSON.stringify(part);
  return bytesOf(text(header) + SEPARATOR + text(payload));
}

/** The parts of a token that we issued, as an input. */
export function partsOf(token: string): Uint8Array {
  const [header = "", payload = ""] = token
    .split(".")
    .map((part) => Buffer.from(part, "base64url").toString());
  return parts(header, payload);
}

/** The token whose parts are in an input; `header` when it has but one. */
export function signedParts(data: Uint8Array, header: object, key: KeyPair): string {
  const at = data.indexOf(SEPARATOR.charCodeAt(0));
  const first = at < 0 ? bytesOf(JSON.stringify(header)) : data.subarray(0, at);
  return signedToken(first, data.subarray(at + 1), key);
}

/** A compact JWS, ES256. */
export function signedToken(
  header: Uint8Array,
  payload: Uint8Array,
  { privateKey }: { readonly privateKey: KeyObject },
): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  const key = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;
  return `${input}.${base64url(sign("sha256", bytesOf(input), key))}`;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64url");
}

/** What `work` comes to, or undefined when it refuses the input as it should. */
export async function doneOrRefused<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    assertRefusal(error);
    return undefined;
  }
}

/** The Ed25519 key with this name, the same in every process. */
export function fixedEd25519(name: string): { privateKey: KeyObject; publicKey: KeyObject } {
  const seed = createHash("sha256").update(`fuzzing: ${name}`).digest();
  // PKCS #8 of an Ed25519 key, up to the key (RFC 8410 s7).
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}
