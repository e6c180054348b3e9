// Reads the whole log in its order: the lines of all streams, by their place in the tree. Holds a line of
// each stream at a time, however long the log is.
import { type AuditStream, STREAMS } from "./event.ts";
import { type Line, type NoLine, StreamReader } from "./reader.ts";
import { NO_HASH, type StreamEnd } from "./stream-files.ts";

/** Before the first line. */
export const NO_END: StreamEnd = { file: "", bytes: 0, seq: 0, hash: NO_HASH };

/** Where every stream begins. */
export function noEnds(): Map<AuditStream, StreamEnd> {
  return new Map(STREAMS.map((stream) => [stream, NO_END]));
}

export class LogReader {
  readonly #readers: readonly StreamReader[];
  readonly #heads: (Line | NoLine | undefined)[] = [];
  /** The stream of the line before, which is often that of the next. */
  #last = 0;
  #isPrimed = false;

  constructor(folder: string, ends: ReadonlyMap<AuditStream, StreamEnd> = noEnds()) {
    this.#readers = STREAMS.map((stream) => {
      return new StreamReader(folder, stream, ends.get(stream) ?? NO_END);
    });
  }

  /** The line with this place, if one of the streams has it next. */
  async at(index: number): Promise<Line | undefined> {
    if (!this.#isPrimed) await this.#look();
    const found = this.#find(index);
    if (found !== undefined) return found;
    // Perhaps it has been written since.
    await this.#look();
    return this.#find(index);
  }

  /** Goes on behind a line that was found. */
  async take(): Promise<void> {
    const reader = this.#readers[this.#last];
    reader?.take();
    this.#heads[this.#last] = await reader?.peek();
  }

  /** What each stream has next, of those that have something. */
  heads(): { readonly stream: AuditStream; readonly head: Line | NoLine }[] {
    return this.#readers.flatMap(({ stream }, i) => {
      const head = this.#heads[i];
      return head === undefined ? [] : [{ stream, head }];
    });
  }

  /** Goes on in one stream, whatever it has next. */
  async skip(stream: AuditStream): Promise<void> {
    this.#last = STREAMS.indexOf(stream);
    await this.take();
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
  }

  async #look(): Promise<void> {
    this.#isPrimed = true;
    for (const [i, reader] of this.#readers.entries()) this.#heads[i] = await reader.peek();
  }

  #find(index: number): Line | undefined {
    for (let i = 0; i < this.#heads.length; i++) {
      const at = (this.#last + i) % this.#heads.length;
      const head = this.#heads[at];
      if (head === undefined || !("index" in head) || head.index !== index) continue;
      this.#last = at;
      return head;
    }
    return undefined;
  }
}
