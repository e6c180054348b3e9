// What node agents ask of the entry service: all they may serve, at once or by synchronisation.

import t from "tap";
import type { Init } from "../../../proto/codec.ts";
import type { spire } from "../../../proto/schema.gen.ts";
import { AGENT, id, numbered, serveEntries, wire } from "../../support/entry-service.ts";
import { draft } from "../../support/test-store.ts";

t.test("tells an agent what it may serve", async (t) => {
  const { client } = await serveEntries(t);
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
  const { client } = await serveEntries(t);
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
  const { client } = await serveEntries(t);
  const call = client.syncAuthorizedEntries();
  await call.send({ outputMask: mask });
  t.match(await readAll(call.responses), [{ entries: [], entryRevisions: [], more: false }]);
});

t.test("synchronises many by revisions first, then by the IDs the agent asks for", async (t) => {
  const { client } = await serveEntries(t);
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
  const { client, store } = await serveEntries(t);
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
  const { client } = await serveEntries(t);
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
