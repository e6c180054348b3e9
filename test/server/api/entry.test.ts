// The entry service as its callers see it, over the same encoding and statuses as between machines. What
// node agents ask of it: entry-sync.test.ts.

import t from "tap";
import type { Init } from "../../../proto/codec.ts";
import type { spire } from "../../../proto/schema.gen.ts";
import { agentId, id, numbered, serveEntries, wire } from "../../support/entry-service.ts";

t.test("creates entries and answers for each with its own status", async (t) => {
  const { client, log } = await serveEntries(t);
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
  const { client } = await serveEntries(t);
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
  const { client, store } = await serveEntries(t);
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
  const { client, store } = await serveEntries(t);
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
  const { client, store } = await serveEntries(t);
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
  const { client, store } = await serveEntries(t);
  await client.batchCreateEntry({ entries: [numbered(1), numbered(2)] });
  const { results } = await client.batchDeleteEntry({ ids: ["e00001", "none"] });
  t.match(results, [
    { id: "e00001", status: { code: 0, message: "OK" } },
    { id: "none", status: { code: 5 } },
  ]);
  t.equal(store.size, 1);
});

t.test("lists in pages of at most 500, and counts", async (t) => {
  const { client, store } = await serveEntries(t);
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
  const { client } = await serveEntries(t);
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
  const { client } = await serveEntries(t);
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
  const { client } = await serveEntries(t);
  const ids = Array.from({ length: 5001 }, (_, i) => String(i));
  await t.rejects(client.batchDeleteEntry({ ids }), {
    name: "IdentityError",
    reason: "BATCH_TOO_LARGE",
  });
});
