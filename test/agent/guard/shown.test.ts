// Who is told of a task, and spends its uses: whoever the task came to, and nobody else who knows its ID.

import t from "tap";
import { type IdentityError, Status } from "../../../pki/errors.ts";
import { newUlid } from "../../../pki/task-id.ts";
import {
  documentOf,
  event,
  NOW,
  OTHER,
  refusedWith,
  SHOWN,
  startGuardService as setUp,
  ULID,
} from "../../support/guard-service.ts";
import { entryOf, TestPeer } from "../../support/test-agent.ts";

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

t.test("who guesses at many tasks at once is looked at as seldom", async (t) => {
  const node = await setUp(t);
  const stranger = await node.client();
  const shown = documentOf(OTHER);
  const asked = await Promise.allSettled(
    Array.from({ length: 80 }, (_, i) =>
      stranger.describeTask({ id: newUlid(NOW, new Uint8Array(10).fill(100 + i)), shown }),
    ),
  );
  t.ok(asked.every(({ status }) => status === "rejected"));
  t.ok(node.checked.length <= 20, `the server was asked ${node.checked.length} times`);
  node.agent.delta({ entries: [entryOf("calm", { selectors: [{ type: "test", value: "b" }] })] });
  t.comment("a guard to which as many tasks come at once is told of them all");
  const guard = await node.client(new TestPeer(["test:b"], 7, 7));
  const ids = Array.from({ length: 80 }, (_, i) => newUlid(NOW, new Uint8Array(10).fill(i)));
  await Promise.all(ids.map((id) => guard.describeTask({ id, shown: documentOf(id) })));
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
