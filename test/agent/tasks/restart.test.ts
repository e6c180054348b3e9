// Restarts: of the agent (in good order, or killed), and of the server. What goes on goes on, and what ended
// meanwhile has ended.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { TaskState } from "../../../proto/schema.gen.ts";
import { StreamReader } from "../../support/test-agent.ts";
import { TestHolder } from "../../support/test-holder.ts";
import { TestRun } from "../../support/test-run.ts";
import { TestTasks, TOOLS } from "../../support/test-tasks.ts";
import { eventually } from "../../support/trust-domain.ts";

const tasks = await TestTasks.start(t, { agent: { tasks: { reattach_grace: "3s" } } });
const { domain } = tasks;
const client = tasks.client();
const until = (id: string, wanted: number): Promise<void> =>
  eventually(async () => {
    const { state } = await tasks.get(id);
    if (state !== wanted) throw new Error(`it is ${state}`);
  });

async function restartAgent(meanwhile: () => Promise<void> = async () => undefined): Promise<void> {
  await domain.agent?.stop();
  await meanwhile();
  await (await domain.startAgent({ joinToken: undefined })).ready;
}

t.test("a restart of the agent ends no task; its holder attaches again by proof", async (t) => {
  const task = await tasks.open(client);
  const watch = new StreamReader(
    client.watchTask({ proof: task.proof("WatchTask"), csr: task.csr }),
  );
  await watch.next();
  const journal = join(domain.folder, "agent/tasks/held.jsonl");
  t.equal(statSync(journal).mode & 0o777, 0o600);
  t.notMatch(readFileSync(journal, "utf8"), /PRIVATE|"d":|eyJ/);
  const over = watch.next().catch((error: unknown) => error);
  await restartAgent();
  t.match(await over, { code: 14 });
  t.equal((await tasks.get(task.id)).state, TaskState.ACTIVE);
  const again = new StreamReader(
    client.watchTask({ proof: task.proof("WatchTask"), csr: task.csr }),
  );
  t.match(await again.next(), { task: { id: task.id, state: TaskState.ACTIVE } });
  const renewed = await eventually(async () => (await again.next()).svid);
  t.ok((renewed?.x509Svid.length ?? 0) > 0, "and is given a new SVID");
  t.ok(
    (await client.fetchTaskJWTSVID({ proof: task.proof("FetchTaskJWTSVID"), audience: TOOLS }))
      .token,
  );
  await again.close();
});

t.test("a process that ended while the agent was away ended its task", async () => {
  const holder = TestHolder.start(t, tasks.socket);
  const { id } = await holder.tell({ do: "open" });
  await restartAgent(() => holder.kill());
  await until(id, TaskState.ABANDONED);
});

t.test("a command keeps its socket over a restart, and its launcher attaches again", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  const { id = "", spiffeId } = run.task ?? {};
  await workload.line();
  const { socketPath } = run;
  await restartAgent();
  t.equal((await workload.line()).refused, 14, "the stream ends as when any agent restarts");
  t.ok(existsSync(socketPath));
  const again = new TestRun(client, run.pair);
  again.task = run.task;
  const proof = run.task?.proof("RunTask") ?? { taskId: "", jws: "" };
  await again.call.send({ attach: { proof, pid: workload.pid } });
  await again.ready();
  t.equal(again.socketPath, socketPath);
  t.ok((await again.next()).admitted);
  t.strictSame(await workload.identities(), [spiffeId]);
  workload.tell("exit 0");
  await again.finish(true);
  t.equal(await again.over(), undefined);
  await until(id, TaskState.COMPLETED);
  t.notOk(existsSync(socketPath));
});

t.test("how a command ended while the agent was away, its launcher says", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  await workload.line();
  await restartAgent(() => workload.kill());
  const again = new TestRun(client, run.pair);
  again.task = run.task;
  const proof = run.task?.proof("RunTask") ?? { taskId: "", jws: "" };
  await again.call.send({ attach: { proof, pid: workload.pid } });
  await again.ready();
  t.ok((await again.next()).admitted);
  t.notOk(existsSync(again.socketPath), "nobody is served for it any more");
  await again.finish(true);
  t.equal(await again.over(), undefined);
  await until(run.task?.id ?? "", TaskState.COMPLETED);
});

t.test("a launcher that does not come back abandons its task", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  await workload.line();
  const { socketPath } = run;
  await restartAgent();
  t.equal((await tasks.get(run.task?.id ?? "")).state, TaskState.ACTIVE);
  await until(run.task?.id ?? "", TaskState.ABANDONED);
  t.notOk(existsSync(socketPath));
});

t.test("who has not the key, or names another process, does not attach", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  await workload.line();
  await restartAgent();
  const attach = async (proof: { taskId: string; jws: string } | undefined, pid: number) => {
    const again = new TestRun(client);
    await again.call.send({ attach: { ...(proof && { proof }), pid } });
    return again.over();
  };
  t.match(await attach(undefined, workload.pid), { reason: "TASK_NOT_HELD" });
  t.match(await attach(run.task?.proof("RunTask"), process.pid), { reason: "LAUNCH_STEP_INVALID" });
  t.match(await attach(run.task?.proof("WatchTask"), workload.pid), {
    reason: "TASK_PROOF_CLAIMS",
  });
});

t.test("a task that was ended while the agent was away is refused when it is back", async () => {
  const task = await tasks.open(client);
  await restartAgent(async () => {
    await tasks.control.revokeTask({ id: task.id, reason: "meanwhile" });
  });
  await eventually(async () => {
    const call = { proof: task.proof("FetchTaskJWTSVID"), audience: TOOLS };
    const error = await client.fetchTaskJWTSVID(call).catch((reason: unknown) => reason);
    if ((error as { reason?: string }).reason !== "TASK_ENDED") throw error;
  });
});

t.test("an end that was not told survives a restart of the agent", async () => {
  const holder = TestHolder.start(t, tasks.socket);
  const { id } = await holder.tell({ do: "open" });
  await domain.server?.stop();
  await holder.kill();
  await eventually(() => {
    const journal = readFileSync(join(domain.folder, "agent/tasks/held.jsonl"), "utf8");
    if (!journal.includes(`"end":{"taskId":"${id}"`)) throw new Error("not yet");
  });
  await domain.agent?.stop();
  await domain.startServer();
  await (await domain.startAgent({ joinToken: undefined })).ready;
  await until(id, TaskState.ABANDONED);
});

t.test("a restart of the server ends no task", async (t) => {
  const task = await tasks.open(client);
  await domain.server?.stop();
  await t.rejects(
    client.fetchTaskJWTSVID({ proof: task.proof("FetchTaskJWTSVID"), audience: TOOLS }),
    { code: 14 },
  );
  await domain.startServer();
  await eventually(() =>
    client.fetchTaskJWTSVID({ proof: task.proof("FetchTaskJWTSVID"), audience: TOOLS }),
  );
  t.equal((await tasks.get(task.id)).state, TaskState.ACTIVE);
});
