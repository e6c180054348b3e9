// Drives the coverage-guided fuzzer: compiles product and targets, gives a target its corpus, runs it for
// some time, and reads what it found.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { keptInputs } from "./corpus.ts";
import { type Loading, prepareLoading } from "./old-glibc.ts";
import { type FuzzTarget, MAX_SECONDS_PER_INPUT } from "./target.ts";

const root = join(import.meta.dirname, "../..");
const work = join(root, ".fuzz");
/** More than any input may need; beyond it the run ends with a finding. */
const MAX_MEMORY_MB = 1024;
/** Of the kept corpus of a target: every run of the tests reads it once more. */
const MAX_KEPT_BYTES = 32 * 1024;
const MAX_KEPT_INPUTS = 100;

export interface Outcome {
  readonly target: FuzzTarget;
  readonly runs: number;
  readonly seconds: number;
  /** Branches reached. */
  readonly coverage: number;
  readonly peakMemoryMb: number;
  /** Files with inputs that crashed, hung, or took too much memory. */
  readonly findings: readonly string[];
  /** What the fuzzer printed. */
  readonly output: string;
}

/** Compiles what is fuzzed and makes the fuzzer ready. */
export function prepareEngine(): Loading {
  mkdirSync(work, { recursive: true });
  rmSync(join(work, "build"), { recursive: true, force: true });
  const tsc = join(root, "node_modules/.bin/tsc");
  const compiled = spawnSync(tsc, ["--project", join(import.meta.dirname, "tsconfig.json")], {
    encoding: "utf8",
  });
  if (compiled.status !== 0) throw new Error(`cannot compile the targets:\n${compiled.stdout}`);
  return prepareLoading(work);
}

/** Fuzzes a target for `seconds`. */
export async function fuzz(
  target: FuzzTarget,
  seconds: number,
  loading: Loading,
): Promise<Outcome> {
  const { findings } = foldersOf(target);
  const text = await run(target, seconds, loading);
  return {
    target,
    runs: figure(text, /stat::number_of_executed_units:\s*(\d+)/g),
    seconds: figure(text, /in (\d+) second\(s\)/g),
    coverage: figure(text, / cov: (\d+) /g),
    peakMemoryMb: figure(text, /stat::peak_rss_mb:\s*(\d+)/g),
    findings: globSync(join(findings, "*")),
    output: text,
  };
}

/** Inputs worth keeping, of those that reached something new: some of every length, up to a total size. */
export function inputsToKeep(target: FuzzTarget): readonly Uint8Array[] {
  const found = globSync(join(foldersOf(target).output, "*")).map((file) => readFileSync(file));
  found.sort((a, b) => a.length - b.length);
  const step = Math.max(1, found.length / (target.maxKept ?? MAX_KEPT_INPUTS));
  const some = found.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
  let left = MAX_KEPT_BYTES;
  return some.filter(({ length }) => {
    left -= length;
    return left >= 0;
  });
}

/** Folders of a target; the first has the seeds and the kept corpus in it. */
function foldersOf(target: FuzzTarget): { readonly output: string; readonly findings: string } {
  const output = join(work, "corpus", target.name);
  const findings = join(work, "findings", target.name);
  for (const folder of [output, findings]) mkdirSync(folder, { recursive: true });
  for (const input of [...target.seeds(), ...keptInputs(target)]) {
    writeFileSync(join(output, createHash("sha1").update(input).digest("hex")), input);
  }
  return { output, findings };
}

async function run(target: FuzzTarget, seconds: number, loading: Loading): Promise<string> {
  const { output, findings } = foldersOf(target);
  const cli = createRequire(import.meta.url).resolve("@jazzer.js/core/dist/cli.js");
  const args = [
    ...loading.arguments,
    "--max-old-space-size=768",
    cli,
    join(work, "build/test/fuzz/entry.js"),
    output,
    ...["--includes", join(work, "build"), "--excludes", "node_modules"],
    "--",
    `-max_total_time=${seconds}`,
    "-print_final_stats=1",
    `-max_len=${target.maxBytes}`,
    `-timeout=${MAX_SECONDS_PER_INPUT}`,
    `-rss_limit_mb=${MAX_MEMORY_MB}`,
    `-artifact_prefix=${findings}/`,
  ];
  // To a file: what is written to a pipe just before the end may be lost.
  const log = join(work, `${target.name}.log`);
  const file = await open(log, "w");
  try {
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...loading.environment, NODE_OPTIONS: "", FUZZ_TARGET: target.name },
      stdio: ["ignore", file.fd, file.fd],
    });
    await new Promise((resolve) => child.once("close", resolve));
  } finally {
    await file.close();
  }
  return readFileSync(log, "utf8");
}

/** The last figure that matches. */
function figure(text: string, pattern: RegExp): number {
  return Number([...text.matchAll(pattern)].at(-1)?.[1] ?? 0);
}
