// An MCP server behind the guard, used by the official SDK's client, with a task's SVID and with its tokens.

import { createHash } from "node:crypto";
import t from "tap";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { issueDpopProof } from "../../pki/token/dpop.ts";
import { certificateThumbprint, jwkThumbprint } from "../../pki/token/thumbprint.ts";
import { FakeGuardNode, MANDATE } from "../support/fake-guard-node.ts";
import { startGuardedMcp } from "../support/guarded-mcp.ts";

const text = (result: unknown): string =>
  (result as { content: { text: string }[] }).content[0]?.text ?? "";

t.test("a task uses what its mandate covers, by its X509-SVID, and it is on record", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open({ mandate: { actions: ["tools/read/*", "prompts/get/summary"] } });
  const { client } = await mcp.connect(await node.tlsOf(task.spiffeId));

  const { tools } = await client.listTools();
  t.same(
    tools.map(({ name }) => name).sort(),
    ["fail", "read_ticket", "slow"],
    "others are hidden",
  );
  t.same((await client.listResources()).resources, []);
  t.equal((await client.listPrompts()).prompts.length, 1);

  const result = await client.callTool({ name: "read_ticket", arguments: { id: 42 } });
  t.match(text(result), /printer/);
  t.match(node.eventsOf("decision"), [{ outcome: "ok", action: "tools/read/read_ticket" }]);
  const [called] = node.eventsOf("tool.called");
  t.match(called, {
    stream: "tool_call",
    outcome: "ok",
    agent: task.aiAgent,
    task: task.spiffeId,
    root: task.root,
    resource: "https://localhost/mcp",
    credential: { kind: "x509-svid" },
    argsDigest: createHash("sha256").update('{"id":42}').digest("hex"),
  });
  t.equal(called?.decisionId, node.eventsOf("decision")[0]?.decisionId);
  t.notMatch(JSON.stringify(node.events), "printer");

  const failed = await client.callTool({ name: "fail", arguments: {} });
  t.equal(failed.isError, true);
  t.equal(node.eventsOf("tool.called").at(-1)?.outcome, "failed");

  t.equal((await client.getPrompt({ name: "summary" })).messages.length, 1);
  t.match(node.eventsOf("prompt.read"), [{ stream: "data_retrieval", outcome: "ok" }]);
});

t.test(
  "a forbidden tool is refused with 403 and what it takes, never run, and on record",
  async (t) => {
    const node = await FakeGuardNode.start(t);
    const mcp = await startGuardedMcp(t, node);
    const task = node.open({ mandate: { actions: ["tools/read/*"] } });
    const { client } = await mcp.connect(await node.tlsOf(task.spiffeId));
    const calls: (() => Promise<unknown>)[] = [
      () => client.callTool({ name: "delete_ticket", arguments: {} }),
      () => client.callTool({ name: "no_such_tool", arguments: {} }),
      () => client.readResource({ uri: "ticket://log" }),
      () => client.getPrompt({ name: "summary" }),
    ];
    for (const call of calls) {
      await t.rejects(call(), { code: 403 });
    }
    t.same(mcp.ran, []);
    const attempts = node.eventsOf("escalation");
    t.match(
      attempts.map(({ type, action, task: of }) => [type, action, of]),
      [
        ["escalation.mandate-exceeded", "tools/write/delete_ticket", task.spiffeId],
        ["escalation.mandate-exceeded", "tools/write/no_such_tool", task.spiffeId],
        ["escalation.mandate-exceeded", "resources/read/ticket", task.spiffeId],
        ["escalation.mandate-exceeded", "prompts/get/summary", task.spiffeId],
      ],
    );
    const denied = node.eventsOf("decision").filter(({ outcome }) => outcome === "denied");
    t.equal(denied.length, 4);
    t.equal(denied[0]?.reason, "GUARD_ACTION_REFUSED");
  },
);

t.test("a token works as Bearer, bound to the TLS connection, and with DPoP", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open();

  const bearer = await node.accessToken(task);
  const byBearer = await mcp.connect(undefined, () => ({ authorization: `Bearer ${bearer}` }));
  t.match(text(await byBearer.client.callTool({ name: "read_ticket", arguments: {} })), /printer/);
  t.match(node.eventsOf("tool.called"), [{ credential: { kind: "access-token" } }]);

  const tls = await node.tlsOf(task.spiffeId);
  const x5t = certificateThumbprint(tls.svid()?.leaf.der ?? new Uint8Array());
  const bound = await node.accessToken(task, { cnf: { "x5t#S256": x5t } });
  const byTls = await mcp.connect(tls, () => ({ authorization: `Bearer ${bound}` }));
  await byTls.client.callTool({ name: "read_ticket", arguments: {} });
  await t.rejects(
    mcp.connect(undefined, () => ({ authorization: `Bearer ${bound}` })),
    { code: 401 },
  );

  const key = { ...generateP256KeyPair(), alg: "ES256" };
  const proven = await node.accessToken(task, { cnf: { jkt: jwkThumbprint(key.spki) } });
  const byProof = await mcp.connect(undefined, (_, method) => ({
    authorization: `DPoP ${proven}`,
    dpop: issueDpopProof({
      key,
      method,
      url: "https://localhost/mcp",
      accessToken: proven,
      now: new Date(),
    }),
  }));
  await byProof.client.callTool({ name: "read_ticket", arguments: {} });

  const jwtSvid = await node.jwtSvid(task.spiffeId);
  const byJwt = await mcp.connect(undefined, () => ({ authorization: `Bearer ${jwtSvid}` }));
  await byJwt.client.callTool({ name: "read_ticket", arguments: {} });
  t.equal(mcp.ran.length, 4);
});

t.test("the smaller of the token's mandate and the task's, as it is now, counts", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open();
  const narrow = await node.accessToken(task, {
    mandate: { ...MANDATE, actions: ["tools/read/read_ticket"] },
  });
  const first = await mcp.connect(undefined, () => ({ authorization: `Bearer ${narrow}` }));
  t.same(
    (await first.client.listTools()).tools.map(({ name }) => name),
    ["read_ticket"],
  );
  await t.rejects(first.client.callTool({ name: "delete_ticket", arguments: {} }), { code: 403 });

  const wide = await node.accessToken(task);
  const second = await mcp.connect(undefined, () => ({ authorization: `Bearer ${wide}` }));
  await second.client.callTool({ name: "delete_ticket", arguments: {} });
  node.narrow(task, { actions: ["tools/read/*"] });
  await t.rejects(second.client.callTool({ name: "delete_ticket", arguments: {} }), { code: 403 });
  t.same(mcp.ran, ["delete_ticket"]);
});

t.test("when a task ends its connections close at once, and nothing of it is served", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open();
  const other = node.open();
  const tls = await node.tlsOf(task.spiffeId);
  const { client } = await mcp.connect(tls);
  const bystander = await mcp.connect(await node.tlsOf(other.spiffeId));
  const sockets = await connectionsOf(mcp.server);
  await client.callTool({ name: "read_ticket", arguments: {} });

  // The SDK's client does not look at a connection that breaks; it waits.
  const running = client.callTool({ name: "slow", arguments: {} }, undefined, { timeout: 500 });
  running.catch(() => {});
  await mcp.slow.begun;
  node.end(task);
  await t.rejects(running, "the call that was running has no result");
  mcp.slow.goOn();
  await until(async () => (await connectionsOf(mcp.server)) < sockets);
  await until(() =>
    node.eventsOf("tool.called").some(({ reason }) => reason === "GUARD_RESULT_WITHHELD"),
  );

  await t.rejects(client.callTool({ name: "read_ticket", arguments: {} }));
  await t.rejects(mcp.connect(tls), { code: 401 });
  t.match(node.eventsOf("escalation.used-after-end")[0], { task: task.spiffeId });
  t.equal(mcp.ran.filter((name) => name === "read_ticket").length, 1);
  await bystander.client.callTool({ name: "read_ticket", arguments: {} });
  t.pass("another task notices nothing");
});

t.test("a suspended task is refused until it is let go on", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open();
  const tls = await node.tlsOf(task.spiffeId);
  node.end(task, "REFUSED");
  await until(() => mcp.guard.statuses.verdict(task.id) === "refused");
  await t.rejects(mcp.connect(tls), { code: 401 });
  t.same(node.eventsOf("escalation.used-after-end"), [], "that is no attempt");
  node.letGoOn(task);
  await until(() => mcp.guard.statuses.verdict(task.id) === "good");
  const { client } = await mcp.connect(tls);
  await client.callTool({ name: "read_ticket", arguments: {} });
});

t.test("a budget of three uses allows exactly three under fifty calls at once", async (t) => {
  const node = await FakeGuardNode.start(t);
  const mcp = await startGuardedMcp(t, node);
  const task = node.open({ mandate: { uses: 3 } });
  const { client } = await mcp.connect(await node.tlsOf(task.spiffeId));
  const calls = Array.from({ length: 50 }, () =>
    client.callTool({ name: "read_ticket", arguments: {} }),
  );
  const outcomes = await Promise.allSettled(calls);
  t.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 3);
  t.equal(mcp.ran.length, 3);
  t.equal(node.spent, 3);
  const told = node.eventsOf("escalation.budget-exceeded").length;
  t.ok(told >= 20 && told <= 47, "refusals are on record, as many as one task may have there");
});

async function connectionsOf(server: {
  getConnections(fn: (e: unknown, n: number) => void): unknown;
}): Promise<number> {
  return new Promise((resolve) => server.getConnections((_, count) => resolve(count)));
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it never came to that");
}
