// Where signed checkpoints lie: the newest in `checkpoint`, all of them one after the other, an empty
// line between, in `checkpoints`; the newest, if wanted, also at a second place.
import { appendFile, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, parseCheckpointInsecurely } from "../../pki/merkle/checkpoint.ts";
import { parseVerifierKey, type VerifierKey } from "../../pki/merkle/note.ts";
import { readFileBounded, writeFileAtomic } from "../../runtime/files.ts";
import type { Logger } from "../../runtime/log.ts";
import { VERIFIER_KEYS_FILE } from "./key.ts";
import { openCheckpoints } from "./signed.ts";

const NEWEST = "checkpoint";
const ALL = "checkpoints";

/**
 * The newest that is stored, of both places. In the second one others may write: only what a key of this
 * log has signed counts there, since tasks end where the log turns out to be shorter than it was.
 */
export async function newestCheckpoint(
  folder: string,
  second: string | undefined,
  log: Logger,
): Promise<Checkpoint | undefined> {
  const own = insecurely(await readNote(join(folder, NEWEST)));
  const note = second === undefined ? undefined : await readNote(second);
  if (second === undefined || note === undefined) return own;
  const opened = openCheckpoints([{ source: second, note }], await keysOf(folder));
  for (const { source: file, problem } of opened.forged) {
    log.error({ file, problem }, "a checkpoint is not of this audit log: nothing follows from it");
  }
  const [elsewhere] = opened.checkpoints;
  return elsewhere !== undefined && elsewhere.size > (own?.size ?? -1) ? elsewhere : own;
}

function insecurely(note: string | undefined): Checkpoint | undefined {
  try {
    return note === undefined ? undefined : parseCheckpointInsecurely(note);
  } catch {
    return undefined;
  }
}

/** The keys that have ever signed for this log. */
async function keysOf(folder: string): Promise<VerifierKey[]> {
  const text = (await readNote(join(folder, VERIFIER_KEYS_FILE))) ?? "";
  return text.split("\n").flatMap((line) => {
    try {
      return [parseVerifierKey(line)];
    } catch {
      return [];
    }
  });
}

async function readNote(path: string): Promise<string | undefined> {
  const bytes = await readFileBounded(path).catch(() => undefined);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

/** The newest signed checkpoint of a folder, as it is in the file. */
export function readNewest(folder: string): Promise<string | undefined> {
  return readNote(join(folder, NEWEST));
}

/** Stores a signed checkpoint. */
export async function storeCheckpoint(
  folder: string,
  note: string,
  second?: string,
): Promise<void> {
  const path = join(folder, ALL);
  await appendFile(path, `${note}\n`, { mode: 0o600, flush: true });
  await writeFileAtomic(join(folder, NEWEST), note);
  if (second !== undefined) await writeFileAtomic(second, note, 0o644);
}

/** Notes that stand one after the other, in their order. One that a crash has torn is left out. */
export function splitNotes(text: string): string[] {
  const notes: string[] = [];
  let lines: string[] = [];
  let isSigned = false;
  for (const line of text.split("\n")) {
    if (line === "" && isSigned) {
      notes.push(`${lines.join("\n")}\n`);
      lines = [];
      isSigned = false;
      continue;
    }
    if (line.startsWith("\u2014 ")) isSigned = true;
    lines.push(line);
  }
  return notes;
}

/** Ends a note that a crash has torn, so that the next one begins on a line of its own. */
export async function repairNotes(folder: string): Promise<void> {
  const handle = await open(join(folder, ALL), "a+", 0o600);
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(Math.min(size, 2));
    await handle.read(tail, 0, tail.length, size - tail.length);
    if (size > 0 && tail.toString() !== "\n\n") {
      const text = await readFile(join(folder, ALL));
      const end = text.lastIndexOf("\n\n\u2014 ");
      const before = end < 0 ? 0 : text.lastIndexOf("\n\n", end - 1) + 2;
      await handle.truncate(end < 0 || before < 2 ? 0 : before);
    }
  } finally {
    await handle.close();
  }
}
