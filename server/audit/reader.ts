// Reads the lines of a stream from its files, one after the other, also while they are being written: at
// the end it answers that there is none, and may be asked again. Nothing of a line is trusted: what is
// not a line of ours comes out as what it is. Also what `signet audit` reads with.
import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { type AuditStream, STREAMS } from "./event.ts";
import { fileName } from "./stream-files.ts";

const CHUNK_BYTES = 256 * 1024;
/** A line with every value at its longest is shorter. */
const MAX_LINE_BYTES = 1024 * 1024;
const LINE_END = 0x0a;
const HEAD_LENGTH = 320;
const HEAD =
  /^\{"id":"([0-7][0-9A-HJKMNP-TV-Z]{25})","time":"([^"]{24,27})","stream":"([a-z_]{1,20})","seq":([1-9]\d{0,14}),"index":(0|[1-9]\d{0,14}),"prev_hash":"([0-9a-f]{64})",/;
const FILE_NAME = /^([a-z_]+)-(\d{12,15})\.jsonl$/;

/** Where a line is. */
export interface Place {
  readonly file: string;
  readonly offset: number;
}

/** A line of ours, by how it begins. */
export interface Line extends Place {
  readonly id: string;
  readonly time: string;
  readonly stream: AuditStream;
  readonly seq: number;
  readonly index: number;
  readonly prevHash: string;
  /** Without the line end. */
  readonly bytes: Buffer;
  /** Where the next one begins. */
  readonly end: number;
}

/** Bytes that are no line of this stream, or a line without its end. */
export interface NoLine extends Place {
  readonly isTorn: boolean;
  readonly bytes: Buffer;
}

/** The files of each stream, by the number of their first line. */
export async function listFiles(folder: string): Promise<Map<AuditStream, number[]>> {
  const files = new Map<AuditStream, number[]>(STREAMS.map((stream) => [stream, []]));
  for (const name of await readdir(folder)) {
    const [, stream, digits] = FILE_NAME.exec(name) ?? [];
    if (digits !== undefined) files.get(stream as AuditStream)?.push(Number(digits));
  }
  for (const firsts of files.values()) firsts.sort((a, b) => a - b);
  return files;
}

export class StreamReader {
  readonly #folder: string;
  readonly #stream: AuditStream;
  #file: string;
  #handle: FileHandle | undefined;
  /** Where in the file the bytes begin that are held. */
  #offset: number;
  #held: Buffer = Buffer.alloc(0);
  #seq: number;
  #next: Line | NoLine | undefined;

  /** Reads from a place on; `seq` is the number of the line before it. */
  constructor(
    folder: string,
    stream: AuditStream,
    from: { readonly file: string; readonly bytes: number; readonly seq: number },
  ) {
    this.#folder = folder;
    this.#stream = stream;
    this.#file = from.file;
    this.#offset = from.bytes;
    this.#seq = from.seq;
  }

  get stream(): AuditStream {
    return this.#stream;
  }

  /** The file that is being read. */
  get file(): string {
    return this.#file;
  }

  /** The next line, which stays the next; undefined when there is none so far. */
  async peek(): Promise<Line | NoLine | undefined> {
    // What has no end may have got one.
    if (this.#next !== undefined && !("isTorn" in this.#next && this.#next.isTorn))
      return this.#next;
    this.#next = await this.#read();
    return this.#next;
  }

  /** Goes on behind the line that was looked at. */
  take(): void {
    const line = this.#next;
    if (line === undefined) return;
    const length = line.bytes.length + 1;
    this.#held = this.#held.subarray(length);
    this.#offset += length;
    if ("seq" in line) this.#seq = line.seq;
    this.#next = undefined;
  }

  async close(): Promise<void> {
    await this.#handle?.close();
    this.#handle = undefined;
  }

  async #read(): Promise<Line | NoLine | undefined> {
    for (;;) {
      const end = this.#held.indexOf(LINE_END);
      if (end >= 0) return this.#lineOf(this.#held.subarray(0, end));
      if (this.#held.length > MAX_LINE_BYTES) return this.#noLine(this.#held, true);
      if (await this.#more()) continue;
      if (this.#held.length > 0) return this.#noLine(this.#held, true);
      if (!(await this.#nextFile())) return undefined;
    }
  }

  async #more(): Promise<boolean> {
    if (this.#file === "") return false;
    this.#handle ??= await open(join(this.#folder, this.#file), "r");
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const from = this.#offset + this.#held.length;
    const { bytesRead } = await this.#handle.read(chunk, 0, chunk.length, from);
    if (bytesRead === 0) return false;
    const read = chunk.subarray(0, bytesRead);
    this.#held = this.#held.length === 0 ? read : Buffer.concat([this.#held, read]);
    return true;
  }

  /** The file that goes on: the one named by the next number, or else by any later one. */
  async #nextFile(): Promise<boolean> {
    const name = fileName(this.#stream, this.#seq + 1);
    const firsts = (await listFiles(this.#folder)).get(this.#stream) ?? [];
    const next = firsts
      .map((first) => fileName(this.#stream, first))
      .find((one) => one >= name && one > this.#file);
    if (next === undefined) return false;
    await this.close();
    this.#file = next;
    this.#offset = 0;
    return true;
  }

  #lineOf(bytes: Buffer): Line | NoLine {
    const head = HEAD.exec(bytes.toString("latin1", 0, HEAD_LENGTH));
    const [, id = "", time = "", stream, seq, index, prevHash = ""] = head ?? [];
    if (head === null || stream !== this.#stream) return this.#noLine(bytes, false);
    return {
      id,
      time,
      stream: this.#stream,
      seq: Number(seq),
      index: Number(index),
      prevHash,
      bytes,
      file: this.#file,
      offset: this.#offset,
      end: this.#offset + bytes.length + 1,
    };
  }

  #noLine(bytes: Buffer, isTorn: boolean): NoLine {
    return { bytes, isTorn, file: this.#file, offset: this.#offset };
  }
}
