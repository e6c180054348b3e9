// Where the log ended when it was last signed: so that a start reads what came since, not everything.
// Nothing is lost with it: without it everything is read. It is no evidence of anything.
import { join } from "node:path";
import type { Frontier } from "../../pki/merkle/frontier.ts";
import { readFileBounded, writeFileAtomic } from "../../runtime/files.ts";
import { type AuditStream, STREAMS } from "./event.ts";
import { NO_END } from "./log-reader.ts";
import type { StreamEnd } from "./stream-files.ts";

const FORMAT = 1;

export interface SavedState {
  readonly size: number;
  /** Of the complete subtrees: see pki/merkle/frontier.ts. */
  readonly roots: readonly Uint8Array[];
  readonly ends: ReadonlyMap<AuditStream, StreamEnd>;
}

/** What is stored; undefined when there is nothing, or nothing that can be used. */
export async function readState(folder: string): Promise<SavedState | undefined> {
  const bytes = await readFileBounded(join(folder, "state.json")).catch(() => undefined);
  if (bytes === undefined) return undefined;
  try {
    const state = JSON.parse(Buffer.from(bytes).toString()) as {
      format: number;
      size: number;
      roots: string[];
      streams: Record<string, StreamEnd>;
    };
    if (state.format !== FORMAT || !Number.isSafeInteger(state.size)) return undefined;
    const ends = STREAMS.map((stream): [AuditStream, StreamEnd] => [
      stream,
      endOf(state.streams[stream]),
    ]);
    // Each event has one number in one stream.
    if (ends.reduce((sum, [, { seq }]) => sum + seq, 0) !== state.size) return undefined;
    const roots = state.roots.map((root) => Buffer.from(root, "hex"));
    return { size: state.size, roots, ends: new Map(ends) };
  } catch {
    return undefined;
  }
}

function endOf(end: StreamEnd | undefined): StreamEnd {
  if (end === undefined) return NO_END;
  const { file, bytes, seq, hash } = end;
  const isOurs = /^[a-z_]+-\d{12,15}\.jsonl$/.test(file) && /^[0-9a-f]{64}$/.test(hash);
  if (!isOurs || !(bytes > 0) || !(seq > 0)) throw new RangeError("no end of a stream");
  return { file, bytes, seq, hash };
}

/** Stores where the log ends. */
export async function writeState(
  folder: string,
  tree: Frontier,
  ends: ReadonlyMap<AuditStream, StreamEnd>,
): Promise<void> {
  // A file that was begun and not written to: the next time will do.
  if ([...ends.values()].some(({ seq, bytes }) => seq > 0 && bytes === 0)) return;
  const streams = Object.fromEntries([...ends].filter(([, { seq }]) => seq > 0));
  const roots = tree.roots().map((root) => root.toString("hex"));
  const state = { format: FORMAT, size: tree.size, roots, streams };
  await writeFileAtomic(join(folder, "state.json"), `${JSON.stringify(state)}\n`);
}
