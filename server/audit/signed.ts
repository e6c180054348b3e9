// Checkpoints from anywhere, verified: those beside the log and those that were kept elsewhere.
import { IdentityError } from "../../pki/errors.ts";
import { type Checkpoint, parseCheckpoint } from "../../pki/merkle/checkpoint.ts";
import { openNote, type VerifierKey } from "../../pki/merkle/note.ts";

/** A signed note, and where it is from. */
export interface SourceNote {
  readonly source: string;
  readonly note: string;
}

/** A checkpoint whose signature is right. */
export interface KnownCheckpoint extends Checkpoint {
  readonly source: string;
}

/** What of these notes can be believed, and why the others cannot. */
export function openCheckpoints(
  notes: readonly SourceNote[],
  keys: readonly VerifierKey[],
): {
  readonly checkpoints: KnownCheckpoint[];
  readonly forged: { readonly source: string; readonly problem: string }[];
} {
  const checkpoints: KnownCheckpoint[] = [];
  const forged: { source: string; problem: string }[] = [];
  for (const { source, note } of notes) {
    try {
      const opened = openNote(note, keys);
      const checkpoint = parseCheckpoint(opened.text);
      if (!opened.keys.some(({ name }) => name === checkpoint.origin)) {
        forged.push({ source, problem: `it is of another log, "${checkpoint.origin}"` });
      } else checkpoints.push({ ...checkpoint, source });
    } catch (error) {
      if (!(error instanceof IdentityError)) throw error;
      forged.push({ source, problem: error.message });
    }
  }
  return { checkpoints, forged };
}
