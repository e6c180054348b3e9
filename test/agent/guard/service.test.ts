// The service of guards as callers meet it: who is let in, what is written down in whose name, what is refused.

import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { GuardService, type signet } from "../../../proto/schema.gen.ts";
import {
  documentOf,
  event,
  NOW,
  OTHER,
  refusedWith,
  SHOWN,
  startGuardService as setUp,
  TASK,
  ULID,
} from "../../support/guard-service.ts";
import { entryOf, first, StreamReader, TestPeer } from "../../support/test-agent.ts";

type Event = signet.audit.v1.Event;

t.test("whoever has no identity, or sends no header, is told nothing", async (t) => {
  const node = await setUp(t);
  const stranger = await node.client(new TestPeer(["test:nobody"]));
  const refusal = { reason: "NO_IDENTITY_ISSUED", code: Status.permissionDenied };
  await t.rejects(first(stranger.watchStatus({})), refusal);
  await t.rejects(stranger.describeTask({ id: ULID, shown: SHOWN }), refusal);
  await t.rejects(stranger.spendUses({ taskId: ULID, count: 1, spendId: "a".repeat(16) }), refusal);
  await t.rejects(stranger.record({ events: [event()] }), refusal);
  const channel = await node.agent.channel(new TestPeer(), {});
  await t.rejects(channel.client(GuardService).describeTask({ id: ULID, shown: SHOWN }), {
    reason: "SECURITY_HEADER_MISSING",
    code: Status.invalidArgument,
  });
  t.same(node.recorded, []);
  t.same(node.spent, []);
});

t.test("a watcher that loses its identity is told nothing more", async (t) => {
  const node = await setUp(t);
  const reader = new StreamReader((await node.client()).watchStatus({}));
  t.match(await reader.next(), { reset: true, complete: true });
  node.agent.delta({ removedEntryIds: ["tickets"] });
  node.agent.taskStatus.apply({
    tasks: [],
    classes: [{ name: "own", failMode: "ttl", requirePop: false }],
    removedClasses: [],
  });
  await t.rejects(reader.next(), refusedWith("NO_IDENTITY_ISSUED", Status.permissionDenied));
});

t.test("a task is described by its ULID or its whole SPIFFE ID, and by no other", async (t) => {
  const node = await setUp(t);
  const client = await node.client();
  t.match(await client.describeTask({ id: ULID, shown: SHOWN }), { task: { purpose: "triage" } });
  t.match(await client.describeTask({ id: TASK, shown: SHOWN }), { task: { purpose: "triage" } });
  const unknown = await client.describeTask({ id: OTHER, shown: documentOf(OTHER) });
  t.equal(unknown.task, undefined);
  const foreign = await client.describeTask({ id: `spiffe://north.test/other/task/${ULID}` });
  t.equal(foreign.task, undefined, "a ULID under another AI agent's name");
  for (const id of ["", "x", ULID.toLowerCase(), "spiffe://north.test/bot", `${TASK}/x`]) {
    await t.rejects(
      client.describeTask({ id, shown: SHOWN }),
      refusedWith("GUARD_REQUEST_INVALID", Status.invalidArgument),
      id,
    );
  }
});

t.test("descriptions are asked for once in a moment, and again upon news", async (t) => {
  const node = await setUp(t);
  const client = await node.client();
  await Promise.all(
    Array.from({ length: 20 }, () => client.describeTask({ id: ULID, shown: SHOWN })),
  );
  t.equal(node.asked.length, 1);
  const status = {
    taskId: ULID,
    spiffeId: TASK,
    version: 2,
    forgetAt: new Date(NOW.getTime() + 60_000),
    state: "SUSPENDED",
    reason: "",
  };
  node.tasks = [{ id: ULID, spiffeId: TASK, version: 2, purpose: "narrowed" }];
  node.agent.taskStatus.apply({
    tasks: [{ ...status, verdict: "refused" }],
    classes: [],
    removedClasses: [],
  });
  t.match(await client.describeTask({ id: ULID, shown: SHOWN }), { task: { purpose: "narrowed" } });
  t.equal(node.asked.length, 2);

  t.comment("while the server is away what was known last is told, for a while");
  node.away = true;
  await node.agent.clock.advance(5000);
  t.match(await client.describeTask({ id: ULID, shown: SHOWN }), { task: { purpose: "narrowed" } });
  await t.rejects(client.describeTask({ id: OTHER, shown: documentOf(OTHER) }), {
    code: Status.unavailable,
  });
  await node.agent.clock.advance(11 * 60_000);
  await t.rejects(client.describeTask({ id: ULID, shown: SHOWN }), { code: Status.unavailable });
});

t.test("uses are spent under an ID that no other caller can take", async (t) => {
  const node = await setUp(t);
  const client = await node.client();
  const spendId = "abcdefghij-_0123";
  t.same(await client.spendUses({ taskId: ULID, count: 3, spendId, shown: SHOWN }), {
    granted: true,
  });
  t.same(await client.spendUses({ taskId: ULID, count: 4, spendId, shown: SHOWN }), {
    granted: false,
  });
  t.equal(node.spent[0], `${ULID} 3 spiffe://north.test/tickets ${spendId}`);
  for (const [name, wrong] of [
    ["none", { count: 0 }],
    ["too many", { count: 10_001 }],
    ["no ID", { spendId: "" }],
    ["a short ID", { spendId: "abc" }],
    ["an ID with spaces", { spendId: "abcdefghijklmnop qrst" }],
    ["no task", { taskId: "task" }],
  ] as const) {
    await t.rejects(
      client.spendUses({ taskId: ULID, count: 1, spendId, ...wrong }),
      { reason: "GUARD_REQUEST_INVALID", code: Status.invalidArgument },
      name,
    );
  }
  t.equal(node.spent.length, 2);
});

t.test("an event is written down as seen by who sent it, whatever that says", async (t) => {
  const node = await setUp(t);
  const client = await node.client();
  const claimed = { observedBy: "issuer", observer: "spiffe://north.test/spire/server" };
  await client.record({ events: [event({ ...claimed, action: "tools/read/x" })] });
  t.match(node.recorded, [
    { observedBy: "guard", observer: "spiffe://north.test/tickets", action: "tools/read/x" },
  ]);
});

t.test("what is no event of a guard is refused, and nothing beside it is kept", async (t) => {
  const node = await setUp(t);
  const client = await node.client();
  const jws = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.${"a".repeat(40)}`;
  const rows: [string, Partial<Event>][] = [
    ["the stream of the issuer", { stream: "identity" }],
    ["the stream of the administrators", { stream: "admin" }],
    ["the stream of tasks", { stream: "task" }],
    ["no ID", { id: "" }],
    ["an ID that is no ULID", { id: "../../etc" }],
    ["no type", { type: "" }],
    ["a type with a line end", { type: "tool\ncalled" }],
    ["an outcome of its own", { outcome: "great" }],
    ["tomorrow", { timeMs: NOW.getTime() + 86_400_000 }],
    ["an hour ago", { timeMs: NOW.getTime() - 3_600_000 }],
    ["arguments in place of their digest", { argsDigest: '{"password":"x"}' }],
    ["a text without end", { action: "a".repeat(3000) }],
    ["a token as an action", { action: jws }],
    ["a token as a credential", { credential: { kind: "jwt-svid", name: jws, sha256: "" } }],
    ["a detail with a wild name", { detail: { "A b": "x" } }],
    ["a long detail", { detail: { a: "x".repeat(600) } }],
    ["many details", { detail: Object.fromEntries([...Array(20)].map((_, i) => [`a${i}`, ""])) }],
  ];
  for (const [name, wrong] of rows) {
    await t.rejects(
      client.record({ events: [event(), event(wrong)] }),
      { reason: "GUARD_EVENT_INVALID", code: Status.invalidArgument },
      name,
    );
  }
  await t.rejects(
    client.record({ events: Array.from({ length: 201 }, () => event()) }),
    refusedWith("GUARD_EVENT_INVALID", Status.invalidArgument),
  );
  t.same(node.recorded, []);
  await client.record({ events: [event({ detail: { said: `Bearer ${jws}` } })] });
  t.notMatch(node.recorded[0]?.detail["said"], jws, "a detail is kept without the token");
});

t.test("a caller that sends too many events is refused, another is not", async (t) => {
  const node = await setUp(t);
  node.agent.delta({ entries: [entryOf("calm", { selectors: [{ type: "test", value: "b" }] })] });
  const client = await node.client();
  await client.describeTask({ id: ULID, shown: SHOWN });
  const events = Array.from({ length: 200 }, () => event());
  const sent: Promise<unknown>[] = [];
  for (let i = 0; i < 130; i++) sent.push(client.record({ events }));
  const outcomes = await Promise.allSettled(sent);
  const refused = outcomes.filter(({ status }) => status === "rejected");
  t.ok(refused.length > 0 && refused.length < 60, `${refused.length}`);
  t.match(refused[0], { reason: { reason: "GUARD_EVENTS_TOO_MANY" } });
  const calm = await node.client(new TestPeer(["test:b"], 7, 7));
  await calm.record({ events });
});

t.test(
  "on the socket of a task everything is about that task, and is the agent's word",
  async (t) => {
    const node = await setUp(t, { role: "agent", spiffeId: TASK, task: ULID });
    const client = await node.client();
    t.match(await client.describeTask({ id: TASK, shown: SHOWN }), { task: { id: ULID } });
    const foreign = { reason: "GUARD_TASK_FOREIGN", code: Status.permissionDenied };
    await t.rejects(client.describeTask({ id: OTHER, shown: documentOf(OTHER) }), foreign);
    const spendId = "a".repeat(20);
    await t.rejects(client.spendUses({ taskId: OTHER, count: 1, spendId }), foreign);
    await client.record({ events: [event()] });
    t.match(node.recorded, [{ observedBy: "agent", observer: TASK }]);
    const about = event({ task: `spiffe://north.test/bot/task/${OTHER}` });
    await t.rejects(
      client.record({ events: [about] }),
      refusedWith("GUARD_EVENT_INVALID", Status.invalidArgument),
    );
  },
);
