// An AI agent: opens a task for its work and uses the tools of the ticket server with the identity of that
// task. In place of a model, it is told by main.ts which tool to call: one line each, "TOOL TICKET".
import { createInterface } from "node:readline";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { openTask } from "../../client/index.ts";
import { exportPkcs8 } from "../../pki/keys.ts";
import { fetchWith } from "./mcp-over-tls.ts";
import { report, saidBy } from "./report.ts";

const tickets = new URL(process.env["TICKETS"] ?? "");
const resource = process.env["RESOURCE"] ?? "";

const task = await openTask({
  taskClass: "standard",
  purpose: "triage ticket 42",
  principal: "https://idp.example.org/u/alice",
  mandate: { locations: [resource], actions: ["tools/read/*"] },
});
const { chain, privateKey, leaf } = task.x509.svid();
report({
  event: "opened",
  pid: process.pid,
  id: task.id,
  spiffeId: task.spiffeId.toString(),
  expiresAt: task.expiresAt.toISOString(),
  certificateUntil: leaf.notAfter.toISOString(),
  locations: task.mandate.locations === "any" ? ["any"] : task.mandate.locations,
  actions: task.mandate.actions === "any" ? ["any"] : task.mandate.actions,
});

const client = new Client({ name: "researcher", version: "1.0.0" });
const fetch = fetchWith(task.x509, task.spiffeId.trustDomain.name);
// The SDK's types are not written for exactOptionalPropertyTypes.
await client.connect(
  new StreamableHTTPClientTransport(tickets, { fetch }) as Parameters<typeof client.connect>[0],
);
const { tools } = await client.listTools();
report({ event: "tools", names: tools.map(({ name }) => name) });

// What a thief would be after: this example shows that it is worth nothing once the task is over.
const { token } = await task.accessToken(resource, { bound: false });
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64");
report({
  event: "secrets",
  chain: chain.map((der) => base64(der)),
  key: base64(exportPkcs8(privateKey)),
  token,
});

for await (const line of createInterface({ input: process.stdin })) {
  const [tool = "", id = ""] = line.split(" ");
  try {
    const { content } = await client.callTool({ name: tool, arguments: { id } });
    const [first] = content as { text?: string }[];
    report({ event: "called", tool, text: first?.text ?? "" });
  } catch (error) {
    report({ event: "refused", tool, why: saidBy(error) });
  }
}
await task.complete();
