// The `fetch` that the MCP SDK takes, over node:https with an agent of ours: for mutual TLS, which the global
// one cannot do.

import type { Agent } from "node:https";
import { request } from "node:https";
import { Readable } from "node:stream";

/** `headers` are added to every request: what they return may depend on it. */
export function fetchOver(
  agent: Agent,
  headersOf: (url: URL, method: string) => Readonly<Record<string, string>> = () => ({}),
): (url: string | URL, init?: RequestInit) => Promise<Response> {
  return (url, init = {}) =>
    new Promise((resolve, reject) => {
      const target = new URL(url);
      const { method = "GET", body, signal } = init;
      const headers = {
        ...Object.fromEntries(new Headers(init.headers)),
        ...headersOf(target, method),
      };
      const options = { agent, method, headers, ...(signal && { signal }) };
      const call = request(target, options, (response) => {
        const { statusCode = 0, rawHeaders } = response;
        const fields = new Headers();
        for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
          fields.append(rawHeaders[i] ?? "", rawHeaders[i + 1] ?? "");
        }
        response.on("error", () => {}); // the reader of the body is told
        const isEmpty = [101, 204, 205, 304].includes(statusCode);
        const content = isEmpty ? null : (Readable.toWeb(response) as ReadableStream<Uint8Array>);
        resolve(new Response(content, { status: statusCode, headers: fields }));
      });
      call.on("error", reject);
      call.end(typeof body === "string" ? body : undefined);
    });
}
