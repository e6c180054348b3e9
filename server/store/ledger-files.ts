// Where the ledger of issued documents lies: files that are only ever appended to, one for what expires
// in the same bucket, deleted whole. Neither the ordered log nor `level`: what is issued is not decided
// over or watched, and a commit costs more there than a signature does. An append is one write(2), done
// at once: it is with the kernel before the document leaves, so that a process that is killed loses
// nothing; a machine that loses its power may lose what `sync` had not reached yet. Frames: u32 length,
// u32 CRC-32, the block. No file is appended to by two processes, so a torn frame is the end of its file.

import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  writeSync,
} from "node:fs";
import { chmod, readdir, readFile, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import type { IdentityError } from "../../pki/errors.ts";
import { syncFolder } from "../../runtime/files.ts";
import { serverError } from "../errors.ts";

const HEAD_BYTES = 8;
const MAX_BLOCK_BYTES = 64 * 1024 * 1024;
/** Files open at a time; lifetimes are few, and with them the buckets that are written to. */
const MAX_OPEN = 32;
const NAME = /^([0-9a-f]{8})-([0-9a-f]{8})\.ledger$/;

const syncData = promisify(fdatasync);
const scratch = Buffer.alloc(64 * 1024);

interface OpenFile {
  readonly fd: number;
  isDirty: boolean;
  /** Being brought to the disk: its descriptor is in use. */
  isSyncing: boolean;
}

/** Reads a block; throws when it makes no sense. */
export type TakeBlock = (file: string, bucket: number, block: Uint8Array) => void;

export class LedgerFiles {
  readonly #folder: string;
  /** By bucket, the one opened first comes first. */
  readonly #open = new Map<number, OpenFile>();
  /** By bucket, the names of its files. */
  readonly #names = new Map<number, string[]>();
  #number: number;
  #isFolderDirty = false;
  #mustSync = false;

  private constructor(folder: string, names: Map<number, string[]>, number: number) {
    this.#folder = folder;
    this.#names = names;
    this.#number = number;
  }

  /**
   * Opens the ledger in `folder`, which is made 0700 if need be; whoever holds the store of the same
   * server holds it too. `take` is given every block of the buckets from `oldest` on.
   * @throws STORE_UNUSABLE
   */
  static async open(folder: string, oldest: number, take: TakeBlock): Promise<LedgerFiles> {
    const names = new Map<number, string[]>();
    let number = 0;
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      await chmod(folder, 0o700);
      await syncFolder(dirname(resolve(folder)));
      for (const name of (await readdir(folder)).sort()) {
        const [, bucketDigits, numberDigits] = NAME.exec(name) ?? [];
        if (bucketDigits === undefined || numberDigits === undefined) continue;
        const bucket = Number.parseInt(bucketDigits, 16);
        number = Math.max(number, Number.parseInt(numberDigits, 16) + 1);
        names.set(bucket, [...(names.get(bucket) ?? []), name]);
        if (bucket < oldest) continue;
        const path = join(folder, name);
        for (const block of framesOf(await readFile(path))) take(path, bucket, block);
      }
    } catch (cause) {
      if (!(cause instanceof Error && "syscall" in cause)) throw cause;
      throw serverError(
        "STORE_UNUSABLE",
        `cannot read the ledger in "${folder}": ${cause.message}`,
        {
          hint: "check the folder's owner, its permissions and the disk",
          cause,
        },
      );
    }
    return new LedgerFiles(folder, names, number);
  }

  /** Appends a block, whole or not at all. @throws LEDGER_UNWRITABLE */
  append(bucket: number, block: Uint8Array): void {
    try {
      const file = this.#fileOf(bucket);
      const length = HEAD_BYTES + block.length;
      // Written before this returns: one buffer serves them all.
      const frame =
        length <= scratch.length ? scratch.subarray(0, length) : Buffer.allocUnsafe(length);
      frame.writeUInt32LE(block.length, 0);
      frame.writeUInt32LE(crc32(block), 4);
      frame.set(block, HEAD_BYTES);
      file.isDirty = true;
      const written = writeSync(file.fd, frame);
      if (written !== frame.length) this.#takeBack(bucket, file, written);
    } catch (cause) {
      if (cause instanceof Error && "reason" in cause) throw cause;
      throw unwritable(cause);
    }
  }

  /** Brings what was appended to the disk itself. @throws LEDGER_UNWRITABLE */
  async sync(): Promise<void> {
    const dirty = [...this.#open].filter(([, { isDirty }]) => isDirty);
    try {
      for (const [bucket, file] of dirty) {
        if (this.#open.get(bucket) !== file) continue; // made room meanwhile, and is on the disk
        file.isDirty = false;
        file.isSyncing = true;
        await syncData(file.fd).finally(() => {
          file.isSyncing = false;
        });
      }
      if (this.#isFolderDirty) await syncFolder(this.#folder);
      this.#isFolderDirty = false;
      this.#mustSync = false;
    } catch (cause) {
      // What the kernel could not write it forgets: nobody knows what these files hold any more.
      for (const [bucket] of dirty) this.#close(bucket);
      this.#mustSync = true;
      throw unwritable(cause);
    }
  }

  /** Whether the disk failed when it was last asked: what is appended must be brought there at once. */
  get mustSync(): boolean {
    return this.#mustSync;
  }

  /** Deletes the files of the buckets before this one. */
  async dropBefore(bucket: number): Promise<void> {
    for (const [old, names] of [...this.#names]) {
      if (old >= bucket) continue;
      this.#close(old);
      for (const name of names) await unlink(join(this.#folder, name));
      this.#names.delete(old);
    }
  }

  async close(): Promise<void> {
    try {
      await this.sync();
    } finally {
      for (const bucket of [...this.#open.keys()]) this.#close(bucket);
    }
  }

  #fileOf(bucket: number): OpenFile {
    const known = this.#open.get(bucket);
    if (known !== undefined) return known;
    this.#makeRoom();
    const name = `${digits(bucket)}-${digits(this.#number++)}.ledger`;
    // Exclusively: never one that is there, whoever left it.
    const fd = openSync(join(this.#folder, name), "ax", 0o600);
    const file = { fd, isDirty: true, isSyncing: false };
    this.#isFolderDirty = true;
    this.#names.set(bucket, [...(this.#names.get(bucket) ?? []), name]);
    this.#open.set(bucket, file);
    return file;
  }

  /** Closes the files that were opened first. What `sync` would have brought to the disk goes there now. */
  #makeRoom(): void {
    for (const [oldest, { fd, isDirty, isSyncing }] of this.#open) {
      if (this.#open.size < MAX_OPEN) return;
      if (isSyncing) continue;
      if (isDirty) fdatasyncSync(fd);
      this.#close(oldest);
    }
  }

  /** A full disk may take a part: it is cut off again, or the file is left for good. */
  #takeBack(bucket: number, { fd }: OpenFile, written: number): never {
    try {
      ftruncateSync(fd, fstatSync(fd).size - written);
    } catch {
      this.#close(bucket);
    }
    throw unwritable(new Error("the disk took a part only"));
  }

  #close(bucket: number): void {
    const file = this.#open.get(bucket);
    if (file === undefined) return;
    this.#open.delete(bucket);
    closeSync(file.fd);
  }
}

/** The frames of a file up to its end, or to the first that is not whole. */
function* framesOf(file: Buffer): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at + HEAD_BYTES <= file.length; ) {
    const length = file.readUInt32LE(at);
    const block = file.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
    if (length > MAX_BLOCK_BYTES || block.length !== length) return;
    if (crc32(block) !== file.readUInt32LE(at + 4)) return;
    yield block;
    at += HEAD_BYTES + length;
  }
}

function digits(value: number): string {
  return value.toString(16).padStart(8, "0");
}

function unwritable(cause: unknown): IdentityError {
  return serverError(
    "LEDGER_UNWRITABLE",
    "nothing is issued while the ledger of what was issued cannot be written",
    { hint: "free or repair the disk of the server's data_dir", cause },
  );
}
