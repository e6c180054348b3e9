// The answer to one request for a public document (RFC 9110): GET and HEAD, paths to the letter,
// conditional requests. Paths that are sent to: post.ts. An answer is complete before its first byte is sent, so that an error never
// leaves half a document behind, and it says nothing of what went wrong inside.

import type { IncomingHttpHeaders } from "node:http";
import type { Document, FindResource } from "./document.ts";

/** What is asked for. */
export interface Question {
  readonly method: string;
  /** The request target as it came. */
  readonly target: string;
  /** Of HTTP, such as "1.1". */
  readonly version: string;
  readonly headers: IncomingHttpHeaders;
}

/** What is sent. `body` is left out of the answer to HEAD, but for its length. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** The connection ends with this answer: what follows on it cannot be told apart. */
  readonly isLast?: boolean;
}

const RETRY_AFTER_SECONDS = "5";

/** The answer to what is wrong whatever it asks for; undefined when nothing is. `takesPost`: the path is one that is sent to. */
export function refusalOf(
  { method, version, headers }: Question,
  takesPost = false,
): Answer | undefined {
  // The parser takes lines without a version, whose clients could not tell a head from a document.
  if (!version.startsWith("1.")) return { ...said(505, "only HTTP/1.1"), isLast: true };
  if (!/^(?:100-continue)?$/i.test(headers.expect ?? "")) {
    return { ...said(417, "expect nothing"), isLast: true };
  }
  if (takesPost) {
    if (method === "POST") return undefined;
    return { ...said(405, "only POST", "POST"), isLast: hasBody(headers) };
  }
  const isRead = method === "GET" || method === "HEAD";
  // Nothing here reads a body, and one that is left unread would be taken for the next request.
  if (hasBody(headers)) return { ...said(isRead ? 400 : 405, "send no body"), isLast: true };
  return isRead ? undefined : said(405, "only GET and HEAD");
}

/** Answers a request in which nothing is wrong. @throws what `find` throws */
export async function answerTo({ target, headers }: Question, find: FindResource): Promise<Answer> {
  const path = pathOf(target);
  const resource = path === undefined ? undefined : await find(path);
  if (resource === undefined) return said(404, "there is nothing at this path");
  if (resource === null) {
    const answer = said(503, "not there yet");
    return { ...answer, headers: { ...answer.headers, "retry-after": RETRY_AFTER_SECONDS } };
  }
  if ("location" in resource) {
    const answer = said(307, "it is elsewhere");
    return { ...answer, headers: { ...answer.headers, location: resource.location } };
  }
  const about = headersOf(resource);
  if (isKnown(headers, resource)) return { status: 304, headers: about, body: new Uint8Array() };
  return {
    status: 200,
    headers: { ...about, "content-type": resource.contentType },
    body: resource.body,
  };
}

/** A short text for people, the same for everyone. */
export function said(status: number, text: string, allow = "GET, HEAD"): Answer {
  return {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      ...(status === 405 && { allow }),
    },
    body: Buffer.from(`${text}\n`),
  };
}

function headersOf({ etag, cacheControl }: Document): Record<string, string> {
  return {
    etag,
    "cache-control": cacheControl,
    "x-content-type-options": "nosniff",
  };
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  const length = headers["content-length"];
  return (
    headers["transfer-encoding"] !== undefined || (length !== undefined && Number(length) !== 0)
  );
}

/** The path of a request target in origin form or absolute form (RFC 9112 s3.2), as it was sent, without the query. */
export function pathOf(target: string): string | undefined {
  const absolute = /^https?:\/\/[^/?]*(.*)$/i.exec(target);
  const origin = absolute === null ? target : absolute[1] || "/";
  const path = origin.split("?", 1)[0] ?? "";
  if (absolute !== null && path === "") return "/";
  return path.startsWith("/") ? path : undefined;
}

/** Whether the client has this state already. It can be asked for by its tag alone. */
function isKnown(headers: IncomingHttpHeaders, { etag }: Document): boolean {
  const tags = headers["if-none-match"]?.split(",") ?? [];
  return tags.some((tag) => {
    const bare = tag.trim().replace(/^W\//, "");
    return bare === "*" || bare === etag;
  });
}
