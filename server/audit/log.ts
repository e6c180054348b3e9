// The audit log: events in streams, each stream a hash chain, all of them leaves of one Merkle tree in
// the order in which they were written. What is appended in one turn of the event loop, or the next, is written
// together, whole or not at all, before any answer that waits for it leaves. Where lines lie:
// stream-files.ts; how the log is found again after a crash: recovery.ts; how it is signed:
// checkpoints.ts. docs/audit.md is the format.
import { randomFillSync } from "node:crypto";
import type { Frontier } from "../../pki/merkle/frontier.ts";
import { HASH_BYTES, prefixedLeafHash } from "../../pki/merkle/hash.ts";
import { Ulids } from "../../pki/task-id.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { type AuditEvent, type AuditStream, checkEvent, lineParts, STREAMS } from "./event.ts";
import { openLog, type Recovered } from "./recovery.ts";
import type { StreamEnd, StreamFiles, Writing } from "./stream-files.ts";
import type { TreeFiles } from "./tree-files.ts";

export type { AuditEvent, AuditStream } from "./event.ts";

export interface AppendOptions {
  /** Wait until the event is on the disk itself, not only with the kernel. */
  readonly durable?: boolean;
}

/** What takes events: all that most parts of the server need to know of the log. */
export interface AuditSink {
  append(event: AuditEvent, options?: AppendOptions): Promise<void>;
}

export interface AuditLogOptions {
  /** Made 0700 if need be; whoever holds the store of the same server holds it too. */
  readonly folder: string;
  /** The server's SPIFFE ID: who has observed what the server itself appends. */
  readonly observer: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A second place of checkpoints, to which the end of the log is compared. */
  readonly checkpointFile?: string | undefined;
  /** How far the store is: told in events of tasks and administration, of which each follows a commit. */
  readonly storePosition?: (() => string) | undefined;
  /** When a stream goes on in another file. */
  readonly maxFileBytes?: number;
}

/** A log that ends before what was signed of it. */
export interface LogGap {
  readonly found: number;
  readonly signed: number;
}

/** A line that waits for its number: see lineParts. */
interface Pending {
  readonly stream: AuditStream;
  readonly head: string;
  readonly tail: string;
}

/** Lines that are written together. */
interface Group extends PromiseWithResolvers<void> {
  readonly lines: Pending[];
}

const SYNC_EVERY_MS = 1000;
const FIRST_BUFFER_BYTES = 64 * 1024;
const LARGEST_KEPT_BUFFER_BYTES = 4 * 1024 * 1024;
const LINE_END = 0x0a;

export class AuditLog implements AuditSink {
  readonly #options: AuditLogOptions;
  readonly #files: StreamFiles;
  readonly #treeFiles: TreeFiles;
  readonly #ids: Ulids;
  readonly #listeners = new Set<() => void>();
  /** Found at the start, if it was: the log ends before what was signed of it. */
  readonly gap: LogGap | undefined;
  readonly #tree: Frontier;
  #next: Group | undefined;
  #failure: unknown;
  #syncing: Promise<void> | undefined;
  #queued: Promise<void> | undefined;
  #timeText: readonly [ms: number, text: string] = [Number.NaN, ""];
  readonly #leaf = Buffer.alloc(HASH_BYTES);
  /** Where the lines of a group are put together, for each stream of it. */
  #buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);

  private constructor(options: AuditLogOptions, recovered: Recovered) {
    this.#options = options;
    this.#files = recovered.files;
    this.#treeFiles = recovered.treeFiles;
    this.#tree = recovered.tree;
    this.gap = recovered.gap;
    this.#ids = new Ulids((bytes) => randomFillSync(bytes));
  }

  /**
   * Opens the log, and continues where it ends: a line that a crash has torn is cut off.
   * @throws STORE_UNUSABLE, AUDIT_DAMAGED
   */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const recovered = await openLog(options);
    const log = new AuditLog(options, recovered);
    for (const event of recovered.events) await log.append(event, { durable: true });
    return log;
  }

  /** How many events there are. */
  get size(): number {
    return this.#tree.size;
  }

  /** The root of the tree over all events that are written. */
  root(): { readonly size: number; readonly root: Buffer } {
    return { size: this.#tree.size, root: this.#tree.root() };
  }

  /** The hashes from which proofs are made. */
  get hashes(): TreeFiles {
    return this.#treeFiles;
  }

  /** The tree as it is now, and where its lines end. */
  snapshot(): { readonly tree: Frontier; readonly ends: ReadonlyMap<AuditStream, StreamEnd> } {
    return { tree: this.#tree.copy(), ends: this.#files.ends() };
  }

  /** Who has observed what the server itself appends. */
  get observer(): string {
    return this.#options.observer;
  }

  get folder(): string {
    return this.#options.folder;
  }

  /** Why the last write failed, if it did: nothing is answered that has to be in the log until one succeeds. */
  get failure(): unknown {
    return this.#failure;
  }

  /**
   * Appends an event; resolves when it is written.
   * @throws AUDIT_UNWRITABLE: what it tells of must not take effect; AUDIT_EVENT_INVALID
   */
  async append(given: AuditEvent, { durable = false }: AppendOptions = {}): Promise<void> {
    const event = this.#placed(given);
    checkEvent(event);
    const { observer, clock } = this.#options;
    const time = event.time ?? clock.now();
    const id = event.id ?? this.#ids.next(time);
    const [head, tail] = lineParts(event, id, this.#textOf(time.getTime()), observer);
    await this.#add({ stream: event.stream, head, tail });
    if (durable) await this.sync();
  }

  /**
   * Appends events of our own making: what stands in their lines after `prev_hash`. Nothing of it is
   * checked. @throws AUDIT_UNWRITABLE
   */
  appendTails(stream: AuditStream, tails: readonly string[]): Promise<void> {
    const now = this.#options.clock.now();
    const between = `","time":"${this.#textOf(now.getTime())}","stream":"${stream}"`;
    let written: Promise<void> = Promise.resolve();
    for (const tail of tails) {
      const id = this.#ids.next(now);
      written = this.#add({ stream, head: `{"id":"${id}${between}`, tail });
    }
    return written;
  }

  /** Told that events have been written, until the returned function is called. */
  onWritten(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Brings everything that is written so far to the disk itself. @throws AUDIT_UNWRITABLE */
  sync(): Promise<void> {
    // One at a time; those who come while one is under way share the next.
    this.#queued ??= this.#startSync();
    return this.#queued;
  }

  /** Brings lines to the disk once a second, and mends files after a failure, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    while (!signal.aborted) {
      await this.sync().catch(() => undefined);
      if (this.#failure !== undefined && !this.#files.isBroken) await this.#resume();
      await clock.sleep(SYNC_EVERY_MS, signal).catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    this.#writeNext();
    await this.sync().catch(() => undefined);
    await this.#treeFiles.close();
    this.#files.close();
  }

  #add(line: Pending): Promise<void> {
    let group = this.#next;
    if (group === undefined) {
      group = { lines: [], ...Promise.withResolvers<void>() };
      this.#next = group;
      // A turn later: answers wait some microseconds, and calls that come one by one share a write.
      setImmediate(() => setImmediate(() => this.#writeNext()));
    }
    group.lines.push(line);
    return group.promise;
  }

  #writeNext(): void {
    const group = this.#next;
    if (group === undefined) return;
    this.#next = undefined;
    try {
      this.#write(group.lines);
      group.resolve();
    } catch (error) {
      this.#fail(error);
      group.reject(error);
      return;
    }
    this.#mend();
    for (const listener of this.#listeners) listener();
  }

  /** Numbers, chains and writes; either all of it is written and counted, or nothing is. */
  #write(lines: readonly Pending[]): void {
    const leaves = new Array<string>(lines.length);
    const writing = this.#files.begin(this.#options.clock.now());
    try {
      // By stream, each in one piece: nearly always there is one stream alone.
      for (const stream of streamsOf(lines)) this.#writeStream(stream, lines, leaves, writing);
    } catch (error) {
      writing.takeBack();
      throw error;
    }
    writing.commit();
    for (const leaf of leaves) {
      this.#leaf.write(leaf, "hex");
      this.#treeFiles.add(0, this.#leaf);
      this.#tree.append(this.#leaf, this.#addNode);
    }
    if (this.#buffer.length > LARGEST_KEPT_BUFFER_BYTES) {
      this.#buffer = Buffer.allocUnsafe(FIRST_BUFFER_BYTES);
    }
  }

  /** Writes those lines that are of one stream, and notes their hashes. */
  #writeStream(
    stream: AuditStream,
    lines: readonly Pending[],
    leaves: string[],
    writing: Writing,
  ): void {
    let at = 1;
    let { seq, hash } = writing.end(stream);
    const firstSeq = seq + 1;
    const firstIndex = this.#tree.size;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i];
      if (line === undefined || line.stream !== stream) continue;
      seq++;
      const text = `${line.head},"seq":${seq},"index":${firstIndex + i},"prev_hash":"${hash}"${line.tail}`;
      this.#reserve(at + text.length * 3 + 1, at);
      const end = at + this.#buffer.write(text, at);
      // The byte before the line is the end of the former one, and for a moment that of a leaf.
      const leaf = prefixedLeafHash(this.#buffer.subarray(at - 1, end));
      this.#buffer[at - 1] = LINE_END;
      leaves[i] = leaf;
      hash = leaf;
      this.#buffer[end] = LINE_END;
      at = end + 1;
    }
    writing.write(stream, this.#buffer.subarray(1, at), { firstSeq, seq, hash });
  }

  readonly #addNode = (height: number, hash: Buffer): void => this.#treeFiles.add(height, hash);

  #reserve(bytes: number, used: number): void {
    if (this.#buffer.length >= bytes) return;
    const larger = Buffer.allocUnsafe(Math.max(bytes, 2 * this.#buffer.length));
    this.#buffer.copy(larger, 0, 0, used);
    this.#buffer = larger;
  }

  async #startSync(): Promise<void> {
    // At least a moment, in which others join.
    do await this.#syncing?.catch(() => undefined);
    while (this.#syncing !== undefined);
    this.#queued = undefined;
    this.#syncing = this.#files.sync().then(() => this.#treeFiles.flush());
    try {
      await this.#syncing;
    } catch (error) {
      this.#fail(error);
      throw error;
    } finally {
      this.#syncing = undefined;
    }
  }

  /** Tries whether lines are taken again; that there was a time when they were not is one of them. */
  async #resume(): Promise<void> {
    await this.append({ stream: "admin", type: "audit.resumed", outcome: "ok" }).catch(
      () => undefined,
    );
  }

  #fail(error: unknown): void {
    if (this.#failure === undefined) {
      this.#options.log.error({ error }, "the audit log cannot be written: nothing is issued");
    }
    this.#failure = error;
  }

  #mend(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#options.log.info({}, "the audit log is written again");
  }

  /** Says how far the store is, where that shows which of the two is older: what others saw does not. */
  #placed(event: AuditEvent): AuditEvent {
    const { stream, observedBy = "issuer", detail } = event;
    const { storePosition } = this.#options;
    if (storePosition === undefined || observedBy !== "issuer") return event;
    if (stream !== "task" && stream !== "admin") return event;
    return { ...event, detail: { ...detail, store: storePosition() } };
  }

  #textOf(ms: number): string {
    if (this.#timeText[0] !== ms) this.#timeText = [ms, new Date(ms).toISOString()];
    return this.#timeText[1];
  }
}

/** The streams of some lines, in an order that is always the same. */
function streamsOf(lines: readonly Pending[]): readonly AuditStream[] {
  const [first] = lines;
  if (first === undefined) return [];
  if (lines.every(({ stream }) => stream === first.stream)) return [first.stream];
  return STREAMS.filter((stream) => lines.some((line) => line.stream === stream));
}
