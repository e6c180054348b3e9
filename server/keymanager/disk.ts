// Keys on disk: one file per key in a folder of mode 0700, mode 0600, encrypted with AES-256-GCM under
// the server's sealing key. A key is durable before its ID is answered, and gone before its deletion
// is answered, whenever the process dies. All keys are opened at the start; they sign in this process.

import type { KeyObject } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  exportPkcs8,
  generateKeyPair,
  importPkcs8,
  type KeyType,
  keyPairOf,
  type Signer,
  signerOf,
} from "../../pki/keys.ts";
import { ensureDir, removeFile } from "../../runtime/files.ts";
import { SEALED_SUFFIX, type SealedFile, sealedFile } from "../../runtime/sealed-file.ts";
import { serverError } from "../errors.ts";
import { checkKeyId, type KeyManager } from "./key-manager.ts";
import { byKeyId, keyExists } from "./memory.ts";

/** Names of key files: the key's ID and this. Other files of the folder are left alone. */
const SUFFIX = SEALED_SUFFIX;

export interface DiskKeyManagerOptions {
  /** Made with mode 0700 when it is not there; nobody else may write to it. */
  readonly folder: string;
  /** See runtime/sealed-file.ts: loadOrCreateSealingKey. */
  readonly sealingKey: KeyObject;
}

/** A key manager whose keys survive restarts. */
export class DiskKeyManager implements KeyManager {
  readonly #options: DiskKeyManagerOptions;
  readonly #signers = new Map<string, Signer>();
  readonly #busy = new Set<string>();

  private constructor(options: DiskKeyManagerOptions) {
    this.#options = options;
  }

  /**
   * Opens every key of the folder. One that cannot be opened stops the server: to go on without it
   * would mean to make a new CA, silently, because of a wrong sealing key.
   * @throws SEALED_FILE_DAMAGED, FILE_EXPOSED, KEY_UNREADABLE
   */
  static async open(options: DiskKeyManagerOptions): Promise<DiskKeyManager> {
    const manager = new DiskKeyManager(options);
    await ensureDir(options.folder, 0o700);
    for (const name of await readdir(options.folder)) {
      if (!name.endsWith(SUFFIX) || name.startsWith(".")) continue;
      const keyId = name.slice(0, -SUFFIX.length);
      const signer = await manager.#read(keyId);
      if (signer !== undefined) manager.#signers.set(keyId, signer);
    }
    return manager;
  }

  async create(keyId: string, keyType: KeyType): Promise<Signer> {
    checkKeyId(keyId);
    if (this.#signers.has(keyId) || this.#busy.has(keyId)) throw keyExists(keyId);
    this.#busy.add(keyId);
    try {
      const pair = await generateKeyPair(keyType);
      const pkcs8 = exportPkcs8(pair.privateKey);
      await this.#file(keyId).write(pkcs8);
      pkcs8.fill(0);
      const signer = signerOf(keyId, pair);
      this.#signers.set(keyId, signer);
      return signer;
    } finally {
      this.#busy.delete(keyId);
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
    // Out of use first: if the file cannot be removed the error says so, and the key signs no more.
    this.#signers.delete(keyId);
    await removeFile(this.#file(keyId).path);
  }

  /** The purpose names the key, so that a file renamed to another key's name does not open. */
  #file(keyId: string): SealedFile {
    const { folder, sealingKey } = this.#options;
    return sealedFile(join(folder, keyId + SUFFIX), sealingKey, `server key ${keyId}`);
  }

  async #read(keyId: string): Promise<Signer | undefined> {
    const file = this.#file(keyId);
    const pkcs8 = await file.read();
    if (pkcs8 === undefined) return undefined;
    try {
      checkKeyId(keyId);
      return signerOf(keyId, keyPairOf(importPkcs8(pkcs8)));
    } catch (cause) {
      throw serverError("KEY_UNREADABLE", `"${file.path}" holds no key that can sign`, {
        hint: "restore the file from a backup, or move it away if the authority it belongs to is gone",
        cause,
      });
    } finally {
      pkcs8.fill(0);
    }
  }
}
