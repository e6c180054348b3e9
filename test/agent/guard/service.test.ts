// The service of guards as callers meet it: who is let in, what is written down in whose name, what is refused.

import t, { type Test } from "tap";
import { StatusBroadcast } from "../../../agent/guard/broadcast.ts";
import { guardCallers } from "../../../agent/guard/caller.ts";
import { TaskDescriptions } from "../../../agent/guard/describe.ts";
import { type GuardCaller, guardHandlers } from "../../../agent/guard/index.ts";
import { Recorder } from "../../../agent/guard/record.ts";
import { ShownTasks } from "../../../agent/guard/shown.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { newUlid } from "../../../pki/task-id.ts";
import type { Init } from "../../../proto/codec.ts";
import type { ClientOf } from "../../../proto/rpc/client.ts";
import { AuditLogService, GuardService, type signet } from "../../../proto/schema.gen.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { entryOf, first, StreamReader, TestAgent, TestPeer } from "../../support/test-agent.ts";

type Event = signet.audit.v1.Event;
type Task = signet.task.v1.Task;

const NOW = new Date("2030-01-01T00:00:00Z");
const ULID = newUlid(NOW, new Uint8Array(10));
const TASK = `spiffe://north.test/bot/task/${ULID}`;
const OTHER = newUlid(NOW, new Uint8Array(10).fill(1));
/** What a task shows. */
const documentOf = (id: string): Buffer => Buffer.from(`the SVID of ${id}`);
const SHOWN = documentOf(ULID);

interface Node {
  readonly agent: TestAgent;
  readonly recorded: Event[];
  readonly spent: string[];
  readonly asked: string[][];
  /** The tasks of documents that the server was asked about. */
  readonly checked: string[];
  tasks: Init<Task>[];
  away: boolean;
  /** Whether the server was heard of late. */
  fresh: boolean;
  client(peer?: TestPeer): Promise<ClientOf<typeof GuardService>>;
}

async function setUp(t: Test, task?: Partial<GuardCaller>): Promise<Node> {
  const agent = await TestAgent.create(t, [entryOf("tickets")]);
  const { clock, subscribers, taskStatus } = agent;
  const node: Node = {
    agent,
    recorded: [],
    spent: [],
    asked: [],
    checked: [],
    tasks: [{ id: ULID, spiffeId: TASK, version: 1, purpose: "triage" }],
    away: false,
    fresh: true,
    client: async (peer) => (await agent.channel(peer)).client(GuardService),
  };
  const descriptions = new TaskDescriptions({
    clock,
    isFresh: () => node.fresh,
    ask: async (ids) => {
      node.asked.push([...ids]);
      if (node.away) throw new IdentityError("SERVER_UNREACHABLE", Status.unavailable, "away");
      if (!node.fresh) return new Promise(() => {});
      return node.tasks.filter(({ id = "" }) => ids.includes(id)) as Task[];
    },
  });
  taskStatus.onChange((change) => descriptions.changed(change));
  const shown = new ShownTasks({
    check: async (id, document) => {
      node.checked.push(id);
      if (node.away) throw new IdentityError("SERVER_UNREACHABLE", Status.unavailable, "away");
      return documentOf(id).equals(document);
    },
    clock,
    log: silentLogger,
  });
  const admit = guardCallers({ admit: (call) => agent.callers.admit(call), subscribers });
  agent.server.rpc.add(
    GuardService,
    guardHandlers({
      admit: async (call) => ({ ...(await admit(call)), ...task }),
      broadcast: new StatusBroadcast({ taskStatus, clock }),
      descriptions,
      uses: {
        spend: async (id, count, spendId) => {
          node.spent.push(`${id} ${count} ${spendId}`);
          return count <= 3;
        },
      },
      shown,
      recorder: new Recorder({
        clock,
        hasMet: (caller) => shown.hasMet(caller),
        spool: async (_owner, events) => {
          const { request } = AuditLogService.methods.append;
          for (const bytes of events) node.recorded.push(...request.decode(bytes).events);
        },
      }),
    }),
  );
  return node;
}

const refusedWith = (reason: string, code: Status): { reason: string; code: Status } => ({
  reason,
  code,
});

const event = (more: Partial<Event> = {}): Init<Event> => ({
  id: newUlid(NOW, new Uint8Array(10).fill(7)),
  timeMs: NOW.getTime(),
  stream: "tool_call",
  type: "tool.called",
  outcome: "ok",
  task: TASK,
  ...more,
});

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

t.test(
  "a workload that a task never came to is told nothing of it, and spends nothing",
  async (t) => {
    const node = await setUp(t);
    const { agent } = node;
    agent.delta({ entries: [entryOf("nosy", { selectors: [{ type: "test", value: "n" }] })] });
    const stranger = await node.client(new TestPeer(["test:n"], 8, 8));
    const unshown = refusedWith("GUARD_TASK_UNSHOWN", Status.permissionDenied);
    const spendId = "b".repeat(20);
    const spending = { taskId: ULID, count: 1, spendId };
    const documents: readonly [string, Uint8Array][] = [
      ["nothing", new Uint8Array()],
      ["what another task shows", documentOf(OTHER)],
      ["something made up", Buffer.from("the SVID of")],
      ["something endless", new Uint8Array(40_000)],
    ];
    for (const [name, shown] of documents) {
      await t.rejects(stranger.describeTask({ id: ULID, shown }), unshown, name);
      await t.rejects(stranger.spendUses({ ...spending, shown }), unshown, name);
    }
    t.same(node.asked, [], "the server was asked nothing about the task");
    t.same(node.spent, []);

    t.comment("a guard that the task came to is answered, and lends that to nobody");
    const guard = await node.client();
    await guard.describeTask({ id: ULID, shown: SHOWN });
    await guard.spendUses(spending);
    await t.rejects(stranger.describeTask({ id: ULID }), unshown);
    t.equal(node.spent.length, 1);
  },
);

t.test("a stranger that keeps asking is not looked at any more; others are", async (t) => {
  const node = await setUp(t);
  const stranger = await node.client();
  const shown = documentOf(OTHER);
  const reasons: string[] = [];
  for (let i = 0; i < 25; i++) {
    const error = await stranger.describeTask({ id: ULID, shown }).catch((reason) => reason);
    reasons.push((error as IdentityError).reason);
  }
  t.same(new Set(reasons.slice(0, 20)), new Set(["GUARD_TASK_UNSHOWN"]));
  t.same(new Set(reasons.slice(20)), new Set(["GUARD_REQUESTS_TOO_MANY"]));
  t.equal(node.checked.length, 20, "the server is not asked beyond that");
  const tooMany = refusedWith("GUARD_REQUESTS_TOO_MANY", Status.resourceExhausted);
  await t.rejects(
    stranger.spendUses({ taskId: ULID, count: 1, spendId: "c".repeat(20), shown }),
    tooMany,
  );
  node.agent.delta({ entries: [entryOf("calm", { selectors: [{ type: "test", value: "b" }] })] });
  const calm = await node.client(new TestPeer(["test:b"], 7, 7));
  t.match(await calm.describeTask({ id: ULID, shown: SHOWN }), { task: { id: ULID } });
  await node.agent.clock.advance(1000);
  t.match(await stranger.describeTask({ id: ULID, shown: SHOWN }), { task: { id: ULID } });
});

t.test(
  "a guard shows a task once; with the server away it goes on with those that it met",
  async (t) => {
    const node = await setUp(t);
    const client = await node.client();
    await Promise.all(
      Array.from({ length: 10 }, () => client.describeTask({ id: ULID, shown: SHOWN })),
    );
    t.same(node.checked, [ULID]);
    node.away = true;
    await node.agent.clock.advance(5000);
    t.match(await client.describeTask({ id: ULID }), { task: { id: ULID } });
    await t.rejects(client.describeTask({ id: OTHER, shown: documentOf(OTHER) }), {
      code: Status.unavailable,
    });
  },
);

t.test("a workload that no task came to can write little", async (t) => {
  const node = await setUp(t);
  const client = await node.client();
  const events = Array.from({ length: 100 }, () => event());
  await client.record({ events });
  await client.record({ events });
  const tooMany = refusedWith("GUARD_EVENTS_TOO_MANY", Status.resourceExhausted);
  await t.rejects(client.record({ events: [event()] }), tooMany);
  await node.agent.clock.advance(1000);
  await client.record({ events: events.slice(0, 50) });
  await t.rejects(client.record({ events: [event()] }), tooMany);
  await client.describeTask({ id: ULID, shown: SHOWN });
  await node.agent.clock.advance(1000);
  await client.record({ events });
});

t.test("nobody waits for a server that says nothing, who can be told what was", async (t) => {
  const node = await setUp(t);
  const client = await node.client();
  await client.describeTask({ id: ULID, shown: SHOWN });
  node.fresh = false;
  await node.agent.clock.advance(60_000);
  t.match(await client.describeTask({ id: ULID, shown: SHOWN }), { task: { id: ULID } });
});
