// Commands that are launched for a task: a socket of their own, with the task's identity and nothing else, for
// them and their descendants alone.
import { existsSync, statSync } from "node:fs";
import { connect } from "node:net";
import t from "tap";
import { TaskState } from "../../../proto/schema.gen.ts";
import { TestRun, TestWorkload } from "../../support/test-run.ts";
import { TestTasks, TOOLS } from "../../support/test-tasks.ts";
import { eventually } from "../../support/trust-domain.ts";

const tasks = await TestTasks.start(t);
const client = tasks.client();
const state = async (id = ""): Promise<number> => (await tasks.get(id)).state;
const until = (id: string | undefined, wanted: number): Promise<void> =>
  eventually(async () => {
    const found = await state(id);
    if (found !== wanted) throw new Error(`it is ${found}`);
  });

t.test(
  "a plain SPIFFE workload gets the task's identity over its socket, and no other",
  async (t) => {
    const run = new TestRun(client);
    const workload = await run.launch(t);
    const { spiffeId, id } = run.task ?? {};
    t.strictSame(await workload.line(), { x509: [spiffeId], bundles: 1 });
    workload.tell(`jwt ${TOOLS}`);
    t.strictSame(await workload.line(), { jwt: spiffeId });
    workload.tell("jwt https://elsewhere.test");
    t.equal((await workload.line()).refused, 7, "outside the mandate");
    t.equal(statSync(run.socketPath).mode & 0o777, 0o600);
    workload.tell("exit 0");
    await run.finish(true);
    t.equal(await run.over(), undefined);
    t.equal(await state(id), TaskState.COMPLETED);
    t.notOk(existsSync(run.socketPath), "its socket is gone");
  },
);

t.test("another process of the same user is refused on its socket", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  await workload.line();
  const stranger = connect(run.socketPath);
  stranger.on("error", () => undefined);
  await new Promise<void>((resolve) => stranger.once("close", () => resolve()));
  const other = new TestWorkload(t, run.socketPath);
  t.equal((await other.line()).refused, 14, "not so much as a status of the task");
  t.equal(await state(run.task?.id), TaskState.ACTIVE);
  run.call.cancel();
});

t.test("while it is suspended there is no identity; let go on, there is one again", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  const { id = "", spiffeId } = run.task ?? {};
  await workload.line();
  await tasks.control.suspendTask({ id, reason: "to see" });
  t.strictSame(await workload.line(), { refused: 7 }, "the stream ends at once");
  workload.tell(`jwt ${TOOLS}`);
  t.strictSame(await workload.line(), { refused: 7 });
  workload.tell("x509");
  t.strictSame(await workload.line(), { refused: 7 });
  while ((await run.next()).changed?.state !== TaskState.SUSPENDED);
  await tasks.control.unsuspendTask({ id });
  t.strictSame(await workload.identities(), [spiffeId]);
  run.call.cancel();
});

t.test("revoked: the stream is told, the socket is gone, the lease ends", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  await workload.line();
  const over = run.over();
  await tasks.control.revokeTask({ id: run.task?.id ?? "", reason: "enough" });
  t.strictSame(await workload.line(), { refused: 7 });
  t.match(await over, { reason: "TASK_ENDED" });
  t.notOk(existsSync(run.socketPath));
});

t.test("a command that is killed ends its task, as its launcher says", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  await workload.line();
  await workload.kill();
  await run.finish(false, "signal 9");
  t.equal(await run.over(), undefined);
  const { state: found, stateReason } = await tasks.get(run.task?.id ?? "");
  t.equal(found, TaskState.FAILED);
  t.equal(stateReason, "signal 9");
});

t.test("a command that ends without a word of its launcher is abandoned", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  await workload.line();
  await workload.kill();
  t.match(await run.over(), { reason: "TASK_ENDED" });
  await until(run.task?.id, TaskState.ABANDONED);
});

t.test("refuses to admit what the launcher did not start, and then there is no task", async (t) => {
  const run = new TestRun(client);
  await run.open();
  await run.call.send({ started: { pid: process.ppid } });
  t.match(await run.over(), { reason: "LAUNCH_PROCESS_REFUSED" });
  await until(run.task?.id, TaskState.ABANDONED);
  t.notOk(existsSync(run.socketPath));
});

t.test("a lease that ends before its command was started leaves no task", async () => {
  const run = new TestRun(client);
  await run.open();
  run.call.cancel();
  await until(run.task?.id, TaskState.ABANDONED);
});

t.test("steps come in their order", async (t) => {
  const run = new TestRun(client);
  await run.call.send({ started: { pid: 1 } });
  t.match(await run.over(), { reason: "LAUNCH_STEP_INVALID" });
  const second = new TestRun(client);
  await second.launch(t);
  await second.call.send({ started: { pid: 1 } });
  t.match(await second.over(), { reason: "LAUNCH_STEP_INVALID" });
});
