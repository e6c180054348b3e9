// The entry service as its callers see it, over the same encoding and statuses as between machines.

import t, { type Test } from "tap";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import type { Init } from "../../../proto/codec.ts";
import type { ClientOf } from "../../../proto/rpc/client.ts";
import { pairInProcess } from "../../../proto/rpc/in-process.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import { EntryService, type spire } from "../../../proto/schema.gen.ts";
import type { Selector } from "../../../proto/types/selector.ts";
import { entryApi } from "../../../server/api/entry.ts";
import { AuthorizedEntries } from "../../../server/entries/authorized.ts";
import { EntryIndex } from "../../../server/entries/index.ts";
import { EntryStore } from "../../../server/store/entries.ts";
import type { OrderedLog } from "../../../server/store/log.ts";
import { draft, openTestLog } from "../../support/test-store.ts";

type Wire = Init<spire.api.types.Entry>;
type Client = ClientOf<typeof EntryService>;

const AGENT = "spiffe://north.test/spire/agent/join_token/one";
const id = (path: string, trustDomain = "north.test"): { trustDomain: string; path: string } => ({
  trustDomain,
  path,
});
const agentId = id("/spire/agent/join_token/one");

async function serve(t: Test): Promise<{ client: Client; store: EntryStore; log: OrderedLog }> {
  const log = await openTestLog(t);
  const now = (): Date => new Date("2026-01-01T00:00:00Z");
  const store = await EntryStore.start({ log, now });
  const trustDomain = TrustDomain.parse("north.test");
  const index = new EntryIndex({ source: store, trustDomain });
  const nodes = new Map<string, { selectors: Selector[] }>([[AGENT, { selectors: [] }]]);
  const server = createRpcServer({ onInternalError: (error) => t.error(error) });
  const api = entryApi({
    entries: store,
    index,
    authorized: new AuthorizedEntries({ index, nodes, now }),
    rules: { trustDomain, isFederated: (name) => name === "south.test" },
    agentOf: ({ peer }) => String(peer),
  });
  server.add(EntryService, api);
  const pair = await pairInProcess(server);
  t.teardown(async () => {
    await pair.close();
    await store.stop();
  });
  return { client: (await pair.connect(AGENT)).client(EntryService), store, log };
}

function wire(changes: Wire = {}): Wire {
  return {
    spiffeId: id("/workload"),
    parentId: agentId,
    selectors: [{ type: "unix", value: "uid:1000" }],
    ...changes,
  };
}

const numbered = (i: number): Wire =>
  wire({ id: `e${String(i).padStart(5, "0")}`, spiffeId: id(`/w/${i}`) });

t.test("creates entries and answers for each with its own status", async (t) => {
  const { client, log } = await serve(t);
  const { results } = await client.batchCreateEntry({
    entries: [
      wire({ hint: "web", x509SvidTtl: 60, additionalAttributes: { jwtSvidIncludeJti: true } }),
      wire({ spiffeId: id("/other", "south.test") }),
      wire({ selectors: [] }),
      wire({ hint: "again" }),
      wire({ spiffeId: id("//") }),
      wire({ spiffeId: id("/second"), federatesWith: ["south.test"] }),
    ],
  });
  t.strictSame(
    results.map(({ status }) => status?.code),
    [0, 3, 3, 6, 3, 0],
  );
  t.equal(results[0]?.status.message, "OK");
  t.equal(results[3]?.status.message, "similar entry already exists");
  t.equal(results[3]?.entry.id, results[0]?.entry.id);
  t.equal(results[3]?.entry.hint, "web");
  t.match(results[0]?.entry, {
    spiffeId: id("/workload"),
    parentId: agentId,
    x509SvidTtl: 60,
    revisionNumber: 0,
    createdAt: 1767225600,
    additionalAttributes: { jwtSvidIncludeJti: true, disableX509SvidPrefetch: false },
  });
  t.equal(log.revision, 1);
});

t.test("gets an entry, whole or under a mask", async (t) => {
  const { client } = await serve(t);
  await client.batchCreateEntry({ entries: [wire({ id: "one", hint: "h" })] });
  t.match(await client.getEntry({ id: "one" }), {
    id: "one",
    hint: "h",
    spiffeId: id("/workload"),
  });
  const masked = await client.getEntry({ id: "one", outputMask: { hint: true } });
  t.match(masked, { id: "one", hint: "h", selectors: [] });
  t.equal(masked.spiffeId, undefined);
  await t.rejects(client.getEntry({ id: "two" }), {
    name: "IdentityError",
    reason: "ENTRY_NOT_FOUND",
    code: 5,
  });
  await t.rejects(client.getEntry({ id: "" }), {
    name: "IdentityError",
    reason: "ENTRY_INVALID",
    code: 3,
  });
});

t.test("an update changes what its mask names, and nothing else", async (t) => {
  const { client, store } = await serve(t);
  await client.batchCreateEntry({
    entries: [wire({ id: "one", hint: "h", admin: true, dnsNames: ["a.test"] })],
  });
  const before = store.get("one");
  const { results } = await client.batchUpdateEntry({
    entries: [{ id: "one", x509SvidTtl: 30, hint: "ignored" }],
    inputMask: { x509SvidTtl: true },
    outputMask: { revisionNumber: true },
  });
  t.match(results, [{ status: { code: 0 }, entry: { id: "one", revisionNumber: 1, hint: "" } }]);
  t.strictSame(store.get("one"), { ...before, x509SvidTtlSeconds: 30, revisionNumber: 1 });
});

t.test("an update without a mask replaces the whole entry", async (t) => {
  const { client, store } = await serve(t);
  await client.batchCreateEntry({ entries: [wire({ id: "one", hint: "h", admin: true })] });
  const { results } = await client.batchUpdateEntry({
    entries: [wire({ id: "one", spiffeId: id("/new") })],
  });
  t.equal(results[0]?.status.code, 0);
  t.match(store.get("one"), {
    hint: "",
    admin: false,
    spiffeId: "spiffe://north.test/new",
    revisionNumber: 1,
  });
});

t.test("an update is checked as a new entry is", async (t) => {
  const { client, store } = await serve(t);
  await client.batchCreateEntry({ entries: [numbered(1), numbered(2)] });
  const { results } = await client.batchUpdateEntry({
    entries: [
      { id: "e00001", selectors: [] },
      { id: "e00001", spiffeId: id("/spire/agent") },
      { id: "e00001", spiffeId: id("/w/2") },
      { id: "none", spiffeId: id("/w/3") },
      { id: "e00002" },
    ],
    inputMask: { spiffeId: true },
  });
  t.strictSame(
    results.map(({ status }) => status.code),
    [3, 3, 6, 5, 3],
  );
  t.equal(store.get("e00001")?.revisionNumber, 0);
});

t.test("deletes entries and answers for each", async (t) => {
  const { client, store } = await serve(t);
  await client.batchCreateEntry({ entries: [numbered(1), numbered(2)] });
  const { results } = await client.batchDeleteEntry({ ids: ["e00001", "none"] });
  t.match(results, [
    { id: "e00001", status: { code: 0, message: "OK" } },
    { id: "none", status: { code: 5 } },
  ]);
  t.equal(store.size, 1);
});

t.test("lists in pages of at most 500, and counts", async (t) => {
  const { client, store } = await serve(t);
  await client.batchCreateEntry({ entries: Array.from({ length: 1203 }, (_, i) => numbered(i)) });
  t.equal(store.size, 1203);
  for (const [pageSize, pages] of [
    [0, 3],
    [500, 3],
    [5000, 3],
    [1000, 3],
    [401, 3],
    [300, 5],
  ] as const) {
    const seen: string[] = [];
    let pageToken = "";
    let count = 0;
    do {
      const page = await client.listEntries({ pageSize, pageToken, outputMask: {} });
      seen.push(...page.entries.map((entry) => entry.id));
      pageToken = page.nextPageToken;
      count++;
    } while (pageToken !== "");
    t.equal(count, pages, `pages of ${pageSize}`);
    t.strictSame(
      seen,
      Array.from({ length: 1203 }, (_, i) => numbered(i).id),
    );
  }
  t.equal((await client.countEntries({})).count, 1203);
  t.equal((await client.countEntries({ filter: { bySpiffeId: id("/w/7") } })).count, 1);
  for (const pageToken of ["e00001", "!", "ZTAw\n"]) {
    await t.rejects(client.listEntries({ pageToken }), {
      name: "IdentityError",
      reason: "PAGE_TOKEN_INVALID",
    });
  }
});

t.test("cuts pages of large entries short of what a message can hold", async (t) => {
  const { client } = await serve(t);
  const selectors = Array.from({ length: 100 }, (_, i) => ({
    type: "unix",
    value: `path:/${i}${"x".repeat(1000)}`,
  }));
  for (let i = 0; i < 60; i++)
    await client.batchCreateEntry({ entries: [{ ...numbered(i), selectors }] });
  const seen: number[] = [];
  let pageToken = "";
  do {
    const page = await client.listEntries({ pageSize: 500, pageToken });
    seen.push(page.entries.length);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  t.ok(seen.length > 2, seen.join(" "));
  t.equal(
    seen.reduce((sum, count) => sum + count, 0),
    60,
  );
});

t.test("lists by each filter of the API, and refuses one that says nothing", async (t) => {
  const { client } = await serve(t);
  await client.batchCreateEntry({
    entries: [
      wire({ id: "1", spiffeId: id("/a"), hint: "h" }),
      wire({
        id: "2",
        spiffeId: id("/b"),
        selectors: [
          { type: "unix", value: "a" },
          { type: "unix", value: "b" },
        ],
      }),
      wire({ id: "3", spiffeId: id("/a"), parentId: id("/p"), downstream: true }),
      wire({ id: "4", spiffeId: id("/c"), federatesWith: ["south.test"] }),
    ],
  });
  const selectors = [{ type: "unix", value: "a" }];
  const rows: [Init<spire.api.server.entry.v1.ListEntriesRequest.Filter>, string[]][] = [
    [{ bySpiffeId: id("/a") }, ["1", "3"]],
    [{ byParentId: agentId }, ["1", "2", "4"]],
    [{ bySpiffeId: id("/a"), byParentId: id("/p") }, ["3"]],
    [{ bySelectors: { selectors, match: 0 } }, []],
    [{ bySelectors: { selectors, match: 2 } }, ["2"]],
    [{ bySelectors: { selectors, match: 3 } }, ["2"]],
    [
      {
        bySelectors: {
          selectors: [...selectors, { type: "unix", value: "b" }, { type: "x", value: "y" }],
          match: 1,
        },
      },
      ["2"],
    ],
    [{ byFederatesWith: { trustDomains: ["south.test"], match: 0 } }, ["4"]],
    [{ byHint: { value: "h" } }, ["1"]],
    [{ byDownstream: { value: true } }, ["3"]],
    [{ byDownstream: { value: false } }, ["1", "2", "4"]],
  ];
  for (const [filter, expected] of rows) {
    const { entries } = await client.listEntries({ filter });
    t.strictSame(
      entries.map((entry) => entry.id),
      expected,
      JSON.stringify(filter),
    );
    t.equal((await client.countEntries({ filter })).count, expected.length);
  }
  const refused: Init<spire.api.server.entry.v1.ListEntriesRequest.Filter>[] = [
    { bySelectors: { selectors: [] } },
    { bySelectors: { selectors, match: 4 } },
    { byFederatesWith: { trustDomains: [] } },
    { byFederatesWith: { trustDomains: ["South"] } },
    { bySpiffeId: id("no-slash") },
    { bySelectors: { selectors: [{ type: "", value: "x" }] } },
  ];
  for (const filter of refused) await t.rejects(client.listEntries({ filter }), { code: 3 });
});

t.test("refuses a batch without measure", async (t) => {
  const { client } = await serve(t);
  const ids = Array.from({ length: 5001 }, (_, i) => String(i));
  await t.rejects(client.batchDeleteEntry({ ids }), {
    name: "IdentityError",
    reason: "BATCH_TOO_LARGE",
  });
});

t.test("tells an agent what it may serve", async (t) => {
  const { client } = await serve(t);
  await client.batchCreateEntry({
    entries: [numbered(1), numbered(2), wire({ id: "not", parentId: id("/p") })],
  });
  const { entries } = await client.getAuthorizedEntries({ outputMask: { spiffeId: true } });
  t.strictSame(entries.map((entry) => [entry.id, entry.spiffeId.path]).sort(), [
    ["e00001", "/w/1"],
    ["e00002", "/w/2"],
  ]);
  t.strictSame(entries[0]?.selectors, []);
});

/** Reads answers until one says that no more follow. */
async function readAll(
  responses: AsyncIterator<spire.api.server.entry.v1.SyncAuthorizedEntriesResponse>,
): Promise<spire.api.server.entry.v1.SyncAuthorizedEntriesResponse[]> {
  const read: spire.api.server.entry.v1.SyncAuthorizedEntriesResponse[] = [];
  for (;;) {
    const { value, done } = await responses.next();
    if (done) return read;
    read.push(value);
    if (!value.more) return read;
  }
}

const mask = { spiffeId: true, selectors: true, revisionNumber: true };

t.test("synchronises few entries in one answer, then ends", async (t) => {
  const { client } = await serve(t);
  await client.batchCreateEntry({
    entries: [numbered(2), numbered(1), wire({ id: "not", parentId: id("/p") })],
  });
  const call = client.syncAuthorizedEntries();
  await call.send({ outputMask: mask });
  const [answer] = await readAll(call.responses);
  t.strictSame(
    answer?.entries.map((entry) => entry.id),
    ["e00001", "e00002"],
  );
  t.strictSame(answer?.entryRevisions, []);
  t.equal((await call.responses.next()).done, true);
});

t.test("synchronises none with one empty answer", async (t) => {
  const { client } = await serve(t);
  const call = client.syncAuthorizedEntries();
  await call.send({ outputMask: mask });
  t.match(await readAll(call.responses), [{ entries: [], entryRevisions: [], more: false }]);
});

t.test("synchronises many by revisions first, then by the IDs the agent asks for", async (t) => {
  const { client } = await serve(t);
  await client.batchCreateEntry({ entries: Array.from({ length: 1203 }, (_, i) => numbered(i)) });
  await client.batchUpdateEntry({
    entries: [{ id: "e00007", hint: "x" }],
    inputMask: { hint: true },
  });
  const call = client.syncAuthorizedEntries();
  await call.send({ outputMask: mask });
  const pages = await readAll(call.responses);
  t.strictSame(
    pages.map((page) => [page.entryRevisions.length, page.entries.length, page.more]),
    [
      [500, 0, true],
      [500, 0, true],
      [203, 0, false],
    ],
  );
  const revisions = pages.flatMap((page) => page.entryRevisions);
  t.match(revisions[7], { id: "e00007", revisionNumber: 1, createdAt: 1767225600 });
  await call.send({ ids: ["e00007", "e00009", "none"] });
  const [some] = await readAll(call.responses);
  t.strictSame(
    some?.entries.map((entry) => [entry.id, entry.revisionNumber, entry.hint]),
    [
      ["e00007", 1, ""],
      ["e00009", 0, ""],
    ],
  );
  t.strictSame(some?.entryRevisions, []);
  await call.send({ ids: revisions.slice(0, 500).map((revision) => revision.id) });
  t.equal((await readAll(call.responses)).flatMap((page) => page.entries).length, 500);
  await call.send({ ids: ["none"] });
  t.match(await readAll(call.responses), [{ entries: [], more: false }]);
  call.end();
  t.equal((await call.responses.next()).done, true);
});

t.test("synchronises large entries in several messages", async (t) => {
  const { client, store } = await serve(t);
  const selectors = Array.from({ length: 100 }, (_, i) => ({
    type: "unix",
    value: `path:/${i}${"x".repeat(1000)}`,
  }));
  const large = Array.from({ length: 60 }, (_, i) =>
    draft({ id: `l${i}`, parentId: AGENT, spiffeId: `spiffe://north.test/l/${i}`, selectors }),
  );
  await store.create(large);
  const call = client.syncAuthorizedEntries();
  await call.send({});
  const [page] = await readAll(call.responses);
  t.equal(page?.entryRevisions.length, 60, "they do not fit into one answer");
  await call.send({ ids: large.map((entry) => entry.id) });
  const answers = await readAll(call.responses);
  t.ok(answers.length > 1);
  t.equal(answers.flatMap(({ entries }) => entries).length, 60);
  call.cancel();
  await t.rejects(client.getAuthorizedEntries({}), {
    name: "IdentityError",
    reason: "ANSWER_TOO_LARGE",
    code: 8,
  });
});

t.test("refuses a synchronisation that breaks its order", async (t) => {
  const { client } = await serve(t);
  await client.batchCreateEntry({ entries: Array.from({ length: 501 }, (_, i) => numbered(i)) });
  const invalid = { name: "IdentityError", reason: "SYNC_REQUEST_INVALID", code: 3 } as const;
  const firsts: Init<spire.api.server.entry.v1.SyncAuthorizedEntriesRequest>[] = [
    { ids: ["e00001"] },
    { outputMask: { spiffeId: true } },
  ];
  for (const first of firsts) {
    const call = client.syncAuthorizedEntries();
    await call.send(first);
    await t.rejects(readAll(call.responses), invalid);
  }
  for (const ids of [[], Array.from({ length: 501 }, (_, i) => `e${i}`)]) {
    const call = client.syncAuthorizedEntries();
    await call.send({ outputMask: mask });
    await readAll(call.responses);
    await call.send({ ids });
    await t.rejects(readAll(call.responses), invalid);
  }
});
