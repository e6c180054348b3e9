// One GET of a document over https, with limits on everything the other side decides: how long the head
// and the body may be, and how long all takes. No connection is kept, none goes through a proxy, and no
// TLS session is resumed, since that would skip the check of the certificate.

import type { IncomingMessage } from "node:http";
import { type Agent, request } from "node:https";
import type { TLSSocket } from "node:tls";
import { serverError } from "../errors.ts";
import type { EndpointUrl } from "./endpoint-url.ts";

/**
 * Room for a hundred authorities with large keys. A workload is sent the bundles of all trust domains that
 * it federates with in one message of 4 MiB at most: one of them must not fill it.
 */
const MAX_BODY_BYTES = 256 * 1024;
/** Each costs the same, however little is in it. */
const MAX_BODY_PIECES = 8192;
const MAX_HEADER_BYTES = 16 * 1024;
/** Answers before the answer ("103 Early Hints"), which have no end of their own. */
const MAX_INFORMATIONAL = 8;
const REDIRECTS = [301, 302, 303, 307, 308];

/** A document, or where to look for it. */
export type Answer =
  | { readonly kind: "document"; readonly body: Uint8Array }
  | { readonly kind: "redirect"; readonly location: string };

/**
 * Asks for the document at `url` over a connection of `agent`; `onPeer` is shown the connection before
 * anything is read from it.
 * @throws BUNDLE_FETCH_FAILED, and what the agent's connections throw
 */
export async function get(
  url: EndpointUrl,
  agent: Agent,
  signal: AbortSignal,
  onPeer: (socket: TLSSocket) => void,
): Promise<Answer> {
  const response = await ask(url, agent, signal, onPeer);
  try {
    const { statusCode = 0, headers } = response;
    if (REDIRECTS.includes(statusCode)) {
      if (headers.location !== undefined) return { kind: "redirect", location: headers.location };
      throw failed(url, `it answers ${statusCode} and does not say where to go`);
    }
    if (statusCode === 404) {
      const hint = "correct the path of the URL: most servers have their bundle at /";
      throw failed(url, "it answers 404, and not 200", hint);
    }
    if (statusCode !== 200) throw failed(url, `it answers ${statusCode}, and not 200`);
    const encoding = headers["content-encoding"] ?? "identity";
    if (encoding !== "identity")
      throw failed(url, "its answer is compressed, which was not asked for");
    return { kind: "document", body: await read(url, response) };
  } finally {
    response.destroy();
  }
}

function ask(
  url: EndpointUrl,
  agent: Agent,
  signal: AbortSignal,
  onPeer: (socket: TLSSocket) => void,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { host, port, target } = url;
    const sent = request({
      host,
      port,
      path: target,
      method: "GET",
      agent,
      signal,
      maxHeaderSize: MAX_HEADER_BYTES,
      headers: { accept: "application/json", "accept-encoding": "identity", connection: "close" },
    });
    sent.once("error", reject);
    // While it connects, an aborted request says nothing of it.
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    let announced = 0;
    sent.on("information", () => {
      if (++announced <= MAX_INFORMATIONAL) return;
      reject(failed(url, "it announces an answer again and again"));
      sent.destroy();
    });
    // Not followed and not awaited: an endpoint has no reason to send any.
    sent.once("upgrade", (_, socket) => {
      socket.destroy();
      reject(failed(url, "it answers with another protocol"));
    });
    sent.once("response", (response: IncomingMessage) => {
      onPeer(response.socket as TLSSocket);
      resolve(response);
    });
    sent.end();
  });
}

/** By events: reading in a loop would first gather what has come, in any number of pieces. */
function read(url: EndpointUrl, response: IncomingMessage): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let length = 0;
    const refuse = (why: string): void => {
      reject(failed(url, why));
      response.destroy();
    };
    response.on("data", (piece: Buffer) => {
      if (response.destroyed) return;
      length += piece.length;
      pieces.push(piece);
      if (length > MAX_BODY_BYTES) refuse(`its answer has more than ${MAX_BODY_BYTES} bytes`);
      else if (pieces.length > MAX_BODY_PIECES)
        refuse(`its answer comes in more than ${MAX_BODY_PIECES} pieces`);
    });
    response.once("end", () => {
      if (response.complete) resolve(Buffer.concat(pieces));
      else refuse("its answer ends too early");
    });
    response.once("error", reject);
    response.once("close", () => reject(failed(url, "its answer ends too early")));
  });
}

function failed(url: EndpointUrl, why: string, hint?: string): Error {
  const message = `the bundle endpoint ${url.text}: ${why}`;
  return serverError("BUNDLE_FETCH_FAILED", message, hint === undefined ? {} : { hint });
}
