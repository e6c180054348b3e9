// Where signed checkpoints lie: the newest in `checkpoint`, all of them one after the other, an empty
// line between, in `checkpoints`; the newest, if wanted, also at a second place.
import { appendFile, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Checkpoint, parseCheckpointInsecurely } from "../../pki/merkle/checkpoint.ts";
import { readFileBounded, writeFileAtomic } from "../../runtime/files.ts";

const NEWEST = "checkpoint";
const ALL = "checkpoints";

/** The newest that is stored, of both places, nothing of it verified. */
export async function newestCheckpoint(
  folder: string,
  second?: string,
): Promise<Checkpoint | undefined> {
  const found = await Promise.all(
    [join(folder, NEWEST), ...(second === undefined ? [] : [second])].map(readNote),
  );
  const checkpoints = found.flatMap((note) => {
    try {
      return note === undefined ? [] : [parseCheckpointInsecurely(note)];
    } catch {
      return [];
    }
  });
  return checkpoints.sort((a, b) => b.size - a.size)[0];
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
