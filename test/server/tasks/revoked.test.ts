// What becomes of tasks when the SPIFFE ID of their AI agent, their node agent or themselves is revoked.
import t from "tap";
import { Reason, RevocationService, TaskState } from "../../../proto/schema.gen.ts";
import { silentLogger } from "../../../runtime/log.ts";
import type { RevocationRecord } from "../../../server/store/revocation-record.ts";
import { RevokedTasks } from "../../../server/tasks/revoked.ts";
import { TestClock } from "../../support/clock.ts";
import { AGENT, type OAuthTask, TestOAuth } from "../../support/test-oauth.ts";

const idOf = (text: string) => {
  const [, trustDomain = "", path = ""] = /^spiffe:\/\/([^/]+)(.*)$/.exec(text) ?? [];
  return { trustDomain, path };
};

async function start(t: Parameters<typeof TestOAuth.start>[0]) {
  const site = await TestOAuth.start(t);
  const revocation = site.server.admin.client(RevocationService);
  const revoke = (spiffeId: string) =>
    revocation.revokeSVID({ spiffeId: idOf(spiffeId), reason: Reason.KEY_COMPROMISE });
  const stateOf = async ({ id }: OAuthTask) => {
    const { task } = await site.control.getTask({ id });
    return [task?.state, task?.stateReason];
  };
  return { ...{ site, revocation, revoke, stateOf }, control: site.control };
}

t.test("revoking an AI agent's SPIFFE ID ends its tasks, before it is answered", async (t) => {
  const { site, revocation, revoke, stateOf, control } = await start(t);
  const tasks = [await site.open(), await site.open()];
  const { task: waiting } = await control.createTask({
    aiAgent: AGENT,
    task: { taskClass: "standard", purpose: "waits" },
  });
  await control.suspendTask({ id: tasks[1]?.id ?? "", reason: "odd" });
  const { revocation: record, tasksEnded } = await revoke(AGENT);
  t.equal(tasksEnded, 3);
  const why = "the SPIFFE ID of its AI agent was revoked: key-compromise";
  for (const task of tasks) t.same(await stateOf(task), [TaskState.REVOKED, why]);
  t.match(await control.getTask({ id: waiting?.id ?? "" }), { task: { state: TaskState.REVOKED } });

  t.comment("no task opens until it is released; what ended stays so");
  await t.rejects(site.open(), { name: "IdentityError", reason: "SVID_HELD" });
  t.match(await revoke(AGENT), { revocation: { id: record?.id ?? "?" } }, "the same again");
  await revocation.releaseHold({ id: record?.id ?? "" });
  const later = await site.open();
  t.match(await stateOf(later), [TaskState.ACTIVE]);
  t.match(await stateOf(tasks[0] as OAuthTask), [TaskState.REVOKED]);
});

t.test("revoking a task's own SPIFFE ID ends that task and no other", async (t) => {
  const { site, revoke, stateOf } = await start(t);
  const task = await site.open();
  const other = await site.open();
  t.equal((await revoke(task.spiffeId)).tasksEnded, 1);
  t.same(await stateOf(task), [TaskState.REVOKED, "its SPIFFE ID was revoked: key-compromise"]);
  t.match(await stateOf(other), [TaskState.ACTIVE]);
  const nobody = `${AGENT}/task/01JD9Z5QSA7X8M3V4N2K1P0RTE`;
  t.equal((await revoke(nobody)).tasksEnded, 0, "of a task that there never was");
  const namesake = `${AGENT}-two/task/${other.id}`;
  t.equal((await revoke(namesake)).tasksEnded, 0, "of an AI agent that does not have this task");
  t.match(await stateOf(other), [TaskState.ACTIVE], "still");
});

t.test("revoking a node agent's SPIFFE ID ends the tasks that it holds", async (t) => {
  const { site, revoke, stateOf } = await start(t);
  const task = await site.open();
  t.equal((await revoke(site.nodeAgent.id)).tasksEnded, 1);
  const why = "the SPIFFE ID of its node agent was revoked: key-compromise";
  t.same(await stateOf(task), [TaskState.REVOKED, why]);
});

t.test("revoking one document, or somebody else, ends nothing", async (t) => {
  const { site, revocation, revoke, stateOf } = await start(t);
  const task = await site.open();
  t.equal((await revoke("spiffe://north.test/web")).tasksEnded, 0);
  const { svid } = task;
  const answer = await revocation.revokeSVID({ serial: svid.leaf.serialHex, replace: true });
  t.match(answer, { revocation: { x509Svids: 1 }, tasksEnded: 0 });
  t.match(await stateOf(task), [TaskState.ACTIVE]);
});

t.test("what a server that was killed left open ends when it starts again", async (t) => {
  const record = (
    id: string,
    value: string,
    hold?: RevocationRecord["hold"],
  ): RevocationRecord => ({
    ...{
      id,
      reason: "unspecified",
      revokedAtUnixMs: 0,
      revokedBy: "admin",
      expiresAtUnixSeconds: 0,
    },
    ...{ target: { kind: "spiffe-id", value }, certificates: [], tokens: [] },
    ...(hold !== undefined && { hold }),
  });
  const released = { spiffeId: "spiffe://north.test/b", releasedAtUnixSeconds: 5 };
  const records = [
    record("held", AGENT, { spiffeId: AGENT }),
    record("released", released.spiffeId, released),
    record("the end of an AI agent", "spiffe://north.test/c"),
  ];
  const ended: string[] = [];
  let failures = 1;
  const end = async (id: string): Promise<number> => {
    if (failures-- > 0) throw new Error("the store is not ready");
    ended.push(id);
    return 2;
  };
  const clock = new TestClock();
  const revoked = new RevokedTasks({
    tasks: {
      get: () => undefined,
      end: () => Promise.reject(new Error("no task was named")),
      endAllOf: end,
      endHostedBy: async () => 0,
      endAllOn: async () => 0,
      onChange: () => () => {},
    },
    revocations: { values: () => records, onChange: () => () => {} },
    clock,
    log: silentLogger,
  });
  await clock.advance(6000);
  t.equal(await revoked.endedBy(records[0] as RevocationRecord), 2, "also when it failed at first");
  t.equal(await revoked.endedBy(records[1] as RevocationRecord), 0);
  t.same(ended, [AGENT]);
  await revoked.stop();
});
