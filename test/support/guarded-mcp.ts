// An MCP server of tickets behind a guard, over HTTPS on a port of its own, and the SDK's clients of it.

import { once } from "node:events";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Test } from "tap";
import { authorizeAny } from "../../client/tls/authorize.ts";
import { httpsAgent } from "../../client/tls/https.ts";
import { serverTlsOptions } from "../../client/tls/server.ts";
import type { TlsSource } from "../../client/tls/source.ts";
import {
  createGuard,
  type Guard,
  type GuardOptions,
  guardMcp,
  protect,
} from "../../guard/index.ts";
import type { McpGuardOptions } from "../../guard/mcp.ts";
import { type FakeGuardNode, ISSUER } from "./fake-guard-node.ts";
import { fetchOver } from "./fetch-over.ts";

/** How the tool "slow" goes on, and whether it has begun. */
export interface SlowCall {
  readonly begun: Promise<void>;
  readonly begin: () => void;
  readonly goOn: () => void;
  readonly mayEnd: Promise<void>;
}

export interface GuardedMcp {
  readonly guard: Guard;
  readonly server: Server;
  readonly url: URL;
  readonly slow: SlowCall;
  /** Names of the tools that were run. */
  readonly ran: string[];
  readonly refused: string[];
  /** The agent of a task's TLS connections, or of one without a certificate. */
  agentOf(source?: TlsSource): Promise<ReturnType<typeof httpsAgent>>;
  /** A client of the SDK. */
  connect(
    source: TlsSource | undefined,
    headers?: Parameters<typeof fetchOver>[1],
  ): Promise<{ client: Client; transport: StreamableHTTPClientTransport }>;
}

export function ticketServer(ran: string[], slow?: SlowCall): McpServer {
  const server = new McpServer({ name: "tickets", version: "1.0.0" });
  const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });
  const readOnly = { annotations: { readOnlyHint: true } };
  server.registerTool("read_ticket", { description: "Reads", ...readOnly }, () => {
    ran.push("read_ticket");
    return text("ticket 42: the printer is on fire");
  });
  server.registerTool("delete_ticket", { description: "Deletes" }, () => {
    ran.push("delete_ticket");
    return text("gone");
  });
  server.registerTool("fail", { description: "Fails", ...readOnly }, () => {
    ran.push("fail");
    throw new Error("no such ticket");
  });
  server.registerTool("slow", { description: "Slow", ...readOnly }, async () => {
    ran.push("slow");
    slow?.begin();
    await slow?.mayEnd;
    return text("the secret of the slow tool");
  });
  server.registerPrompt("summary", { description: "Sums up" }, () => ({
    messages: [{ role: "user", content: { type: "text", text: "sum up" } }],
  }));
  server.registerResource("log", "ticket://log", {}, (uri) => ({
    contents: [{ uri: uri.href, text: "nothing happened" }],
  }));
  return server;
}

function slowCall(): SlowCall {
  const begun = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  return { begun: begun.promise, begin: begun.resolve, goOn: end.resolve, mayEnd: end.promise };
}

export async function startGuardedMcp(
  t: Test,
  node: FakeGuardNode,
  options: Partial<GuardOptions> = {},
  mcp: Partial<McpGuardOptions> = {},
): Promise<GuardedMcp> {
  const guard = await createGuard({
    resource: "https://localhost/mcp",
    endpoint: node.endpoint,
    issuer: ISSUER,
    jwks: node.jwks,
    ...options,
  });
  const ran: string[] = [];
  const refused: string[] = [];
  const slow = slowCall();
  const handler = guardMcp(guard, {
    server: () => ticketServer(ran, slow),
    transport: (given) => new StreamableHTTPServerTransport(given),
    onRefused: (error) => refused.push((error as { reason?: string }).reason ?? String(error)),
    ...mcp,
  });
  const server = protect(guard, createServer(serverTlsOptions(), handler));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`https://localhost:${(server.address() as AddressInfo).port}/mcp`);
  const clients: Client[] = [];
  const agents: ReturnType<typeof httpsAgent>[] = [];
  t.teardown(async () => {
    await Promise.allSettled(clients.map((client) => client.close()));
    for (const agent of agents) agent.destroy();
    server.closeAllConnections();
    server.close();
    guard.close();
  });
  const agentOf: GuardedMcp["agentOf"] = async (source) => {
    const anonymous = { ...(await node.tlsOf("spiffe://north.test/x")), svid: () => undefined };
    const { anchorsOf } = await node.tlsOf("spiffe://north.test/x");
    const shown = source ?? { ...anonymous, anchorsOf, onChange: () => () => {} };
    const agent = httpsAgent({ source: shown, authorize: authorizeAny() });
    agents.push(agent);
    return agent;
  };
  return {
    guard,
    server,
    url,
    slow,
    ran,
    refused,
    agentOf,
    async connect(source, headers) {
      const fetch = fetchOver(await agentOf(source), headers);
      const transport = new StreamableHTTPClientTransport(url, { fetch });
      const client = new Client({ name: "agent", version: "1.0.0" });
      await client.connect(transport);
      clients.push(client);
      return { client, transport };
    },
  };
}
