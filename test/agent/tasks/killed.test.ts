// An agent that is killed, as a process of its own, while tasks are open; and how many tasks a user may have.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { TaskState } from "../../../proto/schema.gen.ts";
import { TestHolder } from "../../support/test-holder.ts";
import { TestRun } from "../../support/test-run.ts";
import { TestTasks, TOOLS } from "../../support/test-tasks.ts";
import { eventually } from "../../support/trust-domain.ts";

const CLI = new URL("../../../cli/index.ts", import.meta.url).pathname;

t.test("kill -9 of the agent ends no task, and keeps no socket from coming back", async (t) => {
  const tasks = await TestTasks.start(t);
  const { domain } = tasks;
  await domain.agent?.stop();
  // The same node agent, with the identity and the socket that it has, as a process.
  const config = join(domain.folder, "agent.yaml");
  const lines = {
    trust_domain: "north.test",
    data_dir: join(domain.folder, "agent"),
    server: { address: "127.0.0.1", port: domain.server?.address.port },
    socket: tasks.socket,
    insecure_bootstrap: true,
  };
  writeFileSync(config, JSON.stringify(lines));
  const start = (): ChildProcess => {
    const child = spawn(process.execPath, [CLI, "agent", "run", "--config", config], {
      stdio: "ignore",
    });
    t.teardown(() => child.kill("SIGKILL"));
    return child;
  };
  const agent = start();
  const client = tasks.client();
  const task = await eventually(() => tasks.open(client), 20_000);
  const run = new TestRun(client);
  const workload = await run.launch(t);
  t.strictSame((await workload.line()).x509, [run.task?.spiffeId]);
  const holder = TestHolder.start(t, tasks.socket);
  const { id } = await holder.tell({ do: "open" });

  const exit = once(agent, "exit");
  agent.kill("SIGKILL");
  await exit;
  t.ok(existsSync(run.socketPath), "its file is left");
  await holder.kill();
  start();
  await eventually(
    () => client.fetchTaskJWTSVID({ proof: task.proof("FetchTaskJWTSVID"), audience: TOOLS }),
    20_000,
  );
  await eventually(async () => {
    if ((await tasks.get(id)).state !== TaskState.ABANDONED) throw new Error("not yet");
  });
  const again = new TestRun(client, run.pair);
  const proof = run.task?.proof("RunTask") ?? { taskId: "", jws: "" };
  again.task = run.task;
  await again.call.send({ attach: { proof, pid: workload.pid } });
  await again.ready();
  t.strictSame(await workload.identities(), [run.task?.spiffeId]);
  workload.tell("exit 0");
  await again.next();
  await again.finish(true);
  t.equal(await again.over(), undefined);
  t.equal((await tasks.get(run.task?.id ?? "")).state, TaskState.COMPLETED);
});

t.test("a user has so many tasks, and one more when one has ended", async (t) => {
  const tasks = await TestTasks.start(t, { agent: { tasks: { open: 3, open_per_uid: 2 } } });
  const client = tasks.client();
  const [first] = [await tasks.open(client), await tasks.open(client)];
  const refused = { name: "IdentityError", reason: "TOO_MANY_TASKS" };
  await t.rejects(tasks.open(client), refused);
  const run = new TestRun(client);
  await t.rejects(run.open(), refused, "launched ones count too");
  await client.complete({ proof: first.proof("Complete"), outcome: TaskState.COMPLETED });
  await tasks.open(client);
  // What the server refuses counts for nothing.
  await t.rejects(tasks.open(client), refused);
});
