// Time: expiry, idleness, what the clock does to both, and what a restart changes: nothing.
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { NODE, TaskServer, TOOLS } from "../../support/task-server.ts";
import { until } from "../../support/until.ts";

const HOLDER = { by: NODE, nodeAgent: NODE };

/** A minute passes, and what it set off comes to its end. */
async function minute(server: TaskServer): Promise<void> {
  await server.clock.advance(60_000);
  await new Promise((resolve) => setTimeout(resolve, 5));
}

t.test("ends a task when its time is over, not before", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open({ ttlSeconds: 60 });
  const parked = (await server.open({ ttlSeconds: 60 })).task;
  await server.tasks.park(parked.id, HOLDER, "");
  await server.clock.advance(59_999);
  t.match(server.tasks.get(task.id), { state: "ACTIVE" });
  await server.clock.advance(1);
  await until(() => server.store.size === 0);
  t.match(server.tasks.get(task.id), { state: "EXPIRED", endedAtMs: task.expiresAtMs });
  t.match(server.tasks.get(parked.id), { state: "EXPIRED" });
  t.same(server.eventsOf(task.id), ["task.opened", "task.ended"]);
});

t.test("one whose time is over has ended, whether or not somebody noticed", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open({ ttlSeconds: 60 });
  server.clock.step(60_000);
  const csr = createCsr(generateP256KeyPair());
  t.match(await server.tasks.signX509(NODE, [{ id: task.id, csr }]), [{ reason: "TASK_ENDED" }]);
  t.throws(() => server.tasks.noteUse(task.id), { message: /EXPIRED/ });
});

t.test("ends the idle, and a sign of life keeps a task", async (t) => {
  const server = await TaskServer.start(t);
  const quiet = (await server.open({ idleTimeoutSeconds: 60 })).task;
  const lively = (await server.open({ idleTimeoutSeconds: 60 })).task;
  const parked = (await server.open({ idleTimeoutSeconds: 60 })).task;
  await server.tasks.park(parked.id, HOLDER, "");
  await server.clock.advance(40_000);
  await server.tasks.newJwtSvid(NODE, lively.id, [TOOLS]);
  await server.clock.advance(19_000);
  t.equal(server.store.size, 3);
  await server.clock.advance(2000);
  await until(() => server.store.size === 2);
  t.match(server.tasks.get(quiet.id), { state: "ABANDONED" });
  const found = await server.tasks.find(lively.id);
  t.equal(found.lastActiveMs, lively.openedAtMs + 40_000);
  await server.clock.advance(40_000);
  await until(() => server.store.size === 1);
  t.match(server.tasks.get(lively.id), { state: "ABANDONED" });
  t.match(server.tasks.get(parked.id), { state: "PARKED" }, "who waits is not idle");
  await server.tasks.resume(parked.id, HOLDER);
  await server.clock.advance(59_000);
  t.match(server.tasks.get(parked.id), { state: "ACTIVE" });
  await server.clock.advance(2000);
  await until(() => server.store.size === 0);
});

t.test("parking and going on again and again leaves nothing behind", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open({ idleTimeoutSeconds: 10, ttlSeconds: 3600 });
  for (let i = 0; i < 20; i++) {
    await server.tasks.park(task.id, HOLDER, "");
    await server.tasks.resume(task.id, HOLDER);
    await server.clock.advance(5000);
  }
  t.match(server.tasks.get(task.id), { state: "ACTIVE" });
  await server.clock.advance(7000);
  await until(() => server.store.size === 0);
});

t.test(
  "a clock that is set forward ends by time and not by idleness; set back, tasks last",
  async (t) => {
    const server = await TaskServer.start(t);
    const long = (await server.open({ ttlSeconds: 7200, idleTimeoutSeconds: 60 })).task;
    const short = (await server.open({ ttlSeconds: 600, idleTimeoutSeconds: 600 })).task;
    server.clock.step(3_600_000);
    await server.clock.advance(5000);
    await until(() => server.store.size === 1);
    t.match(server.tasks.get(short.id), { state: "EXPIRED" });
    t.match(
      server.tasks.get(long.id),
      { state: "ACTIVE" },
      "an hour that did not pass is not idle",
    );
    server.clock.step(-3_600_000);
    const { task } = await server.open({ ttlSeconds: 60 });
    server.clock.step(-5000);
    await server.clock.advance(64_000);
    t.match(server.tasks.get(task.id), { state: "ACTIVE" }, "it lasts until its moment");
    await server.clock.advance(1000);
    await until(() => server.tasks.get(task.id)?.state === "EXPIRED");
  },
);

t.test("a restart ends nothing, and what expired meanwhile ends then", async (t) => {
  const server = await TaskServer.start(t);
  const short = (await server.open({ ttlSeconds: 60 })).task;
  const long = (await server.open({ ttlSeconds: 3600, idleTimeoutSeconds: 120 })).task;
  const parked = (await server.open({ ttlSeconds: 3600 })).task;
  await server.tasks.park(parked.id, HOLDER, "");
  const over = (await server.open()).task;
  await server.tasks.end(over.id, HOLDER, { state: "COMPLETED", reason: "" });
  const serials = server.tasks.serialsOf(long.id);
  await server.stop();
  server.clock.step(100_000);
  const restarted = await TaskServer.start(t, { former: server });
  await restarted.clock.advance(0);
  await until(() => restarted.store.size === 2);
  t.match(restarted.tasks.get(short.id), { state: "EXPIRED" });
  t.same(restarted.tasks.get(long.id), long, "as it was");
  t.match(restarted.tasks.get(parked.id), { state: "PARKED" });
  t.same(restarted.tasks.serialsOf(long.id), serials, "from the ledger");
  t.same([...restarted.tasks.refused()].map(({ state }) => state).sort(), [
    "COMPLETED",
    "EXPIRED",
    "PARKED",
  ]);
  await restarted.clock.advance(110_000);
  t.match(restarted.tasks.get(long.id), { state: "ACTIVE" }, "idleness begins anew");
  await restarted.clock.advance(12_000);
  await until(() => restarted.tasks.get(long.id)?.state === "ABANDONED");
  const more = (await restarted.open()).task;
  t.ok(more.id > long.id);
});

t.test("forgets what is over, and keeps what can be listed for as long as is said", async (t) => {
  const server = await TaskServer.start(t, { config: { keepEndedSeconds: 3600 } });
  const ids: string[] = [];
  for (let i = 0; i < 5; i++) {
    const { task } = await server.open({ labels: { n: String(i) } });
    ids.push(task.id);
    await server.clock.advance(1000);
    await server.tasks.end(task.id, HOLDER, { state: "COMPLETED", reason: "" });
  }
  const open = (await server.open({ ttlSeconds: 7200, idleTimeoutSeconds: 0 })).task;
  const keep = setInterval(() => server.tasks.touch(open.id), 1);
  t.teardown(() => clearInterval(keep));
  const controller = new AbortController();
  const running = server.tasks.run(controller.signal);
  await server.clock.advance(540_000);
  t.equal(server.store.ended, 5, "not before their credentials have expired");
  for (let i = 0; i < 100 && server.store.ended > 0; i++) await minute(server);
  t.equal(server.tasks.get(ids[0] ?? ""), undefined);
  t.match(await server.tasks.find(ids[0] ?? ""), { state: "COMPLETED" });
  const page = await server.tasks.list({}, { size: 3, token: "" });
  t.same(
    page.tasks.map(({ id }) => id),
    [open.id, ids[4], ids[3]],
    "the newest first",
  );
  const rest = await server.tasks.list({}, { size: 3, token: page.next });
  t.same(
    rest.tasks.map(({ id }) => id),
    [ids[2], ids[1], ids[0]],
  );
  t.equal(rest.next, "");
  const some = await server.tasks.list({ labels: { n: "2" } }, { size: 3, token: "" });
  t.same(
    some.tasks.map(({ id }) => id),
    [ids[2]],
  );
  const active = await server.tasks.list({ states: ["ACTIVE"] }, { size: 3, token: "" });
  t.same(
    active.tasks.map(({ id }) => id),
    [open.id],
  );
  const done = await server.tasks.list({ states: ["COMPLETED"] }, { size: 2, token: "" });
  t.same(
    done.tasks.map(({ id }) => id),
    [ids[4], ids[3]],
  );
  t.not(done.next, "");
  await t.rejects(server.tasks.list({}, { size: 1, token: "x" }), {
    reason: "PAGE_TOKEN_INVALID",
    code: 3,
  });
  const left = async (): Promise<number> =>
    (await server.tasks.list({ states: ["COMPLETED"] }, { size: 9, token: "" })).tasks.length;
  for (let i = 0; i < 100 && (await left()) > 0; i++) await minute(server);
  t.equal(await left(), 0);
  await t.rejects(server.tasks.find(ids[0] ?? ""), { reason: "TASK_NOT_FOUND", code: 5 });
  controller.abort();
  await running;
});
