// Files encrypted at rest with AES-256-GCM. The additional data is the purpose of the file, so that a
// sealed file put in the place of another one does not open. Writing is atomic (files.ts).
// The sealing key lives in a file of its own, 0600, made on first start.
//
// Layout: "SGNTSEAL" 0x01, nonce (12 bytes, random), ciphertext, tag (16 bytes).

import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { runtimeError } from "./errors.ts";
import { createFileAtomic, ensureDir, readPrivateFile, writeFileAtomic } from "./files.ts";
import type { Logger } from "./log.ts";

const MAGIC = Buffer.from("SGNTSEAL\x01", "latin1");
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;
const LIMIT_BYTES = 16 * 1024 * 1024;

/** Encrypts bytes for one purpose. The same input gives different bytes each time. */
export function seal(plaintext: Uint8Array, key: KeyObject, purpose: string): Uint8Array {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(additionalData(purpose));
  return Buffer.concat([
    MAGIC,
    nonce,
    cipher.update(plaintext),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/**
 * Decrypts what `seal` made with the same key for the same purpose. `name` stands for it in messages.
 * @throws SEALED_FILE_DAMAGED for a wrong key, another purpose, or any changed, missing or added byte
 */
export function unseal(
  sealed: Uint8Array,
  key: KeyObject,
  purpose: string,
  name: string = purpose,
): Uint8Array {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  const start = MAGIC.length + NONCE_BYTES;
  if (bytes.length < start + TAG_BYTES || !bytes.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw damaged(name, "it is cut short or was not written by Signet");
  }
  const decipher = createDecipheriv("aes-256-gcm", key, bytes.subarray(MAGIC.length, start), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAAD(additionalData(purpose));
  decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
  try {
    return Buffer.concat([
      decipher.update(bytes.subarray(start, bytes.length - TAG_BYTES)),
      decipher.final(),
    ]);
  } catch (cause) {
    throw damaged(name, "the sealing key is another one, or its bytes have changed", cause);
  }
}

/** One encrypted file. */
export interface SealedFile {
  readonly path: string;
  /** The plaintext, or undefined when there is no file. @throws SEALED_FILE_DAMAGED, FILE_EXPOSED */
  read(): Promise<Uint8Array | undefined>;
  /** Replaces the file, atomically and durably. @throws FILE_UNWRITABLE */
  write(plaintext: Uint8Array): Promise<void>;
}

/** The encrypted file at `path`, which serves one purpose, such as "agent-key". */
export function sealedFile(path: string, key: KeyObject, purpose: string): SealedFile {
  return {
    path,
    async read() {
      const sealed = await readPrivateFile(path, { limitBytes: LIMIT_BYTES });
      return sealed === undefined ? undefined : unseal(sealed, key, purpose, path);
    },
    async write(plaintext) {
      await writeFileAtomic(path, seal(plaintext, key, purpose), 0o600);
    },
  };
}

/** How the names of sealed files end. */
export const SEALED_SUFFIX = ".sealed";

/**
 * Reads the sealing key at `path`; on first start makes one, mode 0600, with a warning. A first start is
 * one that finds no sealed file in `sealedFolder`: a new key would open none of them, and a key that
 * was only left out of a restart would be hidden by it.
 * The file holds 32 bytes in base64url and a line feed.
 * @throws SEALING_KEY_MISSING, SEALING_KEY_INVALID, FILE_EXPOSED when other users can read it,
 * FILE_UNWRITABLE
 */
export async function loadOrCreateSealingKey(
  path: string,
  log: Logger,
  sealedFolder: string = dirname(path),
): Promise<KeyObject> {
  const existing = await readKey(path);
  if (existing !== undefined) return existing;
  const sealed = await sealedFilesIn(sealedFolder);
  if (sealed > 0) throw missingKey(path, sealedFolder, sealed);
  await ensureParent(path);
  const created = await createFileAtomic(path, `${randomBytes(KEY_BYTES).toString("base64url")}\n`);
  if (created) {
    log.warn(
      { path },
      "made a new sealing key: whoever can read this file can open the private keys it protects; keep it off backups of the data, or replace it by a key from your secret store",
    );
  }
  // Read back in both cases: another process may have won, and what is on the disk is what counts.
  const key = await readKey(path);
  if (key === undefined) throw invalidKey(path, "it disappeared while it was read");
  return key;
}

async function sealedFilesIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw runtimeError("FILE_UNREADABLE", `cannot list the folder "${folder}"`, { cause: error });
  });
  return names.filter((name) => name.endsWith(SEALED_SUFFIX) && !name.startsWith(".")).length;
}

async function ensureParent(path: string): Promise<void> {
  const folder = dirname(path);
  const there = await stat(folder).then(
    () => true,
    () => false,
  );
  if (!there) await ensureDir(folder, 0o700);
}

async function readKey(path: string): Promise<KeyObject | undefined> {
  const bytes = await readPrivateFile(path, { limitBytes: 4096 });
  if (bytes === undefined) return undefined;
  const text = Buffer.from(bytes).toString("latin1").trim();
  const key = Buffer.from(text, "base64url");
  if (!/^[A-Za-z0-9_-]{43}$/.test(text) || key.length !== KEY_BYTES) {
    throw invalidKey(path, "expected 32 bytes in base64url on one line");
  }
  return createSecretKey(key);
}

const additionalData = (purpose: string): Buffer => Buffer.from(`signet sealed file 1\0${purpose}`);

const damaged = (name: string, why: string, cause?: unknown): Error =>
  runtimeError("SEALED_FILE_DAMAGED", `cannot open the sealed file "${name}": ${why}`, {
    hint: "restore the file and its sealing key from the same backup",
    cause,
  });

const missingKey = (path: string, folder: string, sealed: number): Error =>
  runtimeError(
    "SEALING_KEY_MISSING",
    `there is no sealing key at "${path}", and "${folder}" holds ${sealed} sealed file(s) that only it opens`,
    {
      hint: "put the key back; without it, move the sealed files away and all identities start anew",
    },
  );

const invalidKey = (path: string, why: string): Error =>
  runtimeError("SEALING_KEY_INVALID", `the sealing key in "${path}" cannot be used: ${why}`, {
    hint: "restore it from a backup; files sealed with it cannot be opened without it",
  });
