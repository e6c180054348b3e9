// What requests share at an MCP server: a session that several credentials of one task use, room for sessions, and
// the tools, which learn who calls and get nothing to pass on.

import t from "tap";
import type { GuardedTransport, McpTransport } from "../../guard/mcp-transport.ts";
import { FakeGuardNode, MANDATE } from "../support/fake-guard-node.ts";
import { fetchOver } from "../support/fetch-over.ts";
import { type GuardedMcp, startGuardedMcp, ticketServer } from "../support/guarded-mcp.ts";

type Fetch = ReturnType<typeof fetchOver>;

const INITIALIZE = {
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "x", version: "1" },
  },
};

/** Sends a message; `session` goes with it. */
function post(mcp: GuardedMcp, fetch: Fetch, message: object, session?: string): Promise<Response> {
  return fetch(mcp.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      ...(session !== undefined && { "mcp-session-id": session }),
    },
    body: JSON.stringify({ jsonrpc: "2.0", ...message }),
  });
}

const callOf = (id: number, name: string): object => ({
  id,
  method: "tools/call",
  params: { name, arguments: {} },
});

t.test("a call is judged by its own credential, whoever uses the session meanwhile", async (t) => {
  const node = await FakeGuardNode.start(t);
  const held = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const ran: string[] = [];
  const mcp = await startGuardedMcp(
    t,
    node,
    {},
    {
      server: () => ({
        async connect(transport: McpTransport) {
          await ticketServer(ran).connect(transport as never);
          const deliver = transport.onmessage;
          // The list by which the guard knows what only reads takes its time.
          transport.onmessage = (message, extra) => {
            if (message.method !== "tools/list") return deliver?.(message, extra);
            asked.resolve();
            held.promise.then(() => deliver?.(message, extra));
          };
        },
      }),
    },
  );
  const task = node.open();
  const token = await node.accessToken(task, {
    mandate: { ...MANDATE, actions: ["tools/read/*"] },
  });
  const whole = fetchOver(await mcp.agentOf(await node.tlsOf(task.spiffeId)));
  const narrow = fetchOver(await mcp.agentOf(), () => ({ authorization: `Bearer ${token}` }));
  const opened = await post(mcp, whole, { id: 1, ...INITIALIZE });
  await opened.text();
  const session = opened.headers.get("mcp-session-id") ?? "";
  const forbidden = post(mcp, narrow, callOf(2, "delete_ticket"), session);
  await asked.promise;
  await (await post(mcp, whole, { id: 3, method: "ping" }, session)).text();
  held.resolve();
  t.equal((await forbidden).status, 403);
  t.same(ran, []);
  t.match(node.eventsOf("escalation.mandate-exceeded"), [{ credential: { kind: "access-token" } }]);
});

t.test("a tool gets no token, in whatever the transport tells it of the request", async (t) => {
  const node = await FakeGuardNode.start(t);
  const told: unknown[] = [];
  const server = () => {
    const tickets = ticketServer([]);
    tickets.registerTool("tell", { annotations: { readOnlyHint: true } }, (extra) => {
      told.push(extra.authInfo, extra.requestInfo);
      return { content: [] };
    });
    return tickets;
  };
  const mcp = await startGuardedMcp(t, node, {}, { server });
  const task = node.open();
  const token = await node.accessToken(task);
  const { client } = await mcp.connect(undefined, () => ({ authorization: `Bearer ${token}` }));
  await client.callTool({ name: "tell", arguments: {} });
  t.match(told, [{ clientId: task.aiAgent }, { headers: { host: String } }]);
  t.notMatch(JSON.stringify(told), token);
});

t.test("a call that is cancelled is on record", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open();
  const { client } = await mcp.connect(await node.tlsOf(task.spiffeId));
  const controller = new AbortController();
  const call = { name: "slow", arguments: {} };
  const slow = client.callTool(call, undefined, { signal: controller.signal });
  await mcp.slow.begun;
  controller.abort();
  await t.rejects(slow);
  while (node.eventsOf("tool.called").length === 0)
    await new Promise((done) => setTimeout(done, 5));
  t.match(node.eventsOf("tool.called"), [{ outcome: "failed" }]);
  mcp.slow.goOn();
});

t.test("an answer that nobody waits for does not leave", async (t) => {
  const node = await FakeGuardNode.start(t);
  let guarded: GuardedTransport | undefined;
  const mcp = await startGuardedMcp(
    t,
    node,
    {},
    {
      server: () => ({
        connect: async (transport: GuardedTransport) => {
          guarded = transport;
          await transport.start();
        },
      }),
    },
  );
  const task = node.open();
  const fetch = fetchOver(await mcp.agentOf(await node.tlsOf(task.spiffeId)));
  const answer = post(mcp, fetch, { id: 1, ...INITIALIZE });
  while (guarded?.onmessage !== undefined || guarded === undefined) {
    await new Promise((done) => setTimeout(done, 5));
  }
  await new Promise((done) => setTimeout(done, 50));
  await guarded.send({ jsonrpc: "2.0", id: "1", result: { secret: "of another call" } });
  await guarded.send({ jsonrpc: "2.0", id: 1, result: { served: true } });
  t.match(await (await answer).text(), /served/);
  await guarded.send({ jsonrpc: "2.0", id: 1, result: { served: "twice" } });
});

t.test("no AI agent takes all the room for sessions with many tasks", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node, {}, { maxSessions: 8 });
  const open = async (task: { spiffeId: string }): Promise<number> => {
    const fetch = fetchOver(await mcp.agentOf(await node.tlsOf(task.spiffeId)));
    return (await post(mcp, fetch, { id: 1, ...INITIALIZE })).status;
  };
  const statuses: number[] = [];
  for (let i = 0; i < 4; i++) statuses.push(await open(node.open()));
  t.same(statuses, [200, 200, 429, 429]);
  t.equal(await open(node.open({ aiAgent: "spiffe://north.test/agent/other" })), 200);
});
