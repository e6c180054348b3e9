// `fetch` of a client that trusts one authority of web certificates, for libraries that take a fetch.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";

export type Fetch = (url: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** GETs over TLS, verified against `ca` (PEM) and the host of the URL. `seen` notes each URL. */
export function webFetch(ca: string, seen: string[] = []): Fetch {
  return async (url, init = {}) => {
    const target = new URL(url instanceof Request ? url.url : url);
    seen.push(target.href);
    const headers = Object.fromEntries(new Headers(init.headers ?? {}));
    const request = httpsRequest(target, { ca, headers, agent: false }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const chunks: Uint8Array[] = [];
    for await (const chunk of response) chunks.push(chunk as Uint8Array);
    const answered = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
    return new Response(Buffer.concat(chunks), {
      status: response.statusCode ?? 0,
      headers: answered as [string, string][],
    });
  };
}
