// What commands print: tables for people, JSON for programs, both on standard output; errors with
// their hint on standard error.

import { IdentityError } from "../pki/errors.ts";

/** Where a command prints, and in which form. */
export interface Output {
  readonly isJson: boolean;
  /** Prints `json` for programs, or what `forPeople` says. */
  show(json: unknown, forPeople: () => string): void;
  /** Prints a remark for people, on standard error. */
  note(text: string): void;
}

/** The two streams of a command. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

/** Those of this process. */
export const PROCESS_STREAMS: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

export function outputTo(format: "table" | "json", streams: Streams): Output {
  const isJson = format === "json";
  return {
    isJson,
    show(json, forPeople) {
      // JSON may be escaped anywhere: it stays what it is, and harmless on a terminal.
      const text = isJson ? withoutControls(JSON.stringify(json, undefined, 2)) : forPeople();
      if (text !== "") streams.out(`${text}\n`);
    },
    note: (text) => streams.err(`${withoutControls(text)}\n`),
  };
}

/** Rows under a heading, columns aligned; control characters are made visible. */
export function formatTable(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const cells = [heading, ...rows].map((row) => row.map(visible));
  const widths = heading.map((_, i) => Math.max(...cells.map((row) => row[i]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Name and value, a line each; a value of several lines is indented below its name. */
export function formatRecord(rows: readonly (readonly [name: string, value: string])[]): string {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows
    .flatMap(([name, value]) => {
      const [first = "", ...more] = value.split("\n").map(visible);
      const indent = " ".repeat(width + 2);
      return [`${name.padEnd(width)}  ${first}`.trimEnd(), ...more.map((line) => indent + line)];
    })
    .join("\n");
}

/** A moment given in seconds since the Unix epoch; 0 is never. */
export function formatMoment(unixSeconds: number): string {
  if (unixSeconds === 0) return "never";
  const date = new Date(unixSeconds * 1000);
  return Number.isNaN(date.getTime()) ? String(unixSeconds) : formatDate(date);
}

/** A moment, to the second: "2027-01-15T08:00:00Z". */
export function formatDate(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** "1 entry", "2 entries". */
export function formatCount(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** What is said on standard error when a command fails. */
export function formatError(error: unknown): string {
  if (!(error instanceof IdentityError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return `error: unexpected: ${withoutControls(text)}`;
  }
  const [what, ...details] = error.message.split("\n");
  const lines = [`error: ${what} (${error.reason})`, ...details];
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  return lines.map(withoutControls).join("\n");
}

/** As `visible`, for a text of several lines. */
function withoutControls(text: string): string {
  return text.split("\n").map(visible).join("\n");
}

/** Escapes what could move the cursor or hide text in a terminal: values come from anywhere. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
