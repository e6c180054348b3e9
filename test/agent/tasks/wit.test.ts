// WIT-SVIDs of tasks on a node: for the task's own key by the task service, with keys of their own on the sockets of
// tasks; and for nobody where the operator has not turned them on.
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { parseWitSvidInsecurely } from "../../../pki/wit/svid.ts";
import { createChannel } from "../../../proto/rpc/client.ts";
import { RegistryService, SpiffeWorkloadApi } from "../../../proto/schema.gen.ts";
import { HEADER } from "../../support/test-agent.ts";
import { TestRun, TestWorkload } from "../../support/test-run.ts";
import { AI_AGENT, TestTask, TestTasks, TOOLS } from "../../support/test-tasks.ts";

const FLAGS = { feature_flags: ["wit-svid"] };
const METHOD = "FetchTaskWITSVID";
const refusal = (reason: string) => ({ name: "IdentityError", reason });

const tasks = await TestTasks.start(t, { server: FLAGS, agent: FLAGS });
const client = tasks.client();

t.test("is for the task's own key, which the proof shows", async (t) => {
  const task = await tasks.open(client);
  const { token, expiresAt } = await client.fetchTaskWITSVID({ proof: task.proof(METHOD) });
  const { id, confirmation, expiresAt: exp } = parseWitSvidInsecurely(token);
  t.equal(id.toString(), task.spiffeId);
  t.same(confirmation.spki, task.pair.spki);
  t.equal(exp.getTime(), Number(expiresAt) * 1000);
  t.ok(exp.getTime() <= Date.now() + 301_000);

  const stranger = new TestTask(task.task, generateP256KeyPair());
  await t.rejects(
    client.fetchTaskWITSVID({ proof: stranger.proof(METHOD) }),
    refusal("TASK_PROOF_UNTRUSTED"),
    "with another key",
  );
});

t.test("a proof of another method, one that came before, or none, gets nothing", async (t) => {
  const task = await tasks.open(client);
  const proof = task.proof(METHOD);
  await client.fetchTaskWITSVID({ proof });
  await t.rejects(client.fetchTaskWITSVID({ proof }), refusal("TASK_PROOF_REPLAYED"));
  const other = task.proof("FetchTaskJWTSVID");
  await t.rejects(client.fetchTaskWITSVID({ proof: other }), refusal("TASK_PROOF_CLAIMS"));
  await t.rejects(client.fetchTaskWITSVID({}), refusal("TASK_NOT_HELD"));
});

t.test("a task that is suspended, parked or over gets none", async (t) => {
  const task = await tasks.open(client);
  const ask = () => client.fetchTaskWITSVID({ proof: task.proof(METHOD) });
  await client.park({ proof: task.proof("Park") });
  await t.rejects(ask(), refusal("TASK_PARKED"));
  await client.resume({ proof: task.proof("Resume"), csr: task.csr });
  await t.resolves(ask());
  await tasks.control.suspendTask({ id: task.id, reason: "to see" });
  await t.rejects(ask(), refusal("TASK_SUSPENDED"));
  await tasks.control.unsuspendTask({ id: task.id });
  await tasks.control.revokeTask({ id: task.id, reason: "enough" });
  await t.rejects(ask(), refusal("TASK_ENDED"));
});

t.test("the socket of a task has the task's WIT-SVID with a key, and its bundle", async (t) => {
  const run = new TestRun(client);
  const workload = await run.launch(t);
  const id = run.task?.spiffeId;
  t.strictSame(await workload.line(), { x509: [id], bundles: 1 });
  workload.tell("wit");
  t.strictSame(await workload.line(), { wit: [{ id, sub: id, isForKey: true }] });
  await tasks.control.suspendTask({ id: run.task?.id ?? "", reason: "to see" });
  // Both streams end.
  t.strictSame([await workload.line(), await workload.line()], [{ refused: 7 }, { refused: 7 }]);
  workload.tell("wit");
  t.strictSame(await workload.line(), { refused: 7 });
  run.call.cancel();
});

t.test("the ordinary socket shows no task", async (t) => {
  await tasks.open(client);
  const channel = createChannel({ address: { unix: tasks.socket }, metadata: HEADER });
  t.teardown(() => channel.close());
  for await (const { svids } of channel.client(SpiffeWorkloadApi).fetchWITSVID({})) {
    t.strictSame(
      svids.map(({ spiffeId }) => spiffeId),
      [AI_AGENT],
    );
    break;
  }
});

t.test("a class with identities of agents: the AI agent's ID, in both places", async (t) => {
  const admin = createChannel({ address: { unix: tasks.domain.server?.adminSocket ?? "" } });
  t.teardown(() => admin.close());
  const registry = admin.client(RegistryService);
  const { taskClass } = await registry.getTaskClass({ name: "read-only" });
  await registry.setTaskClass({
    taskClass: { ...taskClass, name: "read-only", identity: "agent" },
  });
  const task = await tasks.open(client, { taskClass: "read-only" });
  const { token } = await client.fetchTaskWITSVID({ proof: task.proof(METHOD) });
  t.equal(parseWitSvidInsecurely(token).id.toString(), AI_AGENT);
  const run = new TestRun(client);
  await run.open({ taskClass: "read-only" });
  const workload = new TestWorkload(t, run.socketPath);
  await run.admit(workload.pid);
  t.match(await workload.line(), { x509: [run.task?.spiffeId] });
  workload.tell("wit");
  t.strictSame(await workload.line(), { wit: [{ id: AI_AGENT, sub: AI_AGENT, isForKey: true }] });
  workload.tell(`jwt ${TOOLS}`);
  t.strictSame(
    await workload.line(),
    { jwt: AI_AGENT },
    "clients refuse a token under another name",
  );
  run.call.cancel();
});

t.test("stands behind the feature flag, of the node agent and of the server", async (t) => {
  for (const [agent, reason] of [
    [{}, "WIT_NOT_SERVED"],
    [FLAGS, "NOT_SUPPORTED"],
  ] as const) {
    const plain = await TestTasks.start(t, { agent });
    const holder = plain.client();
    const task = await plain.open(holder);
    await t.rejects(holder.fetchTaskWITSVID({ proof: task.proof(METHOD) }), refusal(reason));
    const run = new TestRun(holder);
    const workload = await run.launch(t);
    await workload.line();
    workload.tell("wit");
    t.match(await workload.line(), { refused: Number }, reason);
    run.call.cancel();
  }
});
