// Verifies a log from its files alone: every chain, every number, the tree, and each signed checkpoint.
// Reads the log once, a line of each stream at a time, and also while the server writes it. Stops at the
// first event that is wrong, and says what was done to it. What each finding means: docs/audit.md.
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { Frontier } from "../../pki/merkle/frontier.ts";
import { HASH_BYTES, leafHash } from "../../pki/merkle/hash.ts";
import type { VerifierKey } from "../../pki/merkle/note.ts";
import type { AuditStream } from "./event.ts";
import { LogReader } from "./log-reader.ts";
import { parseLine } from "./query.ts";
import type { Line, NoLine } from "./reader.ts";
import { type KnownCheckpoint, openCheckpoints, type SourceNote } from "./signed.ts";
import { NO_HASH } from "./stream-files.ts";
import { treeFileName } from "./tree-files.ts";

/** What was done to a log. */
export type DamageKind =
  | "changed"
  | "deleted"
  | "reordered"
  | "truncated"
  | "rewritten"
  | "checkpoint-forged";

/** What is wrong, and where. */
export interface Damage {
  readonly kind: DamageKind;
  readonly message: string;
  readonly stream?: AuditStream | undefined;
  readonly seq?: number | undefined;
  readonly index?: number | undefined;
  readonly id?: string | undefined;
  /** Where to look, with the offset in bytes. */
  readonly file?: string | undefined;
  readonly offset?: number | undefined;
}

export interface VerifyOptions {
  readonly folder: string;
  readonly keys: readonly VerifierKey[];
  /** Signed checkpoints that were kept elsewhere, and those beside the log. */
  readonly notes: readonly SourceNote[];
  readonly onProgress?: (events: number) => void;
  /** Asked for each line: answers are for who wants more of the log than whether it is whole. */
  readonly onLine?: (line: Line) => void;
}

/** What was found. */
export interface Verified {
  readonly damages: readonly Damage[];
  /** Events that were read and found whole. */
  readonly size: number;
  readonly root: Buffer;
  readonly streams: ReadonlyMap<AuditStream, number>;
  /** Checkpoints whose signature and root are right. */
  readonly checkpoints: number;
  /** Of the largest of them. */
  readonly signedSize: number;
  readonly remarks: readonly string[];
}

const PROGRESS_EVERY = 100_000;
/** Lines that are looked through for one that stands elsewhere. */
const LOOK_AHEAD = 1000;
const GAP = Buffer.from('"type":"audit.gap"');

interface End {
  seq: number;
  hash: string;
  last: Line | undefined;
}

/** Verifies the log in a folder. */
export async function verifyLog(options: VerifyOptions): Promise<Verified> {
  const verification = new Verification(options);
  try {
    return await verification.run();
  } finally {
    await verification.close();
  }
}

class Verification {
  readonly #options: VerifyOptions;
  readonly #reader: LogReader;
  readonly #tree = new Frontier();
  readonly #ends = new Map<AuditStream, End>();
  readonly #damages: Damage[] = [];
  readonly #remarks: string[] = [];
  /** Losses that the server itself has noted. */
  readonly #gaps: { readonly found: number; readonly signed: number; readonly line: Line }[] = [];
  #leaves: FileHandle | undefined;
  #leafBlock: { readonly first: number; readonly bytes: Buffer } | undefined;
  #good = 0;
  #signedSize = 0;

  constructor(options: VerifyOptions) {
    this.#options = options;
    this.#reader = new LogReader(options.folder);
  }

  async run(): Promise<Verified> {
    const { folder, keys, notes } = this.#options;
    const { checkpoints, forged } = openCheckpoints(notes, keys);
    for (const { source, problem } of forged) {
      this.#damages.push({
        kind: "checkpoint-forged",
        message: `${source}: ${problem}`,
        file: source,
      });
    }
    this.#leaves = await open(join(folder, treeFileName(0)), "r").catch(() => undefined);
    if (await this.#readAll(checkpoints)) this.#finish(checkpoints);
    const streams = [...this.#ends].map(([stream, { seq }]): [AuditStream, number] => [
      stream,
      seq,
    ]);
    return {
      damages: this.#damages,
      size: this.#tree.size,
      root: this.#tree.root(),
      streams: new Map(streams),
      checkpoints: this.#good,
      signedSize: this.#signedSize,
      remarks: this.#remarks,
    };
  }

  async close(): Promise<void> {
    await this.#reader.close();
    await this.#leaves?.close();
  }

  /** Reads to the end; answers false when something was found that makes going on pointless. */
  async #readAll(checkpoints: readonly KnownCheckpoint[]): Promise<boolean> {
    const due = [...checkpoints].sort((a, b) => a.size - b.size);
    for (;;) {
      while (due[0] !== undefined && due[0].size === this.#tree.size) {
        const checkpoint = due.shift();
        if (checkpoint !== undefined && !this.#matches(checkpoint)) return false;
      }
      const line = await this.#reader.at(this.#tree.size);
      if (line === undefined) break;
      if (!(await this.#check(line))) return false;
      this.#options.onLine?.(line);
      if (this.#tree.size % PROGRESS_EVERY === 0) this.#options.onProgress?.(this.#tree.size);
    }
    const rest = this.#reader.heads();
    if (rest.length === 0) return true;
    const damage = await this.#explain(rest);
    if (damage === undefined) return true;
    this.#damages.push(damage);
    return false;
  }

  /** A line that says of itself that it is the next: is it what its stream and the tree expect? */
  async #check(line: Line): Promise<boolean> {
    const end = this.#ends.get(line.stream) ?? { seq: 0, hash: NO_HASH, last: undefined };
    if (line.seq !== end.seq + 1) {
      const damage = await this.#explain([{ stream: line.stream, head: line }]);
      this.#damages.push(damage ?? changed(line));
      return false;
    }
    if (line.prevHash !== end.hash) {
      this.#damages.push(await this.#brokenLink(end.last, line));
      return false;
    }
    const leaf = leafHash(line.bytes);
    await this.#reader.take();
    const stored = await this.#storedLeaf(line.index);
    if (stored !== undefined && !stored.equals(leaf)) {
      const next = this.#reader.heads().find(({ stream }) => stream === line.stream)?.head;
      const follows = next !== undefined && "seq" in next && next.seq === line.seq + 1;
      if (follows && next.prevHash === leaf.toString("hex")) {
        this.#remark(`${treeFileName(0)} does not have the hash of event ${line.index}`);
      } else {
        this.#damages.push(changed(line));
        return false;
      }
    }
    if (line.bytes.includes(GAP)) this.#noteGap(line);
    this.#tree.append(leaf);
    this.#ends.set(line.stream, { seq: line.seq, hash: leaf.toString("hex"), last: line });
    return true;
  }

  /** Of two lines, one of which was changed: the hash of the first, where it is stored, tells which. */
  async #brokenLink(last: Line | undefined, line: Line): Promise<Damage> {
    if (last === undefined) return changed(line);
    const stored = await this.#storedLeaf(last.index);
    if (stored?.toString("hex") === line.prevHash) return changed(last);
    return stored?.equals(leafHash(last.bytes)) ? changed(line) : changed(last);
  }

  #matches(checkpoint: KnownCheckpoint): boolean {
    if (checkpoint.root.equals(this.#tree.root())) {
      this.#good++;
      this.#signedSize = Math.max(this.#signedSize, checkpoint.size);
      return true;
    }
    const { size, source } = checkpoint;
    const gap = this.#gaps.find(({ found, signed }) => size > found && size <= signed);
    if (gap !== undefined) {
      this.#damages.push(
        this.#lost(gap.found, size, source, `; the server noted the loss as event ${gap.line.id}`),
      );
      return true;
    }
    this.#damages.push({
      kind: "rewritten",
      message: `the first ${size} events are whole in themselves, and not those that were signed (${source})`,
      index: size - 1,
    });
    return false;
  }

  #finish(checkpoints: readonly KnownCheckpoint[]): void {
    const { size } = this.#tree;
    const largest = checkpoints.reduce<KnownCheckpoint | undefined>(
      (best, one) => (one.size > (best?.size ?? size) ? one : best),
      undefined,
    );
    if (largest !== undefined)
      this.#damages.push(this.#lost(size, largest.size, largest.source, ""));
  }

  #lost(found: number, signed: number, source: string, more: string): Damage {
    return {
      kind: "truncated",
      message: `events ${found} to ${signed - 1} are missing: ${signed} were signed (${source})${more}`,
      index: found,
    };
  }

  /** What stands where no stream has the next event. Undefined: nothing that was not to be expected. */
  async #explain(
    rest: readonly { readonly stream: AuditStream; readonly head: Line | NoLine }[],
  ): Promise<Damage | undefined> {
    const index = this.#tree.size;
    for (const { stream, head } of rest) {
      const { seq, hash } = this.#ends.get(stream) ?? { seq: 0, hash: NO_HASH };
      const where = { stream, seq: seq + 1, file: head.file, offset: head.offset };
      if (!("seq" in head)) {
        if (head.isTorn) continue;
        return { kind: "changed", message: `event ${stream} ${seq + 1} cannot be read`, ...where };
      }
      if (head.seq === seq + 1) {
        if (head.prevHash !== hash) {
          return this.#brokenLink(this.#ends.get(stream)?.last, head);
        }
        if (head.index < index || !(await this.#isFollowed(head))) return changed(head);
        continue;
      }
      // It follows the line before it, and says that it does not.
      if (head.prevHash === hash) return changed(head);
      if (head.seq <= seq || (await this.#standsLater(stream, seq + 1))) {
        const message = `event ${stream} ${head.seq} stands where ${seq + 1} should`;
        return { kind: "reordered", message, ...where, seq: head.seq, id: head.id };
      }
      const missing = head.seq === seq + 2 ? `${seq + 1}` : `${seq + 1} to ${head.seq - 1}`;
      return { kind: "deleted", message: `event ${stream} ${missing} is missing`, ...where, index };
    }
    if (rest.every(({ head }) => "isTorn" in head)) {
      for (const { stream } of rest) {
        this.#remark(`the last line of ${stream} has no end: the server is writing, or was killed`);
      }
      return undefined;
    }
    const message = `event ${index} is missing, and events after it are there`;
    return { kind: "deleted", message, index };
  }

  /** Whether the line after it, if there is one, says that it comes after it. */
  async #isFollowed(line: Line): Promise<boolean> {
    await this.#reader.skip(line.stream);
    const next = this.#reader.heads().find(({ stream }) => stream === line.stream)?.head;
    if (next === undefined || !("seq" in next) || next.seq !== line.seq + 1) return true;
    return next.prevHash === leafHash(line.bytes).toString("hex");
  }

  async #standsLater(stream: AuditStream, seq: number): Promise<boolean> {
    for (let i = 0; i < LOOK_AHEAD; i++) {
      await this.#reader.skip(stream);
      const head = this.#reader.heads().find((one) => one.stream === stream)?.head;
      if (head === undefined || !("seq" in head)) return false;
      if (head.seq === seq) return true;
    }
    return false;
  }

  /** The hash that the server stored of a leaf: no evidence, but it tells which of two lines to believe. */
  async #storedLeaf(index: number): Promise<Buffer | undefined> {
    if (this.#leaves === undefined) return undefined;
    const block = this.#leafBlock;
    const at = block === undefined ? -1 : (index - block.first) * HASH_BYTES;
    if (block !== undefined && at >= 0 && at + HASH_BYTES <= block.bytes.length) {
      return block.bytes.subarray(at, at + HASH_BYTES);
    }
    const bytes = Buffer.alloc(4096 * HASH_BYTES);
    const { bytesRead } = await this.#leaves.read(bytes, 0, bytes.length, index * HASH_BYTES);
    this.#leafBlock = {
      first: index,
      bytes: bytes.subarray(0, bytesRead - (bytesRead % HASH_BYTES)),
    };
    return bytesRead >= HASH_BYTES ? bytes.subarray(0, HASH_BYTES) : undefined;
  }

  #noteGap(line: Line): void {
    const { detail } = parseLine(line);
    const [found, signed] = [Number(detail?.["found"]), Number(detail?.["signed"])];
    this.#gaps.push({ found, signed, line });
    this.#remark(`event ${line.id} says that events ${found} to ${signed - 1} were lost`);
  }

  #remark(text: string): void {
    if (this.#remarks.length < 100) this.#remarks.push(text);
  }
}

function changed({ stream, seq, index, id, file, offset }: Line): Damage {
  const message = `event ${stream} ${seq} was changed`;
  return { kind: "changed", message, stream, seq, index, id, file, offset };
}
