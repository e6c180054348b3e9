// AI agents on hosts: a process of one AI agent opens tasks for another. Who may, what stands in the task, and
// with whom it ends. On the wire and on a node: test/agent/tasks/hosted.test.ts.
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { serverError } from "../../../server/errors.ts";
import {
  AGENT,
  CEILING,
  ENTRY,
  NODE,
  newKey,
  OTHER_AGENT,
  OTHER_ENTRY,
  PLAIN_ENTRY,
  refusal,
  TaskServer,
  TERMS,
  TOOLS,
} from "../../support/task-server.ts";

const HOSTED = "spiffe://north.test/ai/hosted/a";
const LATER = "spiffe://north.test/ai/hosted/later";
const BY = { by: "test" };

/** AGENT may host HOSTED, which has no registration entry; OTHER_AGENT hosts nobody. */
async function start(t: Parameters<typeof TaskServer.start>[0]): Promise<TaskServer> {
  const server = await TaskServer.start(t);
  await server.setAgent({ spiffeId: AGENT, mayHost: [HOSTED, LATER] });
  await server.setAgent({
    spiffeId: HOSTED,
    owner: "team:hosted",
    ceiling: { ...CEILING, locations: [TOOLS], actions: ["tools/read/**"] },
  });
  return server;
}

t.test("opens a task for an AI agent that it hosts, and says so in it", async (t) => {
  const server = await start(t);
  const { task, svid } = await server.open({}, { agentId: HOSTED });
  t.match(task, {
    agentId: HOSTED,
    host: AGENT,
    assurance: "host-asserted",
    openedBy: AGENT,
    principal: HOSTED,
    owner: "team:hosted",
    nodeAgent: NODE,
    state: "ACTIVE",
  });
  const leaf = parseCertificate(svid.chain[0] ?? new Uint8Array());
  t.same(leaf.uris, [`${HOSTED}/task/${task.id}`]);
  t.same(task.mandate.actions, ["tools/read/**"], "the ceiling is the hosted one's");
  t.match(server.events.at(-1), {
    type: "task.opened",
    agent: HOSTED,
    assurance: "host-asserted",
    detail: { host: AGENT },
  });
  const { token } = await server.tasks.newJwtSvid(NODE, task.id, [TOOLS]);
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  t.match(claims["spiffe://north.test/task"], {
    agent: HOSTED,
    assurance: "host-asserted",
    host: AGENT,
  });
  const [renewed] = await server.tasks.signX509(NODE, [
    { id: task.id, csr: createCsr(generateP256KeyPair()) },
  ]);
  t.match(renewed, { chain: Array }, "and is renewed, without an entry of its own");
  const own = await server.open({}, { agentId: AGENT });
  t.match(own.task, { host: "", assurance: "process-attested" }, "its own is its own");
  t.equal(server.tasks.countOf(HOSTED), 1);
  t.equal(server.tasks.countHostedBy(AGENT), 1);
});

t.test("refuses who may not host, and reports AI agents that try", async (t) => {
  const server = await start(t);
  // Each hosts the other: what counts is whose process it is, never whom it hosts.
  await server.setAgent({ spiffeId: HOSTED, mayHost: [OTHER_AGENT, "spiffe://north.test/ai/*"] });
  const rows: [string, Parameters<TaskServer["open"]>[1], Parameters<typeof refusal>[0]][] = [
    [
      "an AI agent that hosts nobody",
      { entryIds: [OTHER_ENTRY], agentId: HOSTED },
      "AI_AGENT_NOT_HOSTED",
    ],
    ["a host, of another one", { agentId: OTHER_AGENT }, "AI_AGENT_NOT_HOSTED"],
    ["a host, of nobody's", { agentId: `${HOSTED}/b` }, "AI_AGENT_NOT_HOSTED"],
    ["a host, of a foreign one", { agentId: "spiffe://south.test/ai/x" }, "AI_AGENT_NOT_HOSTED"],
  ];
  for (const [name, order, reason] of rows) {
    const before = server.reports.length;
    await t.rejects(server.open({}, order), refusal(reason), name);
    t.equal(server.reports.length, before + 1, `${name}: one report`);
    t.match(server.reports.at(-1), {
      kind: "hosting-not-allowed",
      agent: order?.entryIds === undefined ? AGENT : OTHER_AGENT,
      detail: { wanted: order?.agentId, node_agent: NODE },
    });
  }
  const plain = { entryIds: [PLAIN_ENTRY], agentId: HOSTED };
  await t.rejects(server.open({}, plain), refusal("NOT_AN_AI_AGENT"), "a plain workload");
  await t.rejects(
    server.open({}, { agentId: LATER }),
    refusal("AI_AGENT_NOT_FOUND"),
    "one that it may host and that is not there yet",
  );
  t.equal(server.store.size, 0);
});

t.test("a path prefix is those below it, and no neighbour", async (t) => {
  const server = await start(t);
  await server.setAgent({ spiffeId: AGENT, mayHost: ["spiffe://north.test/ai/hosted/*"] });
  await server.setAgent({ spiffeId: "spiffe://north.test/ai/hosted" });
  await server.setAgent({ spiffeId: "spiffe://north.test/ai/hosted-too" });
  await t.resolves(server.open({}, { agentId: HOSTED }));
  for (const agentId of ["spiffe://north.test/ai/hosted", "spiffe://north.test/ai/hosted-too"]) {
    await t.rejects(server.open({}, { agentId }), refusal("AI_AGENT_NOT_HOSTED"), agentId);
  }
});

t.test("holds to the hosted one's ceiling, classes and quota, not to the host's", async (t) => {
  const server = await start(t);
  const wide = { mandate: { locations: ["https://files.test"] } };
  await t.resolves(server.open(wide), "the host itself may");
  await t.rejects(server.open(wide, { agentId: HOSTED }), refusal("MANDATE_EXCEEDED"));
  t.match(server.reports.at(-1), {
    kind: "mandate-exceeded",
    agent: AGENT,
    detail: { ai_agent: HOSTED },
  });
  await server.setAgent({ spiffeId: HOSTED, taskClasses: ["read-only"], maxOpenTasks: 1 });
  await t.rejects(server.open({}, { agentId: HOSTED }), refusal("TASK_CLASS_NOT_ALLOWED"));
  await server.open({ taskClass: "read-only" }, { agentId: HOSTED });
  await t.rejects(
    server.open({ taskClass: "read-only" }, { agentId: HOSTED }),
    refusal("TASK_QUOTA_EXCEEDED"),
  );
});

t.test("a class may ask for processes that are attested as the AI agent itself", async (t) => {
  const server = await start(t);
  const sensitive = { taskClass: "sensitive" };
  await t.resolves(server.open(sensitive));
  await t.rejects(server.open(sensitive, { agentId: HOSTED }), {
    ...refusal("TASK_CLASS_NOT_ALLOWED"),
    message: /for processes that are attested as/,
  });
  t.match(server.reports.at(-1), {
    kind: "class-not-allowed",
    agent: AGENT,
    detail: { task_class: "sensitive", ai_agent: HOSTED },
  });
  await server.setClass("sensitive", { requireAttested: false });
  await t.resolves(server.open(sensitive, { agentId: HOSTED }));
  const made = await server.tasks.create({
    agentId: HOSTED,
    terms: { ...TERMS, taskClass: "break-glass" },
    by: "uid:0",
    isOperator: true,
  });
  const claim = claimOf(made.id, HOSTED);
  await t.rejects(server.tasks.claim(claim), refusal("TASK_CLASS_NOT_ALLOWED"), "nor by a claim");
  t.match(server.tasks.get(made.id), { state: "PENDING" });
});

t.test("a host claims what was made for an AI agent that it hosts, and for no other", async (t) => {
  const server = await start(t);
  const validUntilUnixSeconds = server.clock.now().getTime() / 1000 + 300;
  await server.setAgent({ spiffeId: AGENT, validUntilUnixSeconds });
  const create = (agentId: string) =>
    server.tasks.create({ agentId, terms: TERMS, by: "uid:0", isOperator: true });
  const made = await create(HOSTED);
  const others = await create(OTHER_AGENT);
  await t.rejects(server.tasks.claim(claimOf(others.id, HOSTED)), refusal("TASK_NOT_FOUND"));
  t.match(server.reports.at(-1), { kind: "not-owner", task: others.id, agent: AGENT });
  await t.rejects(
    server.tasks.claim(claimOf(others.id, OTHER_AGENT)),
    refusal("AI_AGENT_NOT_HOSTED"),
  );
  const pair = generateP256KeyPair();
  const { task } = await server.tasks.claim(claimOf(made.id, HOSTED, pair));
  t.match(task, { host: AGENT, assurance: "host-asserted", openedBy: "uid:0", state: "ACTIVE" });
  t.equal(task.expiresAtMs, validUntilUnixSeconds * 1000, "it ends with its host");
  const again = await server.tasks.claim(claimOf(made.id, HOSTED, pair));
  t.equal(again.task.version, task.version, "the same call is answered again");
  // Another host of the same AI agent, on the same node, with the very key.
  await server.setAgent({ spiffeId: OTHER_AGENT, mayHost: [HOSTED] });
  const foreign = { ...claimOf(made.id, HOSTED, pair), entryIds: [OTHER_ENTRY] };
  await t.rejects(server.tasks.claim(foreign), {
    name: "IdentityError",
    reason: "TASK_STATE_WRONG",
  });
});

t.test("two hosts of one AI agent have tasks of their own", async (t) => {
  const server = await start(t);
  await server.setAgent({ spiffeId: OTHER_AGENT, mayHost: [HOSTED] });
  const pair = generateP256KeyPair();
  const terms = { idempotencyKey: newKey() };
  const first = await server.open(terms, { agentId: HOSTED, pair });
  const same = await server.open(terms, { agentId: HOSTED, pair });
  t.equal(same.task.id, first.task.id);
  await t.rejects(
    server.open(terms, { agentId: HOSTED, pair, entryIds: [OTHER_ENTRY] }),
    refusal("IDEMPOTENCY_KEY_REUSED"),
    "a key that was seen is of no use to the other host",
  );
  const second = await server.open({}, { agentId: HOSTED, entryIds: [OTHER_ENTRY] });
  t.equal(second.task.host, OTHER_AGENT);
  t.equal(await server.tasks.endHostedBy(OTHER_AGENT, "REVOKED", "its host ended", "test"), 1);
  t.equal(server.tasks.get(second.task.id)?.state, "REVOKED");
  t.equal(server.tasks.get(first.task.id)?.state, "ACTIVE", "those of the other host go on");
  // A process that is both: always the same one, and none that is disabled.
  const both = { agentId: HOSTED, entryIds: [OTHER_ENTRY, ENTRY] };
  t.equal((await server.open({}, both)).task.host, AGENT);
  await server.disable(AGENT);
  t.equal((await server.open({}, both)).task.host, OTHER_AGENT);
});

t.test("a host that may host no longer, or is held back, gets nothing more", async (t) => {
  const server = await start(t);
  const { task } = await server.open({}, { agentId: HOSTED });
  const csr = createCsr(generateP256KeyPair());
  const sign = async () => (await server.tasks.signX509(NODE, [{ id: task.id, csr }]))[0];
  server.held.set(AGENT, serverError("SVID_HELD", "held"));
  t.match(await sign(), { reason: "SVID_HELD" });
  await t.rejects(server.open({}, { agentId: HOSTED }), refusal("SVID_HELD"));
  server.held.clear();
  server.unserved.add(AGENT);
  t.match(await sign(), { reason: "ENTRY_NOT_AUTHORIZED" }, "its host has lost its entry");
  server.unserved.clear();
  await server.setAgent({ spiffeId: AGENT, mayHost: [] });
  t.match(await sign(), { name: "IdentityError", reason: "AI_AGENT_NOT_HOSTED" });
  await t.rejects(server.tasks.newJwtSvid(NODE, task.id, [TOOLS]), refusal("AI_AGENT_NOT_HOSTED"));
  t.throws(() => server.tasks.held(task.id, NODE), refusal("AI_AGENT_NOT_HOSTED"));
  await server.setAgent({ spiffeId: AGENT, mayHost: [HOSTED] });
  t.match(await sign(), { chain: Array });
  await server.disable(AGENT);
  t.match(await sign(), { name: "IdentityError", reason: "AI_AGENT_DISABLED" });
  await t.rejects(server.open({}, { agentId: HOSTED }), refusal("AI_AGENT_DISABLED"));
});

t.test("a hosted task ends with its host's time, and counts it after a restart", async (t) => {
  const server = await start(t);
  const validUntilUnixSeconds = server.clock.now().getTime() / 1000 + 60;
  await server.setAgent({ spiffeId: AGENT, validUntilUnixSeconds });
  const { task } = await server.open({}, { agentId: HOSTED });
  t.equal(task.expiresAtMs, validUntilUnixSeconds * 1000);
  const restarted = await TaskServer.start(t, { former: server });
  t.match(restarted.tasks.get(task.id), { host: AGENT, assurance: "host-asserted" });
  t.same([...restarted.tasks.hostedBy(AGENT)], [task.id]);
  await restarted.tasks.end(task.id, BY, { state: "COMPLETED", reason: "" });
  t.equal(restarted.tasks.countHostedBy(AGENT), 0);
});

t.test("tasks are listed by the host, and by the owner, of their AI agent", async (t) => {
  const server = await start(t);
  const { task: hosted } = await server.open({}, { agentId: HOSTED });
  const { task: over } = await server.open({}, { agentId: HOSTED });
  await server.tasks.end(over.id, BY, { state: "COMPLETED", reason: "" });
  const { task: own } = await server.open();
  const list = async (filter: Parameters<typeof server.tasks.list>[0]): Promise<string[]> =>
    (await server.tasks.list(filter, { size: 0, token: "" })).tasks.map(({ id }) => id);
  t.same(await list({ host: AGENT }), [over.id, hosted.id]);
  t.same(await list({ host: AGENT, states: ["ACTIVE"] }), [hosted.id]);
  t.same(await list({ host: HOSTED }), []);
  t.same(await list({ owner: "team:hosted" }), [over.id, hosted.id]);
  t.same(await list({ owner: "team:test", host: AGENT }), []);
  t.same(await list({ owner: "team:test" }), [own.id]);
});

t.test("a host that is disabled while it opens has no task that nobody ends", async (t) => {
  const server = await start(t);
  const order = { agentId: HOSTED };
  const openings = Array.from({ length: 20 }, () => server.open({}, order).catch(() => undefined));
  await server.disable(AGENT);
  await server.tasks.endHostedBy(AGENT, "REVOKED", "disabled", "test");
  await Promise.all(openings);
  t.equal(server.tasks.countHostedBy(AGENT), 0);
});

function claimOf(id: string, agentId: string, pair = generateP256KeyPair()) {
  const csr = createCsr(pair);
  return { id, nodeAgent: NODE, entryIds: [ENTRY], agentId, csr, binding: undefined };
}
