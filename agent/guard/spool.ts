// Events on their way to the server: on the disk before anybody is told that they are written down, there
// until the server has them, across kill -9 and power failures. Files of records, numbered; new records are
// appended to the last and brought to the disk in groups; the first is sent whole (delivery.ts), then
// removed. Bounded: when it is full nothing is taken, so that guards refuse what they cannot write down.
//
// A record: the length of its payload (4 bytes), the CRC-32 of the rest (4), the length of the owner's name
// (2), the name, the payload. What a crash has left half-written at the end of a file was never acknowledged.

import { constants } from "node:fs";
import { type FileHandle, open, readdir, readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { ensureOwnDir, syncFolder } from "../../runtime/files.ts";
import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";

export interface SpoolOptions {
  /** The folder of its own. */
  readonly folder: string;
  /** Most bytes on the disk. */
  readonly limitBytes: number;
  readonly log: Logger;
}

/** A file of events that the server does not have yet. */
export interface Batch {
  readonly name: string;
  readonly payloads: readonly Uint8Array[];
}

interface Waiting {
  readonly owner: string;
  readonly records: readonly Buffer[];
  readonly bytes: number;
  readonly done: PromiseWithResolvers<void>;
}

interface OpenFile {
  readonly handle: FileHandle;
  readonly segment: Segment;
  bytes: number;
}

interface Segment {
  readonly name: string;
  /** What each owner has in it. */
  readonly owners: Map<string, number>;
}

const HEADER_BYTES = 10;
const MAX_SEGMENT_BYTES = 1024 * 1024;
/** What one owner may have of the whole, so that none shuts the others out. */
const OWNER_SHARE = 4;
const NAME = /^[0-9]{16}\.events$/;

export class Spool {
  readonly #options: SpoolOptions;
  readonly #segments: Segment[] = [];
  readonly #owned = new Map<string, number>();
  #bytes = 0;
  #nextNumber = 1;
  /** What is appended to, and how much it holds. */
  #file: OpenFile | undefined;
  #waiting: Waiting[] = [];
  #work: Promise<void> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** Told when there is something to send. */
  onAppended: () => void = () => {};

  private constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Opens the folder with what an earlier process has left. @throws FILE_EXPOSED, FILE_UNWRITABLE */
  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options);
    await ensureOwnDir(options.folder, 0o700);
    for (const name of (await readdir(options.folder)).filter((one) => NAME.test(one)).sort()) {
      const owners = new Map<string, number>();
      for (const { owner, bytes } of await spool.#read(name)) spool.#count(owners, owner, bytes);
      spool.#segments.push({ name, owners });
      spool.#nextNumber = Number.parseInt(name, 10) + 1;
    }
    return spool;
  }

  /** Bytes that the server does not have yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Resolves once these are on the disk.
   * @throws GUARD_SPOOL_FULL, GUARD_SPOOL_BROKEN
   */
  append(owner: string, payloads: readonly Uint8Array[]): Promise<void> {
    const records = payloads.map((payload) => recordOf(owner, payload));
    const bytes = records.reduce((sum, { length }) => sum + length, 0);
    const { limitBytes } = this.#options;
    const owned = (this.#owned.get(owner) ?? 0) + bytes;
    if (this.#bytes + bytes > limitBytes || owned > limitBytes / OWNER_SHARE) {
      throw agentError("GUARD_SPOOL_FULL", "too many events wait to be sent to the server", {
        hint: "check that the node agent reaches its server; guards refuse calls until there is room",
      });
    }
    if (this.#isClosed) throw broken(new Error("the node agent is stopping"));
    // Counted from now on, so that those who wait together do not pass the limit together.
    this.#bytes += bytes;
    this.#owned.set(owner, owned);
    const done = Promise.withResolvers<void>();
    this.#waiting.push({ owner, records, bytes, done });
    this.#work ??= this.#writeAll();
    return done.promise;
  }

  /** The oldest events that the server does not have; undefined when it has all. */
  async first(): Promise<Batch | undefined> {
    const [segment] = this.#segments;
    if (segment === undefined) return undefined;
    // What is sent is removed as a whole: nothing more is appended to it.
    if (this.#file?.segment === segment) await this.#inTurn(() => this.#finish());
    const records = await this.#read(segment.name);
    return { name: segment.name, payloads: records.map(({ payload }) => payload) };
  }

  /** The server has these. */
  async remove({ name }: Batch): Promise<void> {
    const at = this.#segments.findIndex((segment) => segment.name === name);
    const [segment] = at < 0 ? [] : this.#segments.splice(at, 1);
    if (segment === undefined) return;
    for (const [owner, bytes] of segment.owners) this.#uncount(owner, bytes);
    // Not brought to the disk: what comes back after a crash is sent again, and known to the server.
    await unlink(join(this.#options.folder, name)).catch((error: unknown) =>
      this.#options.log.warn({ error, file: name }, "a file of sent events stays"),
    );
  }

  /** Takes no more, and brings what it has taken to the disk. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#work;
    await this.#inTurn(() => this.#finish());
  }

  /** One group after another: all that came while one was brought to the disk go with the next. */
  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      try {
        await this.#inTurn(() => this.#write(group));
        for (const { done } of group) done.resolve();
        this.onAppended();
      } catch (cause) {
        for (const { owner, bytes } of group) this.#uncount(owner, bytes);
        const error = broken(cause);
        this.#options.log.error({ error }, "events cannot be written down");
        for (const { done } of group) done.reject(error);
      }
    }
    // In the turn in which the last was answered: who appends then starts it anew.
    this.#work = undefined;
  }

  async #write(group: readonly Waiting[]): Promise<void> {
    if (this.#file !== undefined && this.#file.bytes >= MAX_SEGMENT_BYTES) await this.#finish();
    this.#file ??= await this.#create();
    const file = this.#file;
    const bytes = Buffer.concat(group.flatMap(({ records }) => records));
    try {
      await file.handle.appendFile(bytes);
      await file.handle.datasync();
    } catch (error) {
      // What came to the disk of it is unknown, and asking again would not tell: never written to again.
      if (this.#file === file) this.#file = undefined;
      await file.handle.close().catch(() => undefined);
      throw error;
    }
    file.bytes += bytes.length;
    for (const { owner, bytes: size } of group) {
      file.segment.owners.set(owner, (file.segment.owners.get(owner) ?? 0) + size);
    }
  }

  async #create(): Promise<OpenFile> {
    const name = `${String(this.#nextNumber).padStart(16, "0")}.events`;
    this.#nextNumber += 1;
    const { O_APPEND, O_CREAT, O_EXCL, O_WRONLY } = constants;
    const path = join(this.#options.folder, name);
    const handle = await open(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, 0o600);
    try {
      await syncFolder(this.#options.folder);
    } catch (error) {
      await handle.close();
      throw error;
    }
    const segment: Segment = { name, owners: new Map() };
    this.#segments.push(segment);
    return { handle, segment, bytes: 0 };
  }

  /** Nothing closes a file while a group is written to it. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #finish(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }

  async #read(name: string): Promise<{ owner: string; bytes: number; payload: Uint8Array }[]> {
    const bytes = await readFile(join(this.#options.folder, name));
    const records: { owner: string; bytes: number; payload: Uint8Array }[] = [];
    let at = 0;
    while (at + HEADER_BYTES <= bytes.length) {
      const payloadLength = bytes.readUInt32BE(at);
      const ownerLength = bytes.readUInt16BE(at + 8);
      const end = at + HEADER_BYTES + ownerLength + payloadLength;
      if (end > bytes.length || crc32(bytes.subarray(at + 8, end)) !== bytes.readUInt32BE(at + 4)) {
        this.#options.log.warn(
          { file: name, at },
          "a file of events ends in what was half-written",
        );
        break;
      }
      const ownerEnd = at + HEADER_BYTES + ownerLength;
      const owner = bytes.toString("utf8", at + HEADER_BYTES, ownerEnd);
      records.push({ owner, bytes: end - at, payload: bytes.subarray(ownerEnd, end) });
      at = end;
    }
    return records;
  }

  #count(owners: Map<string, number>, owner: string, bytes: number): void {
    owners.set(owner, (owners.get(owner) ?? 0) + bytes);
    this.#owned.set(owner, (this.#owned.get(owner) ?? 0) + bytes);
    this.#bytes += bytes;
  }

  #uncount(owner: string, bytes: number): void {
    this.#bytes -= bytes;
    const left = (this.#owned.get(owner) ?? 0) - bytes;
    if (left > 0) this.#owned.set(owner, left);
    else this.#owned.delete(owner);
  }
}

function recordOf(owner: string, payload: Uint8Array): Buffer {
  const name = Buffer.from(owner);
  const record = Buffer.alloc(HEADER_BYTES + name.length + payload.length);
  record.writeUInt32BE(payload.length, 0);
  record.writeUInt16BE(name.length, 8);
  name.copy(record, HEADER_BYTES);
  record.set(payload, HEADER_BYTES + name.length);
  record.writeUInt32BE(crc32(record.subarray(8)), 4);
  return record;
}

function broken(cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  return agentError("GUARD_SPOOL_BROKEN", `events cannot be written down: ${why}`, {
    hint: "check the disk below the node agent's data_dir",
    cause,
  });
}
