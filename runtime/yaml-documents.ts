// YAML with the lines of everything in it, so that what is wrong can be told with its place. What the
// values must be is for schemas: config.ts.

import { type Document, isMap, isNode, isScalar, LineCounter, parseAllDocuments } from "yaml";
import type { Problem } from "./config-problems.ts";

/** One document of a file. */
export interface YamlDocument {
  /** What it says, as plain values; `{}` when it is empty. */
  readonly value: unknown;
  readonly isEmpty: boolean;
  /** The line of the value at `path`, or of the nearest thing above it that the file has. */
  line(path: readonly PropertyKey[]): number | undefined;
}

/** Reads every document of a text. With problems, which are of syntax, there are no documents. */
export function readYaml(text: string): {
  readonly documents: readonly YamlDocument[];
  readonly problems: readonly Problem[];
} {
  const lines = new LineCounter();
  // Of oddities, such as a list for a name, the schema says what is wrong with them: no warnings beside it.
  const options = { lineCounter: lines, prettyErrors: false, logLevel: "error" } as const;
  const parsed = parseAllDocuments(text, options);
  if (!Array.isArray(parsed)) return { documents: [], problems: [] };
  const problems: Problem[] = parsed.flatMap(({ errors }) =>
    errors.map(({ pos, message }) => ({ line: lines.linePos(pos[0]).line, path: "", message })),
  );
  if (problems.length > 0) return { documents: [], problems };
  const documents: YamlDocument[] = [];
  for (const document of parsed) {
    try {
      documents.push({
        // Few aliases: a small file of nested aliases unfolds to gigabytes ("billion laughs").
        value: document.toJS({ maxAliasCount: 50 }) ?? {},
        isEmpty: isNothing(document.contents),
        line: (path) => lineOf(document, path, lines),
      });
    } catch (cause) {
      problems.push({ path: "", message: cause instanceof Error ? cause.message : String(cause) });
    }
  }
  return problems.length > 0 ? { documents: [], problems } : { documents, problems };
}

/** Between two marks, or before and after them, there may be nothing, or comments alone. */
function isNothing(contents: Document["contents"]): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

function lineOf(
  document: Document,
  path: readonly PropertyKey[],
  lines: LineCounter,
): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent =
      length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isMap(parent)
      ? parent.items.find(
          (item) => (isNode(item.key) ? String(item.key) : item.key) === String(last),
        )
      : undefined;
    const node = pair === undefined ? document.getIn(path.slice(0, length), true) : pair.key;
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  const { contents } = document;
  return path.length === 0 && isNode(contents) && contents.range
    ? lines.linePos(contents.range[0]).line
    : undefined;
}
