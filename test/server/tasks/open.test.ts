// Opening, making and claiming tasks: who may, what they get, and what is refused.
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { jwkThumbprint } from "../../../pki/token/thumbprint.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { serverError } from "../../../server/errors.ts";
import { isOpen } from "../../../server/store/task-record.ts";
import type { TaskTerms } from "../../../server/tasks/orders.ts";
import {
  AGENT,
  CEILING,
  ENTRY,
  NODE,
  newKey,
  OTHER_AGENT,
  OTHER_ENTRY,
  OTHER_NODE,
  PLAIN_ENTRY,
  refusal,
  TaskServer,
  TERMS,
  TOOLS,
} from "../../support/task-server.ts";
import { until } from "../../support/until.ts";

t.test("opens a task in one step: record, certificate and event", async (t) => {
  const server = await TaskServer.start(t);
  const pair = generateP256KeyPair();
  const binding = { pid: 42, uid: 1000, startTime: 7, bootId: "b" };
  const { task, svid } = await server.open(
    { purpose: "triage 42", externalRefs: { ticket: "42" }, labels: { a: "b" } },
    { pair, binding },
  );
  const nowMs = server.clock.now().getTime();
  t.match(task, {
    agentId: AGENT,
    taskClass: "standard",
    purpose: "triage 42",
    principal: AGENT,
    root: task.id,
    depth: 0,
    owner: "team:test",
    state: "ACTIVE",
    openedAtMs: nowMs,
    expiresAtMs: nowMs + 900_000,
    idleTimeoutSeconds: 600,
    openedBy: AGENT,
    nodeAgent: NODE,
    assurance: "process-attested",
    keyThumbprint: jwkThumbprint(pair.spki),
    version: 1,
    binding,
    externalRefs: { ticket: "42" },
    labels: { a: "b" },
  });
  t.match(task.status, { list: "2030-01-01T00" });
  t.match(task.grantHash, /^[0-9a-f]{64}$/);
  // What was left out is what the ceiling and the class both have.
  t.same(task.mandate.locations, [...(CEILING.locations as string[])].sort());
  t.same(task.mandate.actions, ["resources/**", "tools/**"]);
  t.equal(task.mandate.environment, "test");
  const leaf = parseCertificate(svid.chain[0] ?? new Uint8Array());
  t.same(leaf.uris, [`${AGENT}/task/${task.id}`]);
  t.same(leaf.spki, pair.spki);
  t.equal(leaf.notAfter.getTime(), nowMs + 300_000);
  t.equal(leaf.notBefore.getTime(), nowMs - 10_000);
  t.same(server.tasks.get(task.id), task);
  t.match(server.events, [
    {
      stream: "task",
      type: "task.opened",
      agent: AGENT,
      task: `${AGENT}/task/${task.id}`,
      detail: { purpose: "triage 42", grant_hash: task.grantHash, pid: "42" },
    },
  ]);
  t.equal(server.tasks.serialsOf(task.id).length, 1);
  t.equal(server.tasks.serialsOf(task.id)[0]?.serial, leaf.serialHex);
});

t.test("checks what a node agent says of its caller", async (t) => {
  const server = await TaskServer.start(t);
  const refused: [string, Parameters<TaskServer["open"]>[1], Parameters<typeof refusal>[0]][] = [
    [
      "an entry that is not the node agent's",
      { nodeAgent: "spiffe://north.test/spire/agent/x/3" },
      "ENTRY_NOT_AUTHORIZED",
    ],
    ["an unknown entry", { entryIds: ["nothing"] }, "ENTRY_NOT_AUTHORIZED"],
    ["no entry", { entryIds: [] }, "NOT_AN_AI_AGENT"],
    ["a plain workload", { entryIds: [PLAIN_ENTRY] }, "NOT_AN_AI_AGENT"],
    ["another AI agent", { agentId: OTHER_AGENT }, "AI_AGENT_NOT_HOSTED"],
    ["no AI agent at all", { entryIds: [PLAIN_ENTRY], agentId: AGENT }, "NOT_AN_AI_AGENT"],
    ["two of them", { entryIds: [ENTRY, OTHER_ENTRY] }, "AI_AGENT_AMBIGUOUS"],
    ["a request that is none", { csr: Uint8Array.of(1, 2, 3) }, "CSR_INVALID"],
  ];
  for (const [name, order, reason] of refused) {
    await t.rejects(server.open({}, order), refusal(reason), name);
  }
  const { task } = await server.open({}, { entryIds: [ENTRY, OTHER_ENTRY], agentId: OTHER_AGENT });
  t.equal(task.agentId, OTHER_AGENT);
  t.equal(server.store.size, 1, "nothing else was opened");
});

t.test("refuses AI agents that are disabled, expired or held back", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open();
  server.held.set(AGENT, serverError("SVID_HELD", "held"));
  await t.rejects(server.open(), refusal("SVID_HELD"));
  server.held.clear();
  await server.disable(AGENT);
  await t.rejects(server.open(), {
    ...refusal("AI_AGENT_DISABLED"),
    message: /is disabled \(over budget\): it has no tasks/,
  });
  const [signed] = await server.tasks.signX509(NODE, [
    { id: task.id, csr: createCsr(generateP256KeyPair()) },
  ]);
  t.match(signed, { reason: "AI_AGENT_DISABLED" }, "and its tasks get nothing more");
  const nowSeconds = server.clock.now().getTime() / 1000;
  await server.setAgent({ spiffeId: OTHER_AGENT, validUntilUnixSeconds: nowSeconds + 60 });
  const other = await server.open({}, { entryIds: [OTHER_ENTRY] });
  t.equal(other.task.expiresAtMs, (nowSeconds + 60) * 1000, "a task ends with its AI agent");
  await server.clock.advance(60_000);
  await t.rejects(server.open({}, { entryIds: [OTHER_ENTRY] }), refusal("AI_AGENT_EXPIRED"));
});

t.test("an AI agent that is disabled while its task is opened has no task", async (t) => {
  const server = await TaskServer.start(t);
  const openings = Array.from({ length: 20 }, () => server.open().catch((error) => error));
  await server.disable(AGENT);
  await server.tasks.endAllOf(AGENT, "REVOKED", "disabled", "test");
  await Promise.all(openings);
  await server.tasks.endAllOf(AGENT, "REVOKED", "disabled", "test");
  t.equal(server.tasks.countOf(AGENT), 0);
});

t.test("grants what is asked for within ceiling and class, and reports what is not", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open({
    mandate: { locations: [TOOLS], actions: ["tools/read/*"] },
  });
  t.same(task.mandate.locations, [TOOLS]);
  t.same(task.mandate.actions, ["tools/read/*"]);
  const beyond = { mandate: { locations: ["https://elsewhere.test/"] } };
  await t.rejects(server.open(beyond), refusal("MANDATE_EXCEEDED"));
  t.match(server.reports.at(-1), { kind: "mandate-exceeded", agent: AGENT });
  await t.rejects(
    server.open({ taskClass: "read-only", mandate: { actions: ["tools/write/x"] } }),
    refusal("MANDATE_EXCEEDED"),
    "within the ceiling and not within the class",
  );
  const count = server.reports.length;
  await t.rejects(server.open({ ...beyond, allowClip: true }), refusal("MANDATE_EXCEEDED"));
  t.equal(server.reports.length, count + 1, "the class does not clip");
  await server.setClass("clipping", { allowClip: true });
  await server.setAgent({ spiffeId: AGENT, taskClasses: ["clipping"] });
  const clipped = await server.open({
    taskClass: "",
    mandate: { locations: [TOOLS, "https://elsewhere.test/"] },
    allowClip: true,
  });
  t.same(clipped.task.mandate.locations, [TOOLS]);
  t.equal(clipped.task.taskClass, "clipping", "the only class needs no name");
  const none = server.open({ taskClass: "clipping", mandate: { locations: [] } });
  await t.resolves(none, "an empty set is nothing, and may be asked for");
});

t.test("refuses classes that the AI agent may not open", async (t) => {
  const server = await TaskServer.start(t);
  await server.setAgent({ spiffeId: AGENT, taskClasses: ["standard", "break-glass", "gone"] });
  for (const taskClass of ["read-only", "nothing", "__proto__"]) {
    await t.rejects(server.open({ taskClass }), refusal("TASK_CLASS_NOT_ALLOWED"), taskClass);
    t.match(server.reports.at(-1), { kind: "class-not-allowed" });
  }
  await t.rejects(server.open({ taskClass: "break-glass" }), refusal("TASK_CLASS_NOT_ALLOWED"));
  await t.rejects(server.open({ taskClass: "gone" }), refusal("TASK_CLASS_NOT_FOUND"));
  await t.rejects(server.open({ taskClass: "" }), refusal("TASK_REQUEST_INVALID"));
});

t.test("bounds how long a task may live", async (t) => {
  const server = await TaskServer.start(t);
  const nowMs = server.clock.now().getTime();
  const shorter = await server.open({ ttlSeconds: 30 });
  t.equal(shorter.task.expiresAtMs, nowMs + 30_000);
  t.equal(shorter.svid.notAfter.getTime(), nowMs + 30_000, "its certificate ends with it");
  await t.rejects(server.open({ ttlSeconds: 8 * 3600 + 1 }), refusal("TASK_REQUEST_INVALID"));
  const until = { mandate: { untilUnixSeconds: nowMs / 1000 + 10 } };
  t.equal((await server.open(until)).task.expiresAtMs, nowMs + 10_000);
  await t.rejects(
    server.open({ mandate: { untilUnixSeconds: nowMs / 1000 } }),
    refusal("TASK_REQUEST_INVALID"),
  );
  t.equal((await server.open({ idleTimeoutSeconds: 5 })).task.idleTimeoutSeconds, 5);
  t.equal((await server.open({ idleTimeoutSeconds: 9999 })).task.idleTimeoutSeconds, 600);
});

t.test("takes texts that people can read, of bounded length, and nothing else", async (t) => {
  const server = await TaskServer.start(t);
  const many = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, "v"]));
  const rows: [string, Partial<typeof TERMS>][] = [
    ["no purpose", { purpose: "" }],
    ["a purpose of spaces", { purpose: "  " }],
    ["a long purpose", { purpose: "x".repeat(501) }],
    ["a purpose of two lines", { purpose: "a\nb" }],
    ["an escape sequence", { purpose: "a\u001b[31m" }],
    ["text that runs backwards", { purpose: "a\u202eb" }],
    ["half a character", { purpose: "a\ud800" }],
    ["an intent that is no code", { intent: "Not A Code" }],
    ["a principal with a line", { principal: "a\nb" }],
    ["many labels", { labels: many }],
    ["a label without a name", { labels: { "": "x" } }],
    ["a long value", { externalRefs: { x: "y".repeat(257) } }],
    ["a negative ttl", { ttlSeconds: -1 }],
    ["half a second", { ttlSeconds: 0.5 }],
    ["a long key", { idempotencyKey: "k".repeat(129) }],
  ];
  for (const [name, terms] of rows) {
    await t.rejects(server.open(terms), refusal("TASK_REQUEST_INVALID"), name);
  }
  t.equal(server.events.length, 0);
});

t.test("takes out what looks like a secret before a purpose is written down", async (t) => {
  const server = await TaskServer.start(t);
  const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLXNpZ25hdHVyZQ";
  await server.open({ purpose: `use ${token}` });
  t.notMatch(JSON.stringify(server.events), /eyJhbGciOiJFUzI1NiJ9/);
});

t.test("answers a call that is made again with the same task, and another call not", async (t) => {
  const server = await TaskServer.start(t);
  const pair = generateP256KeyPair();
  const key = newKey();
  const first = await server.open({ idempotencyKey: key }, { pair });
  const again = await server.open({ idempotencyKey: key }, { pair });
  t.equal(again.task.id, first.task.id);
  t.equal(server.store.size, 1);
  t.not(again.svid.chain[0], first.svid.chain[0], "with a certificate of its own");
  await t.rejects(server.open({ idempotencyKey: key }), refusal("IDEMPOTENCY_KEY_REUSED"));
  await t.rejects(
    server.open({ idempotencyKey: key, purpose: "else" }, { pair }),
    refusal("IDEMPOTENCY_KEY_REUSED"),
  );
  const others: readonly (readonly [string, Partial<TaskTerms>])[] = [
    ["a wider mandate", { mandate: { uses: 5 } }],
    ["another lifetime", { ttlSeconds: 30 }],
    ["another principal", { principal: "https://idp.test/u/eve" }],
    ["other labels", { labels: { a: "b" } }],
  ];
  for (const [name, terms] of others) {
    const asked = server.open({ idempotencyKey: key, ...terms }, { pair });
    await t.rejects(asked, refusal("IDEMPOTENCY_KEY_REUSED"), name);
  }
  const elsewhere = await server.open({ idempotencyKey: key }, { nodeAgent: OTHER_NODE });
  const other = await server.open({ idempotencyKey: key }, { entryIds: [OTHER_ENTRY] });
  t.equal(new Set([first.task.id, elsewhere.task.id, other.task.id]).size, 3, "of others: others");
  const pairs = Array.from({ length: 10 }, () => pair);
  const more = newKey();
  const same = await Promise.all(
    pairs.map((pair) => server.open({ idempotencyKey: more }, { pair })),
  );
  t.equal(new Set(same.map(({ task }) => task.id)).size, 1, "at the same time too");
  await server.tasks.end(first.task.id, { by: "test" }, { state: "COMPLETED", reason: "" });
  await t.rejects(server.open({ idempotencyKey: key }, { pair }), refusal("TASK_ENDED"));
});

t.test("an idempotency key outlives a restart and goes with the task's last trace", async (t) => {
  const server = await TaskServer.start(t);
  const pair = generateP256KeyPair();
  const terms = { idempotencyKey: newKey(), ttlSeconds: 60 };
  const { task } = await server.open(terms, { pair });
  const restarted = await TaskServer.start(t, { former: server });
  t.equal((await restarted.open(terms, { pair })).task.id, task.id);
  await restarted.clock.advance(60_000);
  await until(() => restarted.store.size === 0);
  await restarted.clock.advance(301_000);
  const controller = new AbortController();
  const running = restarted.tasks.run(controller.signal);
  await until(() => restarted.tasks.get(task.id) === undefined);
  controller.abort();
  await running;
  t.not((await restarted.open(terms, { pair })).task.id, task.id);
});

t.test("bounds how many tasks an AI agent has open, also when they come at once", async (t) => {
  const server = await TaskServer.start(t, { config: { maxOpenPerAiAgent: 5 } });
  const outcomes = await Promise.allSettled(Array.from({ length: 12 }, () => server.open()));
  t.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 5);
  t.equal(server.store.size, 5);
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") t.match(outcome.reason, { reason: "TASK_QUOTA_EXCEEDED" });
  }
  await t.resolves(server.open({}, { entryIds: [OTHER_ENTRY] }), "another one has its own");
  await server.setAgent({ spiffeId: AGENT, maxOpenTasks: 6 });
  await t.resolves(server.open(), "its record stands over the default");
  await t.rejects(server.open(), refusal("TASK_QUOTA_EXCEEDED"));
  const [id = ""] = server.tasks.ofAgent(AGENT);
  await server.tasks.end(id, { by: "test" }, { state: "COMPLETED", reason: "" });
  await t.resolves(server.open(), "what ends makes room");
});

t.test("bounds how fast an AI agent opens tasks", async (t) => {
  const server = await TaskServer.start(t, { config: { openPerSecond: 2 } });
  for (let i = 0; i < 4; i++) await server.open();
  await t.rejects(server.open(), refusal("RATE_LIMITED"));
  await t.resolves(server.open({}, { entryIds: [OTHER_ENTRY] }));
  await server.clock.advance(500);
  await server.open();
  await t.rejects(server.open(), refusal("RATE_LIMITED"));
  server.clock.step(-5000);
  await t.resolves(server.open(), "a clock that was set back keeps nobody out");
});

t.test("a task that cannot be recorded does not begin", async (t) => {
  const server = await TaskServer.start(t);
  server.auditFailure = serverError("AUDIT_UNWRITABLE", "disk full");
  await t.rejects(server.open(), refusal("AUDIT_UNWRITABLE"));
  t.equal(server.store.size, 0);
  for (const task of server.store.values()) t.notOk(isOpen(task));
});

t.test("a task is made for an AI agent, which claims it once", async (t) => {
  const server = await TaskServer.start(t);
  const made = await server.tasks.create({
    agentId: AGENT,
    terms: { ...TERMS, purpose: "for you", taskClass: "break-glass" },
    by: "uid:0",
    isOperator: true,
  });
  t.match(made, { state: "PENDING", nodeAgent: "", keyThumbprint: "", openedBy: "uid:0" });
  t.same(server.eventsOf(made.id), ["task.created"]);
  const pair = generateP256KeyPair();
  const order = {
    id: made.id,
    nodeAgent: NODE,
    entryIds: [ENTRY],
    agentId: "",
    csr: createCsr(pair),
    binding: undefined,
  };
  t.match(await server.tasks.signX509(NODE, [{ id: made.id, csr: order.csr }]), [
    { reason: "TASK_HELD_ELSEWHERE" },
  ]);
  await t.rejects(
    server.tasks.claim({ ...order, entryIds: [OTHER_ENTRY] }),
    refusal("TASK_NOT_FOUND"),
  );
  t.match(server.reports.at(-1), { kind: "not-owner", task: made.id, agent: OTHER_AGENT });
  const claims = await Promise.allSettled([
    server.tasks.claim(order),
    server.tasks.claim({ ...order, nodeAgent: OTHER_NODE, csr: createCsr(generateP256KeyPair()) }),
  ]);
  t.equal(claims.filter(({ status }) => status === "fulfilled").length, 1, "one of two has it");
  const task = server.tasks.get(made.id);
  t.match(task, { state: "ACTIVE", version: 2, assurance: "process-attested", purpose: "for you" });
  if (task?.nodeAgent === NODE) {
    t.equal((await server.tasks.claim(order)).task.version, 2, "asked again, answered again");
  }
  t.same(server.eventsOf(made.id), ["task.created", "task.claimed"]);
  await t.rejects(
    server.tasks.claim({ ...order, id: "01JD0000000000000000000001" }),
    refusal("TASK_NOT_FOUND"),
  );
});

t.test("an orchestrator makes no task of a class for operators", async (t) => {
  const server = await TaskServer.start(t);
  const order = { agentId: AGENT, by: "spiffe://north.test/orchestrator", isOperator: false };
  await t.rejects(
    server.tasks.create({ ...order, terms: { ...TERMS, taskClass: "break-glass" } }),
    refusal("TASK_CLASS_NOT_ALLOWED"),
  );
  const key = newKey();
  const terms = { ...TERMS, idempotencyKey: key };
  const one = await server.tasks.create({ ...order, terms });
  t.equal((await server.tasks.create({ ...order, terms })).id, one.id);
  for (const other of [{ purpose: "else" }, { mandate: { uses: 1 } }, { taskClass: "read-only" }]) {
    await t.rejects(
      server.tasks.create({ ...order, terms: { ...terms, ...other } }),
      refusal("IDEMPOTENCY_KEY_REUSED"),
    );
  }
});

t.test("an unclaimed task expires", async (t) => {
  const server = await TaskServer.start(t);
  const made = await server.tasks.create({
    agentId: AGENT,
    terms: { ...TERMS, ttlSeconds: 60 },
    by: "uid:0",
    isOperator: true,
  });
  await server.clock.advance(60_000);
  await until(() => server.store.size === 0);
  t.match(server.tasks.get(made.id), { state: "EXPIRED" });
});
