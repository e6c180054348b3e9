// MCP sessions behind the guard: each is the task's that opened it; messages that could be read in two ways
// reach no server; web pages of others are shut out.

import { request } from "node:https";
import t from "tap";
import type { TlsSource } from "../../client/tls/source.ts";
import { FakeGuardNode } from "../support/fake-guard-node.ts";
import { type GuardedMcp, startGuardedMcp } from "../support/guarded-mcp.ts";

interface Answer {
  readonly status: number;
  readonly session: string;
  readonly text: string;
}

const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: {
    protocolVersion: "2025-06-18",
    capabilities: {},
    clientInfo: { name: "x", version: "1" },
  },
};

async function send(
  mcp: GuardedMcp,
  source: TlsSource,
  {
    body,
    session,
    method = "POST",
    target = "/mcp",
    headers = {},
  }: {
    readonly body?: unknown;
    readonly session?: string;
    readonly method?: string;
    readonly target?: string;
    readonly headers?: Readonly<Record<string, string>>;
  },
): Promise<Answer> {
  const agent = await mcp.agentOf(source);
  return new Promise((resolve, reject) => {
    const call = request(
      {
        agent,
        host: "localhost",
        port: mcp.url.port,
        path: target,
        method,
        headers: {
          "content-type": "application/json",
          accept: "application/json, text/event-stream",
          ...(session !== undefined && { "mcp-session-id": session }),
          ...headers,
        },
      },
      (response) => {
        let text = "";
        response.on("data", (piece: Buffer) => {
          text += piece.toString();
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            session: String(response.headers["mcp-session-id"] ?? ""),
            text,
          }),
        );
      },
    );
    call.on("error", reject);
    call.end(
      body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    );
  });
}

const callOf = (name: string, id: string | number = 7): object => ({
  jsonrpc: "2.0",
  id,
  method: "tools/call",
  params: { name, arguments: {} },
});

t.test("a session is of no use to another task", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const [victim, thief] = [node.open(), node.open()];
  const [victimTls, thiefTls] = [
    await node.tlsOf(victim.spiffeId),
    await node.tlsOf(thief.spiffeId),
  ];
  const { session, status } = await send(mcp, victimTls, { body: INITIALIZE });
  t.equal(status, 200);
  t.match(session, /^[0-9a-f-]{36}$/);
  for (const method of ["POST", "GET", "DELETE"]) {
    const body = method === "POST" ? callOf("read_ticket") : undefined;
    const answer = await send(mcp, thiefTls, { body, session, method });
    t.equal(answer.status, 404, method);
    t.equal(mcp.refused.pop(), "GUARD_SESSION_UNKNOWN");
  }
  t.same(mcp.ran, []);
  t.match(node.eventsOf("escalation.not-owner"), [{ task: thief.spiffeId }, {}, {}]);
  const own = await send(mcp, victimTls, { body: callOf("read_ticket"), session });
  t.match(own.text, "printer");
  t.equal((await send(mcp, victimTls, { session, method: "DELETE" })).status, 200);
  t.equal((await send(mcp, victimTls, { body: callOf("read_ticket"), session })).status, 404);
});

t.test("what is no single message of MCP reaches no server", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open({ mandate: { actions: ["tools/read/read_ticket"] } });
  const tls = await node.tlsOf(task.spiffeId);
  const { session } = await send(mcp, tls, { body: INITIALIZE });
  const forbidden = callOf("delete_ticket");
  const rows: [string, unknown, number][] = [
    ["a batch with a forbidden call in it", [callOf("read_ticket", 1), forbidden], 400],
    ["no JSON", "{", 400],
    ["a text", '"tools/call"', 400],
    ["another protocol", { ...forbidden, jsonrpc: "1.0" }, 400],
    ["a call as a notification", { ...forbidden, id: undefined }, 400],
    ["an id that is an object", { ...forbidden, id: {} }, 400],
    ["an id that is null", { ...forbidden, id: null }, 400],
    ["a method that is a list", { ...forbidden, method: ["tools/call"] }, 400],
    ["params that are a list", { ...forbidden, params: ["delete_ticket"] }, 400],
    ["a call without a name", { ...forbidden, params: {} }, 400],
    ["a name that is a list", { ...forbidden, params: { name: ["delete_ticket"] } }, 400],
    [
      "more than is read",
      { ...forbidden, params: { name: "x", arguments: "a".repeat(2_000_000) } },
      400,
    ],
    ["a method nobody knows", { ...forbidden, method: "admin/everything" }, 403],
    ["a method that looks like a free one", { ...forbidden, method: "tools/list/" }, 400],
    ["a name that looks like a path", callOf("../read_ticket"), 403],
    ["a name with a slash", callOf("x/read_ticket"), 403],
    ["a name in other letters", callOf("READ_TICKET"), 403],
    [
      "completion of what may not be used",
      {
        ...forbidden,
        method: "completion/complete",
        params: { ref: { type: "ref/prompt", name: "summary" }, argument: {} },
      },
      403,
    ],
    [
      "arguments deeper than can be told apart",
      {
        ...callOf("read_ticket"),
        params: {
          name: "read_ticket",
          arguments: JSON.parse(`${"[".repeat(500)}${"]".repeat(500)}`),
        },
      },
      400,
    ],
  ];
  for (const [name, body, status] of rows) {
    const answer = await send(mcp, tls, { body, session });
    t.equal(answer.status, status, `${name}: ${answer.text.slice(0, 200)}`);
  }
  t.same(mcp.ran, []);
  t.equal((await send(mcp, tls, { body: callOf("read_ticket") })).status, 400, "no session");
  t.equal((await send(mcp, tls, { body: callOf("read_ticket"), session: "guess" })).status, 404);
});

t.test("two requests with one id are not confused", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const tls = await node.tlsOf(node.open().spiffeId);
  const { session } = await send(mcp, tls, { body: INITIALIZE });
  const first = send(mcp, tls, { body: callOf("slow", 9), session });
  await mcp.slow.begun;
  const second = await send(mcp, tls, { body: callOf("read_ticket", 9), session });
  t.equal(second.status, 400);
  mcp.slow.goOn();
  t.match((await first).text, "the slow tool");
  t.match((await send(mcp, tls, { body: callOf("read_ticket", 9), session })).text, "printer");
});

t.test("a web page of another origin, and another path, are shut out", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const tls = await node.tlsOf(node.open().spiffeId);
  const evil = await send(mcp, tls, { body: INITIALIZE, headers: { origin: "https://evil.test" } });
  t.equal(evil.status, 403);
  t.equal(mcp.refused.pop(), "GUARD_ORIGIN_REFUSED");
  const own = await send(mcp, tls, { body: INITIALIZE, headers: { origin: "https://localhost" } });
  t.equal(own.status, 200);
  for (const target of ["/", "/mcp/", "/mcp/x", "//mcp", "/MCP"]) {
    t.equal((await send(mcp, tls, { body: INITIALIZE, target })).status, 404, target);
  }
});

t.test("a task has as many sessions as the limit, another task is served", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node, {}, { maxSessionsPerTask: 2 });
  const [greedy, calm] = [node.open(), node.open()];
  const tls = await node.tlsOf(greedy.spiffeId);
  const one = await send(mcp, tls, { body: INITIALIZE });
  t.equal((await send(mcp, tls, { body: INITIALIZE })).status, 200);
  t.equal((await send(mcp, tls, { body: INITIALIZE })).status, 429);
  t.equal((await send(mcp, await node.tlsOf(calm.spiffeId), { body: INITIALIZE })).status, 200);
  await send(mcp, tls, { session: one.session, method: "DELETE" });
  t.equal(
    (await send(mcp, tls, { body: INITIALIZE })).status,
    200,
    "one that was ended makes room",
  );
});

t.test("a request to open a session that is none leaves nothing behind", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node, {}, { maxSessionsPerTask: 1 });
  const tls = await node.tlsOf(node.open().spiffeId);
  for (let i = 0; i < 3; i++) {
    const broken = { ...INITIALIZE, params: { protocolVersion: 7 } };
    await send(mcp, tls, { body: broken, headers: { accept: "text/plain" } });
  }
  t.equal((await send(mcp, tls, { body: INITIALIZE })).status, 200);
});

t.test("the stream of a task that ends is closed, an idle connection too", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open();
  const tls = await node.tlsOf(task.spiffeId);
  const { session } = await send(mcp, tls, { body: INITIALIZE });
  const stream = send(mcp, tls, { session, method: "GET" }).then(
    () => "ended",
    () => "broken",
  );
  const { secureSocket } = await import("../../client/tls/connect.ts");
  const { authorizeAny } = await import("../../client/tls/authorize.ts");
  const { connect } = await import("node:net");
  const socket = connect(Number(mcp.url.port), "127.0.0.1");
  const idle = await secureSocket(socket, { source: tls, authorize: authorizeAny() });
  const closed = new Promise<void>((resolve) => idle.once("close", () => resolve()));
  idle.on("error", () => {});
  idle.resume();
  await new Promise((resolve) => setTimeout(resolve, 50));
  const atMs = performance.now();
  node.end(task);
  await closed;
  t.ok(["ended", "broken"].includes(await stream));
  t.ok(performance.now() - atMs < 1000, `${performance.now() - atMs} ms`);
});
