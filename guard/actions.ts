// What is done at a tool, in the words of mandates: tools/read/NAME, tools/write/NAME, resources/read/SCHEME,
// prompts/get/NAME, http/METHOD/PATH. Names are percent-encoded, in one way only.

import { encodeSegment } from "../policy/action-pattern.ts";
import { policyError } from "../policy/errors.ts";

/** One thing that a caller wants done. */
export interface Call {
  readonly action: string;
  /** Labels of the data that is touched. */
  readonly datatypes?: readonly string[];
  /** Of what is touched; 0 is the lowest. */
  readonly sensitivity?: number;
  /** What it is done with: its digest is written down, never itself. */
  readonly args?: unknown;
}

/** @throws ACTION_INVALID for a name that cannot be one */
export function toolAction(name: string, isReadOnly: boolean): string {
  return `tools/${isReadOnly ? "read" : "write"}/${encodeSegment(name)}`;
}

/** @throws ACTION_INVALID */
export function promptAction(name: string): string {
  return `prompts/get/${encodeSegment(name)}`;
}

/** @throws ACTION_INVALID for a URI without a scheme */
export function resourceAction(uri: string): string {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1]?.toLowerCase() ?? "";
  return `resources/read/${encodeSegment(scheme)}`;
}

/** Any other method of a protocol: in nobody's mandate unless it is named there. */
export function otherAction(protocol: string, method: string): string {
  return `${protocol}/${method.split("/").map(encodeSegment).join("/")}`;
}

/** A token (RFC 9110 s5.6.2) in capital letters. */
const METHOD = /^[A-Z0-9!#$%&'*+.^_`|~-]+$/;
/** What may stand in the target of a request: printable ASCII, without "#". */
const TARGET = /^[!"$-~]*$/;

/**
 * A request of HTTP, by its method and the segments of its path. What servers read in more than one way
 * (empty and dot segments, encoded slashes, backslashes, methods in small letters) is refused rather than
 * guessed at.
 * @throws ACTION_INVALID
 */
export function httpAction(method: string, target: string): string {
  // Methods are told apart by case (RFC 9110 s9.1), and not by every server.
  if (!METHOD.test(method)) throw ambiguous(`the method "${method.slice(0, 20)}"`);
  // A fragment is never sent (RFC 9112 s3.2): some servers cut it off, others take it for more of the path.
  // What is no ASCII is read in one alphabet by some, and in another by others.
  if (!TARGET.test(target)) throw ambiguous("a target with characters that a URL does not have");
  const path = target.split("?", 1)[0] ?? "";
  const segments = path.replace(/^\//, "").split("/");
  // A folder's own address: "/a/" is "/a".
  if (segments.at(-1) === "") segments.pop();
  const decoded = segments.map(decodeSegment);
  return ["http", encodeSegment(method.toLowerCase()), ...decoded.map(encodeSegment)].join("/");
}

function decodeSegment(segment: string): string {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    return "";
  }
  return isPlain(text) && isPlain(decodedAgain(text)) ? text : "";
}

/** Whether every server takes it for one segment, and for a name. */
function isPlain(text: string): boolean {
  // With parameters (RFC 3986 s3.3), or with space that some cut off, dots are dots and nothing is nothing.
  const name = (text.split(";", 1)[0] ?? "").trim();
  return name !== "" && name !== "." && name !== ".." && !/[/\\]/.test(text) && !hasControl(text);
}

/** As a server reads it behind a proxy that has decoded it too. */
function decodedAgain(text: string): string {
  return text.replace(/%[0-9A-Fa-f]{2}/g, (encoded) =>
    String.fromCharCode(Number.parseInt(encoded.slice(1), 16)),
  );
}

function ambiguous(what: string): Error {
  return policyError(
    "ACTION_INVALID",
    `${what} could be read in two ways: it cannot be an action`,
    {
      hint: "send the request as it is meant",
    },
  );
}

/** Fields by which a request says that it is another one, to servers that listen to them. */
const OVERRIDES = [
  "x-http-method-override",
  "x-http-method",
  "x-method-override",
  "x-original-url",
  "x-rewrite-url",
];

/** @throws ACTION_INVALID for a request with such a field */
export function assertMeantAsSent(headers: Readonly<Record<string, unknown>>): void {
  const field = OVERRIDES.find((name) => headers[name] !== undefined);
  if (field !== undefined) throw ambiguous(`a request with ${field}`);
}

function hasControl(text: string): boolean {
  return [...text].some((character) => character < " " || character === "\u007f");
}

/** The stream of the audit log, and the type of an event there, that an action belongs to. */
export function recordedAs(action: string): { readonly stream: string; readonly type: string } {
  if (action.startsWith("resources/")) return { stream: "data_retrieval", type: "resource.read" };
  if (action.startsWith("prompts/")) return { stream: "data_retrieval", type: "prompt.read" };
  if (action.startsWith("http/")) return { stream: "tool_call", type: "http.called" };
  return { stream: "tool_call", type: "tool.called" };
}
