// The task service of a node agent, against a real server: what the holder of a task gets, and who gets nothing.
import t from "tap";
import type { IdentityError } from "../../../pki/errors.ts";
import { parseJwtSvidInsecurely } from "../../../pki/jwt/svid.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { detailOf } from "../../../proto/rpc/status.ts";
import { TaskState } from "../../../proto/schema.gen.ts";
import { first, StreamReader } from "../../support/test-agent.ts";
import { AI_AGENT, TestTask, TestTasks, TOOLS } from "../../support/test-tasks.ts";
import { eventually } from "../../support/trust-domain.ts";

const tasks = await TestTasks.start(t);
const client = tasks.client();
const refusal = (reason: string) => ({ name: "IdentityError", reason });

t.test("a task is opened in one call, with its first SVID", async (t) => {
  const { task, svid, pair } = await tasks.open(client);
  t.match(task, { aiAgent: AI_AGENT, taskClass: "standard", state: TaskState.ACTIVE });
  t.equal(task.binding?.pid, process.pid, "bound to the process that the kernel names");
  const leaf = parseCertificate(new Uint8Array(svid?.x509Svid ?? []));
  t.strictSame(leaf.uris, [task.spiffeId]);
  t.equal(Buffer.compare(leaf.spki, pair.spki), 0);
  t.ok((svid?.bundle.length ?? 0) > 0);
});

t.test("the same call again is answered with the same task", async (t) => {
  const one = await tasks.open(client, { idempotencyKey: "0123456789abcdef" });
  const csr = one.csr;
  const again = await client.openTask({
    taskClass: "standard",
    purpose: "a test",
    csr,
    idempotencyKey: "0123456789abcdef",
  });
  t.equal(again.task?.id, one.id);
});

t.test("tokens are for the mandate's services, and need a proof", async (t) => {
  const task = await tasks.open(client);
  const { token } = await client.fetchTaskJWTSVID({
    proof: task.proof("FetchTaskJWTSVID"),
    audience: TOOLS,
  });
  t.equal(parseJwtSvidInsecurely(token).id.toString(), task.spiffeId);
  await t.rejects(
    client.fetchTaskJWTSVID({
      proof: task.proof("FetchTaskJWTSVID"),
      audience: "https://other.test",
    }),
    { code: 7 },
  );
  await t.rejects(client.fetchTaskJWTSVID({ audience: TOOLS }), refusal("TASK_NOT_HELD"));
});

t.test("watching brings the task, its states, and its end as an error", async (t) => {
  const task = await tasks.open(client);
  const watch = new StreamReader(
    client.watchTask({ proof: task.proof("WatchTask"), csr: task.csr }),
  );
  t.match(await watch.next(), { task: { id: task.id, state: TaskState.ACTIVE } });
  await tasks.control.suspendTask({ id: task.id, reason: "to see" });
  const states: number[] = [];
  const until = async (state: number) => {
    for (;;) {
      const event = await watch.next();
      states.push(event.task?.state ?? 0);
      if (event.task?.state === state) return event;
    }
  };
  await until(TaskState.SUSPENDED);
  await t.rejects(
    client.fetchTaskJWTSVID({ proof: task.proof("FetchTaskJWTSVID"), audience: TOOLS }),
    refusal("TASK_SUSPENDED"),
  );
  await tasks.control.unsuspendTask({ id: task.id });
  await until(TaskState.ACTIVE);
  t.ok(
    (await client.fetchTaskJWTSVID({ proof: task.proof("FetchTaskJWTSVID"), audience: TOOLS }))
      .token,
  );
  const last = until(TaskState.REVOKED);
  await tasks.control.revokeTask({ id: task.id, reason: "enough" });
  t.equal((await last).task?.stateReason, "enough", "why, in the words of who ended it");
  await t.rejects(watch.next(), refusal("TASK_ENDED"));

  t.comment("who comes too late is told how and why, too");
  const late = await first(
    client.watchTask({ proof: task.proof("WatchTask"), csr: task.csr }),
  ).catch((error: unknown) => error);
  t.match(late, { reason: "TASK_ENDED", message: /REVOKED: enough/ });
  const about = detailOf(late as IdentityError, "signet.task.v1.Task");
  t.match(about, { id: task.id, state: TaskState.REVOKED, stateReason: "enough" });
  await t.rejects(
    client.fetchTaskJWTSVID({ proof: task.proof("FetchTaskJWTSVID"), audience: TOOLS }),
    refusal("TASK_ENDED"),
  );
});

t.test("narrows, parks, resumes and completes", async (t) => {
  const task = await tasks.open(client);
  const narrowed = await client.narrow({
    proof: task.proof("Narrow"),
    mandate: { actions: { values: ["tools/read/ticket"] } },
  });
  t.strictSame(narrowed.task?.mandate?.actions?.values, ["tools/read/ticket"]);
  t.match(await client.park({ proof: task.proof("Park") }), { task: { state: TaskState.PARKED } });
  await t.rejects(
    client.fetchTaskJWTSVID({ proof: task.proof("FetchTaskJWTSVID"), audience: TOOLS }),
    refusal("TASK_PARKED"),
  );
  const resumed = await client.resume({ proof: task.proof("Resume"), csr: task.csr });
  t.match(resumed, { task: { state: TaskState.ACTIVE } });
  t.ok(resumed.svid);
  const { task: done } = await client.complete({
    proof: task.proof("Complete"),
    outcome: TaskState.COMPLETED,
    summaryDigest: "ab".repeat(32),
  });
  t.equal(done?.state, TaskState.COMPLETED);
  t.equal((await tasks.get(task.id)).state, TaskState.COMPLETED);
});

t.test("only COMPLETED and FAILED are for the holder to say", async (t) => {
  const task = await tasks.open(client);
  for (const outcome of [TaskState.REVOKED, TaskState.EXPIRED, TaskState.ACTIVE, 0, 99]) {
    await t.rejects(
      client.complete({ proof: task.proof("Complete"), outcome }),
      refusal("TASK_OUTCOME_INVALID"),
    );
  }
});

t.test("an end is one for the server too, whatever its holder says of it", async (t) => {
  for (const detail of ["x".repeat(4000), "two\nlines \u202e"]) {
    const task = await tasks.open(client);
    const outcome = TaskState.COMPLETED;
    await client.complete({ proof: task.proof("Complete"), outcome, detail });
    t.equal((await tasks.get(task.id)).state, TaskState.COMPLETED, JSON.stringify(detail[0]));
  }
  const task = await tasks.open(client);
  const said = { outcome: TaskState.COMPLETED, summaryDigest: "no digest" };
  await t.rejects(
    client.complete({ proof: task.proof("Complete"), ...said }),
    refusal("TASK_OUTCOME_INVALID"),
  );
  t.ok((await client.park({ proof: task.proof("Park") })).task, "it goes on");
});

t.test("a proof holds once, for its method, with the task's key", async (t) => {
  const task = await tasks.open(client);
  const proof = task.proof("Park");
  await t.rejects(client.narrow({ proof }), refusal("TASK_PROOF_CLAIMS"));
  const once = task.proof("FetchTaskJWTSVID");
  await client.fetchTaskJWTSVID({ proof: once, audience: TOOLS });
  await t.rejects(
    client.fetchTaskJWTSVID({ proof: once, audience: TOOLS }),
    refusal("TASK_PROOF_REPLAYED"),
  );
  const other = new TestTask(task.task, generateP256KeyPair());
  await t.rejects(
    first(client.watchTask({ proof: task.proof("WatchTask"), csr: createCsr(other.pair) })),
    refusal("TASK_KEY_MISMATCH"),
  );
  await t.rejects(client.park({ proof: other.proof("Park") }), refusal("TASK_PROOF_UNTRUSTED"));
  // The default reaction to a key that is not the task's.
  await eventually(async () => {
    if ((await tasks.get(task.id)).state !== TaskState.SUSPENDED) throw new Error("not yet");
  });
});

t.test("an ordinary stream never shows a task", async (t) => {
  const stream = new StreamReader(tasks.domain.workload().fetchX509SVID({}));
  const before = await stream.next();
  const task = await tasks.open(client);
  await client.complete({ proof: task.proof("Complete"), outcome: TaskState.COMPLETED });
  t.ok(await stream.isQuiet());
  t.strictSame(
    before.svids.map(({ spiffeId }) => spiffeId),
    [AI_AGENT],
  );
  await stream.close();
});

t.test("refuses what makes no sense", async (t) => {
  await t.rejects(client.openTask({ taskClass: "standard", purpose: "x" }), refusal("CSR_INVALID"));
  await t.rejects(tasks.open(client, { aiAgent: "spiffe://north.test/ai/other" }), {
    reason: "AI_AGENT_NOT_HOSTED",
    message: /not "spiffe:.*other", nor may it host that/,
  });
  await t.rejects(tasks.open(client, { taskClass: "no-such" }));
});
