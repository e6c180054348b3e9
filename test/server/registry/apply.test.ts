// Apply: what is declared is made so in one commit or not at all; what others made is left alone.
import t, { type Test } from "tap";
import { Status } from "../../../pki/errors.ts";
import type { Init } from "../../../proto/codec.ts";
import type { signet } from "../../../proto/schema.gen.ts";
import {
  aiAgent,
  entryOf,
  RESEARCHER,
  refused,
  seconds,
  startRegistry,
  type TestRegistry,
} from "../../support/test-registry.ts";

type Declared = Omit<Init<signet.registry.v1.ApplyRequest>, "options">;
type Options = Init<signet.registry.v1.ApplyOptions>;
interface Answer {
  readonly changes: readonly signet.registry.v1.AppliedChange[];
  readonly problems: readonly signet.registry.v1.ApplyProblem[];
  readonly summary: signet.registry.v1.ApplySummary | undefined;
}

async function apply(
  { client }: TestRegistry,
  declared: Declared | readonly Declared[],
  options: Options = {},
): Promise<Answer> {
  const call = client.apply();
  await call.send({ options: { set: "s", ...options } });
  for (const part of [declared].flat()) await call.send(part);
  call.end();
  const changes: signet.registry.v1.AppliedChange[] = [];
  const problems: signet.registry.v1.ApplyProblem[] = [];
  let summary: signet.registry.v1.ApplySummary | undefined;
  for await (const part of call.responses) {
    changes.push(...part.changes);
    problems.push(...part.problems);
    summary = part.summary ?? summary;
  }
  return { changes, problems, summary };
}

const triage = (changes: Init<signet.registry.v1.TaskClass> = {}) => ({
  name: "triage",
  maximum: {
    locations: { any: true },
    actions: { values: ["tools/read/**"] },
    environment: { any: true },
  },
  ...changes,
});

const all = (): Declared => ({
  taskClasses: [triage()],
  aiAgents: [aiAgent({ taskClasses: ["triage"] })],
  entries: [{ entry: entryOf("/agent/researcher"), owner: "team:support", labels: { a: "1" } }],
});
const told = ({ changes }: Answer) =>
  changes.map(({ action, kind, fields }) => `${action} ${kind} ${fields.map((one) => one.field)}`);
const empty = (t: Test, { log }: TestRegistry) => t.equal(log.revision, 0, "nothing is written");

t.test("makes everything in one commit; the second time there is nothing to do", async (t) => {
  const registry = await startRegistry(t);
  const { log, agents, entries, owners } = registry;
  const planned = await apply(registry, all(), { dryRun: true });
  t.match(planned.summary, { created: 3, dryRun: true });
  empty(t, registry);
  const done = await apply(registry, all(), { expectedPlan: planned.summary?.plan ?? "" });
  t.match(done.summary, { set: "s", created: 3, updated: 0, deleted: 0, unchanged: 0 });
  t.same(done.changes, planned.changes, "it did what it had said");
  t.equal(log.revision, 1);
  const [entry] = entries.values();
  t.match(agents.get(RESEARCHER), { managedBy: "s", taskClasses: ["triage"] });
  t.match(owners.get(entry?.id ?? ""), {
    owner: "team:support",
    labels: { a: "1" },
    managedBy: "s",
  });

  const again = await apply(registry, all());
  t.match(again.summary, { created: 0, updated: 0, deleted: 0, unchanged: 3 });
  t.equal(log.revision, 1, "no commit");
  const pieces = Object.entries(all()).map(([name, value]) => ({ [name]: value }));
  t.match((await apply(registry, pieces)).summary, { unchanged: 3 }, "in pieces too");
  const { owners: listed } = await registry.client.listEntryOwners({ set: "s" });
  t.match(listed, [{ entryId: entry?.id, owner: "team:support" }]);
  await registry.entryClient.batchDeleteEntry({ ids: [entry?.id ?? ""] });
  t.equal(owners.get(entry?.id ?? ""), undefined, "whose it was goes with it");
});

t.test("changes what is different, field by field", async (t) => {
  const registry = await startRegistry(t);
  const { entries, agents } = registry;
  await apply(registry, all());
  const before = [...entries.values()][0];
  const ceiling = { locations: { any: true }, actions: { values: ["tools/read/**"] } };
  const changed: Declared = {
    taskClasses: [triage({ maxTtlSeconds: 600, defaultTtlSeconds: 60 })],
    aiAgents: [aiAgent({ taskClasses: ["triage"], ceiling, owner: "team:b" })],
    entries: [{ entry: entryOf("/agent/researcher"), owner: "team:b" }],
  };
  const done = await apply(registry, changed);
  t.same(told(done), [
    "update task-class default_ttl,max_ttl",
    "update ai-agent owner,ceiling.locations",
    "update entry owner,labels",
  ]);
  t.match(done.changes[1]?.fields, [
    { field: "owner", before: '"team:support"', after: '"team:b"' },
    { before: '["https://mcp.north.test/tickets"]', after: '"any"' },
  ]);
  t.same(
    [...entries.values()][0],
    before,
    "node agents see no change of an entry whose owner changed",
  );
  t.match(agents.get(RESEARCHER), { version: 2, createdAtUnixSeconds: 1_893_456_000 });

  const entry = entryOf("/agent/researcher", { x509SvidTtl: 600 });
  const third = await apply(registry, { entries: [{ entry, owner: "team:b" }] });
  t.same(told(third), ["update entry x509_svid_ttl"]);
  t.match([...entries.values()][0], { id: before?.id, revisionNumber: 1, x509SvidTtlSeconds: 600 });
});

t.test(
  "what was made by hand is taken over only as it is, or when that is asked for",
  async (t) => {
    const registry = await startRegistry(t);
    const { client, entryClient, agents, owners, entries } = registry;
    await client.setTaskClass({ taskClass: triage() });
    await client.createAiAgent({ aiAgent: aiAgent({ taskClasses: ["triage"] }) });
    await entryClient.batchCreateEntry({ entries: [entryOf("/agent/researcher")] });
    const equal = await apply(registry, all());
    t.same(told(equal), [
      "update task-class set",
      "update ai-agent set",
      "update entry owner,labels,set",
    ]);
    t.match(owners.get([...entries.values()][0]?.id ?? ""), { managedBy: "s" });

    const other = await apply(registry, all(), { set: "other", dryRun: true });
    t.match(other.problems, [
      { kind: "task-class", index: 1, message: /declared by the set "s"/, hint: /--adopt/ },
      { kind: "ai-agent", index: 1 },
      { kind: "entry", index: 1 },
    ]);
    await t.rejects(apply(registry, all(), { set: "other" }), {
      reason: "APPLY_INVALID",
      code: Status.invalidArgument,
      message: /3 problems\n.*task_classes\[0\].*\n.*ai_agents\[0\].*\n.*entries\[0\]/s,
    });
    t.equal(agents.get(RESEARCHER)?.managedBy, "s");
    await apply(registry, all(), { set: "other", adopt: true });
    t.equal(agents.get(RESEARCHER)?.managedBy, "other");

    await entryClient.batchCreateEntry({ entries: [entryOf("/web", { x509SvidTtl: 60 })] });
    const web = { entries: [{ entry: entryOf("/web") }] };
    const differs = await apply(registry, web, { dryRun: true });
    t.match(differs.problems, [{ message: /made by hand, and otherwise: x509_svid_ttl/ }]);
    t.match((await apply(registry, web, { adopt: true })).summary, { updated: 1 });
  },
);

t.test("prunes what the set declared, and nothing else", async (t) => {
  const registry = await startRegistry(t);
  const { agents, entries, asked, client } = registry;
  await apply(registry, all());
  const other = aiAgent({ spiffeId: "spiffe://north.test/agent/other" });
  await apply(
    registry,
    { aiAgents: [other], entries: [{ entry: entryOf("/other") }] },
    { set: "o" },
  );
  const hand = aiAgent({ spiffeId: "spiffe://north.test/agent/hand" });
  await client.createAiAgent({ aiAgent: hand, entry: entryOf("/agent/hand") });

  t.match((await apply(registry, {})).summary, { deleted: 0 }, "not unless it is asked for");
  const pruned = await apply(registry, {}, { prune: true });
  t.same(told(pruned), ["delete task-class ", "delete ai-agent ", "delete entry "]);
  t.same([...agents.values()].map(({ spiffeId }) => spiffeId).sort(), [
    hand.spiffeId,
    other.spiffeId,
  ]);
  t.same([...entries.values()].map(({ spiffeId }) => spiffeId).sort(), [
    "spiffe://north.test/agent/hand",
    "spiffe://north.test/other",
  ]);
  t.match(asked, [/^revoke .*researcher/, /^end .*researcher REVOKED .*left the set "s"/]);
  await t.rejects(client.getTaskClass({ name: "triage" }), refused("TASK_CLASS_NOT_FOUND"));

  await apply(registry, { taskClasses: [triage({ name: "sensitive" })] });
  t.match((await client.getTaskClass({ name: "sensitive" })).taskClass, { managedBy: "s" });
  await apply(registry, {}, { prune: true });
  const { taskClass } = await client.getTaskClass({ name: "sensitive" });
  t.match(taskClass, { shipped: true, version: 0 }, "a class of ours is as it came");
});

t.test("does not prune what would leave something else broken", async (t) => {
  const registry = await startRegistry(t);
  const { client } = registry;
  await apply(registry, { taskClasses: [triage()], aiAgents: [aiAgent()] });
  const hand = aiAgent({ spiffeId: "spiffe://north.test/agent/hand", taskClasses: ["triage"] });
  await client.createAiAgent({ aiAgent: hand });
  await registry.entryClient.batchCreateEntry({ entries: [entryOf("/agent/researcher")] });
  await client.disableAiAgent({ spiffeId: RESEARCHER });
  const { problems } = await apply(registry, {}, { prune: true, dryRun: true });
  t.match(problems, [
    { kind: "task-class", index: 0, reason: "TASK_CLASS_IN_USE" },
    { kind: "ai-agent", index: 0, reason: "AI_AGENT_HAS_ENTRIES" },
  ]);
  await t.rejects(apply(registry, {}, { prune: true }), refused("APPLY_INVALID"));
});

t.test("tells all that is wrong at once, and does none of it", async (t) => {
  const registry = await startRegistry(t);
  const declared: Declared = {
    taskClasses: [triage(), triage(), triage({ name: "odd", failMode: "open" })],
    aiAgents: [
      aiAgent({ taskClasses: ["triage", "nothing", "odd"] }),
      aiAgent({
        spiffeId: "spiffe://north.test/a",
        owner: "",
        validUntil: seconds("2029-01-01T00:00:00Z"),
      }),
      aiAgent({ spiffeId: "spiffe://north.test/b", validUntil: seconds("2029-01-01T00:00:00Z") }),
    ],
    entries: [
      { entry: entryOf("/agent/researcher/task/x") },
      { entry: entryOf("/ok") },
      { entry: entryOf("/ok", { id: "mine" }), owner: "a\nb" },
      { entry: entryOf("/spire/server") },
      {},
    ],
  };
  const { problems, summary } = await apply(registry, declared, { dryRun: true });
  const found = problems
    .map(({ kind, index, message }) => `${kind} ${index} ${message}`)
    .join("\n");
  for (const expected of [
    /task-class 2 it is declared twice: it is number 1/,
    /task-class 3 fail_mode "open"/,
    /ai-agent 1 .*no task class "nothing"/,
    /ai-agent 2 owner is missing/,
    /ai-agent 3 .*has passed/,
    /entry 1 .*reserved for tasks/,
    /entry 3 owner has characters/,
    /entry 3 the entry has an ID/,
    /entry 4 .*reserved for servers/,
    /entry 5 there is no entry/,
  ]) {
    t.match(found, expected);
  }
  t.notMatch(found, /no task class "odd"/, "one fault is told once");
  t.equal(summary?.dryRun, true);
  await t.rejects(apply(registry, declared), {
    reason: "APPLY_INVALID",
    message: /nothing is changed/,
  });
  empty(t, registry);
  for (const set of ["", "a b", "-", "a".repeat(64)]) {
    await t.rejects(apply(registry, all(), { set }), refused("APPLY_INVALID"), set);
  }
});

t.test("does what was shown, or nothing", async (t) => {
  const registry = await startRegistry(t);
  const { summary } = await apply(registry, all(), { dryRun: true });
  const { client, log } = registry;
  await client.createAiAgent({ aiAgent: aiAgent() });
  const before = log.revision;
  const late = apply(registry, all(), { expectedPlan: summary?.plan ?? "", adopt: true });
  await t.rejects(late, { reason: "APPLY_PLAN_CHANGED", code: Status.aborted, hint: /again/ });
  t.equal(log.revision, before);
});

t.test("a time that was over is no fault of who declares the same again", async (t) => {
  const registry = await startRegistry(t);
  const validUntil = seconds("2030-01-01T00:01:00Z");
  await apply(registry, { aiAgents: [aiAgent({ validUntil })] });
  await registry.clock.advance(120_000);
  t.match((await apply(registry, { aiAgents: [aiAgent({ validUntil })] })).summary, {
    unchanged: 1,
  });
  const other = aiAgent({ validUntil: validUntil + 1 });
  await t.rejects(apply(registry, { aiAgents: [other] }), { message: /has passed/ });
});

t.test("ten thousand objects in one commit", async (t) => {
  const registry = await startRegistry(t);
  const parts: Declared[] = Array.from({ length: 25 }, (_, part) => ({
    aiAgents: Array.from({ length: 200 }, (_, i) =>
      aiAgent({ spiffeId: `spiffe://north.test/agent/${part}-${i}` }),
    ),
    entries: Array.from({ length: 200 }, (_, i) => ({
      entry: entryOf(`/agent/${part}-${i}`),
      owner: "team:support",
    })),
  }));
  const cpuMs = (since?: NodeJS.CpuUsage): number => {
    const { user, system } = process.cpuUsage(since);
    return Math.round((user + system) / 1000);
  };
  const begun = process.cpuUsage();
  t.match((await apply(registry, parts)).summary, { created: 10_000 });
  t.comment(`${cpuMs(begun)} ms of processor`);
  t.equal(registry.log.revision, 1);
  const again = process.cpuUsage();
  t.match((await apply(registry, parts)).summary, { unchanged: 10_000 });
  t.comment(`again ${cpuMs(again)} ms of processor`);
});

t.test("more than is sensible is refused before it is looked at", async (t) => {
  const registry = await startRegistry(t);
  const nothing = { entries: Array.from({ length: 5001 }, () => ({})) };
  await t.rejects(apply(registry, [nothing, nothing, nothing, nothing]), {
    reason: "APPLY_INVALID",
    message: /more than 20000/,
  });
  const call = registry.client.apply();
  await call.send({ entries: [{}] });
  await t.rejects(call.responses.next(), { reason: "APPLY_INVALID", message: /first message/ });
});
