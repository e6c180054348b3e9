// Keys that live and die with the process: for tests, and for a CA that makes a new authority at every
// start.

import { generateKeyPair, type KeyType, type Signer, signerOf } from "../../pki/keys.ts";
import { serverError } from "../errors.ts";
import { checkKeyId, type KeyManager } from "./key-manager.ts";

/** A key manager without a memory of its own beyond the process. */
export class MemoryKeyManager implements KeyManager {
  readonly #signers = new Map<string, Signer>();
  readonly #creating = new Set<string>();

  async create(keyId: string, keyType: KeyType): Promise<Signer> {
    checkKeyId(keyId);
    if (this.#signers.has(keyId) || this.#creating.has(keyId)) throw keyExists(keyId);
    this.#creating.add(keyId);
    try {
      const signer = signerOf(keyId, await generateKeyPair(keyType));
      this.#signers.set(keyId, signer);
      return signer;
    } finally {
      this.#creating.delete(keyId);
    }
  }

  async get(keyId: string): Promise<Signer | undefined> {
    return this.#signers.get(keyId);
  }

  async list(): Promise<readonly Signer[]> {
    return byKeyId(this.#signers.values());
  }

  async delete(keyId: string): Promise<void> {
    checkKeyId(keyId);
    this.#signers.delete(keyId);
  }
}

/** The answer of every kind to an ID that is taken. */
export function keyExists(keyId: string): Error {
  return serverError("KEY_EXISTS", `the key manager already has a key with ID ${keyId}`);
}

/** The order in which every kind lists its keys. */
export function byKeyId(signers: Iterable<Signer>): Signer[] {
  return [...signers].sort((a, b) => (a.keyId < b.keyId ? -1 : a.keyId > b.keyId ? 1 : 0));
}
