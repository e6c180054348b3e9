// Where the lines of the audit log lie: files that are only ever appended to, one after the other for
// each stream, named by the number of their first line. An append is one write(2) a stream, done at
// once: with the kernel before the answer leaves. What a full disk took a part of is taken back. What a
// disk refused to keep (fsync) is still held in memory, and written again elsewhere before anything else.
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  openSync,
  rmSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { syncFolder } from "../../runtime/files.ts";
import { serverError } from "../errors.ts";
import { Bytes } from "./bytes.ts";
import type { AuditStream } from "./event.ts";

const DAY_MS = 24 * 3600 * 1000;
const SEQ_DIGITS = 12;
/** What the first line of a stream says of the one before. */
export const NO_HASH: string = "0".repeat(64);

const syncData = promisify(fdatasync);

/** Where a stream ends. */
export interface StreamEnd {
  /** Name of its last file; "" when there is none. */
  readonly file: string;
  /** Bytes of that file that are whole lines. */
  readonly bytes: number;
  /** Number of its last line; 0 when there is none. */
  readonly seq: number;
  /** Leaf hash of its last line, hexadecimal. */
  readonly hash: string;
}

interface Stream {
  readonly name: AuditStream;
  file: string;
  fd: number | undefined;
  bytes: number;
  seq: number;
  hash: string;
  /** Bytes of the file that are on the disk. */
  synced: number;
  /** Lines that the kernel has and the disk perhaps has not. */
  readonly unsynced: Bytes;
  /** Number of the first of them, if there are any. */
  unsyncedSeq: number;
  day: number;
  isSyncing: boolean;
  /** Nobody knows what the file holds after `synced`. */
  isBroken: boolean;
}

/** What the lines of a stream make of its end. */
export interface Written {
  readonly firstSeq: number;
  readonly seq: number;
  readonly hash: string;
}

/** A write to several streams: all of it counts, or none. */
export interface Writing {
  end(stream: AuditStream): { readonly seq: number; readonly hash: string };
  write(stream: AuditStream, lines: Uint8Array, written: Written): void;
  commit(): void;
  takeBack(): void;
}

/** The name of the file that begins with this line. */
export function fileName(stream: AuditStream, firstSeq: number): string {
  return `${stream}-${firstSeq.toString().padStart(SEQ_DIGITS, "0")}.jsonl`;
}

export class StreamFiles {
  readonly #folder: string;
  readonly #maxFileBytes: number;
  readonly #streams = new Map<AuditStream, Stream>();
  readonly #retired: number[] = [];
  #isFolderDirty = true;

  constructor(folder: string, maxFileBytes: number, ends: ReadonlyMap<AuditStream, StreamEnd>) {
    this.#folder = folder;
    this.#maxFileBytes = maxFileBytes;
    for (const [name, { file, bytes, seq, hash }] of ends) {
      const end = { file, bytes, seq, hash, synced: bytes };
      this.#streams.set(name, {
        ...end,
        name,
        fd: undefined,
        unsynced: new Bytes(),
        unsyncedSeq: 0,
        day: -1,
        isSyncing: false,
        isBroken: false,
      });
    }
  }

  /** Whether a file has to be mended before anything can be written. */
  get isBroken(): boolean {
    for (const { isBroken } of this.#streams.values()) if (isBroken) return true;
    return false;
  }

  ends(): Map<AuditStream, StreamEnd> {
    return new Map(
      [...this.#streams.values()].map(({ name, file, bytes, seq, hash }) => [
        name,
        { file, bytes, seq, hash },
      ]),
    );
  }

  /** Begins a write. @throws AUDIT_UNWRITABLE */
  begin(now: Date): Writing {
    if (this.isBroken) throw unwritable(new Error("a file is being mended"));
    const day = Math.floor(now.getTime() / DAY_MS);
    const touched: { stream: Stream; written: Written; length: number; held: number }[] = [];
    return {
      end: (name) => this.#of(name),
      write: (name, lines, written) => {
        const stream = this.#of(name);
        try {
          const fd = this.#fileFor(stream, written.firstSeq, day);
          const { length } = lines;
          const held = stream.unsynced.length;
          touched.push({ stream, written, length, held });
          if (held === 0) stream.unsyncedSeq = written.firstSeq;
          stream.unsynced.add(lines);
          const count = writeSync(fd, lines);
          if (count !== lines.length) throw new Error("the disk took a part only");
        } catch (cause) {
          throw unwritable(cause);
        }
      },
      commit: () => {
        for (const { stream, written, length } of touched) {
          stream.bytes += length;
          stream.seq = written.seq;
          stream.hash = written.hash;
        }
      },
      takeBack: () => {
        for (const { stream, held } of touched) {
          stream.unsynced.cut(held);
          try {
            if (stream.fd !== undefined) ftruncateSync(stream.fd, stream.bytes);
          } catch {
            stream.isBroken = true;
          }
        }
      },
    };
  }

  /** Brings everything to the disk. @throws AUDIT_UNWRITABLE */
  async sync(): Promise<void> {
    try {
      for (const stream of this.#streams.values()) if (stream.isBroken) this.#mend(stream);
      const dirty = [...this.#streams.values()].filter(({ unsynced }) => unsynced.length > 0);
      const results = await Promise.allSettled(dirty.map((stream) => this.#sync(stream)));
      for (const fd of this.#retired.splice(0)) closeQuietly(fd);
      for (const result of results) if (result.status === "rejected") throw result.reason;
      if (this.#isFolderDirty) {
        this.#isFolderDirty = false;
        await syncFolder(this.#folder).catch((error: unknown) => {
          this.#isFolderDirty = true;
          throw error;
        });
      }
    } catch (cause) {
      throw unwritable(cause);
    }
  }

  close(): void {
    for (const stream of this.#streams.values()) this.#close(stream);
  }

  async #sync(stream: Stream): Promise<void> {
    const { fd, bytes, unsyncedSeq } = stream;
    if (fd === undefined) return;
    const lines = stream.unsynced.take();
    stream.isSyncing = true;
    try {
      await syncData(fd);
      stream.synced = bytes;
    } catch (cause) {
      // What the kernel could not write it forgets, and calls the file clean.
      stream.unsynced.giveBack(lines);
      stream.unsyncedSeq = unsyncedSeq;
      stream.isBroken = true;
      throw cause;
    } finally {
      stream.isSyncing = false;
    }
  }

  #of(name: AuditStream): Stream {
    const stream = this.#streams.get(name);
    if (stream === undefined) throw new TypeError(`no stream ${name}`);
    return stream;
  }

  /** The file for the line with this number: the one that is open, or the next. */
  #fileFor(stream: Stream, firstSeq: number, day: number): number {
    if (stream.fd === undefined && stream.file !== "") {
      stream.fd = openSync(join(this.#folder, stream.file), "a", 0o600);
      stream.day = day;
    }
    const isFull = stream.bytes >= this.#maxFileBytes || stream.day !== day;
    // What fsync says of a file must find it as it was.
    const mayEnd = isFull && stream.bytes > 0 && !stream.isSyncing;
    if (stream.fd !== undefined && !mayEnd) return stream.fd;
    if (stream.fd !== undefined) this.#finish(stream, stream.fd);
    return this.#create(stream, firstSeq, day);
  }

  /** A file that is full: on the disk before another one goes on from it. */
  #finish(stream: Stream, fd: number): void {
    try {
      if (stream.unsynced.length > 0) fdatasyncSync(fd);
    } catch (cause) {
      stream.isBroken = true;
      throw cause;
    }
    stream.unsynced.take();
    stream.synced = stream.bytes;
    stream.fd = undefined;
    closeSync(fd);
  }

  #create(stream: Stream, firstSeq: number, day: number): number {
    const file = fileName(stream.name, firstSeq);
    // Exclusively: never one that is there, whoever left it.
    const fd = openSync(join(this.#folder, file), "ax", 0o600);
    Object.assign(stream, { fd, file, day, bytes: 0, synced: 0 });
    this.#isFolderDirty = true;
    return fd;
  }

  /** Cuts off what may or may not be there, and writes it anew into a file of its own. */
  #mend(stream: Stream): void {
    this.#close(stream);
    const path = join(this.#folder, stream.file);
    const fd = openSync(path, "r+");
    try {
      ftruncateSync(fd, stream.synced);
      fdatasyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (stream.unsynced.length === 0) stream.bytes = stream.synced;
    else {
      const file = fileName(stream.name, stream.unsyncedSeq);
      rmSync(join(this.#folder, file), { force: true });
      const next = openSync(join(this.#folder, file), "ax", 0o600);
      const lines = stream.unsynced.take();
      try {
        if (writeSync(next, lines) !== lines.length) throw new Error("the disk took a part only");
        fdatasyncSync(next);
      } catch (cause) {
        closeSync(next);
        stream.unsynced.giveBack(lines);
        throw cause;
      }
      Object.assign(stream, { fd: next, file, bytes: lines.length, synced: lines.length });
      this.#isFolderDirty = true;
    }
    stream.isBroken = false;
  }

  #close(stream: Stream): void {
    const { fd } = stream;
    if (fd === undefined) return;
    stream.fd = undefined;
    if (stream.isSyncing) this.#retired.push(fd);
    else closeQuietly(fd);
  }
}

/** What a file is told when it is closed, fsync has said, or is about to. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // It is closed.
  }
}

/** Why something that has to be in the log cannot be done now. */
function unwritable(cause: unknown): Error {
  if (cause instanceof Error && "reason" in cause) return cause;
  return serverError(
    "AUDIT_UNWRITABLE",
    "nothing is issued or changed while the audit log cannot be written",
    { hint: "free or repair the disk of the server's data_dir", cause },
  );
}
