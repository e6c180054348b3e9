// The official MCP client over mutual TLS: it takes a `fetch`, and this one makes its requests with an
// identity of SPIFFE.
import { type RequestOptions, request } from "node:https";
import { Readable } from "node:stream";
import { authorizeMemberOf, httpsAgent, type TlsSource } from "../../client/index.ts";

type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/** A `fetch` that shows what the source holds, to services of this trust domain alone. */
export function fetchWith(
  source: TlsSource,
  trustDomain: string,
  http: { readonly keepAlive: boolean } = { keepAlive: true },
): Fetch {
  const agent = httpsAgent({ source, authorize: authorizeMemberOf(trustDomain), http });
  return (url, init = {}) =>
    new Promise((resolve, reject) => {
      const options: RequestOptions = {
        agent,
        method: init.method ?? "GET",
        headers: Object.fromEntries(new Headers(init.headers)),
        ...(init.signal && { signal: init.signal }),
      };
      const call = request(url, options, (answer) => {
        const { statusCode: status = 500 } = answer;
        const headers = new Headers();
        for (const [name, values] of Object.entries(answer.headersDistinct)) {
          for (const value of values ?? []) headers.append(name, value);
        }
        const hasBody = status !== 204 && status !== 304 && init.method !== "HEAD";
        const body = hasBody ? (Readable.toWeb(answer) as ReadableStream) : null;
        resolve(new Response(body, { status, headers }));
      });
      call.once("error", reject);
      call.end(init.body ?? undefined);
    });
}
