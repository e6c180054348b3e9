// Looks for events in the files of a log: those of some streams, of a task, of a type, in the order of the
// log. Follows a log that is being written. What is found is not verified: verify.ts does that.
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { ulidIn } from "../../pki/task-id.ts";
import { type AuditStream, STREAMS } from "./event.ts";
import { type Line, listFiles, type NoLine, StreamReader } from "./reader.ts";
import { fileName } from "./stream-files.ts";

/** Which events. */
export interface EventQuery {
  /** None: all. */
  readonly streams?: readonly AuditStream[] | undefined;
  /** SPIFFE ID or ULID of a task. */
  readonly task?: string | undefined;
  /** With it those of tasks that came from it, too. */
  readonly tree?: boolean | undefined;
  readonly type?: string | undefined;
  readonly id?: string | undefined;
}

interface Start {
  readonly file: string;
  readonly bytes: number;
}

/** Where in each stream so many bytes are left, or all of it: in whichever of its files that is. */
export async function tailsOf(folder: string, bytes: number): Promise<Map<AuditStream, Start>> {
  const starts = new Map<AuditStream, Start>();
  for (const [stream, firsts] of await listFiles(folder)) {
    let left = bytes;
    for (const first of firsts.toReversed()) {
      const file = fileName(stream, first);
      const { size } = await stat(join(folder, file));
      starts.set(stream, { file, bytes: Math.max(0, size - left) });
      left -= size;
      if (left <= 0) break;
    }
  }
  return starts;
}

/** Reads some of the streams, in the order of the log. */
export class QueryReader {
  readonly #readers: readonly StreamReader[];
  readonly #heads: (Line | NoLine | undefined)[];
  readonly #matches: (line: Line) => boolean;

  /** From the beginning, or for each stream from a place of its own: what is cut there is passed over. */
  constructor(
    folder: string,
    query: EventQuery,
    starts: ReadonlyMap<AuditStream, Start> = new Map(),
  ) {
    const streams = query.streams?.length ? query.streams : STREAMS;
    this.#readers = streams.map((stream) => {
      const { file, bytes } = starts.get(stream) ?? { file: "", bytes: 0 };
      return new StreamReader(folder, stream, { file, bytes, seq: 0 });
    });
    this.#heads = streams.map(() => undefined);
    this.#matches = matcherOf(query);
  }

  /**
   * The events that there are now, of those before `limit`: what is written must not overtake what was
   * looked for a moment before. May be called again, for those that have come since.
   */
  async *read(limit: number = Number.POSITIVE_INFINITY): AsyncGenerator<Line, void, undefined> {
    for (const [i, reader] of this.#readers.entries()) this.#heads[i] = await reader.peek();
    for (;;) {
      const i = this.#first(limit);
      const line = this.#heads[i];
      if (line === undefined) return;
      this.#readers[i]?.take();
      this.#heads[i] = await this.#readers[i]?.peek();
      if ("seq" in line && this.#matches(line)) yield line;
    }
  }

  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
  }

  /** Which stream has the earliest: lines that cannot be read are passed over. */
  #first(limit: number): number {
    let first = -1;
    let lowest = limit;
    for (const [i, head] of this.#heads.entries()) {
      if (head === undefined || ("isTorn" in head && head.isTorn)) continue;
      if (!("seq" in head)) return i;
      if (head.index < lowest) [first, lowest] = [i, head.index];
    }
    return first;
  }
}

/** Whether a line is looked for; asked of every line in turn. */
function matcherOf({ task, tree = false, type, id }: EventQuery): (line: Line) => boolean {
  const tasks = task === undefined ? undefined : new Set([ulidOf(task)]);
  const typed = type === undefined ? undefined : Buffer.from(`","type":${JSON.stringify(type)},`);
  return (line) => {
    if (id !== undefined && line.id !== id) return false;
    if (typed !== undefined && !line.bytes.includes(typed)) return false;
    if (tasks === undefined) return true;
    if (!tree && !line.bytes.includes([...tasks][0] ?? "")) return false;
    const event = parseLine(line);
    const own = ulidOf(event.task);
    if (own !== "" && tasks.has(own)) return true;
    if (!tree || own === "") return false;
    if (!tasks.has(ulidOf(event.root)) && !tasks.has(ulidOf(event.parent))) return false;
    tasks.add(own);
    return true;
  };
}

/** An event as it stands in its line. */
export interface LoggedEvent {
  readonly id: string;
  readonly time: string;
  readonly stream: AuditStream;
  readonly seq: number;
  readonly index: number;
  readonly prev_hash: string;
  readonly type: string;
  readonly outcome: string;
  readonly observed_by: string;
  readonly observer: string;
  readonly agent?: string;
  readonly task?: string;
  readonly root?: string;
  readonly parent?: string;
  readonly principal?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly destination?: string;
  readonly reason?: string;
  readonly credential?: { readonly kind: string; readonly name: string };
  readonly detail?: Readonly<Record<string, string>>;
}

/** What a line says. Lines of our own hand are JSON; one that is not says nothing. */
export function parseLine({ bytes }: Pick<Line, "bytes">): LoggedEvent {
  try {
    return JSON.parse(bytes.toString()) as LoggedEvent;
  } catch {
    return {} as LoggedEvent;
  }
}

function ulidOf(task: unknown): string {
  return typeof task === "string" ? ulidIn(task) : "";
}
