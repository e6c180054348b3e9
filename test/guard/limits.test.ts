// What holds a good credential back: a class that wants a key shown, a node that hears nothing, uses that are
// spent, a record that cannot be written.

import t, { type Test } from "tap";
import { IdentityError, Status } from "../../pki/errors.ts";
import { FakeGuardNode, ISSUER, MANDATE } from "../support/fake-guard-node.ts";
import { type GuardedMcp, startGuardedMcp } from "../support/guarded-mcp.ts";

async function setUp(t: Test): Promise<{ node: FakeGuardNode; mcp: GuardedMcp }> {
  const node = await FakeGuardNode.start(t);
  return { node, mcp: await startGuardedMcp(t, node) };
}

t.test("a class that asks for a proof takes no bearer tokens, and no stale word", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open({ taskClass: "sensitive" });
  const bearer = await node.accessToken(task);
  const call = { name: "read_ticket", arguments: {} };
  const byBearer = mcp.connect(undefined, () => ({ authorization: `Bearer ${bearer}` }));
  await t.rejects(byBearer, { code: 401 });
  t.equal(mcp.refused.pop(), "GUARD_PROOF_MISSING");

  const byTls = await mcp.connect(await node.tlsOf(task.spiffeId));
  await byTls.client.callTool(call);
  t.comment("the node agent does not hear its server any more");
  const lenient = node.open();
  const other = await mcp.connect(await node.tlsOf(lenient.spiffeId));
  node.fresh = false;
  node.say({});
  await untilStale(mcp);
  await t.rejects(byTls.client.callTool(call, undefined, { timeout: 500 }));
  await t.rejects(mcp.connect(await node.tlsOf(task.spiffeId)), { code: 503 });
  t.equal(mcp.refused.pop(), "TASK_STATUS_STALE");
  await other.client.callTool(call);
  t.pass("a class with fail_mode ttl goes on");
});

t.test(
  "a token says less than its task: in its own uses, and in what it says of the class",
  async (t) => {
    const { node, mcp } = await setUp(t);
    const task = node.open();
    const call = { name: "read_ticket", arguments: {} };
    const token = await node.accessToken(task, { mandate: { ...MANDATE, uses: 2 } });
    const { client } = await mcp.connect(undefined, () => ({ authorization: `Bearer ${token}` }));
    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, () => client.callTool(call)),
    );
    t.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 2);
    t.equal(node.spent, 0, "the task itself has no limit");

    const strict = await node.accessToken(task, {
      more: { [`${ISSUER}/task`]: { fail_mode: "closed" } },
    });
    const other = await mcp.connect(undefined, () => ({ authorization: `Bearer ${strict}` }));
    await other.client.callTool(call);
    node.fresh = false;
    node.say({});
    await untilStale(mcp);
    await t.rejects(other.client.callTool(call, undefined, { timeout: 500 }));
  },
);

t.test("nothing passes that cannot be written down", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open();
  const { client } = await mcp.connect(await node.tlsOf(task.spiffeId));
  const call = { name: "read_ticket", arguments: {} };
  node.failures.set(
    "Record",
    new IdentityError("GUARD_SPOOL_FULL", Status.resourceExhausted, "full"),
  );
  await t.rejects(client.callTool(call), { code: 503 });
  t.same(mcp.ran, [], "the tool was not run");
  node.failures.delete("Record");
  node.onRecord = (events) => {
    if (events.some(({ type }) => type !== "tool.called")) return;
    throw new IdentityError("GUARD_SPOOL_FULL", Status.resourceExhausted, "full");
  };
  await t.rejects(client.callTool(call), /written down/);
  t.same(mcp.ran, ["read_ticket"], "it was run, and its result is kept back");
});

t.test(
  "while the node agent is away nothing passes, and all goes on when it is back",
  async (t) => {
    const { node, mcp } = await setUp(t);
    const task = node.open();
    const { client } = await mcp.connect(await node.tlsOf(task.spiffeId));
    const call = { name: "read_ticket", arguments: {} };
    await client.callTool(call);
    await node.stop();
    await t.rejects(client.callTool(call), { code: 503 });
    t.equal(mcp.ran.length, 1);
    await node.start();
    for (let i = 0; i < 100 && mcp.ran.length === 1; i++) {
      await client.callTool(call).catch(() => new Promise((resolve) => setTimeout(resolve, 50)));
    }
    t.equal(mcp.ran.length, 2);
  },
);

t.test("a token has its uses once, however its signature is written", async (t) => {
  const { node, mcp } = await setUp(t);
  const token = await node.accessToken(node.open(), { mandate: { ...MANDATE, uses: 1 } });
  const [header, payload, signature = ""] = token.split(".");
  const bytes = Buffer.from(signature, "base64url");
  // For (r, s) that is good, (r, n - s) is too.
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const other = (order - BigInt(`0x${bytes.toString("hex", 32)}`)).toString(16).padStart(64, "0");
  const flipped = Buffer.concat([bytes.subarray(0, 32), Buffer.from(other, "hex")]);
  const twin = `${header}.${payload}.${flipped.toString("base64url")}`;
  const call = { name: "read_ticket", arguments: {} };
  const first = await mcp.connect(undefined, () => ({ authorization: `Bearer ${token}` }));
  await first.client.callTool(call);
  const second = await mcp.connect(undefined, () => ({ authorization: `Bearer ${twin}` }));
  await t.rejects(second.client.callTool(call), { code: 403 });
  t.equal(mcp.refused.at(-1), "GUARD_BUDGET_SPENT");
  t.equal(mcp.ran.length, 1);
});

t.test("of a class that is gone no bearer token is taken", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open({ taskClass: "gone" });
  const bearer = await node.jwtSvid(task.spiffeId);
  const byBearer = mcp.connect(undefined, () => ({ authorization: `Bearer ${bearer}` }));
  await t.rejects(byBearer, { code: 401 });
  t.equal(mcp.refused.pop(), "GUARD_PROOF_MISSING");
  await mcp.connect(await node.tlsOf(task.spiffeId));
});

t.test("nobody is told what a host says about itself", async (t) => {
  const { node, mcp } = await setUp(t);
  const task = node.open({ mandate: { uses: 5 } });
  const call = { name: "read_ticket", arguments: {} };
  const { client } = await mcp.connect(await node.tlsOf(task.spiffeId));
  for (const method of ["Record", "SpendUses", "DescribeTask"]) {
    for (const code of [Status.unavailable, Status.deadlineExceeded]) {
      const secret = "no answer from /run/private/agent.sock";
      node.failures.set(method, new IdentityError("CONNECTION_UNAVAILABLE", code, secret));
      const error = await client.callTool(call).then(
        () => undefined,
        (reason: Error) => reason,
      );
      t.ok(error, `${method} ${code}`);
      t.notMatch(error?.message, "private");
    }
    node.failures.delete(method);
  }
  t.same(mcp.ran, []);
});

async function untilStale(mcp: GuardedMcp): Promise<void> {
  while (mcp.guard.statuses.isFresh()) await new Promise((resolve) => setTimeout(resolve, 5));
}
