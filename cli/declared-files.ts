// The files of `signet apply`: YAML with any number of documents, one file or a folder of them. All that
// is wrong, in all of them, is told at once, each with its file and line.

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { checkDocument, type Problem, readYaml, type YamlDocument } from "../runtime/config.ts";
import { type DeclaredWire, DOCUMENTS } from "./declared-schema.ts";
import { cliError } from "./errors.ts";
import { misuse } from "./flags.ts";
import { readInput } from "./read-input.ts";

const MAX_FILE_BYTES = 32 * 1024 * 1024;
const MAX_FILES = 10_000;
const MAX_TOLD = 100;

/** Something that is declared, and where. */
export interface DeclaredObject {
  readonly declared: DeclaredWire;
  /** "agents.yaml:12". */
  readonly place: string;
}

/**
 * Reads what these files and folders declare.
 * @throws USAGE_INVALID when one cannot be read, DECLARATION_INVALID naming everything that is wrong
 */
export async function readDeclared(paths: readonly string[]): Promise<DeclaredObject[]> {
  const objects: DeclaredObject[] = [];
  const faults: string[] = [];
  for (const file of await filesOf(paths)) {
    const name = file === "-" ? "standard input" : file;
    const { documents, problems } = readYaml(await readInput(file, "--file", MAX_FILE_BYTES));
    faults.push(...problems.map((problem) => faultOf(name, problem)));
    for (const document of documents) {
      if (document.isEmpty) continue;
      const found = readDocument(document);
      if ("problems" in found) faults.push(...found.problems.map((one) => faultOf(name, one)));
      else {
        const declared = found.value;
        objects.push({ declared, place: `${name}:${document.line(["kind"]) ?? 1}` });
      }
    }
  }
  if (faults.length > 0) throw declarationInvalid(faults);
  return objects;
}

/** The error for faults, each with its place. */
export function declarationInvalid(faults: readonly string[]): Error {
  const shown = faults.slice(0, MAX_TOLD).map((fault) => `  ${fault}`);
  if (faults.length > MAX_TOLD) shown.push(`  and ${faults.length - MAX_TOLD} more`);
  const count = faults.length === 1 ? "1 problem" : `${faults.length} problems`;
  return cliError("DECLARATION_INVALID", `nothing is changed: ${count}\n${shown.join("\n")}`, {
    hint: "correct the lines above and apply again",
  });
}

function readDocument(
  document: YamlDocument,
): { readonly value: DeclaredWire } | { readonly problems: readonly Problem[] } {
  const { value } = document;
  const line = document.line(["kind"]) ?? document.line([]);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { problems: [{ line, path: "", message: "expected apiVersion, kind and spec" }] };
  }
  const kind = "kind" in value ? value.kind : undefined;
  const schema = typeof kind === "string" && Object.hasOwn(DOCUMENTS, kind) && DOCUMENTS[kind];
  if (!schema) {
    const message = `expected ${Object.keys(DOCUMENTS).join(", ")}`;
    return { problems: [{ line, path: "kind", message }] };
  }
  return checkDocument(document, schema);
}

function faultOf(file: string, { line, path, message }: Problem): string {
  const where = line === undefined ? file : `${file}:${line}`;
  return path === "" ? `${where}: ${message}` : `${where}: ${path}: ${message}`;
}

/** The files that are meant, folders with those in them, whatever the depth, in the order of their names. */
async function filesOf(paths: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    if (path === "-" || !(await isFolder(path))) files.push(path);
    else files.push(...(await filesIn(path)));
  }
  if (files.length > MAX_FILES) throw misuse(`--file: more than ${MAX_FILES} files`);
  return files;
}

async function filesIn(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = found
    .filter((one) => one.isFile() && /\.ya?ml$/.test(one.name) && !one.name.startsWith("."))
    .map((one) => join(one.parentPath, one.name))
    .sort();
  if (files.length > 0) return files;
  throw misuse(`--file: there is no file *.yaml in ${folder}`);
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw misuse(`--file: cannot read ${path}: ${why}`);
  }
}
