// Turns what a schema found wrong into sentences: a path as written in the file, and what was
// expected there. config.ts adds file name and lines.

import type { z } from "zod";

export interface Problem {
  readonly line?: number | undefined;
  /** Dotted, as "listen.port" or "federation.0.name"; empty for the whole file. */
  readonly path: string;
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** Flattens issues to problems, ordered by line. `line` finds the line of a path. */
export function describeIssues(
  issues: readonly Issue[],
  line: (path: readonly PropertyKey[]) => number | undefined,
): Problem[] {
  return issues
    .flatMap((issue) => describe(issue, []))
    .map(({ path, message }) => ({ line: line(path), path: path.map(String).join("."), message }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

interface Found {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function describe(issue: Issue, base: readonly PropertyKey[]): Found[] {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({ path: [...path, key], message: "unknown key" }));
  }
  if (issue.code === "invalid_union") {
    // The alternative that came nearest says what is wrong; the others are noise.
    const nearest = issue.errors
      .filter((errors) => errors.length > 0)
      .sort((a, b) => a.length - b.length)[0];
    if (nearest !== undefined) return nearest.flatMap((inner) => describe(inner, path));
  }
  return [{ path, message: sentenceOf(issue) }];
}

function sentenceOf(issue: Issue): string {
  if (issue.code === "invalid_type" && issue.message.endsWith("received undefined")) {
    return `missing: expected ${issue.expected}`;
  }
  if (issue.code === "invalid_value") {
    return `expected ${issue.values.map((value) => JSON.stringify(value) ?? String(value)).join(" or ")}`;
  }
  return issue.message.replace(/^Invalid input: /, "").replace(/^Too (?:small|big): /, "");
}
