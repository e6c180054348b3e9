// Who may call for a task: what a whole node agent cannot show in a short time.
import t from "tap";
import { Gate } from "../../../agent/tasks/gate.ts";
import { HeldTask } from "../../../agent/tasks/held-task.ts";
import type { HeldRecord } from "../../../agent/tasks/journal.ts";
import type { Tasks } from "../../../agent/tasks/tasks.ts";
import { generateP256KeyPair, type KeyPair } from "../../../pki/keys.ts";
import { issueTaskProof } from "../../../pki/task-proof.ts";
import type { CallContext } from "../../../proto/rpc/service.ts";
import { TestClock } from "../../support/clock.ts";

const AI_AGENT = "spiffe://north.test/ai/a";

function frame() {
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const held = new Map<string, HeldTask>();
  const keys = new Map<string, KeyPair>();
  const tasks = {
    get: (id: string) => held.get(id),
    getEnded: () => undefined,
  } as unknown as Tasks;
  const gate = new Gate({
    tasks,
    admit: async () => ({ pid: 7, uid: 1, selectors: [] }) as never,
    peerOf: () => ({}) as never,
    identitiesOf: () => [AI_AGENT],
    pins: {} as never,
    report: () => undefined,
    proofs: { limit: 4, limitPerSender: 3 },
    clock,
  });
  return {
    add(taskId: string, uid: number, more: Partial<HeldRecord> = {}): void {
      const pair = generateP256KeyPair();
      const record: HeldRecord = {
        taskId,
        spiffeId: `${AI_AGENT}/task/${taskId}`,
        aiAgent: AI_AGENT,
        taskClass: "unbound",
        spki: Buffer.from(pair.spki).toString("base64"),
        uid,
        expiresAtMs: 0,
        federatesWith: [],
        ...more,
      };
      keys.set(taskId, pair);
      const leave = (): void => undefined;
      held.set(taskId, new HeldTask({ record, task: undefined, process: undefined, leave }));
    },
    call(taskId: string): Promise<unknown> {
      const key = keys.get(taskId)?.privateKey;
      if (key === undefined) throw new Error("no such task");
      const jws = issueTaskProof(key, { method: "Park", taskId, now: clock.now() });
      return gate.admit("Park", { taskId, jws }, {} as CallContext);
    },
  };
}

t.test("a user who sends proofs without end shuts out nobody else", async (t) => {
  const { add, call } = frame();
  add("a", 1000);
  add("b", 1000);
  add("c", 1001);
  for (let i = 0; i < 3; i++) await call("a");
  await t.rejects(
    call("a"),
    { name: "IdentityError", reason: "TASK_PROOFS_TOO_MANY" },
    "of one task",
  );
  await call("b");
  await t.rejects(
    call("b"),
    { name: "IdentityError", reason: "TASK_PROOFS_TOO_MANY" },
    "of one user",
  );
  for (let i = 0; i < 3; i++) await t.resolves(call("c"));
});

t.test("a task for a command that is being launched is not one of no process", async (t) => {
  const { add, call } = frame();
  const launcher = { pid: 1, uid: 1000, startTime: 1, bootId: "b" };
  add("a", 1000, { launch: { socketPath: "/nowhere", launcher, name: "" } });
  await t.rejects(call("a"), { name: "IdentityError", reason: "TASK_PROCESS_MISMATCH" });
});

t.test(
  "a hosted task is its host's to call for, and not its AI agent's own processes'",
  async (t) => {
    const { add, call } = frame();
    const other = "spiffe://north.test/ai/other";
    add("hosted", 1000, { aiAgent: other, host: AI_AGENT });
    await t.resolves(call("hosted"));
    add("elsewhere", 1000, { aiAgent: AI_AGENT, host: other });
    await t.rejects(call("elsewhere"), {
      name: "IdentityError",
      reason: "TASK_NOT_OWNER",
      message: /no process of spiffe:.*other/,
    });
  },
);
