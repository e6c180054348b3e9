// The guard in the whole product: a server and a node agent, an MCP server behind the guard, an AI agent whose
// task uses it with the official SDK; then the task ends. With the audit log as the third party's view.

import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import t from "tap";
import {
  authorizeMemberOf,
  httpsAgent,
  openTask,
  serverTlsOptions,
  type TlsSource,
} from "../../client/index.ts";
import { createGuard, guardMcp, protect } from "../../guard/index.ts";
import { fetchOver } from "../support/fetch-over.ts";
import { ticketServer } from "../support/guarded-mcp.ts";
import { startUp } from "../support/signet.ts";

const RESOURCE = "https://mcp.north.test/tickets";
const AGENT = "spiffe://north.test/agent/researcher";
const text = (result: unknown): string =>
  (result as { content: { text: string }[] }).content[0]?.text ?? "";

t.test("an AI agent uses an MCP server for as long as its task runs", async (t) => {
  t.comment("1. server and node agent; a ticket server and an AI agent are registered");
  const up = await startUp();
  t.teardown(() => up.stop());
  const node = ["--parent-id", "spiffe://north.test/node"];
  const uid = ["--selector", `unix:uid:${process.getuid?.()}`];
  await up.admin("entry", "create", "--spiffe-id", "spiffe://north.test/tickets", ...node, ...uid);
  await up.admin(
    ...["ai-agent", "create", AGENT, "--owner", "team:support", "--purpose", "answers tickets"],
    ...["--environment", "test", "--until", "1d", "--task-class", "standard"],
    ...["--location", RESOURCE, "--action", "tools/**", ...node, ...uid],
  );

  t.comment("2. the ticket server is an MCP server behind the guard");
  const endpoint = `unix://${up.agentSocket}`;
  const guard = await createGuard({ resource: RESOURCE, endpoint });
  t.teardown(() => guard.close());
  const ran: string[] = [];
  const handler = guardMcp(guard, {
    server: () => ticketServer(ran),
    transport: (options) => new StreamableHTTPServerTransport(options),
  });
  const server = protect(guard, createServer(serverTlsOptions(), handler)).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const url = new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}/tickets`);

  const connect = async (
    source: TlsSource,
    headers: () => Readonly<Record<string, string>> = () => ({}),
  ): Promise<Client> => {
    const agent = httpsAgent({ source, authorize: authorizeMemberOf("north.test") });
    t.teardown(() => agent.destroy());
    const client = new Client({ name: "researcher", version: "1.0.0" });
    const fetch = fetchOver(agent, headers);
    await client.connect(new StreamableHTTPClientTransport(url, { fetch }));
    return client;
  };

  t.comment("3. the AI agent opens a task for three uses of the reading tools");
  const task = await openTask({
    endpoint,
    aiAgent: AGENT,
    taskClass: "standard",
    purpose: "triage 42",
    mandate: { actions: ["tools/read/*"], uses: 3 },
  });
  t.teardown(() => task.close());
  const client = await connect(task.x509);
  const { tools } = await client.listTools();
  t.notOk(
    tools.some(({ name }) => name === "delete_ticket"),
    "it does not see the others",
  );
  t.match(text(await client.callTool({ name: "read_ticket", arguments: {} })), /printer/);
  await t.rejects(client.callTool({ name: "delete_ticket", arguments: {} }), { code: 403 });

  t.comment("4. a JWT-SVID of the task is as good");
  const { token } = await task.jwtSvid(RESOURCE);
  const nobody: TlsSource = {
    svid: () => undefined,
    anchorsOf: guard.source.anchorsOf,
    onChange: () => () => {},
  };
  const bearer = await connect(nobody, () => ({ authorization: `Bearer ${token}` }));
  await bearer.callTool({ name: "read_ticket", arguments: {} });

  t.comment("5. of ten more calls at once one is left");
  const calls = Array.from({ length: 10 }, () =>
    client.callTool({ name: "read_ticket", arguments: {} }),
  );
  const outcomes = await Promise.allSettled(calls);
  t.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  t.same(ran, ["read_ticket", "read_ticket", "read_ticket"]);

  t.comment("6. the task is done: its connections are closed, and it is refused");
  const before = await connectionCount(server);
  t.ok(before > 0);
  await task.complete();
  await until(async () => (await connectionCount(server)) === 0);
  await t.rejects(
    connect(nobody, () => ({ authorization: `Bearer ${token}` })),
    { code: 401 },
  );

  t.comment("7. the audit log has it all, and holds together");
  const tail = async (): Promise<string> =>
    up.admin("audit", "tail", "--last", "500", "--output", "json");
  await until(async () => (await tail()).includes("escalation.used-after-end"));
  const log = await tail();
  for (const part of [
    "decision.made",
    "tool.called",
    "escalation.mandate-exceeded",
    "escalation.budget-exceeded",
    "spiffe://north.test/tickets",
  ]) {
    t.match(log, part);
  }
  t.notMatch(log, token);
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 100; i++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it never came to that: ${isSo}`);
}

function connectionCount(server: {
  getConnections(fn: (error: unknown, count: number) => void): unknown;
}): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
}
