// A proof of one event, in a file that needs nothing else to be verified but the verifier key: the line,
// its place, the hashes up to the root, and the signed checkpoint with that root.
import { parseCheckpoint } from "../pki/merkle/checkpoint.ts";
import { leafHash } from "../pki/merkle/hash.ts";
import { openNote, parseVerifierKey } from "../pki/merkle/note.ts";
import { verifyConsistency, verifyInclusion } from "../pki/merkle/proof.ts";
import type { signet } from "../proto/schema.gen.ts";
import { readText } from "./audit-files.ts";
import { cliError } from "./errors.ts";
import { asMisuse } from "./flags.ts";
import { formatRecord } from "./output.ts";

const FORMAT = "signet-audit-proof-1";

/** What stands in the file. */
interface ProofFile {
  readonly format: string;
  readonly index: number;
  readonly line: string;
  /** Base64, from the leaf up. */
  readonly inclusion: readonly string[];
  readonly checkpoint: string;
  readonly old_checkpoint?: string;
  /** Base64: that the checkpoint only adds to the old one. */
  readonly consistency?: readonly string[];
}

/** A proof that holds. */
export interface VerifiedProof {
  readonly index: number;
  readonly line: string;
  readonly size: number;
  readonly origin: string;
  /** Size of the older checkpoint that it only adds to. */
  readonly oldSize?: number | undefined;
}

/** The text of a file with a proof. */
export function formatProofFile(
  response: signet.audit.v1.ProveResponse,
  oldCheckpoint: string | undefined,
): string {
  const { event, note, inclusion, consistency } = response;
  const file: ProofFile = {
    format: FORMAT,
    index: Number(event?.index ?? 0n),
    line: Buffer.from(event?.line ?? new Uint8Array()).toString(),
    inclusion: inclusion.map(base64),
    checkpoint: note,
    ...(oldCheckpoint !== undefined && {
      old_checkpoint: oldCheckpoint,
      consistency: consistency.map(base64),
    }),
  };
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

/** Verifies a file with a proof by keys that are trusted. @throws PROOF_WRONG, NOTE_UNVERIFIED, NOTE_INVALID */
export async function verifyProofFile(
  path: string,
  keyTexts: readonly string[],
): Promise<VerifiedProof> {
  const keys = keyTexts.map((text) => asMisuse("--key", () => parseVerifierKey(text)));
  const text = await readText(path);
  const file = readProofFile(text);
  const opened = openNote(file.checkpoint, keys);
  const { size, root, origin } = parseCheckpoint(opened.text);
  if (!opened.keys.some(({ name }) => name === origin)) {
    throw wrong(`its checkpoint is of another log, ${JSON.stringify(origin)}`);
  }
  const leaf = leafHash(Buffer.from(file.line));
  if (!verifyInclusion(leaf, file.index, size, file.inclusion.map(bytesOf), root)) {
    throw wrong("its event is not in the tree that was signed");
  }
  const verified = { index: file.index, line: file.line, size, origin };
  if (file.old_checkpoint === undefined) return verified;
  const old = parseCheckpoint(openNote(file.old_checkpoint, keys).text);
  const path2 = (file.consistency ?? []).map(bytesOf);
  if (old.origin !== origin || !verifyConsistency(old.size, old.root, size, root, path2)) {
    throw wrong("its checkpoint does not add to the older one: the log was rewritten");
  }
  return { ...verified, oldSize: old.size };
}

/** What stands in a file, by its shape; nothing of it verified. */
function readProofFile(text: string): ProofFile {
  let file: Partial<ProofFile> | null;
  try {
    file = JSON.parse(text) as Partial<ProofFile> | null;
  } catch (cause) {
    throw wrong("it is no JSON", cause);
  }
  const { format, line, checkpoint, inclusion } = file ?? {};
  const { old_checkpoint = "", consistency = [] } = file ?? {};
  const areTexts = [line, checkpoint, old_checkpoint].every((one) => typeof one === "string");
  if (format !== FORMAT || !areTexts || !Array.isArray(inclusion) || !Array.isArray(consistency)) {
    throw wrong(`it is no ${FORMAT}`);
  }
  return file as ProofFile;
}

/** What was proved, for people. */
export function formatProof({ index, line, size, origin, oldSize }: VerifiedProof): string {
  return formatRecord([
    ["Verified", "yes"],
    ["Log", origin],
    ["Event", `${index} of ${size}`],
    ...(oldSize === undefined ? [] : [["Adds to", `${oldSize} events`] as const]),
    ["Line", line],
  ]);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function bytesOf(text: unknown): Buffer {
  return Buffer.from(typeof text === "string" ? text : "", "base64");
}

function wrong(why: string, cause?: unknown): Error {
  return cliError("PROOF_WRONG", `the proof does not hold: ${why}`, { cause });
}
