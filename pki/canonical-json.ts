// Canonical JSON (RFC 8785): one text for equal values, so that a digest of arguments says which they were.

import { pkiError } from "./errors.ts";

/** Deeper values are refused rather than walked: whoever sends them chooses their depth. */
const MAX_DEPTH = 128;

/**
 * The one text of a value as JSON: names sorted by their UTF-16 units, no white space, numbers as in ECMAScript.
 * Takes what JSON.parse gives; members that are undefined are left out.
 * @throws JSON_INVALID
 */
export function canonicalJson(value: unknown): string {
  return write(value, 0);
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw pkiError("JSON_INVALID", `the value is deeper than ${MAX_DEPTH}`);
  if (Array.isArray(value)) {
    return `[${value.map((item) => write(item ?? null, depth + 1)).join(",")}]`;
  }
  if (typeof value === "object" && value !== null) {
    const members = Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${write(member, depth + 1)}`);
    return `{${members.join(",")}}`;
  }
  const isJson =
    value === null || ["string", "boolean"].includes(typeof value) || Number.isFinite(value);
  if (!isJson) throw pkiError("JSON_INVALID", `${typeof value} is no value of JSON`);
  return JSON.stringify(value);
}
