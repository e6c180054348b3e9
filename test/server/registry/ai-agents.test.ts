// AI agents through their service: what is refused, what stands in one commit, and that the paths of
// their tasks belong to no entry, whichever was first.
import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { NodeStore } from "../../../server/store/nodes.ts";
import { TokenStore } from "../../../server/store/tokens.ts";
import {
  aiAgent,
  entryOf,
  RESEARCHER,
  refused,
  seconds,
  startRegistry,
} from "../../support/test-registry.ts";

const INVALID = { reason: "AI_AGENT_INVALID", code: Status.invalidArgument };

t.test("refuses what is missing or wrong, all of it at once", async (t) => {
  const { client, log } = await startRegistry(t);
  const rows: [name: string, changes: Parameters<typeof aiAgent>[0], message: RegExp][] = [
    ["no owner", { owner: " " }, /owner is missing/],
    ["an owner of two lines", { owner: "a\nb" }, /owner has characters/],
    ["an owner that turns text around", { owner: "a\u202eb" }, /owner has characters/],
    ["a long owner", { owner: "a".repeat(257) }, /owner is longer/],
    ["no purpose", { purpose: "" }, /purpose is missing/],
    ["a long purpose", { purpose: "a".repeat(1025) }, /purpose is longer/],
    ["no environment", { environment: "" }, /environment is missing/],
    ["any environment", { environment: "*" }, /environment "\*" is no name/],
    ["no end", { validUntil: 0 }, /valid_until is missing/],
    ["an end that has passed", { validUntil: seconds("2030-01-01T00:00:00Z") }, /has passed/],
    ["an end in no calendar", { validUntil: 1e12 }, /valid_until/],
    ["no ceiling", { ceiling: undefined }, /ceiling is missing/],
    ["an odd action", { ceiling: { actions: { values: ["a/**/b"] } } }, /ceiling: action/],
    ["another trust domain", { spiffeId: "spiffe://south.test/a" }, /not in the trust domain/],
    ["no path", { spiffeId: "spiffe://north.test" }, /has no path/],
    ["no SPIFFE ID", { spiffeId: "researcher" }, /SPIFFE ID/],
    ["a server's path", { spiffeId: "spiffe://north.test/spire/x" }, /reserved/],
    ["a task's path", { spiffeId: `${RESEARCHER}/task/x` }, /ID of a task/],
    ["a path that ends so", { spiffeId: `${RESEARCHER}/task` }, /ID of a task/],
    ["a long ID", { spiffeId: `spiffe://north.test/${"a".repeat(2000)}` }, /too long/],
    ["a class of no name", { taskClasses: ["Read Only"] }, /no name of a task class/],
    ["many classes", { taskClasses: Array.from({ length: 33 }, (_, i) => `c${i}`) }, /too many/],
    ["a label of no name", { labels: { "a b": "" } }, /no name of a label/],
    ["an inherited name", { labels: { __proto__x: "" } }, /no name of a label/],
    ["many open tasks", { maxOpenTasks: 2_000_000 }, /max_open_tasks/],
    ["no hash", { manifestHash: "a b" }, /no hash/],
    ["itself as hosted", { mayHost: [RESEARCHER] }, /may_host: .*itself/],
    [
      "a foreign one",
      { mayHost: ["spiffe://south.test/a"] },
      /may_host: .*not in the trust domain/,
    ],
    ["foreign ones", { mayHost: ["spiffe://south.test/a/*"] }, /may_host: .*not in the trust/],
    ["a whole trust domain", { mayHost: ["spiffe://north.test/*"] }, /may_host: .*names no path/],
    ["a trust domain", { mayHost: ["spiffe://north.test"] }, /may_host: .*names no path/],
    ["servers", { mayHost: ["spiffe://north.test/spire/*"] }, /may_host: .*reserved/],
    ["a task", { mayHost: [`${RESEARCHER}/task/x`] }, /may_host: .*ID of a task/],
    ["tasks", { mayHost: ["spiffe://north.test/b/task/*"] }, /may_host: .*ID of a task/],
    ["a pattern in between", { mayHost: ["spiffe://north.test/a/*/b"] }, /may_host: /],
    ["no ID", { mayHost: [""] }, /may_host: /],
    [
      "many hosted ones",
      { mayHost: Array.from({ length: 257 }, (_, i) => `spiffe://north.test/h/${i}`) },
      /257 in may_host are too many/,
    ],
  ];
  for (const [name, changes, message] of rows) {
    await t.rejects(
      client.createAiAgent({ aiAgent: aiAgent(changes) }),
      { ...INVALID, message },
      name,
    );
  }
  const all = client.createAiAgent({ aiAgent: { spiffeId: RESEARCHER } });
  await t.rejects(all, { message: /5 problems\n.*owner.*\n.*purpose/s, hint: /./ });
  await t.rejects(client.createAiAgent({}), INVALID);
  await t.rejects(
    client.createAiAgent({ aiAgent: aiAgent({ taskClasses: ["nothing"] }) }),
    refused("TASK_CLASS_NOT_FOUND"),
  );
  t.equal(log.revision, 0, "nothing of it was written");
});

t.test("an AI agent and its entry come in one commit, or not at all", async (t) => {
  const { client, entryClient, log, entries } = await startRegistry(t);
  const before = log.revision;
  const entry = entryOf("/agent/researcher");
  const { aiAgent: made } = await client.createAiAgent({ aiAgent: aiAgent(), entry });
  t.equal(log.revision, before + 1);
  t.match(made, { spiffeId: RESEARCHER, disabled: false, openTasks: 3, managedBy: "" });
  t.match(made?.ceiling, { environment: { any: false, values: ["production"] } }, "its own");
  t.same(made?.entryIds, [[...entries.values()][0]?.id]);
  await t.rejects(client.createAiAgent({ aiAgent: aiAgent() }), {
    reason: "AI_AGENT_EXISTS",
    code: Status.alreadyExists,
  });

  await entryClient.batchCreateEntry({ entries: [entryOf("/agent/other")] });
  const other = aiAgent({ spiffeId: "spiffe://north.test/agent/other" });
  const taken = client.createAiAgent({ aiAgent: other, entry: entryOf("/agent/other") });
  await t.rejects(taken, refused("ENTRY_ALREADY_EXISTS"));
  const foreign = client.createAiAgent({ aiAgent: other, entry: entryOf("/agent/third") });
  await t.rejects(foreign, { ...INVALID, message: /the entry is for/ });
  const bad = client.createAiAgent({
    aiAgent: other,
    entry: entryOf("/agent/other", { selectors: [] }),
  });
  await t.rejects(bad, refused("ENTRY_INVALID"));
  await t.rejects(client.getAiAgent({ spiffeId: other.spiffeId }), refused("AI_AGENT_NOT_FOUND"));
  const without = entryOf("/agent/other", {
    spiffeId: undefined,
    selectors: [{ type: "a", value: "b" }],
  });
  await client.createAiAgent({ aiAgent: other, entry: without });
});

t.test("a change is made on what was looked at, and nothing else", async (t) => {
  const { client } = await startRegistry(t);
  await client.createAiAgent({ aiAgent: aiAgent() });
  const changed = aiAgent({ owner: "team:b", labels: { tier: "1" } });
  const { aiAgent: now } = await client.updateAiAgent({ aiAgent: changed, expectedVersion: 1 });
  t.match(now, { owner: "team:b", labels: { tier: "1" }, version: 2 });
  const late = client.updateAiAgent({ aiAgent: aiAgent(), expectedVersion: 1 });
  await t.rejects(late, { reason: "RECORD_CHANGED", code: Status.aborted });
  await client.updateAiAgent({ aiAgent: aiAgent() });
  const none = aiAgent({ spiffeId: "spiffe://north.test/agent/none" });
  await t.rejects(client.updateAiAgent({ aiAgent: none }), {
    reason: "AI_AGENT_NOT_FOUND",
    code: Status.notFound,
  });
});

t.test("lists by owner and label, in pages", async (t) => {
  const { client } = await startRegistry(t);
  for (const n of [3, 1, 2]) {
    const spiffeId = `spiffe://north.test/agent/${n}`;
    const labels = { n: String(n), kind: "x" };
    await client.createAiAgent({ aiAgent: aiAgent({ spiffeId, owner: `o${n % 2}`, labels }) });
  }
  const first = await client.listAiAgents({ pageSize: 2 });
  t.same(
    first.aiAgents.map((one) => one.labels["n"]),
    ["1", "2"],
  );
  const rest = await client.listAiAgents({ pageSize: 2, pageToken: first.nextPageToken });
  t.same(
    rest.aiAgents.map((one) => one.labels["n"]),
    ["3"],
  );
  t.equal(rest.nextPageToken, "");
  t.equal((await client.listAiAgents({ owner: "o1" })).aiAgents.length, 2);
  t.equal((await client.listAiAgents({ labels: { n: "2", kind: "x" } })).aiAgents.length, 1);
  t.equal((await client.listAiAgents({ labels: { toString: "" } })).aiAgents.length, 0);
  await t.rejects(client.listAiAgents({ pageToken: "?" }), refused("PAGE_TOKEN_INVALID"));
});

t.test("no entry stands among the tasks of an AI agent, whichever is first", async (t) => {
  const { client, entryClient, entries } = await startRegistry(t);
  const reserved = { code: Status.failedPrecondition, message: /reserved for tasks/ };
  const create = async (path: string) =>
    (await entryClient.batchCreateEntry({ entries: [entryOf(path)] })).results[0];

  await client.createAiAgent({ aiAgent: aiAgent() });
  const under = ["/task", "/task/x", "/task/01J/y"].map((end) => `/agent/researcher${end}`);
  for (const path of under) {
    const result = await create(path);
    t.match(result, { status: reserved, entry: undefined }, path);
  }
  const others = ["/agent/researcher/tasks/x", "/agent/researcher2/task/x", "/task/x"];
  for (const path of others) t.match(await create(path), { status: { code: 0 } }, path);
  const moved = { ...entryOf("/agent/researcher/task/y"), id: [...entries.values()][0]?.id ?? "" };
  const { results } = await entryClient.batchUpdateEntry({ entries: [moved] });
  t.match(results, [{ status: reserved }], "nor is one moved there");

  const second = aiAgent({ spiffeId: "spiffe://north.test/agent/researcher2" });
  await t.rejects(client.createAiAgent({ aiAgent: second }), {
    reason: "TASK_PATH_IN_USE",
    code: Status.failedPrecondition,
    message: /researcher2\/task\/x/,
  });
  const id = [...entries.values()].find(({ spiffeId }) => spiffeId.includes("researcher2"))?.id;
  await entryClient.batchDeleteEntry({ ids: [id ?? ""] });
  await client.createAiAgent({ aiAgent: second });
});

t.test("of an entry and an AI agent that come at the same moment, one is refused", async (t) => {
  const { client, entryClient, entries, agents } = await startRegistry(t);
  for (let n = 0; n < 25; n++) {
    const spiffeId = `spiffe://north.test/race/${n}`;
    const entry = entryOf(`/race/${n}/task/x`);
    const both = [
      () => client.createAiAgent({ aiAgent: aiAgent({ spiffeId }) }),
      () => entryClient.batchCreateEntry({ entries: [entry] }),
    ];
    if (n % 2 === 1) both.reverse();
    await Promise.allSettled(both.map((one) => one()));
    const isAgent = agents.get(spiffeId) !== undefined;
    const isEntry = [...entries.values()].some((one) => one.spiffeId === `${spiffeId}/task/x`);
    t.not(isAgent, isEntry, `round ${n}`);
  }
});

t.test("nor does a join token give a node agent such a name", async (t) => {
  const { client, log, entries, clock } = await startRegistry(t);
  await client.createAiAgent({ aiAgent: aiAgent() });
  const now = (): Date => clock.now();
  const tokens = new TokenStore({ log, now });
  const nodes = await NodeStore.start({ log, now, entries });
  t.teardown(() => nodes.stop());
  const expiresAtUnixSeconds = seconds("2030-01-02T00:00:00Z");
  await tokens.create("secret", { expiresAtUnixSeconds, aliasSpiffeId: `${RESEARCHER}/task/x` });
  const node = {
    ...{ id: "spiffe://north.test/spire/agent/a", attestationType: "join_token", serial: "1" },
    ...{ notAfterUnixSeconds: 2 ** 31, selectors: [], canReattest: false, agentVersion: "" },
  };
  await t.rejects(nodes.attest(node, "secret"), refused("ENTRY_PATH_RESERVED"));
  t.equal(entries.size, 0);
});

t.test("says whom an AI agent may host, and by whom it may be hosted", async (t) => {
  const { client } = await startRegistry(t);
  const helper = "spiffe://north.test/agent/helpers/one";
  const more = { spiffeId: helper, environment: "test" };
  const { aiAgent: hosted } = await client.createAiAgent({ aiAgent: aiAgent(more) });
  t.match(hosted, { hostedBy: [], mayHost: [] });
  const mayHost = ["spiffe://north.test/agent/helpers/*", "spiffe://north.test/agent/later"];
  const declared = aiAgent({ mayHost: [...mayHost, ...mayHost] });
  const { aiAgent: host } = await client.createAiAgent({ aiAgent: declared });
  t.same(host?.mayHost, mayHost, "each once, in order");
  t.match(host, { hostedTasks: 2, hostedBy: [] });
  t.same((await client.getAiAgent({ spiffeId: helper })).aiAgent?.hostedBy, [RESEARCHER]);
  await client.updateAiAgent({ aiAgent: aiAgent() });
  t.same((await client.getAiAgent({ spiffeId: helper })).aiAgent?.hostedBy, []);
});
