// Files that a command leaves in a folder: certificates, tokens, and keys that nobody else may read.

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../runtime/files.ts";

export interface WrittenFile {
  readonly name: string;
  readonly text: string;
  /** 0o600 for what is secret. */
  readonly mode: number;
}

/** One paragraph that says what was written; none when nothing was. */
export function formatWritten(files: readonly string[]): readonly string[] {
  return files.length === 0 ? [] : [files.map((file) => `wrote ${file}`).join("\n")];
}

/** Writes the files into a folder, which is made for this user alone if need be; answers their paths. */
export async function writeFiles(
  folder: string,
  files: readonly WrittenFile[],
): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  for (const { name, text, mode } of files) {
    await writeFileAtomic(join(folder, name), Buffer.from(text), mode);
  }
  return files.map(({ name }) => join(folder, name));
}
