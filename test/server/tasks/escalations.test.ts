// Attempts to get more than was granted: an event in a real audit log for each, and what happens to the tasks.
import t from "tap";
import { createLogger } from "../../../runtime/log.ts";
import { createMetrics } from "../../../runtime/metrics.ts";
import { ESCALATION_KINDS, type EscalationKind } from "../../../server/tasks/escalation-kinds.ts";
import { Escalations } from "../../../server/tasks/escalations.ts";
import { EscalationBench, GUARD, GUARDED } from "../../support/escalation-bench.ts";
import { addTask, NODE, RESEARCHER } from "../../support/task-records.ts";

const WRITER = "spiffe://north.test/ai/writer";
const KINDS = Object.keys(ESCALATION_KINDS) as EscalationKind[];

t.test("each attempt is an event with its kind, severity and what was done", async (t) => {
  const bench = await EscalationBench.start(t);
  for (const kind of KINDS) {
    const task = await addTask(bench.tasks.store);
    const expected = ESCALATION_KINDS[kind].reaction;
    const detail = { what: `of ${kind}` };
    const done = await bench.escalations.report({ kind, task: task.id, agent: RESEARCHER, detail });
    t.equal(done, expected, kind);
    t.equal(bench.tasks.state(task.id), expected === "suspend" ? "SUSPENDED" : "ACTIVE", kind);
    t.match(bench.events().at(-1), {
      type: `escalation.${kind}`,
      agent: RESEARCHER,
      task: `${RESEARCHER}/task/${task.id}`,
      observed_by: "issuer",
      observer: "spiffe://north.test/spire/server",
      reason: kind,
      detail: { kind, severity: ESCALATION_KINDS[kind].severity, reaction: expected, ...detail },
    });
  }
  t.match(
    await bench.metrics.text(),
    /escalations_total\{kind="key-mismatch",reaction="suspend"\} 1/,
  );
});

t.test("the task class decides, then the configuration, then the table", async (t) => {
  const reactions = { "wrong-audience": "revoke", "key-mismatch": "log" } as const;
  const configured = await EscalationBench.start(t, { reactions });
  const one = await addTask(configured.tasks.store);
  t.equal(await configured.escalations.report({ kind: "key-mismatch", task: one.id }), "log");
  t.equal(await configured.escalations.report({ kind: "wrong-audience", task: one.id }), "revoke");
  t.equal(configured.tasks.state(one.id), "REVOKED");
});

t.test("a class may be stricter or milder than the configuration", async (t) => {
  const classReactions = { "wrong-audience": "suspend", "key-mismatch": "nonsense" };
  const bench = await EscalationBench.start(t, {
    reactions: { "wrong-audience": "revoke" },
    classReactions,
  });
  const one = await addTask(bench.tasks.store);
  t.equal(await bench.escalations.report({ kind: "wrong-audience", task: one.id }), "suspend");
  const two = await addTask(bench.tasks.store);
  t.equal(await bench.escalations.report({ kind: "key-mismatch", task: two.id }), "suspend");
});

t.test("an attempt without a task is answered on every open task of the AI agent", async (t) => {
  const bench = await EscalationBench.start(t, {
    reactions: { "ai-agent-on-admin-api": "revoke" },
  });
  const own = await Promise.all([1, 2, 3].map(() => addTask(bench.tasks.store)));
  const other = await addTask(bench.tasks.store, { agentId: WRITER });
  const hosted = await addTask(bench.tasks.store, { agentId: WRITER, host: RESEARCHER });
  const byOther = await addTask(bench.tasks.store, { host: WRITER });
  await bench.escalations.report({ kind: "ai-agent-on-admin-api", agent: RESEARCHER });
  for (const { id } of [...own, byOther]) t.equal(bench.tasks.state(id), "REVOKED");
  t.equal(bench.tasks.state(hosted.id), "REVOKED", "those that it hosts too");
  t.equal(bench.tasks.state(other.id), "ACTIVE");
  t.equal(bench.events().at(-1)?.detail["tasks"], "5");
});

t.test("nobody has somebody else's task suspended by reaching for it", async (t) => {
  const bench = await EscalationBench.start(t, { reactions: { "not-owner": "revoke" } });
  const victim = await addTask(bench.tasks.store);
  const suspect = await addTask(bench.tasks.store, { agentId: WRITER });
  const task = victim.id;
  t.equal(
    await bench.escalations.report({ kind: "not-owner", task }),
    "log",
    "by nobody knows whom",
  );
  await bench.escalations.report({ kind: "not-owner", task, agent: WRITER });
  t.equal(bench.tasks.state(victim.id), "ACTIVE");
  t.equal(bench.tasks.state(suspect.id), "REVOKED");
  t.match(bench.events().at(-1), { agent: WRITER, task: `${RESEARCHER}/task/${victim.id}` });
});

t.test("what has ended stays ended, and what is suspended stays suspended", async (t) => {
  const bench = await EscalationBench.start(t);
  const { id } = await addTask(bench.tasks.store);
  t.equal(await bench.escalations.report({ kind: "key-mismatch", task: id }), "suspend");
  t.equal(await bench.escalations.report({ kind: "key-mismatch", task: id }), "log", "is already");
  await bench.tasks.end(id, {}, { state: "COMPLETED", reason: "" });
  t.equal(await bench.escalations.report({ kind: "used-after-end", task: id }), "log");
  t.equal(bench.tasks.state(id), "COMPLETED");
  t.match(bench.events().at(-1), { agent: RESEARCHER, reason: "used-after-end" });
});

t.test(
  "whose word is enough: the server's, the task's node agent's, and trusted guards'",
  async (t) => {
    const trustedGuards = new Set([GUARD]);
    const rows = [
      ["node", NODE, "suspend"],
      ["node", "spiffe://north.test/spire/agent/join_token/other", "log"],
      ["guard", GUARD, "suspend"],
      ["guard", "spiffe://north.test/workload", "log"],
      ["guard", WRITER, "log"],
      ["guard", "", "log"],
      ["agent", GUARD, "log"],
      ["agent", NODE, "log"],
      ["issuer", "", "suspend"],
    ] as const;
    const bench = await EscalationBench.start(t, { trustedGuards });
    for (const [by, spiffeId, expected] of rows) {
      const { id } = await addTask(bench.tasks.store);
      const observer = { by, spiffeId };
      const done = await bench.escalations.report({ kind: "key-mismatch", task: id, observer });
      t.equal(done, expected, `${by} ${spiffeId}`);
      const heard = await addTask(bench.tasks.store);
      await bench.escalations.heard({
        stream: "escalation",
        type: "escalation.key-mismatch",
        outcome: "denied",
        observedBy: by,
        observer: spiffeId,
        task: `${RESEARCHER}/task/${heard.id}`,
      });
      const state = expected === "suspend" ? "SUSPENDED" : "ACTIVE";
      t.equal(bench.tasks.state(heard.id), state, `passed on: ${by} ${spiffeId}`);
    }
  },
);

t.test("a node agent speaks for no guard that is not on it", async (t) => {
  const bench = await EscalationBench.start(t, { trustedGuards: new Set([GUARD]) });
  const { id } = await addTask(bench.tasks.store);
  const event = {
    stream: "escalation",
    type: "escalation.key-mismatch",
    outcome: "denied",
    observedBy: "guard",
    observer: GUARD,
    task: `${RESEARCHER}/task/${id}`,
  } as const;
  await bench.escalations.heard({ ...event, detail: { node: NODE } });
  t.equal(bench.tasks.state(id), "ACTIVE", "in the name of a guard elsewhere");
  await bench.escalations.heard({ ...event, detail: { node: GUARDED } });
  t.equal(bench.tasks.state(id), "SUSPENDED");
});

t.test(
  "an event that is in the log is not written again, but what was done about it is",
  async (t) => {
    const bench = await EscalationBench.start(t, { trustedGuards: new Set([GUARD]) });
    const { id } = await addTask(bench.tasks.store);
    const event = {
      stream: "escalation",
      type: "escalation.wrong-audience",
      outcome: "denied",
      observedBy: "guard",
      observer: GUARD,
      task: `${RESEARCHER}/task/${id}`,
    } as const;
    await bench.escalations.report({ kind: "class-not-allowed", agent: RESEARCHER });
    await bench.escalations.heard(event);
    await bench.escalations.heard({ ...event, type: "escalation.no-such-kind" });
    await bench.escalations.heard({ ...event, type: "escalation.key-mismatch", outcome: "ok" });
    t.equal(bench.events().length, 1);
    await bench.escalations.heard({ ...event, type: "escalation.key-mismatch" });
    t.match(bench.events().at(-1), {
      type: "escalation.key-mismatch",
      observed_by: "guard",
      observer: GUARD,
      detail: { reaction: "suspend" },
    });
  },
);

t.test("many refusals in a short while are probing, once", async (t) => {
  const probing = { denials: 5, windowSeconds: 60 };
  const bench = await EscalationBench.start(t, { probing, reactions: { probing: "suspend" } });
  const { id } = await addTask(bench.tasks.store);
  const denied = async (times: number): Promise<void> => {
    for (let i = 0; i < times; i++) await bench.escalations.denied({ task: id });
  };
  await bench.escalations.report({ kind: "class-not-allowed", agent: RESEARCHER });
  const found = (): number => bench.events().filter(({ reason }) => reason === "probing").length;
  await denied(3);
  await bench.clock.advance(61_000);
  await denied(4);
  t.equal(found(), 0, "slow enough");
  for (let i = 0; i < 20; i++) await bench.escalations.denied({ agent: WRITER });
  t.equal(bench.tasks.state(id), "ACTIVE", "somebody else's refusals");
  await denied(1);
  t.match(bench.events().at(-1), {
    reason: "probing",
    agent: RESEARCHER,
    detail: { denials: "5", window_seconds: "60", reaction: "suspend" },
  });
  t.equal(bench.tasks.state(id), "SUSPENDED");
  const before = found();
  await denied(4);
  t.equal(found(), before, "counting begins anew");
});

t.test(
  "refusals of any kind add up, and those of guards that nobody trusts suspend nothing",
  async (t) => {
    const probing = { denials: 3, windowSeconds: 60 };
    const bench = await EscalationBench.start(t, { probing, reactions: { probing: "revoke" } });
    const { id } = await addTask(bench.tasks.store);
    const refusal = {
      stream: "decision",
      type: "decision.call",
      outcome: "denied",
      observedBy: "guard",
      observer: "spiffe://north.test/workload",
      task: `${RESEARCHER}/task/${id}`,
    } as const;
    for (let i = 0; i < 4; i++) await bench.escalations.heard(refusal);
    t.equal(bench.events().at(-1)?.reason, "probing");
    t.equal(bench.tasks.state(id), "ACTIVE");
    for (let i = 0; i < 10; i++) await bench.escalations.heard({ ...refusal, observedBy: "agent" });
    t.equal(bench.events().length, 1, "what an agent says of itself is no evidence");
    await bench.escalations.report({ kind: "wrong-audience", task: id });
    await bench.escalations.report({ kind: "mandate-exceeded", agent: RESEARCHER });
    t.equal(bench.tasks.state(id), "REVOKED");
  },
);

t.test("one AI agent on more node agents than it may be on", async (t) => {
  const bench = await EscalationBench.start(t);
  const nodes = ["a", "b", "c", "d"].map((name) => `spiffe://north.test/spire/agent/x/${name}`);
  const tasks: string[] = [];
  for (const nodeAgent of [nodes[0], nodes[0], nodes[1], nodes[1], ""]) {
    tasks.push((await addTask(bench.tasks.store, { nodeAgent: nodeAgent ?? "" })).id);
  }
  await addTask(bench.tasks.store, { agentId: WRITER, nodeAgent: nodes[2] ?? "" });
  await bench.escalations.report({ kind: "class-not-allowed", agent: WRITER });
  t.equal(bench.events().length, 1, "two of two");
  const third = await addTask(bench.tasks.store, { nodeAgent: nodes[2] ?? "" });
  await addTask(bench.tasks.store, { nodeAgent: nodes[2] ?? "" });
  await bench.escalations.close();
  t.equal(bench.events().length, 2, "once for a node");
  t.match(bench.events().at(-1), {
    reason: "too-many-places",
    agent: RESEARCHER,
    task: `${RESEARCHER}/task/${third.id}`,
    detail: { nodes: "3", at_most: "2" },
  });
  for (const id of tasks.slice(0, 2)) {
    await bench.tasks.end(id, {}, { state: "COMPLETED", reason: "" });
  }
  await addTask(bench.tasks.store, { nodeAgent: nodes[1] ?? "" });
  await bench.escalations.close();
  t.equal(bench.events().length, 2, "back at two");
});

t.test("whoever attempts in a loop fills no log, and hides nothing of another kind", async (t) => {
  const bench = await EscalationBench.start(t);
  for (let i = 0; i < 500; i++) {
    await bench.escalations.report({ kind: "class-not-allowed", agent: RESEARCHER });
  }
  t.equal(bench.events().length, 10);
  await bench.escalations.report({ kind: "mandate-exceeded", agent: RESEARCHER });
  await bench.escalations.report({ kind: "class-not-allowed", agent: WRITER });
  t.equal(bench.events().length, 12, "other kinds, and other AI agents, have their own allowance");
  const { id } = await addTask(bench.tasks.store);
  for (let i = 0; i < 30; i++) await bench.escalations.report({ kind: "wrong-audience", task: id });
  await bench.clock.advance(60_000);
  await bench.escalations.close();
  const counted = bench.events().filter(({ type }) => type === "escalation.left-out");
  t.same(counted.map(({ agent, reason, detail }) => [agent, reason, detail["count"]]).sort(), [
    [RESEARCHER, "class-not-allowed", "490"],
    [RESEARCHER, "wrong-audience", "20"],
  ]);
  await bench.escalations.report({ kind: "class-not-allowed", agent: RESEARCHER });
  t.equal(bench.events().at(-1)?.type, "escalation.class-not-allowed", "the next minute");
});

t.test("what was suspended is written down however much else was", async (t) => {
  const bench = await EscalationBench.start(t);
  for (let i = 0; i < 30; i++) {
    const { id } = await addTask(bench.tasks.store);
    await bench.escalations.report({ kind: "key-mismatch", task: id });
  }
  t.equal(bench.events().filter(({ reason }) => reason === "key-mismatch").length, 30);
});

t.test("secrets and long texts in what is told stay out of the log", async (t) => {
  const bench = await EscalationBench.start(t);
  const token = `eyJhbGciOiJFUzI1NiJ9.${"e30".repeat(10)}.${"AAAA".repeat(20)}`;
  const detail = { what: token, more: "x".repeat(5000), kind: "log-only", reaction: "none" };
  await bench.escalations.report({ kind: "key-mismatch", agent: RESEARCHER, detail });
  const [event] = bench.events();
  t.notOk(JSON.stringify(event).includes(token));
  t.ok((event?.detail["more"]?.length ?? 0) < 600);
  t.equal(event?.detail["kind"], "key-mismatch", "what is told cannot say another kind");
  t.equal(event?.detail["reaction"], "log");
  t.same(bench.lines, []);
});

t.test("a log that cannot be written keeps no task alive, and the refusal goes on", async (t) => {
  const bench = await EscalationBench.start(t);
  const { id } = await addTask(bench.tasks.store);
  const lines: string[] = [];
  const broken = new Escalations({
    config: {
      reactions: {},
      probing: { denials: 20, windowSeconds: 60 },
      maxNodes: 2,
      trustedGuards: new Set(),
    },
    audit: { append: () => Promise.reject(new Error("disk full")) },
    tasks: bench.tasks,
    reactionsOf: () => undefined,
    isServed: () => false,
    clock: bench.clock,
    log: createLogger({ level: "error", destination: { write: (line) => lines.push(line) } }),
    metrics: await createMetrics(),
  });
  t.equal(await broken.report({ kind: "key-mismatch", task: id }), "suspend");
  t.equal(bench.tasks.state(id), "SUSPENDED");
  t.match(lines.join(""), /could not be written into the audit log/);
  await broken.close();
});

t.test("a reaction that fails is told in the event", async (t) => {
  const bench = await EscalationBench.start(t);
  const { id } = await addTask(bench.tasks.store);
  bench.tasks.suspend = () => Promise.reject(new Error("store is gone"));
  t.equal(await bench.escalations.report({ kind: "key-mismatch", task: id }), "log");
  t.match(bench.events().at(-1), { detail: { reaction: "log", not_reached: "1" } });
  t.match(bench.lines.join(""), /met no reaction/);
});
