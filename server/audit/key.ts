// The key that signs checkpoints: Ed25519, made at the first start, sealed like the keys of authorities
// (runtime/sealed-file.ts), and in memory alone when those are. Its verifier keys, old ones too, lie
// beside the log for who has noted none; who wants to be sure holds them elsewhere.
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { exportPkcs8, importPkcs8 } from "../../pki/keys.ts";
import { type VerifierKey, verifierKeyOf } from "../../pki/merkle/note.ts";
import { ensureDir } from "../../runtime/files.ts";
import type { Logger } from "../../runtime/log.ts";
import { loadOrCreateSealingKey, sealedFile } from "../../runtime/sealed-file.ts";
import type { KeyManagerConfig } from "../keymanager/index.ts";

const KEY_FILE = "checkpoint-key.sealed";
const PURPOSE = "audit checkpoint key";
/** Of the folder of the log: every verifier key there was, a line each. */
export const VERIFIER_KEYS_FILE = "verifier-keys";

export interface CheckpointKey {
  readonly verifier: VerifierKey;
  readonly privateKey: KeyObject;
}

export interface CheckpointKeyOptions {
  /** The name of the key: the origin of the log. */
  readonly name: string;
  readonly folder: string;
  readonly dataDir: string;
  readonly keyManager: KeyManagerConfig;
  readonly log: Logger;
}

/** Opens the key, or makes it. @throws SEALED_FILE_DAMAGED, SEALING_KEY_MISSING, FILE_EXPOSED */
export async function openCheckpointKey(options: CheckpointKeyOptions): Promise<CheckpointKey> {
  await ensureDir(options.folder, 0o700);
  const privateKey = await privateKeyOf(options);
  const verifier = verifierKeyOf(options.name, createPublicKey(privateKey));
  const path = join(options.folder, VERIFIER_KEYS_FILE);
  const known = await readFile(path, "utf8").catch(() => "");
  if (!known.split("\n").includes(verifier.text)) {
    await appendFile(path, `${verifier.text}\n`, { mode: 0o600, flush: true });
    options.log.info(
      { verifier_key: verifier.text },
      "checkpoints of the audit log have a new key",
    );
  }
  return { verifier, privateKey };
}

async function privateKeyOf(options: CheckpointKeyOptions): Promise<KeyObject> {
  const { keyManager, dataDir, folder, log } = options;
  if (keyManager.type === "memory") return generateKeyPairSync("ed25519").privateKey;
  const keysFolder = join(dataDir, "keys");
  const sealingKey = await loadOrCreateSealingKey(keyManager.sealingKeyFile, log, keysFolder);
  const file = sealedFile(join(folder, KEY_FILE), sealingKey, PURPOSE);
  const stored = await file.read();
  if (stored !== undefined) return importPkcs8(stored);
  const { privateKey } = generateKeyPairSync("ed25519");
  await file.write(exportPkcs8(privateKey));
  return privateKey;
}
