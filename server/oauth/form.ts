// Reads what clients send to the token issuer: application/x-www-form-urlencoded (RFC 6749 s3.2), each
// parameter once, nothing in the query.

import type { IdentityError } from "../../pki/errors.ts";
import type { Post } from "../documents/post.ts";
import { serverError } from "../errors.ts";

const MAX_PARAMETERS = 32;
const CONTENT_TYPE = /^application\/x-www-form-urlencoded\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?$/i;
const utf8: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The parameters by name. Those without a value are as if they were not there (RFC 6749 s3.2). */
export type Form = ReadonlyMap<string, string>;

/** @throws OAUTH_REQUEST_INVALID */
export function readForm({ headers, body, query }: Post): Form {
  if (!CONTENT_TYPE.test(headers["content-type"] ?? "")) {
    throw invalid("its content type is not application/x-www-form-urlencoded");
  }
  // Addresses are logged on the way, and so would be what is in them.
  if (query !== "") throw invalid("it has parameters in its address");
  const form = new Map<string, string>();
  const seen = new Set<string>();
  const pairs = decode(body).split("&");
  if (pairs.length > MAX_PARAMETERS) throw invalid(`it has over ${MAX_PARAMETERS} parameters`);
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    const name = unescaped(at === -1 ? pair : pair.slice(0, at));
    const value = at === -1 ? "" : unescaped(pair.slice(at + 1));
    if (name === "" && value === "") continue;
    // Two readers could take two values.
    if (seen.has(name)) throw invalid(`the parameter ${shown(name)} appears twice`);
    seen.add(name);
    if (value !== "") form.set(name, value);
  }
  return form;
}

/** A parameter that must be there. @throws OAUTH_REQUEST_INVALID */
export function required(form: Form, name: string): string {
  const value = form.get(name);
  if (value === undefined) throw invalid(`it has no parameter "${name}"`);
  return value;
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body);
  } catch (cause) {
    throw invalid("it is not UTF-8", cause);
  }
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch (cause) {
    throw invalid("an escape in it is wrong", cause);
  }
}

export function invalid(why: string, cause?: unknown): IdentityError {
  return serverError("OAUTH_REQUEST_INVALID", `the request cannot be answered: ${why}`, {
    hint: "see docs/oauth.md for the requests that are understood",
    cause,
  });
}

/** Outside text in a message. */
export function shown(text: string): string {
  return JSON.stringify(text.slice(0, 100));
}
