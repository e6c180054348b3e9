// The hashes of the Merkle tree from which proofs are made: of every leaf, and of every complete
// subtree of 2^8, 2^16, ... leaves. What is between is computed from at most 255 of them. Files of
// 32-byte hashes, only ever appended to. All of it follows from the lines: what is lost is made anew.
import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { HASH_BYTES } from "../../pki/merkle/hash.ts";
import { Bytes } from "./bytes.ts";

/** Heights of which hashes are kept: enough for 2^40 events. */
const STEP = 8;
const HEIGHTS = [0, 8, 16, 24, 32] as const;

interface Level {
  readonly height: number;
  readonly file: FileHandle;
  /** Hashes in the file. */
  stored: number;
  /** Hashes that are to be stored. */
  readonly waiting: Bytes;
}

/** The name of the file of one height. */
export function treeFileName(height: number): string {
  return `tree-${height.toString().padStart(2, "0")}`;
}

export class TreeFiles {
  readonly #levels: readonly Level[];

  private constructor(levels: readonly Level[]) {
    this.#levels = levels;
  }

  /** Opens the files for a tree of this size; hashes of later leaves are cut off. */
  static async open(folder: string, size: number): Promise<TreeFiles> {
    const levels: Level[] = [];
    for (const height of HEIGHTS) {
      const path = join(folder, treeFileName(height));
      const file = await open(path, "r+").catch(() => open(path, "wx+", 0o600));
      const stored = Math.floor(size / 2 ** height);
      await file.truncate(stored * HASH_BYTES);
      levels.push({ height, file, stored, waiting: new Bytes() });
    }
    return new TreeFiles(levels);
  }

  /** Whether the files of a folder hold a tree of this size. */
  static async reaches(folder: string, size: number): Promise<boolean> {
    for (const height of HEIGHTS) {
      const wanted = Math.floor(size / 2 ** height) * HASH_BYTES;
      if (wanted === 0) continue;
      const there = await stat(join(folder, treeFileName(height))).then(
        (status) => status.size,
        () => 0,
      );
      if (there < wanted) return false;
    }
    return true;
  }

  /** Takes the hash of the next node of a height; of heights that are not kept it is dropped. */
  add(height: number, hash: Uint8Array): void {
    if (height % STEP === 0) this.#levels[height / STEP]?.waiting.add(hash);
  }

  /** Stores what it was given. One at a time. */
  async flush(): Promise<void> {
    for (const level of this.#levels) {
      const { waiting, stored, file } = level;
      const bytes = waiting.take();
      if (bytes.length === 0) continue;
      try {
        // At its place, so that a write that failed in the middle is done over.
        const { bytesWritten } = await file.write(bytes, 0, bytes.length, stored * HASH_BYTES);
        if (bytesWritten !== bytes.length) throw new Error("the disk took a part only");
      } catch (cause) {
        waiting.giveBack(bytes);
        throw cause;
      }
      level.stored += bytes.length / HASH_BYTES;
    }
  }

  /** Brings what is stored to the disk. */
  async sync(): Promise<void> {
    for (const { file } of this.#levels) await file.datasync();
  }

  /** Hashes of nodes of one of the kept heights, from one on. */
  async read(height: number, index: number, count: number): Promise<Buffer> {
    const level = this.#levels.find((one) => one.height === height);
    if (level === undefined || index + count > level.stored) {
      throw new RangeError(`no hashes ${index} to ${index + count} of height ${height}`);
    }
    const bytes = Buffer.allocUnsafe(count * HASH_BYTES);
    const { bytesRead } = await level.file.read(bytes, 0, bytes.length, index * HASH_BYTES);
    if (bytesRead !== bytes.length) throw new RangeError("a file of hashes is shorter than it was");
    return bytes;
  }

  async close(): Promise<void> {
    await this.flush().catch(() => undefined);
    for (const { file } of this.#levels) await file.close();
  }
}
