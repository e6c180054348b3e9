// Actions, as words separated by "/", and patterns of them: `*` is one segment, a final `**` one or more.
// No regular expressions: whether one pattern covers another must be decidable, and is decided here.
// Each segment is percent-encoded, all but the unreserved characters of RFC 3986, in one way only.

import { policyError } from "./errors.ts";

/** Longest pattern, in characters and segments. */
export const MAX_PATTERN_LENGTH = 512;
export const MAX_PATTERN_SEGMENTS = 32;
/** Longest concrete action. Longer ones are allowed by no mandate. */
const MAX_ACTION_LENGTH = 4096;
const MAX_ACTION_SEGMENTS = 256;

const LITERAL = /^(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})+$/;

/**
 * A name as one segment of an action. `.` and `..` are encoded, which are read as directions elsewhere.
 * @throws ACTION_INVALID for an empty name or one that is no Unicode
 */
export function encodeSegment(name: string): string {
  const encoded = tryEncodeSegment(name);
  if (encoded !== undefined) return encoded;
  throw policyError("ACTION_INVALID", "a name is empty or not Unicode: it cannot be an action", {
    hint: "give every tool, prompt and path segment a name",
  });
}

function tryEncodeSegment(name: string): string | undefined {
  if (name === "" || !name.isWellFormed()) return undefined;
  if (name === "." || name === "..") return name.replaceAll(".", "%2E");
  return encodeURIComponent(name).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Whether it is a concrete action: segments that stand for themselves, each spelled in the one way. */
export function isAction(text: string): boolean {
  if (text.length > MAX_ACTION_LENGTH) return false;
  const segments = text.split("/");
  return segments.length <= MAX_ACTION_SEGMENTS && segments.every(isLiteral);
}

function isLiteral(segment: string): boolean {
  if (!LITERAL.test(segment)) return false;
  if (!segment.includes("%")) return segment !== "." && segment !== "..";
  try {
    return tryEncodeSegment(decodeURIComponent(segment)) === segment;
  } catch {
    // What is encoded is no UTF-8.
    return false;
  }
}

/** Checks a pattern and returns it. @throws ACTION_INVALID */
export function parseActionPattern(text: string): string {
  const segments = text.split("/");
  const fault = faultOf(text, segments);
  if (fault === undefined) return text;
  const shown = text.length > 100 ? `${text.slice(0, 100)}...` : text;
  throw policyError("ACTION_INVALID", `action "${shown}": ${fault}`, {
    hint: "write segments separated by '/', such as tools/read/* or http/get/**; percent-encode (upper case) all but letters, digits and -._~",
  });
}

function faultOf(text: string, segments: readonly string[]): string | undefined {
  if (text.length > MAX_PATTERN_LENGTH) return `longer than ${MAX_PATTERN_LENGTH} characters`;
  if (segments.length > MAX_PATTERN_SEGMENTS) return `more than ${MAX_PATTERN_SEGMENTS} segments`;
  for (const [i, segment] of segments.entries()) {
    if (segment === "*") continue;
    if (segment === "**") {
      if (i !== segments.length - 1) return "'**' can only be the last segment";
    } else if (segment === "") return "an empty segment";
    else if (!isLiteral(segment)) return `the segment "${segment}" is not spelled canonically`;
  }
  return undefined;
}

/** Whether every action of `child` is one of `parent`. Exact; `child` may be a concrete action. */
export function covers(parent: string, child: string): boolean {
  return parent === child || coversSegments(parent.split("/"), child.split("/"));
}

/** `covers` for patterns that are split already. */
export function coversSegments(parent: readonly string[], child: readonly string[]): boolean {
  const isOpen = parent.at(-1) === "**";
  const fixed = isOpen ? parent.length - 1 : parent.length;
  // Both "fixed plus one or more" and a concrete length, without a look at what the child ends with:
  // its own "**" stands for one segment at least, and in a closed parent nothing covers it.
  if (isOpen ? child.length <= fixed : child.length !== fixed) return false;
  if (!isOpen && child.at(-1) === "**") return false;
  for (let i = 0; i < fixed; i++) {
    if (parent[i] !== "*" && parent[i] !== child[i]) return false;
  }
  return true;
}

/** The pattern of the actions that are both one of `a` and one of `b`; undefined when there are none. Exact. */
export function meetPatterns(a: string, b: string): string | undefined {
  let [long, short] = [a.split("/"), b.split("/")];
  if (long.length < short.length) [long, short] = [short, long];
  if (long.length !== short.length && short.at(-1) !== "**") return undefined;
  const met: string[] = [];
  for (const [i, segment] of long.entries()) {
    const both = meetSegments(segment, short[i] ?? "**");
    if (both === undefined) return undefined;
    met.push(both);
  }
  return met.join("/");
}

function meetSegments(a: string, b: string): string | undefined {
  if (a === b || b === "**") return a;
  if (a === "**") return b;
  if (a === "*") return b;
  if (b === "*") return a;
  return undefined;
}
