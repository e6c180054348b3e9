// Checkpoints, C2SP tlog-checkpoint: the text of a note that says how large a Merkle tree is and what its
// root is. Three lines: origin, size, root in base64; more may follow, and are left alone.
import { pkiError } from "../errors.ts";
import { HASH_BYTES } from "./hash.ts";
import { splitNote } from "./note.ts";

/** What a checkpoint says. */
export interface Checkpoint {
  /** Which log: unique, by custom a URL without its scheme. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

const SIZE = /^(?:0|[1-9]\d{0,15})$/;

/** The text of a checkpoint. */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  if (origin === "" || /\n/.test(origin) || root.length !== HASH_BYTES)
    throw new TypeError("no checkpoint");
  return `${origin}\n${size}\n${root.toString("base64")}\n`;
}

/** Reads the text of a checkpoint. @throws CHECKPOINT_INVALID */
export function parseCheckpoint(text: string): Checkpoint {
  const lines = text.split("\n");
  const end = lines.pop();
  const [origin = "", size = "", root64 = ""] = lines;
  const root = Buffer.from(root64, "base64");
  if (
    end !== "" ||
    lines.includes("") ||
    !SIZE.test(size) ||
    !Number.isSafeInteger(Number(size)) ||
    root.length !== HASH_BYTES ||
    root.toString("base64") !== root64
  ) {
    throw pkiError("CHECKPOINT_INVALID", "the checkpoint is not an origin, a size and a root");
  }
  return { origin, size: Number(size), root };
}

/** What a signed checkpoint says; nothing of it verified. @throws NOTE_INVALID, CHECKPOINT_INVALID */
export function parseCheckpointInsecurely(note: string): Checkpoint {
  return parseCheckpoint(splitNote(note).text);
}
