// Keys on node:crypto's KeyObject: make, import, export, and the Signer through which authorities
// sign. A Signer hides where its key lives (this process, a token, a cloud). Which algorithm
// identifier goes with a key in a certificate: x509/signature.ts. Keys at rest: server/keymanager.
import {
  createPrivateKey,
  createPublicKey,
  sign as cryptoSign,
  generateKeyPair as generate,
  generateKeyPairSync as generateSync,
  type KeyObject,
} from "node:crypto";
import { promisify } from "node:util";
import { pkiError } from "./errors.ts";

/** The kinds of key that Signet makes. It verifies more: see {@link importSpki}. */
export type KeyType = "ec-p256" | "ec-p384" | "rsa-2048" | "rsa-4096";
export const KEY_TYPES: readonly KeyType[] = ["ec-p256", "ec-p384", "rsa-2048", "rsa-4096"];

export type HashName = "sha256" | "sha384" | "sha512";

/** A private key with its public half; `spki` is the public key as SubjectPublicKeyInfo DER. */
export interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly spki: Uint8Array;
}

/**
 * Signs for one authority. Signatures are DER for ECDSA and PKCS #1 v1.5 for RSA.
 * `privateKey` is there only when the key lives in this process, so that a worker thread can sign
 * too; `signSync` only for in-process P-256, where a thread hop would cost more than the signature.
 */
export interface Signer {
  readonly keyId: string;
  readonly keyType: KeyType;
  readonly publicKey: KeyObject;
  readonly spki: Uint8Array;
  readonly privateKey?: KeyObject;
  signSync?(data: Uint8Array, hash: HashName): Uint8Array;
  sign(data: Uint8Array, hash: HashName): Promise<Uint8Array>;
}

const generateAsync = promisify(generate);

/** SubjectPublicKeyInfo of an uncompressed P-256 point, up to and including the 0x04. */
const P256_SPKI_PREFIX: Uint8Array = Uint8Array.from(
  Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex"),
);
const P256_SPKI_LENGTH = 91;
/** id-ecPublicKey, DER. */
const EC_KEY_OID: Uint8Array = Uint8Array.from(Buffer.from("06072a8648ce3d0201", "hex"));
const MAX_SPKI_BYTES = 2048;
const MIN_RSA_BITS = 2048;
const MAX_RSA_BITS = 8192;
const MAX_RSA_EXPONENT = 0xffff_ffffn;
const CURVES: readonly (string | undefined)[] = ["prime256v1", "secp384r1", "secp521r1"];

/** Makes a key pair; RSA and P-384 in the thread pool. */
export async function generateKeyPair(type: KeyType): Promise<KeyPair> {
  switch (type) {
    case "ec-p256":
      return generateP256KeyPair();
    case "ec-p384":
      return keyPair(await generateAsync("ec", { namedCurve: "P-384" }));
    case "rsa-2048":
      return keyPair(await generateAsync("rsa", { modulusLength: 2048 }));
    case "rsa-4096":
      return keyPair(await generateAsync("rsa", { modulusLength: 4096 }));
  }
}

/** Makes a P-256 key pair at once: 0.03 ms, less than a hop to the thread pool. */
export function generateP256KeyPair(): KeyPair {
  return keyPair(generateSync("ec", { namedCurve: "P-256" }));
}

/** The key pair of a private key: derives the public half. */
export function keyPairOf(privateKey: KeyObject): KeyPair {
  return keyPair({ privateKey, publicKey: createPublicKey(privateKey) });
}

function keyPair(pair: { privateKey: KeyObject; publicKey: KeyObject }): KeyPair {
  return { ...pair, spki: exportSpki(pair.publicKey) };
}

/** The public key as SubjectPublicKeyInfo DER. */
export function exportSpki(publicKey: KeyObject): Uint8Array {
  return bytes(publicKey.export({ type: "spki", format: "der" }));
}

/** The private key as unencrypted PKCS #8 DER, the form the Workload API hands out. */
export function exportPkcs8(privateKey: KeyObject): Uint8Array {
  return bytes(privateKey.export({ type: "pkcs8", format: "der" }));
}

/**
 * Reads an unencrypted PKCS #8 private key (DER).
 * @throws KEY_INVALID, KEY_UNSUPPORTED
 */
export function importPkcs8(der: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  } catch (cause) {
    throw pkiError("KEY_INVALID", "the private key is not PKCS #8 DER", { cause });
  }
  checkKey(key);
  return key;
}

/**
 * Reads a public key (SubjectPublicKeyInfo DER) of a kind that may sign or be certified: RSA of
 * 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, Ed25519. Larger RSA keys are refused because
 * verifying with one is a cheap way to keep a validator busy.
 * @throws KEY_INVALID, KEY_UNSUPPORTED
 */
export function importSpki(spki: Uint8Array): KeyObject {
  if (spki.length > MAX_SPKI_BYTES) {
    throw pkiError(
      "KEY_INVALID",
      `the public key has ${spki.length} bytes, over ${MAX_SPKI_BYTES}`,
    );
  }
  let key: KeyObject;
  try {
    // A PEM string is by far the cheapest import on Node 24: object arguments cost a stack trace.
    key = createPublicKey(spkiPem(spki));
  } catch (cause) {
    throw pkiError("KEY_INVALID", "the public key is not SubjectPublicKeyInfo DER", { cause });
  }
  if (isP256Spki(spki)) return key;
  checkKey(key);
  if (key.asymmetricKeyType === "ec" && !namesItsCurve(spki)) {
    // RFC 5480 s2.1.1. Written-out parameters that only look like a good curve's forged keys once
    // (CVE-2020-0601).
    throw pkiError("KEY_UNSUPPORTED", "the key does not name its curve but describes it");
  }
  return key;
}

/** Whether the id-ecPublicKey of a SubjectPublicKeyInfo is followed by an OBJECT IDENTIFIER. */
function namesItsCurve(spki: Uint8Array): boolean {
  const at = Buffer.from(spki).indexOf(EC_KEY_OID);
  return spki[at + EC_KEY_OID.length] === 0x06;
}

/** Whether this is exactly the SubjectPublicKeyInfo of an uncompressed P-256 point: 91 bytes. */
export function isP256Spki(spki: Uint8Array): boolean {
  if (spki.length !== P256_SPKI_LENGTH) return false;
  for (let i = 0; i < P256_SPKI_PREFIX.length; i += 1) {
    if (spki[i] !== P256_SPKI_PREFIX[i]) return false;
  }
  return true;
}

/** Which of the kinds that Signet makes a key is; undefined for others, such as RSA-3072. */
export function keyTypeOf(key: KeyObject): KeyType | undefined {
  const details = key.asymmetricKeyDetails;
  if (key.asymmetricKeyType === "ec") {
    if (details?.namedCurve === "prime256v1") return "ec-p256";
    return details?.namedCurve === "secp384r1" ? "ec-p384" : undefined;
  }
  if (key.asymmetricKeyType !== "rsa") return undefined;
  if (details?.modulusLength === 2048) return "rsa-2048";
  return details?.modulusLength === 4096 ? "rsa-4096" : undefined;
}

/**
 * A signer over a key of this process. RSA and P-384 sign in the thread pool.
 * @throws KEY_UNSUPPORTED when the key is none of {@link KEY_TYPES}
 */
export function signerOf(keyId: string, pair: KeyPair): Signer {
  const { privateKey, publicKey, spki } = pair;
  const keyType = keyTypeOf(publicKey);
  if (keyType === undefined) {
    throw pkiError("KEY_UNSUPPORTED", `an authority cannot sign with key "${keyId}"`, {
      hint: `use one of ${KEY_TYPES.join(", ")}`,
    });
  }
  const base = { keyId, keyType, publicKey, spki, privateKey };
  if (keyType === "ec-p256") {
    const signSync = (data: Uint8Array, hash: HashName): Uint8Array =>
      cryptoSign(hash, data, privateKey);
    return { ...base, signSync, sign: async (data, hash) => signSync(data, hash) };
  }
  return { ...base, sign: (data, hash) => signInPool(data, hash, privateKey) };
}

function signInPool(data: Uint8Array, hash: HashName, key: KeyObject): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    cryptoSign(hash, data, key, (error, signature) => {
      if (error) reject(error);
      else resolve(signature);
    });
  });
}

function checkKey(key: KeyObject): void {
  const type = key.asymmetricKeyType;
  const details = key.asymmetricKeyDetails ?? {};
  if (type === "ed25519") return;
  if (type === "ec" && CURVES.includes(details.namedCurve)) return;
  const bits = details.modulusLength ?? 0;
  const exponent = details.publicExponent ?? 0n;
  const isRsa = type === "rsa" || type === "rsa-pss";
  if (isRsa && bits >= MIN_RSA_BITS && bits <= MAX_RSA_BITS && exponent <= MAX_RSA_EXPONENT) {
    return;
  }
  const what = isRsa ? `RSA of ${bits} bits` : `${type} ${details.namedCurve ?? ""}`;
  throw pkiError("KEY_UNSUPPORTED", `the key is ${what.trim()}`, {
    hint: `use RSA of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits, P-256, P-384, P-521 or Ed25519`,
  });
}

/**
 * A public key as PEM, the form in which Node reads keys fastest. OpenSSL takes lines of up to 254
 * characters: a P-256 key needs one, others are folded.
 */
export function spkiPem(spki: Uint8Array): string {
  const base64 = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength).toString("base64");
  const body = base64.length <= 128 ? base64 : base64.replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n`;
}

function bytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}
