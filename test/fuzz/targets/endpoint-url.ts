// URLs of bundle endpoints, compared with the URL class: what we accept it reads with the same host and port.
import { isIPv6 } from "node:net";
import { parseEndpointUrl, parseRedirectTarget } from "../../../server/federation/endpoint-url.ts";
import { bytesOf, type FuzzTarget, holds, parsedOrRefused } from "../target.ts";

const from = parseEndpointUrl("https://north.test:8443/bundle");

export const endpointUrl: FuzzTarget = {
  name: "endpoint-url",
  reads: "URLs of bundle endpoints, and where they redirect",
  maxBytes: 4096,
  seeds: () =>
    ["https://h.test:8443/b?x=1", "https://[::1]/", "https://10.0.0.1", "/other?y", "//evil"].map(
      bytesOf,
    ),
  run(data) {
    const text = Buffer.from(data).toString("latin1");
    for (const parse of [parseEndpointUrl, (one: string) => parseRedirectTarget(from, one)]) {
      const url = parsedOrRefused(() => parse(text));
      if (url === undefined) continue;
      holds(URL.canParse(url.text), "a URL for one reader only");
      const { protocol, hostname, port, username, hash } = new URL(url.text);
      holds(protocol === "https:" && username === "" && hash === "", "another kind of URL");
      holds(Number(port || 443) === url.port, "two ports");
      const isName = !isIPv6(url.host) && !/^[0-9.]+$/.test(hostname);
      if (isName) holds(hostname === url.host.toLowerCase(), "two hosts");
    }
  },
};
