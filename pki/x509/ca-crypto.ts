// The WebCrypto that the certificate library is given: @peculiar/webcrypto, except that `sign` goes
// to one of our Signers, so that an authority's key may be anywhere. Its key objects hold nothing.
// Used by ca.ts alone.
import { Crypto, CryptoKey } from "@peculiar/webcrypto";
import type { HashName, KeyType, Signer } from "../keys.ts";
import { DerReader, Tag } from "./der.ts";

const HASHES: Readonly<Record<string, HashName>> = {
  "SHA-256": "sha256",
  "SHA-384": "sha384",
  "SHA-512": "sha512",
};

const RSA = { name: "RSASSA-PKCS1-v1_5", hash: { name: "SHA-256" } };
const ALGORITHMS: Readonly<Record<KeyType, KeyAlgorithm & { readonly hash: KeyAlgorithm }>> = {
  "ec-p256": ecdsa("P-256", "SHA-256"),
  "ec-p384": ecdsa("P-384", "SHA-384"),
  "rsa-2048": RSA,
  "rsa-4096": RSA,
};
const COORDINATE_BYTES: Readonly<Partial<Record<KeyType, number>>> = {
  "ec-p256": 32,
  "ec-p384": 48,
};

function ecdsa(namedCurve: string, hash: string): KeyAlgorithm & { hash: KeyAlgorithm } {
  const algorithm = { name: "ECDSA", namedCurve, hash: { name: hash } };
  return algorithm;
}

/** A Crypto that signs with one signer, and the key to name when asking it to. */
export interface SigningCrypto {
  readonly crypto: Crypto;
  readonly signingKey: CryptoKey;
}

export function signingCryptoOf(signer: Signer): SigningCrypto {
  const crypto = new Crypto();
  const signingKey = new CryptoKey();
  signingKey.algorithm = ALGORITHMS[signer.keyType];
  signingKey.type = "private";
  signingKey.extractable = false;
  signingKey.usages = ["sign"];
  crypto.subtle.sign = async (algorithm, key, data) => {
    const hash = HASHES[hashNameOf(algorithm)];
    if (key !== signingKey || hash === undefined) throw new TypeError("not the authority's key");
    const signature = await signer.sign(bytesOf(data), hash);
    const size = COORDINATE_BYTES[signer.keyType];
    return copyOf(size === undefined ? signature : rawSignature(signature, size));
  };
  return { crypto, signingKey };
}

/** An ECDSA signature as WebCrypto has it: r and s, big-endian, `size` bytes each. */
function rawSignature(der: Uint8Array, size: number): Uint8Array {
  const failure = (problem: string): never => {
    throw new TypeError(`the signer returned no DER signature: ${problem}`);
  };
  const reader = new DerReader(der, failure);
  const fields = reader.enter(Tag.sequence);
  const raw = new Uint8Array(2 * size);
  for (const end of [size, 2 * size]) {
    const integer = fields.integer();
    const value = integer[0] === 0 ? integer.subarray(1) : integer;
    if (value.length > size) failure("a number is too large");
    raw.set(value, end - value.length);
  }
  fields.finish();
  reader.finish();
  return raw;
}

function hashNameOf(algorithm: AlgorithmIdentifier): string {
  const hash = typeof algorithm === "string" ? undefined : Reflect.get(algorithm, "hash");
  return typeof hash === "string" ? hash : String(Reflect.get(Object(hash), "name"));
}

function bytesOf(data: BufferSource): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  const copy = new ArrayBuffer(bytes.length);
  new Uint8Array(copy).set(bytes);
  return copy;
}
