// The fuzzer's native part is built for glibc 2.38; on an older one it loads if the versions it asks
// for are marked as weak and three small functions are there. Both are made here, in a folder of ours.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const NEW_VERSIONS = ["GLIBC_2.38", "GLIBCXX_3.4.32"];
/** Type of an ELF section that lists the versions a file needs. */
const SHT_GNU_VERNEED = 0x6ffffffe;
const VER_FLG_WEAK = 2;

const SHIM = `#include <stdlib.h>
long __isoc23_strtol(const char *s, char **e, int b) { return strtol(s, e, b); }
unsigned long __isoc23_strtoul(const char *s, char **e, int b) { return strtoul(s, e, b); }
void _ZSt21ios_base_library_initv(void) {}
`;

/** How Node has to be started so that the fuzzer loads. */
export interface Loading {
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * Finds out how the fuzzer loads here, and makes what that takes in `folder`.
 * @throws Error when it does not load in any way
 */
export function prepareLoading(folder: string): Loading {
  const addon = addonFile();
  const asIs: Loading = { arguments: [], environment: {} };
  if (loads(addon, asIs)) return asIs;
  const shim = join(folder, "shim.so");
  writeFileSync(join(folder, "shim.c"), SHIM);
  run("cc", ["-shared", "-fPIC", "-O1", "-o", shim, join(folder, "shim.c")]);
  const weak = join(folder, "fuzzer.node");
  writeFileSync(weak, weakened(readFileSync(addon), NEW_VERSIONS));
  const redirect = join(folder, "redirect.cjs");
  writeFileSync(
    redirect,
    `const { dlopen } = process;
process.dlopen = (module, file, ...rest) =>
  dlopen.call(process, module, file === ${JSON.stringify(addon)} ? ${JSON.stringify(weak)} : file, ...rest);
`,
  );
  const patched = { arguments: ["--require", redirect], environment: { LD_PRELOAD: shim } };
  if (loads(addon, patched)) return patched;
  throw new Error("the fuzzer's native part does not load here, not even with older versions");
}

function addonFile(): string {
  const require = createRequire(import.meta.url);
  const core = createRequire(require.resolve("@jazzer.js/core"));
  const main = core.resolve("@jazzer.js/fuzzer");
  const file = `fuzzer-${process.platform}-${process.arch}.node`;
  return join(dirname(main), "..", "prebuilds", file);
}

function loads(addon: string, { arguments: args, environment }: Loading): boolean {
  const code = `require(${JSON.stringify(addon)})`;
  const env = { ...process.env, ...environment, NODE_OPTIONS: "" };
  return spawnSync(process.execPath, [...args, "-e", code], { env }).status === 0;
}

function run(command: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? stderr}`);
}

/** The ELF file (64 bits, little-endian) with these versions marked as not needed. */
function weakened(elf: Buffer, versions: readonly string[]): Buffer {
  const file = Buffer.from(elf);
  const sections = Number(file.readBigUInt64LE(40));
  const startOf = (index: number): number =>
    Number(file.readBigUInt64LE(sections + 64 * index + 24));
  for (let index = 0; index < file.readUInt16LE(60); index++) {
    if (file.readUInt32LE(sections + 64 * index + 4) !== SHT_GNU_VERNEED) continue;
    const strings = startOf(file.readUInt32LE(sections + 64 * index + 40));
    for (let at = startOf(index), next = -1; next !== 0; at += next) {
      weakenLibrary(file, at, strings, versions);
      next = file.readUInt32LE(at + 12);
    }
  }
  return file;
}

/** The versions that are needed of one library. */
function weakenLibrary(
  file: Buffer,
  library: number,
  strings: number,
  versions: readonly string[],
): void {
  let at = library + file.readUInt32LE(library + 8);
  for (let left = file.readUInt16LE(library + 2); left > 0; left--) {
    const name = strings + file.readUInt32LE(at + 8);
    if (versions.includes(file.toString("latin1", name, file.indexOf(0, name)))) {
      file.writeUInt16LE(file.readUInt16LE(at + 4) | VER_FLG_WEAK, at + 4);
    }
    at += file.readUInt32LE(at + 12);
  }
}
