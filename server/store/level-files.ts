// Opening a LevelDB folder: who may read it, who holds it, which format it has. The only place that
// loads `level`.

import { randomUUID } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Level } from "level";
import type { IdentityError } from "../../pki/errors.ts";
import { syncFolder } from "../../runtime/files.ts";
import { serverError } from "../errors.ts";

export type Database = Level<string, Uint8Array>;

const STORE_ID = "m/store-id";
const FORMAT = "m/format";
const FORMAT_VERSION = "1";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Opens the store in `folder`, which is made 0700 if need be, and holds it alone until it is closed.
 * @throws STORE_LOCKED, STORE_FORMAT_UNKNOWN, STORE_CORRUPT, STORE_UNUSABLE
 */
export async function openDatabase(
  folder: string,
): Promise<{ database: Database; storeId: string }> {
  let database: Database;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await chmod(folder, 0o700);
    await syncFolder(dirname(resolve(folder)));
    database = new Level<string, Uint8Array>(folder, {
      keyEncoding: "utf8",
      valueEncoding: "view",
    });
    await database.open();
  } catch (cause) {
    throw whyNotOpened(folder, cause);
  }
  try {
    return { database, storeId: await identify(database, folder) };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Reads what the store is; a new one is named, durably, before anything is written into it. */
async function identify(database: Database, folder: string): Promise<string> {
  const format = await database.get(FORMAT);
  const storeId = await database.get(STORE_ID);
  if (format === undefined && storeId === undefined) {
    const made = randomUUID();
    const puts = [
      { type: "put" as const, key: FORMAT, value: encoder.encode(FORMAT_VERSION) },
      { type: "put" as const, key: STORE_ID, value: encoder.encode(made) },
    ];
    try {
      await database.batch(puts, { sync: true });
    } catch (cause) {
      throw writeFailed(cause);
    }
    return made;
  }
  if (format === undefined || storeId === undefined || decoder.decode(format) !== FORMAT_VERSION) {
    throw serverError(
      "STORE_FORMAT_UNKNOWN",
      `the store in "${folder}" has a format this version cannot read`,
      {
        hint: "run the version of the server that wrote it, or a later one",
      },
    );
  }
  return decoder.decode(storeId);
}

/** The failure of a write: the disk is full or broken. Nothing is known of the write until the store is opened again. */
export function writeFailed(cause: unknown): IdentityError {
  return serverError("STORE_FAILED", `the store could not write: ${describe(cause)}`, {
    hint: "free or repair the disk, then restart the server",
    cause,
  });
}

function whyNotOpened(folder: string, cause: unknown): IdentityError {
  const code = codeOf(cause);
  if (code === "LEVEL_LOCKED") {
    return serverError("STORE_LOCKED", `the store in "${folder}" is held by another process`, {
      hint: "stop the other server, or give this one its own data_dir",
      cause,
    });
  }
  if (code === "LEVEL_CORRUPTION") {
    return serverError("STORE_CORRUPT", `the store in "${folder}" is damaged: ${describe(cause)}`, {
      hint: "restore it from a backup",
      cause,
    });
  }
  return serverError("STORE_UNUSABLE", `cannot open the store in "${folder}": ${describe(cause)}`, {
    hint: "check the folder's owner, its permissions and the free space",
    cause,
  });
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? cause.cause.message : cause.message;
}

/** The code of LevelDB's own error, which `level` wraps in one of its own. */
function codeOf(cause: unknown): unknown {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const code = "code" in error ? error.code : undefined;
    if (code === "LEVEL_LOCKED" || code === "LEVEL_CORRUPTION") return code;
  }
  return undefined;
}
