// Builds the readers in other languages, once per run, outside the tree: the Go program of go/ and a
// virtual environment for python/, each from its lock file.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const here = import.meta.dirname;

function must(command: string, args: readonly string[], cwd?: string): void {
  const { status, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (status !== 0) {
    throw new Error(`${command} ${args.join(" ")}: ${error?.message ?? stderr}`);
  }
}

/** Builds the Go reader and gives its path. */
export function goReader(dir: string): string {
  const binary = join(dir, "interop");
  must("go", ["build", "-o", binary, "."], join(here, "go"));
  return binary;
}

/** Makes a virtual environment with the readers of python/ and gives its interpreter. */
export function pythonReaders(dir: string): string {
  const venv = join(dir, "venv");
  must("python3", ["-m", "venv", venv]);
  must(join(venv, "bin/pip"), [
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--requirement",
    join(here, "python/requirements.txt"),
  ]);
  return join(venv, "bin/python");
}

/** The command that runs one of the programs of python/. */
export function pythonReader(dir: string, program = "workload.py"): readonly [string, string] {
  return [pythonReaders(dir), join(here, "python", program)];
}

/** A folder for what a test builds, removed when `t` ends. */
export function buildDir(t: { teardown(fn: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), "signet-interop-"));
  mkdirSync(dir, { recursive: true });
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
