// Files that must survive a crash and must not be read by others: atomic replacement (temporary file,
// fsync, rename, fsync of the folder) and reading with a check of owner and mode.
// Encryption at rest lives in sealed-file.ts.

import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import {
  chmod,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  stat,
  unlink,
} from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { runtimeError } from "./errors.ts";

const DEFAULT_LIMIT_BYTES = 1024 * 1024;
const STALE_AFTER_MS = 60_000;

/**
 * Replaces `path` by a file with these bytes: after a crash at any instant there is the old file or
 * the new one, whole. When the promise resolves the new one is on the disk. The folder must exist.
 * @throws FILE_UNWRITABLE
 */
export async function writeFileAtomic(
  path: string,
  bytes: Uint8Array | string,
  mode = 0o600,
): Promise<void> {
  await putFile(path, bytes, mode, rename);
}

/**
 * Creates `path` with these bytes, whole or not at all. Answers false, and leaves what is there, when
 * the file exists already: of two processes that race, one wins.
 * @throws FILE_UNWRITABLE
 */
export async function createFileAtomic(
  path: string,
  bytes: Uint8Array | string,
  mode = 0o600,
): Promise<boolean> {
  let created = true;
  await putFile(path, bytes, mode, async (temporary, target) => {
    try {
      await link(temporary, target);
    } catch (error) {
      if (codeOf(error) !== "EEXIST") throw error;
      created = false;
    }
    await unlink(temporary);
  });
  return created;
}

async function putFile(
  path: string,
  bytes: Uint8Array | string,
  mode: number,
  publish: (temporary: string, target: string) => Promise<void>,
): Promise<void> {
  const target = resolve(path);
  const folder = dirname(target);
  const temporary = join(folder, `${temporaryPrefix(target)}${randomBytes(8).toString("hex")}`);
  try {
    await removeLeftovers(target);
    const file = await open(temporary, "wx", mode);
    try {
      await file.chmod(mode); // the umask may have taken bits away
      await file.writeFile(bytes);
      // An fsync that failed is never tried again on the same file: the kernel reports a lost page
      // once and then calls it clean. The temporary file is thrown away instead.
      await file.sync();
    } finally {
      await file.close();
    }
    await publish(temporary, target);
    await syncFolder(folder);
  } catch (cause) {
    await unlink(temporary).catch(() => undefined);
    throw runtimeError("FILE_UNWRITABLE", `cannot write "${path}": ${messageOf(cause)}`, {
      hint: "check that the folder exists, belongs to this user and that the disk has space",
      cause,
    });
  }
}

/** Makes what was created, renamed or removed in a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes a file durably. Answers false when it was not there. */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw runtimeError("FILE_UNWRITABLE", `cannot remove "${path}": ${messageOf(error)}`, {
      cause: error,
    });
  }
  await syncFolder(dirname(resolve(path)));
  return true;
}

/** Makes a folder, and those above it, with exactly this mode. An existing one gets the mode too. */
export async function ensureDir(path: string, mode = 0o700): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode });
    if (((await stat(path)).mode & 0o7777) !== mode) await chmod(path, mode);
  } catch (cause) {
    throw runtimeError("FILE_UNWRITABLE", `cannot make the folder "${path}": ${messageOf(cause)}`, {
      hint: "check who owns it and the folders above it",
      cause,
    });
  }
}

/**
 * As ensureDir, for a folder beside which others may write, as in /tmp: refuses one that somebody else
 * has put there, or a link, since its owner could exchange what is made in it.
 * @throws FILE_EXPOSED, FILE_UNWRITABLE
 */
export async function ensureOwnDir(path: string, mode = 0o700): Promise<void> {
  const own = process.geteuid?.();
  const status = await mkdir(path, { recursive: true, mode }).then(
    () => lstat(path),
    () => undefined, // ensureDir says why
  );
  if (
    status !== undefined &&
    (!status.isDirectory() || (own !== undefined && status.uid !== own))
  ) {
    const what = status.isDirectory() ? `belongs to uid ${status.uid}` : "is a link";
    throw runtimeError("FILE_EXPOSED", `the folder "${path}" ${what}`, {
      hint: "find out who made it, remove it, and choose a place where others cannot write",
    });
  }
  await ensureDir(path, mode);
}

/**
 * Reads a file that holds a secret. Refuses one that other users can read or write, or that belongs to
 * someone other than this process's user or root. Answers undefined when there is none.
 * @throws FILE_EXPOSED, FILE_TOO_LARGE, FILE_UNREADABLE
 */
export async function readPrivateFile(
  path: string,
  options: { readonly limitBytes?: number } = {},
): Promise<Uint8Array | undefined> {
  return readChecked(path, options.limitBytes, (mode, uid) => {
    const own = process.geteuid?.() ?? uid;
    if (uid !== own && uid !== 0) {
      throw runtimeError(
        "FILE_EXPOSED",
        `"${path}" belongs to uid ${uid}, not to this process's user ${own}`,
        {
          hint: `run 'chown ${own} ${path}' once you know who wrote it`,
        },
      );
    }
    if ((mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, "0");
      throw runtimeError(
        "FILE_EXPOSED",
        `"${path}" has mode ${shown}: other users have access to a secret`,
        {
          hint: `run 'chmod 600 ${path}', and replace the secret if others may have read it`,
        },
      );
    }
  });
}

/**
 * Reads a file of bounded size, whoever owns it. Answers undefined when there is none.
 * @throws FILE_TOO_LARGE, FILE_UNREADABLE
 */
export async function readFileBounded(
  path: string,
  options: { readonly limitBytes?: number } = {},
): Promise<Uint8Array | undefined> {
  return readChecked(path, options.limitBytes, () => undefined);
}

async function readChecked(
  path: string,
  limitBytes = DEFAULT_LIMIT_BYTES,
  check: (mode: number, uid: number) => void,
): Promise<Uint8Array | undefined> {
  let file: FileHandle;
  try {
    // Not blocking, so that a FIFO put in the place of a file does not hang the daemon.
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (codeOf(cause) === "ENOENT") return undefined;
    throw unreadable(path, cause);
  }
  try {
    const status = await file.stat();
    if (!status.isFile()) throw unreadable(path, new Error("not a regular file"));
    check(status.mode, status.uid);
    if (status.size > limitBytes) throw tooLarge(path, limitBytes);
    // One byte more than allowed: a file that grows meanwhile is noticed.
    const buffer = Buffer.alloc(limitBytes < status.size + 1 ? limitBytes + 1 : status.size + 1);
    let filled = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
      filled += bytesRead;
      if (bytesRead === 0) break;
      if (filled === buffer.length) throw tooLarge(path, Math.max(status.size, 0));
    }
    return new Uint8Array(buffer.subarray(0, filled));
  } finally {
    await file.close();
  }
}

// Temporary files of processes that were killed half-way; they may hold what the file holds.
async function removeLeftovers(target: string): Promise<void> {
  const folder = dirname(target);
  const prefix = temporaryPrefix(target);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix)) continue;
    const status = await stat(join(folder, name)).catch(() => undefined);
    if (status === undefined || Date.now() - status.mtimeMs < STALE_AFTER_MS) continue;
    await unlink(join(folder, name)).catch(() => undefined);
  }
}

const temporaryPrefix = (target: string): string => `.${basename(target)}.tmp-`;

const tooLarge = (path: string, limitBytes: number): Error =>
  runtimeError("FILE_TOO_LARGE", `"${path}" is larger than ${limitBytes} bytes`);

const unreadable = (path: string, cause: unknown): Error =>
  runtimeError("FILE_UNREADABLE", `cannot read "${path}": ${messageOf(cause)}`, {
    hint: "check that it is a file and that this user may read it",
    cause,
  });

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;
