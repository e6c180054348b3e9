// TaskStatuses: which tasks are refused, as the node agent says it.
import t, { type Test } from "tap";
import { type TaskStatus, TaskStatuses } from "../../../client/task-status.ts";
import { Status } from "../../../pki/errors.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { TestClock } from "../../support/clock.ts";
import { AI_AGENT, FakeTaskNode, statusOf } from "../../support/fake-task-node.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { until } from "../../support/until.ts";

const north = await TestAuthority.create();
const A = `${AI_AGENT}/task/01JD9Z0000000000000000000A`;
const B = `${AI_AGENT}/task/01JD9Z0000000000000000000B`;
const C = `${AI_AGENT}/task/01JD9Z0000000000000000000C`;

async function start(
  t: Test,
  node: FakeTaskNode,
  options: Partial<Parameters<typeof TaskStatuses.start>[0]> = {},
): Promise<{ statuses: TaskStatuses; changes: TaskStatus[][] }> {
  const statuses = await TaskStatuses.start({ endpoint: node.endpoint, ...options });
  t.teardown(() => statuses.close());
  const changes: TaskStatus[][] = [];
  statuses.onChange((changed) => changes.push([...changed]));
  return { statuses, changes };
}

t.test("knows what was refused before it came", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  node.first = [
    { reset: true, tasks: [{ ...statusOf(A, "ENDED", 3, "REVOKED"), reason: "found out" }] },
    { tasks: [statusOf(B, "REFUSED", 2, "SUSPENDED")], fresh: true, complete: true },
  ];
  const { statuses } = await start(t, node);
  t.equal(statuses.verdict(A), "ended");
  t.equal(statuses.verdict(SpiffeId.parse(B)), "refused");
  t.equal(statuses.verdict(B.slice(-26)), "refused", "by the bare ULID, too");
  t.equal(statuses.verdict(C), "good");
  t.match(statuses.status(A), { state: "REVOKED", reason: "found out", spiffeId: A });
  t.equal(
    statuses.verdict(`spiffe://south.test/agent/other/task/${A.slice(-26)}`),
    "good",
    "a task of somebody else with the same ULID is somebody else's",
  );
  t.equal(statuses.verdict(AI_AGENT), "good", "what is no task is not refused as one");
  t.equal(statuses.size, 2);
});

t.test("tells of changes: ended tasks never come back, suspended ones do", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const { statuses, changes } = await start(t, node);
  node.say({ tasks: [statusOf(A, "ENDED"), statusOf(B, "REFUSED")] });
  await until(() => changes.length === 1);
  t.match(changes[0], [{ verdict: "ended" }, { verdict: "refused" }]);
  node.say({ tasks: [statusOf(A, "GOOD", 9), statusOf(B, "GOOD", 1), statusOf(C, "GOOD", 1)] });
  node.say({ tasks: [statusOf(B, "GOOD", 3)] });
  await until(() => changes.length === 2);
  t.equal(statuses.verdict(A), "ended", "whoever says that an ended task goes on is wrong");
  t.equal(statuses.verdict(B), "good");
  t.match(changes[1], [{ spiffeId: B, verdict: "good" }], "an older version changed nothing");
  node.say({ tasks: [statusOf(B, "REFUSED", 5)] });
  node.say({ tasks: [statusOf(B, "ENDED", 4)] });
  await until(() => statuses.verdict(B) === "ended");
  t.pass("the end of a task counts, whatever its version");
});

t.test("a lost feed is not fresh at once, and forgets nothing", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  node.first = [
    {
      reset: true,
      tasks: [statusOf(A, "ENDED"), statusOf(B, "REFUSED")],
      fresh: true,
      complete: true,
    },
  ];
  const { statuses, changes } = await start(t, node);
  const heard: boolean[] = [];
  statuses.onFreshness((isFresh) => heard.push(isFresh));
  t.ok(statuses.isFresh());
  await node.stop();
  await until(() => !statuses.isFresh());
  t.strictSame([statuses.verdict(A), statuses.verdict(B)], ["ended", "refused"]);

  // An agent that was just started and has not heard its server knows less, which is no good news.
  node.first = [{ reset: true, fresh: false, complete: true }];
  await node.start();
  await until(() => node.count("WatchStatus") === 2);
  node.say({ fresh: false, classes: [{ name: "standard", failMode: "ttl" }] });
  await until(() => statuses.rulesOf("standard") !== undefined);
  t.strictSame([statuses.verdict(A), statuses.verdict(B)], ["ended", "refused"]);
  t.notOk(statuses.isFresh());
  t.strictSame(changes, []);
  node.say({ fresh: true });
  await until(() => statuses.verdict(B) === "good");
  t.equal(statuses.verdict(A), "ended", "what ended has ended");
  t.match(changes, [[{ spiffeId: B, verdict: "good" }]]);
  t.strictSame(heard, [false, true]);
});

t.test("an agent that says nothing any more, or hears no server, is not fresh", async (t) => {
  const clock = new TestClock();
  const node = await FakeTaskNode.start(t, north);
  const { statuses } = await start(t, node, { clock });
  t.ok(statuses.isFresh());
  await clock.advance(2_500);
  t.ok(statuses.isFresh());
  t.notOk(statuses.isFresh(2_000), "by a stricter measure");
  const heard = Promise.withResolvers<boolean>();
  statuses.onFreshness((isFresh) => heard.resolve(isFresh));
  await clock.advance(1_000);
  t.notOk(statuses.isFresh());
  t.equal(await heard.promise, false, "and listeners are told without asking");
  node.say({ fresh: true });
  await until(() => statuses.isFresh());
  node.say({ fresh: false });
  await until(() => !statuses.isFresh());
  node.say({ fresh: true });
  await until(() => statuses.isFresh());
  clock.step(-60_000);
  t.notOk(statuses.isFresh(), "a clock that was set back makes nothing fresh");
});

t.test("forgets a task once its last credential has expired, by time that passed", async (t) => {
  const clock = new TestClock(new Date());
  const node = await FakeTaskNode.start(t, north);
  const { statuses } = await start(t, node, { clock });
  node.say({ tasks: [statusOf(A, "ENDED")], classes: [{ name: "a", failMode: "odd" }] });
  await until(() => statuses.size === 1);
  t.equal(statuses.rulesOf("a")?.failMode, "closed", "rules that are not understood are strict");

  t.comment("a clock that is ahead, and set right again, lets nobody in");
  clock.step(30 * 24 * 3_600_000);
  node.say({ tasks: [statusOf(B, "ENDED")] });
  await until(() => statuses.size === 2);
  await clock.advance(300_000);
  t.equal(statuses.verdict(A), "ended");
  t.equal(statuses.verdict(B), "ended");
  clock.step(-30 * 24 * 3_600_000);
  t.equal(statuses.verdict(A), "ended");

  await clock.advance(1_000_000);
  t.equal(statuses.verdict(B), "good", "learned while the clock was ahead: a quarter of an hour");
  await clock.advance(3_000_000);
  t.equal(statuses.size, 0);
});

t.test(
  "an agent that is connected and says nothing is silent; one that is gone is not",
  async (t) => {
    const clock = new TestClock();
    const node = await FakeTaskNode.start(t, north);
    const { statuses } = await start(t, node, { clock });
    const told: boolean[] = [];
    statuses.onSilence((isSilent) => told.push(isSilent));
    t.notOk(statuses.isSilent);
    await clock.advance(2_900);
    t.notOk(statuses.isSilent);
    await clock.advance(200);
    t.ok(statuses.isSilent);
    node.say({ fresh: true });
    await until(() => !statuses.isSilent);
    await clock.advance(3_100);
    t.ok(statuses.isSilent);
    await node.stop();
    await until(() => !statuses.isSilent);
    t.strictSame(told, [true, false, true, false]);
  },
);

t.test("waits for an agent that is not there yet; gives up when asked to", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  await node.stop();
  await t.rejects(TaskStatuses.start({ endpoint: node.endpoint, timeoutMs: 50 }), {
    reason: "SOURCE_NOT_READY",
    code: Status.unavailable,
  });
  const starting = TaskStatuses.start({ endpoint: node.endpoint });
  await node.start();
  const statuses = await starting;
  t.ok(statuses.isFresh());
  statuses.close();
  t.notOk(statuses.isFresh());
  await t.rejects(TaskStatuses.start({ endpoint: "unix:relative" }), {
    reason: "ENDPOINT_INVALID",
    code: Status.invalidArgument,
  });
});
