// An AI agent: it fetches its identity, serves other agents, and calls another agent and a tool service
// over mutual TLS until it is told to stop. Without an identity it says why and ends with 3.
import { once } from "node:events";
import type { Agent } from "node:https";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import {
  authorizeId,
  fetchX509Svid,
  httpsAgent,
  IdentityError,
  protectServer,
  serverTlsOptions,
  X509Source,
} from "../../client/index.ts";
import { report, reportIdentity } from "./report.ts";

const peerId = process.env["PEER_ID"] ?? "";
const toolId = process.env["TOOL_ID"] ?? "";

await fetchX509Svid().catch((error: unknown) => {
  const { reason, message } = error as IdentityError;
  report({ event: "refused", reason, message });
  process.exit(3);
});
const source = await X509Source.start();
reportIdentity(source.svid());
const stopReporting = source.onChange(() => reportIdentity(source.svid()));

const server = createServer(serverTlsOptions(), (_request, response) => response.end("hello"));
protectServer(server, { source, authorize: authorizeId(peerId) });
server.listen(0, "127.0.0.1", () => {
  report({ event: "listening", port: (server.address() as AddressInfo).port });
});

// The first line of standard input says where the others are, the second that there were calls enough;
// its end says that nobody calls here any more.
const lines = createInterface({ input: process.stdin });
const [first] = (await once(lines, "line")) as [string];
const { peerPort, toolPort } = JSON.parse(first) as { peerPort: number; toolPort: number };
let stopping = false;
lines.once("line", () => {
  stopping = true;
});
const told = once(lines, "close");

// To each, one connection that is kept and one that is made anew for every call.
const agents = (id: string): Agent[] =>
  [true, false].map((keepAlive) =>
    httpsAgent({ source, authorize: authorizeId(id), http: { keepAlive } }),
  );
const targets = [
  { name: "toPeer", port: peerPort, agents: agents(peerId) },
  { name: "toTool", port: toolPort, agents: agents(toolId) },
] as const;

const counts = { toPeer: 0, toTool: 0, failed: 0, firstFailure: "" };
while (!stopping) {
  for (const target of targets) {
    for (const agent of target.agents) {
      try {
        await call(target.port, agent);
        counts[target.name]++;
      } catch (error) {
        counts.failed++;
        counts.firstFailure ||= `${target.name}: ${error instanceof IdentityError ? error.reason : error}`;
      }
    }
  }
  await sleep(10);
}
report({ event: "calls", ...counts });
for (const target of targets) for (const agent of target.agents) agent.destroy();
await told;
stopReporting();
server.closeAllConnections();
server.close();
source.close();

async function call(port: number, agent: Agent): Promise<void> {
  const request = get({ host: "127.0.0.1", port, agent, timeout: 10_000 });
  request.once("timeout", () => request.destroy(new Error("no answer in 10 s")));
  const [response] = (await once(request, "response")) as [import("node:http").IncomingMessage];
  for await (const _chunk of response);
  if (response.statusCode !== 200) throw new Error(`status ${response.statusCode}`);
}
