// A server's request as proofs see it: method, target and fields as they came, and whether the channel it
// came over is secure. Takes requests of node:http, node:https and node:http2.

import type { IdentityError } from "../../pki/errors.ts";
import type { HttpRequest } from "../../pki/wit/http-request.ts";
import { clientError } from "../errors.ts";

/** What is needed of `IncomingMessage` and `Http2ServerRequest`. */
export interface ServerRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Set by frameworks that cut the path of a mounted handler off `url`. */
  readonly originalUrl?: string | undefined;
  /** Name, value, name, value: unlike `headers` it hides no repetition. */
  readonly rawHeaders: readonly string[];
  readonly socket: object;
  /** The stream of an HTTP/2 request. */
  readonly stream?: object | undefined;
}

/**
 * Reads a request.
 * @throws WIT_PRESENTATION_INVALID for targets that are no path of this server
 */
export function readRequest(request: ServerRequest): HttpRequest {
  const { method = "", rawHeaders } = request;
  const target = request.originalUrl ?? request.url ?? "";
  // Absolute forms name a host that nobody here configured.
  if (!target.startsWith("/")) throw unpresentable("its target is not a path");
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = "", value = ""] = rawHeaders.slice(i, i + 2);
    if (!name.startsWith(":")) fields.push([name, value]);
  }
  return { method, target, fields };
}

/** Whether a body comes with the request, as far as its head tells. */
export function mayHaveBody(request: ServerRequest, { fields }: HttpRequest): boolean {
  const { stream } = request;
  if (stream !== undefined && "endAfterHeaders" in stream) return stream.endAfterHeaders !== true;
  return fields.some(([name, value]) => {
    const field = name.toLowerCase();
    return field === "transfer-encoding" || (field === "content-length" && Number(value) !== 0);
  });
}

/**
 * Checks that nobody between could listen: TLS that ends in this process, or a unix socket.
 * @throws TRANSPORT_NOT_CONFIDENTIAL
 */
export function assertConfidential({ socket }: ServerRequest): void {
  if ("encrypted" in socket && socket.encrypted === true) return;
  if (isUnixSocket(socket)) return;
  throw clientError(
    "TRANSPORT_NOT_CONFIDENTIAL",
    "a WIT-SVID came in plain text: whoever listened could play its proof again",
    { hint: "serve https or a unix socket; behind a proxy of your own set requireTls: false" },
  );
}

/** Sockets of a server that listens on a path. One that is closed has no address either, so its server is asked. */
function isUnixSocket(socket: object): boolean {
  const { server } = socket as { readonly server?: { address?(): unknown } | null };
  return typeof server?.address?.() === "string";
}

/** The WIT-SVID or its proof did not come the way it must. */
export function unpresentable(why: string, hint?: string): IdentityError {
  return clientError("WIT_PRESENTATION_INVALID", `the WIT-SVID is presented wrongly: ${why}`, {
    ...(hint !== undefined && { hint }),
  });
}
