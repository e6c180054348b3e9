// The kinds of key manager, as a table: adding one is a file in this folder and a line here.

import { join } from "node:path";
import type { Logger } from "../../runtime/log.ts";
import { loadOrCreateSealingKey } from "../../runtime/sealed-file.ts";
import { DiskKeyManager } from "./disk.ts";
import type { KeyManager } from "./key-manager.ts";
import { MemoryKeyManager } from "./memory.ts";

/** Which key manager, and its settings: `key_manager` of the server's configuration. */
export type KeyManagerConfig =
  | { readonly type: "memory" }
  | { readonly type: "disk" /** Absolute. */; readonly sealingKeyFile: string };

export interface KeyManagerContext {
  /** The server's data folder; keys on disk live below it. */
  readonly dataDir: string;
  readonly log: Logger;
}

type Kinds = {
  readonly [T in KeyManagerConfig["type"]]: (
    config: Extract<KeyManagerConfig, { type: T }>,
    context: KeyManagerContext,
  ) => Promise<KeyManager>;
};

const KEY_MANAGERS: Kinds = {
  memory: async () => new MemoryKeyManager(),
  disk: async (config, { dataDir, log }) => {
    const folder = join(dataDir, "keys");
    const sealingKey = await loadOrCreateSealingKey(config.sealingKeyFile, log, folder);
    return DiskKeyManager.open({ folder, sealingKey });
  },
};

/** Opens the key manager that the configuration names. */
export function openKeyManager(
  config: KeyManagerConfig,
  context: KeyManagerContext,
): Promise<KeyManager> {
  return config.type === "memory"
    ? KEY_MANAGERS.memory(config, context)
    : KEY_MANAGERS.disk(config, context);
}
