// A task of a program: opened, followed and ended, against a node that does what the test says.
import { once } from "node:events";
import { type AddressInfo, connect as connectTcp } from "node:net";
import t, { type Test } from "tap";
import { type OpenTaskOptions, openTask } from "../../../client/tasks/open.ts";
import type { Task } from "../../../client/tasks/task.ts";
import { authorizeAny } from "../../../client/tls/authorize.ts";
import { secureSocket } from "../../../client/tls/connect.ts";
import { createTlsServer } from "../../../client/tls/server.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { isUlid } from "../../../pki/task-id.ts";
import { TaskState } from "../../../proto/schema.gen.ts";
import { TestClock } from "../../support/clock.ts";
import { AI_AGENT, FakeTaskNode } from "../../support/fake-task-node.ts";
import { FakeWorkloadApi } from "../../support/fake-workload-api.ts";
import { MANDATE, openedTask, READ, TICKETS } from "../../support/opened-task.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { until } from "../../support/until.ts";

const north = await TestAuthority.create();
const denied = Status.permissionDenied;
const open = (t: Test, options: Partial<OpenTaskOptions> = {}) =>
  openedTask(t, { authority: north, ...options });

t.test("opens a task with a key of its own", async (t) => {
  const labels = { team: "support" };
  const options = { labels, externalRefs: { a2a: "x" }, ttlSeconds: 60, principal: "user:alice" };
  const { node, task } = await open(t, options);
  t.ok(isUlid(task.id));
  t.equal(task.spiffeId.toString(), `${AI_AGENT}/task/${task.id}`);
  t.equal(task.state, "ACTIVE");
  t.strictSame(task.mandate, MANDATE);
  t.match(task.info, { ...READ, labels, externalRefs: { a2a: "x" }, principal: "user:alice" });
  const leftMs = task.expiresAt.getTime() - Date.now();
  t.ok(leftMs > 50_000 && leftMs <= 60_000);
  t.equal(task.x509.svid().id.toString(), task.spiffeId.toString());
  t.equal(node.opened[0]?.taskClass, "read-only");
  const other = await openTask({ ...READ, endpoint: node.endpoint, mandate: MANDATE });
  t.teardown(() => other.close());
  t.notSame(other.x509.svid().leaf.spki, task.x509.svid().leaf.spki, "no key serves two tasks");
});

t.test("a question whose answer was lost opens no second task", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const away = new IdentityError("TEST_AWAY", Status.unavailable, "away");
  node.failures.push(away, away);
  await using task = await openTask({ ...READ, endpoint: node.endpoint, mandate: MANDATE });
  t.equal(node.count("OpenTask"), 3);
  t.equal(node.tasks.size, 1);
  t.match(node.opened[0]?.idempotencyKey, /^[0-9a-f-]{36}$/);
  const key = "mine";
  const again = { ...READ, endpoint: node.endpoint, mandate: MANDATE, idempotencyKey: key };
  await openTask(again).then((one) => one.close());
  t.equal(node.opened.at(-1)?.idempotencyKey, key);
  await task.complete();
});

t.test("claims a task that was made for it", async (t) => {
  const id = "01JD9Z0000000000000000000A";
  const { node, task } = await open(t, { claim: `${AI_AGENT}/task/${id}` });
  t.equal(node.opened[0]?.claimTaskId, id);
  t.equal(task.id, id);
});

t.test("says why a task is not opened", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const refusal = new IdentityError("MANDATE_EXCEEDED", denied, "too wide", { hint: "ask less" });
  node.failures.push(refusal);
  await t.rejects(openTask({ ...READ, endpoint: node.endpoint }), {
    ...{ reason: "MANDATE_EXCEEDED", code: denied },
  });
  t.equal(node.count("OpenTask"), 1, "and asks no second time");
  await node.stop();
  await t.rejects(openTask({ ...READ, endpoint: node.endpoint, timeoutMs: 200 }), {
    code: Status.unavailable,
  });
  await t.rejects(openTask({ ...READ, endpoint: "here" }), {
    ...{ reason: "ENDPOINT_INVALID", code: Status.invalidArgument },
  });
  const ordinary = await FakeWorkloadApi.start(t);
  await t.rejects(openTask({ ...READ, endpoint: ordinary.endpoint }), {
    ...{ reason: "TASKS_NOT_SERVED", code: Status.unimplemented, hint: /socket/ },
  });
});

t.test("refuses an SVID that is not the task's", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  node.wrongId = "spiffe://north.test/agent/somebody";
  await t.rejects(openTask({ ...READ, endpoint: node.endpoint, mandate: MANDATE }), {
    ...{ reason: "WORKLOAD_API_RESPONSE_INVALID", code: Status.dataLoss },
  });
});

t.test("renewed SVIDs are taken over", async (t) => {
  const { node, task } = await open(t);
  const { serialHex } = task.x509.svid().leaf;
  let changes = 0;
  task.x509.onChange(() => {
    changes += 1;
  });
  await node.renew(task.id);
  await until(() => changes > 0);
  t.not(task.x509.svid().leaf.serialHex, serialHex);
});

t.test("an SVID that the agent did not renew is not used", async (t) => {
  const clock = new TestClock(new Date());
  const { task } = await open(t, { clock });
  clock.step(290_000);
  task.x509.svid();
  clock.step(20_000);
  t.throws(() => task.x509.svid(), { reason: "IDENTITY_EXPIRED", code: Status.unavailable });
});

t.test("parked and suspended tasks have no credentials", async (t) => {
  const { node, task } = await open(t);
  const states: string[] = [];
  task.onChange(() => states.push(task.state));
  const { token } = await task.jwtSvid(TICKETS);
  await task.park();
  t.throws(() => task.x509.svid(), { reason: "TASK_PARKED", code: Status.failedPrecondition });
  await t.rejects(task.jwtSvid(TICKETS), {
    reason: "TASK_PARKED",
    code: Status.failedPrecondition,
  });
  await task.resume();
  t.equal(task.x509.svid().id.toString(), task.spiffeId.toString());
  t.not((await task.jwtSvid(TICKETS)).token, token);

  node.set(task.id, { state: TaskState.SUSPENDED, stateReason: "used after completion" });
  await until(() => task.state === "SUSPENDED");
  t.throws(() => task.x509.svid(), {
    reason: "TASK_SUSPENDED",
    code: denied,
    message: /used after/,
  });
  t.throws(() => task.x509.anchorsOf(north.trustDomain), {
    reason: "TASK_SUSPENDED",
    code: denied,
  });
  await t.rejects(task.accessToken(TICKETS), { reason: "TASK_SUSPENDED", code: denied });
  node.set(task.id, { state: TaskState.ACTIVE });
  await until(() => task.state === "ACTIVE");
  task.x509.svid();
  const seen = states.filter((state, i) => state !== (states[i - 1] ?? "ACTIVE"));
  t.strictSame(seen, ["PARKED", "ACTIVE", "SUSPENDED", "ACTIVE"]);
});

t.test("completing ends everything", async (t) => {
  const { node, task } = await open(t);
  const digest = "ab".repeat(32);
  await task.complete({ summaryDigest: digest });
  t.strictSame(await task.ended, { state: "COMPLETED", reason: digest });
  t.equal(task.state, "COMPLETED");
  t.throws(() => task.x509.svid(), { reason: "TASK_ENDED", code: denied });
  await t.rejects(task.jwtSvid(TICKETS), { reason: "TASK_ENDED", code: denied });
  await t.rejects(task.narrow(MANDATE), { reason: "TASK_ENDED", code: denied });
  await t.rejects(task.park(), { reason: "TASK_ENDED", code: denied });
  await t.rejects(task.complete({ outcome: "FAILED" }), { reason: "TASK_ENDED", code: denied });
  await task.complete();
  t.equal(node.count("Complete"), 1, "what is done is done");
  t.equal(node.tasks.get(task.id)?.task.stateReason, digest);
});

t.test("a completion whose answer is lost is no failure", async (t) => {
  const { node, task } = await open(t);
  node.failures.push(new IdentityError("TEST_AWAY", Status.unavailable, "away"));
  const completing = task.complete();
  await until(() => node.failures.length === 0);
  node.set(task.id, { state: TaskState.COMPLETED });
  await completing;
  t.equal((await task.ended).state, "COMPLETED");
});

t.test("the end of the block ends the task: FAILED unless it was completed", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const options = { ...READ, endpoint: node.endpoint, mandate: MANDATE };
  let left: Task | undefined;
  await t.rejects(
    (async () => {
      await using task = await openTask(options);
      left = task;
      throw new Error("a bug");
    })(),
    { message: "a bug" },
  );
  t.match(await left?.ended, { state: "FAILED", reason: /without having been completed/ });
  {
    await using task = await openTask(options);
    left = task;
    await task.complete();
  }
  t.match(await left.ended, { state: "COMPLETED" });
  t.equal(node.count("Complete"), 2);
});

for (const state of ["REVOKED", "EXPIRED", "ABANDONED"] as const) {
  t.test(`notices at once when somebody else ends it as ${state}`, async (t) => {
    const { node, task } = await open(t);
    node.set(task.id, { state: TaskState[state], stateReason: "by an operator" });
    t.strictSame(await task.ended, { state, reason: "by an operator" });
    t.throws(() => task.x509.svid(), {
      ...{ reason: "TASK_ENDED", code: denied, message: new RegExp(`${state}.*by an operator`) },
    });
    await t.rejects(task.complete(), { reason: "TASK_ENDED", code: denied });
  });
}

t.test("goes on over restarts of the node agent, with a proof of its key", async (t) => {
  const { node, task, errors } = await open(t);
  await node.stop();
  await until(() => errors.length > 0);
  t.equal(task.x509.svid().id.toString(), task.spiffeId.toString(), "with the SVID it has");
  await node.start();
  await until(() => node.count("WatchTask") === 2);
  t.equal(task.state, "ACTIVE");
  await task.jwtSvid(TICKETS);
  await node.renew(task.id);
  await task.complete();
});

t.test("a task that ended while the node agent was away has ended", async (t) => {
  const { node, task } = await open(t);
  await node.stop();
  node.set(task.id, { state: TaskState.REVOKED, stateReason: "found out" });
  await node.start();
  t.same(await task.ended, { state: "REVOKED", reason: "found out" });
  t.match(task, { state: "REVOKED", info: { stateReason: "found out" } });
  t.throws(() => task.x509.svid(), { reason: "TASK_ENDED", message: /REVOKED.*found out/ });
});

t.test("a node agent that does not know the task is believed after a while", async (t) => {
  const { node, task } = await open(t);
  await node.stop();
  const held = node.tasks.get(task.id);
  node.tasks.clear();
  await node.start();
  await until(() => node.count("WatchTask") >= 2);
  t.equal(task.state, "ACTIVE", "a restarted one may not know it yet");
  if (held !== undefined) node.tasks.set(task.id, held);
  await until(() => held?.watchers.size === 1);
  t.equal(task.x509.svid().id.toString(), task.spiffeId.toString());

  const clock = new TestClock(new Date());
  const other = await openTask({ ...READ, endpoint: node.endpoint, mandate: MANDATE, clock });
  t.teardown(() => other.close());
  await until(() => node.tasks.get(other.id)?.watchers.size === 1);
  await node.stop();
  node.tasks.clear();
  await node.start();
  let end: unknown;
  void other.ended.then((how) => {
    end = how;
  });
  while (end === undefined) await clock.advance(1_000);
  t.match(end, { state: undefined, reason: /no task/ });
});

t.test("when nobody says anything, a task ends with its time", async (t) => {
  const clock = new TestClock(new Date());
  const { node, task } = await open(t, { clock, ttlSeconds: 60 });
  await node.stop();
  await clock.advance(60_000);
  t.equal(task.state, "ACTIVE");
  await clock.advance(6_000);
  t.match(await task.ended, { state: "EXPIRED" });
});

t.test("connections made with it are closed when it ends, whoever ends it", async (t) => {
  const { node, task } = await open(t);
  const db = await north.issue("/db");
  const source = {
    ...{ svid: () => db, anchorsOf: TestAuthority.anchorsOf(north), onChange: () => () => {} },
  };
  const server = createTlsServer({
    ...{ source, authorize: authorizeAny() },
    onConnection: (socket) => socket.on("error", () => {}).write("hello"),
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const closed = Promise.withResolvers<IdentityError>();
  const options = {
    ...{ source: task.x509, authorize: authorizeAny(), onClosed: closed.resolve },
  };
  const socket = await secureSocket(connectTcp({ host: "127.0.0.1", port }), options);
  await once(socket, "data");
  node.set(task.id, { state: TaskState.REVOKED });
  t.match(await closed.promise, { reason: "TASK_ENDED", code: denied });
  t.ok(socket.destroyed);
  await t.rejects(secureSocket(connectTcp({ host: "127.0.0.1", port }), options), {
    reason: "TASK_ENDED",
    code: denied,
  });
});

t.test("trusts whom the source that it is given trusts", async (t) => {
  const south = await TestAuthority.create("south.test");
  const alone = await open(t);
  t.equal(alone.task.x509.anchorsOf(north.trustDomain)?.length, 1);
  t.equal(alone.task.x509.anchorsOf(south.trustDomain), undefined);
  const listeners = new Set<() => void>();
  const trust = {
    anchorsOf: TestAuthority.anchorsOf(south),
    onChange: (listener: () => void) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const { task } = await open(t, { trust });
  t.equal(task.x509.anchorsOf(south.trustDomain)?.length, 1);
  t.equal(task.x509.anchorsOf(north.trustDomain), undefined);
  const stop = task.x509.onChange(() => {});
  t.equal(listeners.size, 1);
  stop();
  t.equal(listeners.size, 0);
});

t.test("word of another task changes nothing", async (t) => {
  const { node, task, errors } = await open(t);
  const other = await openTask({ ...READ, endpoint: node.endpoint, mandate: MANDATE });
  t.teardown(() => other.close());
  await until(() => node.tasks.get(other.id)?.watchers.size === 1);
  node.sayOf(task.id, { ...node.tasks.get(other.id)?.task, state: TaskState.REVOKED, version: 9 });
  await until(() => errors.length > 0);
  t.match(errors[0], { reason: "WORKLOAD_API_RESPONSE_INVALID", code: Status.dataLoss });
  t.equal(task.state, "ACTIVE");
  t.equal(task.x509.svid().id.toString(), task.spiffeId.toString());
});
