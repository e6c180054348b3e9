// Where the commands of the audit log find its files, its keys and checkpoints.
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseVerifierKey, type VerifierKey } from "../pki/merkle/note.ts";
import { splitNotes } from "../server/audit/checkpoint-files.ts";
import { VERIFIER_KEYS_FILE } from "../server/audit/key.ts";
import type { SourceNote } from "../server/audit/signed.ts";
import type { Flag, Input } from "./command.ts";
import { cliError } from "./errors.ts";
import { asMisuse } from "./flags.ts";

const DEFAULT_DIR = "/var/lib/signet/server/audit";

export const DIR: Flag = {
  name: "dir",
  value: "<folder>",
  description: "the folder of the log: 'audit' in the server's data_dir",
  variable: "SIGNET_AUDIT_DIR",
  defaultValue: DEFAULT_DIR,
};

export const KEY: Flag = {
  name: "key",
  value: "<verifier-key>",
  description: "a key that checkpoints may be signed with, as 'signet audit key' prints it",
  isRepeated: true,
};

export function auditFolder(input: Input): string {
  return resolve(input.text("dir") || DEFAULT_DIR);
}

/** The keys of the command line, or those beside the log. */
export async function verifierKeys(input: Input, folder: string): Promise<VerifierKey[]> {
  const given = input.list("key");
  if (given.length > 0) {
    return given.map((text) => asMisuse("--key", () => parseVerifierKey(text)));
  }
  const text = await readText(join(folder, VERIFIER_KEYS_FILE));
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map(parseVerifierKey);
}

/** The checkpoints of these files. */
export async function checkpointsFrom(paths: readonly string[]): Promise<SourceNote[]> {
  const notes: SourceNote[] = [];
  for (const source of paths) {
    const text = await readText(source);
    // One alone has no empty line behind it.
    const found = splitNotes(`${text}\n`);
    notes.push(...found.map((note) => ({ source, note })));
    if (found.length === 0 && text.trim() !== "") notes.push({ source, note: text });
  }
  return notes;
}

/** Whether a log can be read there. @throws FOLDER_UNUSABLE */
export async function assertFolder(folder: string): Promise<void> {
  await orUnusable(folder, readdir(folder));
}

/** A text file that somebody named. @throws FOLDER_UNUSABLE */
export function readText(path: string): Promise<string> {
  return orUnusable(path, readFile(path, "utf8"));
}

async function orUnusable<T>(path: string, reading: Promise<T>): Promise<T> {
  try {
    return await reading;
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw cliError("FOLDER_UNUSABLE", `cannot read "${path}": ${problem}`, {
      hint: "name the folder of the audit log with --dir, of 'signet up --dir DIR' it is DIR/server/audit; only the server's user may read it",
      cause,
    });
  }
}
