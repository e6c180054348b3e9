// The kept corpus: for each target inputs that each reached something new, one in base64 a line. Small
// enough to be read again by every run of the tests.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FuzzTarget } from "./target.ts";

const folder = join(import.meta.dirname, "corpus");

/** The inputs that were kept for a target; none if there are none yet. */
export function keptInputs({ name }: FuzzTarget): readonly Uint8Array[] {
  const file = join(folder, `${name}.txt`);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => Buffer.from(line, "base64"));
}

/** Keeps these inputs for a target, instead of what was kept before. */
export function keepInputs({ name }: FuzzTarget, inputs: readonly Uint8Array[]): void {
  const lines = inputs.map((input) => Buffer.from(input).toString("base64"));
  writeFileSync(join(folder, `${name}.txt`), `${[...new Set(lines)].sort().join("\n")}\n`);
}
