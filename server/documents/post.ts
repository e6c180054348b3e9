// Requests that send something (RFC 9110 s9.3.3): which paths take them, how large they may be, and how one
// is read. A body is held back until all of it is there, within the time and the size that it may take.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { peerChain } from "../../client/tls/admit.ts";
import { type Answer, said } from "./answer.ts";

/** What was sent. */
export interface Post {
  /** Without the query, to the letter. */
  readonly path: string;
  /** What stands behind "?", if anything does. */
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
  /** What the client showed in its handshake, DER, leaf first; nothing of it has been verified. */
  readonly certificates: readonly Uint8Array[];
  readonly remoteAddress: string | undefined;
}

/** The paths that are sent to. What `answer` throws is an internal error. */
export interface Posts {
  has(path: string): boolean;
  answer(post: Post): Promise<Answer>;
  readonly maxBodyBytes: number;
  /** More at a time, of all clients, are told to come back. */
  readonly maxAtOnce: number;
}

const BUSY: Answer = {
  ...said(503, "too many requests at once"),
  headers: { ...said(503, "").headers, "retry-after": "1" },
};

/** What is wrong with the announced body, if something is. Nothing of it is read then. */
export function bodyRefusal(
  headers: IncomingHttpHeaders,
  { maxBodyBytes }: Pick<Posts, "maxBodyBytes">,
): Answer | undefined {
  if (headers["content-encoding"] !== undefined) {
    return { ...said(415, "send it uncompressed"), isLast: true };
  }
  return Number(headers["content-length"] ?? 0) > maxBodyBytes ? tooLarge(maxBodyBytes) : undefined;
}

/** Takes requests, so many at a time. */
export class PostOffice {
  readonly #posts: Posts;
  #under = 0;

  constructor(posts: Posts) {
    this.#posts = posts;
  }

  /** Reads a request to its end and answers it; undefined when its client went away before. */
  async take(
    request: IncomingMessage,
    path: string,
    onRead: () => void,
  ): Promise<Answer | undefined> {
    const { maxAtOnce, maxBodyBytes } = this.#posts;
    if (this.#under >= maxAtOnce) return { ...BUSY, isLast: true };
    this.#under++;
    try {
      const body = await readBody(request, maxBodyBytes);
      if (body === "gone") return undefined;
      if (body === "large") return tooLarge(maxBodyBytes);
      onRead();
      return await this.#posts.answer({
        path,
        query: (request.url ?? "").split("?").slice(1).join("?"),
        headers: request.headers,
        body,
        certificates: certificatesOf(request),
        remoteAddress: request.socket.remoteAddress,
      });
    } finally {
      this.#under--;
    }
  }
}

function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | "large" | "gone"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on("data", (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) chunks.push(chunk);
      else {
        request.pause();
        resolve("large");
      }
    });
    request.once("end", () => resolve(Buffer.concat(chunks)));
    request.once("close", () => resolve("gone"));
    request.once("error", () => resolve("gone"));
  });
}

function certificatesOf({ socket }: IncomingMessage): readonly Uint8Array[] {
  return socket instanceof TLSSocket ? peerChain(socket) : [];
}

function tooLarge(maxBytes: number): Answer {
  return { ...said(413, `send at most ${maxBytes} bytes`), isLast: true };
}
