// Calls server.ts over mutual TLS, and nobody else who may answer in its place.
import { once } from "node:events";
import { get } from "node:https";
import { authorizeId, httpsAgent, X509Source } from "../../client/index.ts";

using source = await X509Source.start();
const { trustDomain } = source.svid().id;
const agent = httpsAgent({ source, authorize: authorizeId(`${trustDomain.id}/server`) });
const request = get(`https://localhost:${process.env["PORT"] ?? 8443}/`, { agent });
const [response] = await once(request, "response");
response.pipe(process.stdout);
await once(response, "end");
agent.destroy();
