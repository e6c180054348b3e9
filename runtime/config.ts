// Configuration files: YAML checked against one zod schema. Unknown keys are errors, and all problems
// are reported at once, each with its line, its path and what was expected. Sole user of
// zod: other folders write their schemas with what is exported here. YAML itself: yaml-documents.ts.

import { z } from "zod";
import { describeIssues, type Problem } from "./config-problems.ts";
import { DURATION_EXPECTED, formatDuration, parseDuration } from "./duration.ts";
import { runtimeError } from "./errors.ts";
import { readFileBounded } from "./files.ts";
import { readYaml, type YamlDocument } from "./yaml-documents.ts";

export { z } from "zod";
export type { Problem } from "./config-problems.ts";
export { DURATION_EXPECTED, formatDuration, parseDuration } from "./duration.ts";
export { readYaml, type YamlDocument } from "./yaml-documents.ts";

const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_PROBLEMS = 100;

/** A section of a configuration file: an object that refuses keys it does not know. */
export const section: typeof z.strictObject = z.strictObject;

/** A duration: a string in the file ("1h"), milliseconds in the checked configuration. */
export function duration(
  bounds: { readonly minMs?: number; readonly maxMs?: number } = {},
): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> {
  return z.string(`expected ${DURATION_EXPECTED}`).transform((text, context): number => {
    const expected = (what: string): number => {
      context.issues.push({
        code: "custom",
        message: `expected ${what}, got "${text.slice(0, 64)}"`,
        input: text,
      });
      return z.NEVER;
    };
    try {
      const ms = parseDuration(text);
      if (bounds.minMs !== undefined && ms < bounds.minMs)
        return expected(`at least ${formatDuration(bounds.minMs)}`);
      if (bounds.maxMs !== undefined && ms > bounds.maxMs)
        return expected(`at most ${formatDuration(bounds.maxMs)}`);
      return ms;
    } catch {
      return expected(DURATION_EXPECTED);
    }
  });
}

/** Where a configuration comes from: a file, or a text with a name for messages. */
export type ConfigSource =
  | { readonly path: string }
  | { readonly text: string; readonly name: string };

/**
 * Reads and checks a configuration. `schema` consists of `section`s.
 * @throws CONFIG_INVALID with every problem in its message; FILE_UNREADABLE, FILE_TOO_LARGE
 */
export async function loadConfig<S extends z.ZodType>(
  source: ConfigSource,
  schema: S,
): Promise<z.output<S>> {
  if ("text" in source) return parseConfig(source.text, schema, source.name);
  const bytes = await readFileBounded(source.path, { limitBytes: MAX_CONFIG_BYTES });
  if (bytes === undefined) {
    throw runtimeError("FILE_UNREADABLE", `there is no configuration file "${source.path}"`, {
      hint: "give its path with --config",
    });
  }
  return parseConfig(Buffer.from(bytes).toString("utf8"), schema, source.path);
}

/** As loadConfig, for a text in memory. `name` stands for the file in messages. */
export function parseConfig<S extends z.ZodType>(
  text: string,
  schema: S,
  name = "configuration",
): z.output<S> {
  assertClosed(schema);
  if (text.length > MAX_CONFIG_BYTES)
    throw failure(name, [{ path: "", message: "expected at most 1 MiB" }]);
  const { documents, problems } = readYaml(text);
  if (problems.length > 0) throw failure(name, problems);
  const [document, second] = documents;
  if (document === undefined) return check({}, schema, name, () => undefined);
  if (second !== undefined)
    throw failure(name, [{ path: "", message: "expected one YAML document, found more" }]);
  return check(document.value, schema, name, document.line);
}

/** Checks one document: what it says, or all that is wrong with it. */
export function checkDocument<S extends z.ZodType>(
  document: YamlDocument,
  schema: S,
): { readonly value: z.output<S> } | { readonly problems: readonly Problem[] } {
  assertClosed(schema);
  const result = schema.safeParse(document.value);
  if (result.success) return { value: result.data };
  return { problems: describeIssues(result.error.issues, document.line) };
}

/** The JSON Schema of a configuration file, for editors: what may be written, before defaults. */
export function configJsonSchema(schema: z.ZodType, title: string): Record<string, unknown> {
  return { title, ...z.toJSONSchema(schema, { io: "input", unrepresentable: "any" }) };
}

function check<S extends z.ZodType>(
  value: unknown,
  schema: S,
  name: string,
  line: (path: readonly PropertyKey[]) => number | undefined,
): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw failure(name, describeIssues(result.error.issues, line));
}

function failure(name: string, problems: readonly Problem[]): Error {
  const shown = problems.slice(0, MAX_PROBLEMS).map(({ line, path, message }) => {
    const where = [line === undefined ? "" : `line ${line}`, path]
      .filter((part) => part !== "")
      .join(", ");
    return `  ${where === "" ? "" : `${where}: `}${message}`;
  });
  if (problems.length > MAX_PROBLEMS) shown.push(`  and ${problems.length - MAX_PROBLEMS} more`);
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  return runtimeError("CONFIG_INVALID", `${name}: ${count}\n${shown.join("\n")}`, {
    hint: "correct the lines above and start again",
  });
}

const closed = new WeakSet<z.ZodType>();

// A z.object drops keys it does not know without a word: a misspelt setting would silently not count.
function assertClosed(schema: z.ZodType): void {
  if (closed.has(schema)) return;
  const visit = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const part = node as Record<string, unknown>;
    if (
      part["type"] === "object" &&
      part["properties"] !== undefined &&
      part["additionalProperties"] !== false
    ) {
      throw new TypeError(`the configuration schema is open at "${path}": use section(...)`);
    }
    for (const [key, child] of Object.entries(part)) visit(child, `${path}/${key}`);
  };
  visit(configJsonSchema(schema, ""), "");
  closed.add(schema);
}
