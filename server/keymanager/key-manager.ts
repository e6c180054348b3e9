// What a key manager is: it makes private keys, keeps them under an ID, and signs with them. The keys
// of the CA live here and nowhere else. One file per kind in this folder; index.ts is their table.
// Every kind passes test/contracts/key-manager.ts.

import type { KeyType, Signer } from "../../pki/keys.ts";

/** Makes, keeps and uses private keys by ID. An ID is 1 to 128 of `A-Z a-z 0-9 . _ -`, not led by a dot. */
export interface KeyManager {
  /**
   * Makes a key; it survives a crash from the moment this resolves, if the kind keeps keys at all.
   * @throws KEY_EXISTS when the ID is taken, also by a call that has not returned yet
   */
  create(keyId: string, keyType: KeyType): Promise<Signer>;
  /** The signer of a key, or undefined when there is none with this ID. */
  get(keyId: string): Promise<Signer | undefined>;
  /** Every key, ordered by ID. */
  list(): Promise<readonly Signer[]>;
  /** Destroys a key; one that does not exist is already destroyed. */
  delete(keyId: string): Promise<void>;
}

const KEY_ID = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/;

/** Refuses IDs that could leave a folder. IDs are made by our own code, so a bad one is a TypeError. */
export function checkKeyId(keyId: string): void {
  if (!KEY_ID.test(keyId)) throw new TypeError(`not a key ID: ${JSON.stringify(keyId)}`);
}
