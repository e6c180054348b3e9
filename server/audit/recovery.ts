// The start of the audit log: finds where it ends. What was written last may be torn, or lie in one
// stream and not in another, when the machine lost its power: the log goes on behind the last event
// before which nothing is missing. What is whole and lies behind that is set aside, never deleted.
// A log that is shorter than what was signed of it says so in itself: its first new event is the gap.
import { createReadStream, createWriteStream } from "node:fs";
import { open, stat, truncate, unlink } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Frontier } from "../../pki/merkle/frontier.ts";
import { leafHash } from "../../pki/merkle/hash.ts";
import { ensureDir, syncFolder } from "../../runtime/files.ts";
import { serverError } from "../errors.ts";
import { newestCheckpoint } from "./checkpoint-files.ts";
import { type AuditEvent, type AuditStream, STREAMS } from "./event.ts";
import type { AuditLogOptions, LogGap } from "./log.ts";
import { LogReader, noEnds } from "./log-reader.ts";
import { type Line, listFiles, type NoLine } from "./reader.ts";
import { readState, type SavedState } from "./state.ts";
import { fileName, type StreamEnd, StreamFiles } from "./stream-files.ts";
import { TreeFiles } from "./tree-files.ts";

const DEFAULT_MAX_FILE_BYTES = 64 * 1024 * 1024;
/** Hashes that are held before they are stored, while the tree is made anew. */
const FLUSH_EVERY = 8192;

/** A log that is ready to go on. */
export interface Recovered {
  readonly files: StreamFiles;
  readonly treeFiles: TreeFiles;
  readonly tree: Frontier;
  /** What must be the first to be written. */
  readonly events: readonly AuditEvent[];
  readonly gap: LogGap | undefined;
}

/** @throws STORE_UNUSABLE, AUDIT_DAMAGED */
export async function openLog(options: AuditLogOptions): Promise<Recovered> {
  const { folder, maxFileBytes = DEFAULT_MAX_FILE_BYTES } = options;
  try {
    await ensureDir(folder, 0o700);
    await syncFolder(join(folder, ".."));
    const found = await findEnd(options);
    return { ...found, files: new StreamFiles(folder, maxFileBytes, found.ends) };
  } catch (cause) {
    if (cause instanceof Error && "reason" in cause && cause.reason !== "FILE_UNWRITABLE")
      throw cause;
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw serverError("STORE_UNUSABLE", `cannot open the audit log in "${folder}": ${problem}`, {
      hint: "check the folder's owner, its permissions and the disk",
      cause,
    });
  }
}

type Found = Omit<Recovered, "files"> & { readonly ends: ReadonlyMap<AuditStream, StreamEnd> };

async function findEnd(options: AuditLogOptions): Promise<Found> {
  const { folder, log } = options;
  const signed = await newestCheckpoint(folder, options.checkpointFile, log);
  const state = await readState(folder);
  const scan =
    (state && (await scanFrom(folder, state))) ??
    (await scanFrom(folder, { size: 0, roots: [], ends: noEnds() }));
  if (scan === undefined) throw new TypeError("a scan from the start begins somewhere");
  const { tree, ends, rest, treeFiles } = scan;
  const signedSize = signed?.size ?? 0;
  if (tree.size < signedSize && rest.some((one) => isChanged(one, ends))) {
    await treeFiles.close();
    throw damaged(folder, tree.size);
  }
  const setAside = await putAside(options, ends);
  const events: AuditEvent[] = [];
  if (tree.size < signedSize || setAside > 0) {
    const lost = Math.max(0, signedSize - tree.size);
    log.error(
      { found: tree.size, signed: signedSize, set_aside_bytes: setAside },
      lost > 0
        ? "the audit log is shorter than its last checkpoint: events are lost"
        : "the end of the audit log was not whole: what no answer waited for is set aside",
    );
    events.push({
      stream: "admin",
      type: lost > 0 ? "audit.gap" : "audit.cut",
      outcome: "failed",
      detail: {
        found: String(tree.size),
        signed: String(signedSize),
        set_aside_bytes: String(setAside),
        ...(signed !== undefined && { root: signed.root.toString("hex") }),
      },
    });
  }
  const gap = tree.size < signedSize ? { found: tree.size, signed: signedSize } : undefined;
  return { tree, ends, treeFiles, events, gap };
}

interface Scan {
  readonly tree: Frontier;
  readonly ends: Map<AuditStream, StreamEnd>;
  readonly treeFiles: TreeFiles;
  /** What stands where the log ends. */
  readonly rest: readonly { readonly stream: AuditStream; readonly head: Line | NoLine }[];
}

/** Reads on from what was known; undefined when the files are not what was known. */
async function scanFrom(folder: string, from: SavedState): Promise<Scan | undefined> {
  for (const end of from.ends.values()) {
    if (end.file === "") continue;
    const size = await stat(join(folder, end.file)).then(
      (status) => status.size,
      () => -1,
    );
    if (size < end.bytes || !(await endsWith(folder, end))) return undefined;
  }
  const tree = new Frontier(from.size, from.roots);
  if (!(await TreeFiles.reaches(folder, from.size))) return undefined;
  const treeFiles = await TreeFiles.open(folder, from.size);
  const ends = new Map(from.ends);
  const reader = new LogReader(folder, ends);
  try {
    for (let line = await reader.at(tree.size); line !== undefined; ) {
      const end = ends.get(line.stream);
      if (end === undefined || line.seq !== end.seq + 1 || line.prevHash !== end.hash) break;
      const leaf = leafHash(line.bytes);
      treeFiles.add(0, leaf);
      tree.append(leaf, (height, hash) => treeFiles.add(height, hash));
      if (tree.size % FLUSH_EVERY === 0) await treeFiles.flush();
      const { file, seq, end: bytes } = line;
      ends.set(line.stream, { file, bytes, seq, hash: leaf.toString("hex") });
      await reader.take();
      line = await reader.at(tree.size);
    }
    await treeFiles.flush();
    return { tree, ends, treeFiles, rest: reader.heads() };
  } finally {
    await reader.close();
  }
}

/** Whether the line that ends there is the one that was the last. */
async function endsWith(folder: string, { file, bytes, hash }: StreamEnd): Promise<boolean> {
  const handle = await open(join(folder, file), "r");
  try {
    const length = Math.min(bytes, 1024 * 1024);
    const tail = Buffer.alloc(length);
    await handle.read(tail, 0, length, bytes - length);
    if (tail[length - 1] !== 0x0a) return false;
    const start = tail.lastIndexOf(0x0a, length - 2) + 1;
    return leafHash(tail.subarray(start, length - 1)).toString("hex") === hash;
  } finally {
    await handle.close();
  }
}

/** Whether something stands there that no crash leaves: the next line of a stream, changed. */
function isChanged(
  { stream, head }: Scan["rest"][number],
  ends: ReadonlyMap<AuditStream, StreamEnd>,
): boolean {
  if (!("seq" in head)) return !head.isTorn;
  const end = ends.get(stream);
  return end !== undefined && head.seq === end.seq + 1 && head.prevHash !== end.hash;
}

/** Moves what lies behind the ends into a file of its own; answers how many bytes of whole lines. */
async function putAside(
  { folder, clock }: AuditLogOptions,
  ends: ReadonlyMap<AuditStream, StreamEnd>,
): Promise<number> {
  const all = await listFiles(folder);
  let bytes = 0;
  for (const stream of STREAMS) {
    const { file, bytes: kept } = ends.get(stream) ?? { file: "", bytes: 0 };
    for (const first of all.get(stream) ?? []) {
      const name = fileName(stream, first);
      if (name < file) continue;
      const path = join(folder, name);
      const from = name === file ? kept : 0;
      const rest = (await stat(path)).size - from;
      if (rest > 0 && (await hasLine(path, from))) {
        const moment = clock.now().toISOString().replace(/[:.]/g, "");
        await copyAside(path, from, join(folder, `lost-${moment}-${stream}`));
        bytes += rest;
      }
      if (rest > 0 && name === file) await truncate(path, kept);
      if (name !== file) await unlink(path);
    }
  }
  await syncFolder(folder);
  return bytes;
}

/** Whether there is a whole line from there on: a torn one is what a crash leaves of an answer nobody got. */
async function hasLine(path: string, from: number): Promise<boolean> {
  const handle = await open(path, "r");
  try {
    const chunk = Buffer.alloc(1024 * 1024);
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, from);
    return chunk.subarray(0, bytesRead).includes(0x0a);
  } finally {
    await handle.close();
  }
}

async function copyAside(path: string, start: number, target: string): Promise<void> {
  await pipeline(
    createReadStream(path, { start }),
    createWriteStream(target, { flags: "a", mode: 0o600, flush: true }),
  );
}

function damaged(folder: string, index: number): Error {
  return serverError(
    "AUDIT_DAMAGED",
    `event ${index} of the audit log in "${folder}" was changed`,
    {
      hint: "run 'signet audit verify --dir', keep the folder as evidence, and move it away or restore it from a backup",
    },
  );
}
