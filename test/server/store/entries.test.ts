// Registration entries over the ordered log: uniqueness, revisions, batches in one commit, expiry.

import t, { type Test } from "tap";
import { IdentityError } from "../../../pki/errors.ts";
import type { RegistrationEntry } from "../../../proto/types/entry.ts";
import { EntryStore } from "../../../server/store/entries.ts";
import { decodeEntry, encodeEntry, identityKey } from "../../../server/store/entry-records.ts";
import type { OrderedLog } from "../../../server/store/log.ts";
import { draft, openTestLog } from "../../support/test-store.ts";

let now = new Date("2026-01-01T00:00:00.500Z");

async function open(t: Test): Promise<{ log: OrderedLog; store: EntryStore }> {
  const log = await openTestLog(t);
  const store = await EntryStore.start({ log, now: () => now });
  t.teardown(() => store.stop());
  return { log, store };
}

function entryOf(result: RegistrationEntry | IdentityError | undefined): RegistrationEntry {
  if (result === undefined || result instanceof IdentityError)
    throw result ?? new Error("no result");
  return result;
}

function workload(i: number, changes: Partial<RegistrationEntry> = {}): ReturnType<typeof draft> {
  return draft({ spiffeId: `spiffe://north.test/w/${i}`, ...changes });
}

t.test("gives a new entry an ID, revision 0 and the time, and shows it at once", async (t) => {
  const { store } = await open(t);
  const [created] = await store.create([
    draft({ hint: "web", dnsNames: ["db.north.test"], admin: true }),
  ]);
  const entry = created?.entry;
  t.equal(created?.conflict, undefined);
  t.match(entry?.id, /^[0-9a-f-]{36}$/);
  t.equal(entry?.revisionNumber, 0);
  t.equal(entry?.createdAtUnixSeconds, 1767225600);
  t.strictSame(store.get(entry?.id ?? ""), entry);
  t.equal(store.size, 1);
});

t.test("keeps every field of an entry, in the store too", async (t) => {
  const whole: RegistrationEntry = {
    ...draft(),
    id: "an-id",
    selectors: [
      { type: "unix", value: "uid:1000" },
      { type: "k8s", value: 'label:"ä:b"' },
    ],
    x509SvidTtlSeconds: 1,
    jwtSvidTtlSeconds: 2,
    federatesWith: ["south.test"],
    expiresAtUnixSeconds: 3,
    dnsNames: ["a", "b"],
    revisionNumber: 4,
    hint: "hint",
    createdAtUnixSeconds: 5,
    creationOrder: 6,
  };
  const flags = [
    "admin",
    "downstream",
    "storeSvid",
    "disableX509SvidPrefetch",
    "jwtSvidIncludeJti",
  ] as const;
  for (const flag of flags) {
    const entry = { ...whole, [flag]: true };
    t.strictSame(decodeEntry(encodeEntry(entry), "k"), entry, flag);
  }
});

t.test("says so when stored bytes are damaged or of a later format", async (t) => {
  const { log } = await open(t);
  await log.commit({ puts: [{ key: "entry/x", value: new TextEncoder().encode('[2,"x"]') }] });
  await t.rejects(EntryStore.start({ log, now: () => now }), {
    name: "IdentityError",
    reason: "STORE_FORMAT_UNKNOWN",
  });
  await log.commit({ puts: [{ key: "entry/x", value: new Uint8Array([0xff]) }] });
  await t.rejects(EntryStore.start({ log, now: () => now }), {
    reason: "STORE_CORRUPT",
    message: /entry\/x/,
  });
});

t.test("answers with the similar entry that is there already", async (t) => {
  const { store } = await open(t);
  const selectors = [
    { type: "unix", value: "uid:1" },
    { type: "unix", value: "gid:2" },
  ];
  const [first] = await store.create([draft({ selectors })]);
  const [again] = await store.create([draft({ selectors: selectors.toReversed(), hint: "other" })]);
  t.match(again?.conflict, {
    reason: "ENTRY_ALREADY_EXISTS",
    code: 6,
    message: "similar entry already exists",
  });
  t.equal(again?.entry.id, first?.entry.id);
  t.equal(again?.entry.hint, "");
  t.equal(store.size, 1);
  const others = [
    draft({ selectors: selectors.slice(1) }),
    draft({ selectors, parentId: "spiffe://north.test/other" }),
    draft({ selectors, spiffeId: "spiffe://north.test/other" }),
  ];
  for (const created of await store.create(others)) t.equal(created.conflict, undefined);
});

t.test("an item repeated within one batch meets the first one", async (t) => {
  const { store, log } = await open(t);
  const results = await store.create([
    workload(1),
    workload(2),
    workload(1, { hint: "b" }),
    workload(3, { id: "x" }),
    workload(4, { id: "x" }),
  ]);
  t.strictSame(
    results.map(({ conflict }) => conflict?.reason),
    [undefined, undefined, "ENTRY_ALREADY_EXISTS", undefined, "ENTRY_ALREADY_EXISTS"],
  );
  t.equal(results[2]?.entry.id, results[0]?.entry.id);
  t.equal(results[4]?.entry.spiffeId, "spiffe://north.test/w/3");
  t.equal(store.size, 3);
  t.equal(log.revision, 1, "one commit");
});

t.test("refuses a custom ID that is taken", async (t) => {
  const { store } = await open(t);
  await store.create([workload(1, { id: "mine" })]);
  const [second] = await store.create([workload(2, { id: "mine" })]);
  t.match(second?.conflict, {
    reason: "ENTRY_ALREADY_EXISTS",
    message: 'an entry with ID "mine" already exists',
  });
  t.equal(store.get("mine")?.spiffeId, "spiffe://north.test/w/1");
});

t.test("a batch of 500 is one commit", async (t) => {
  const { store, log } = await open(t);
  const results = await store.create(Array.from({ length: 500 }, (_, i) => workload(i)));
  t.equal(results.filter(({ conflict }) => conflict === undefined).length, 500);
  t.equal(log.revision, 1);
  await store.delete(results.map(({ entry }) => entry.id));
  t.equal(log.revision, 2);
  t.equal(store.size, 0);
  t.strictSame((await log.list("")).records, [], "nothing of them is left");
});

t.test(
  "of the same entry created many times at once, in batches that overlap, one is made",
  async (t) => {
    const { store } = await open(t);
    const batches = Array.from({ length: 40 }, (_, b) =>
      Array.from({ length: 10 }, (_, i) => workload((b + i) % 20)),
    );
    const results = (await Promise.all(batches.map((batch) => store.create(batch)))).flat();
    t.equal(store.size, 20);
    t.equal(results.filter(({ conflict }) => conflict === undefined).length, 20);
    t.ok(results.every(({ entry }) => store.get(entry.id)?.spiffeId === entry.spiffeId));
  },
);

t.test("two stores over one log never hold two entries of one identity", async (t) => {
  const { store, log } = await open(t);
  const other = await EntryStore.start({ log, now: () => now });
  t.teardown(() => other.stop());
  const both = await Promise.all([store, other].map((one) => one.create([draft()])));
  const results = both.flat();
  t.equal(results.filter(({ conflict }) => conflict === undefined).length, 1);
  t.equal(results[0]?.entry.id, results[1]?.entry.id);
});

t.test(
  "an update changes the entry, adds one to its revision, and keeps ID and creation time",
  async (t) => {
    const { store } = await open(t);
    const [created] = await store.create([draft()]);
    const before = entryOf(created?.entry);
    now = new Date(now.getTime() + 60_000);
    const [after] = await store.update([
      {
        id: before.id,
        change: (entry) => ({ ...entry, hint: "new", id: "ignored", revisionNumber: 99 }),
      },
    ]);
    t.strictSame(after, { ...before, hint: "new", revisionNumber: 1 });
    t.strictSame(store.get(before.id), after);
  },
);

t.test("updates of one entry made at once each count", async (t) => {
  const { store } = await open(t);
  const [created] = await store.create([draft()]);
  const id = entryOf(created?.entry).id;
  const change = (entry: RegistrationEntry): RegistrationEntry => ({
    ...entry,
    x509SvidTtlSeconds: entry.x509SvidTtlSeconds + 1,
  });
  await Promise.all(Array.from({ length: 50 }, () => store.update([{ id, change }])));
  t.equal(store.get(id)?.x509SvidTtlSeconds, 50);
  t.equal(store.get(id)?.revisionNumber, 50);
});

t.test(
  "refuses an update that would make two entries the same, and says why for each item",
  async (t) => {
    const { store } = await open(t);
    const [one, two] = (await store.create([workload(1), workload(2)])).map(({ entry }) => entry);
    const take = (spiffeId: string) => (entry: RegistrationEntry) => ({ ...entry, spiffeId });
    const results = await store.update([
      { id: one?.id ?? "", change: take("spiffe://north.test/w/2") },
      { id: "none", change: take("spiffe://north.test/w/9") },
      {
        id: two?.id ?? "",
        change: () => {
          throw new IdentityError("ENTRY_INVALID", 3, "no");
        },
      },
    ]);
    t.match(results, [
      { name: "IdentityError", reason: "ENTRY_ALREADY_EXISTS" },
      { reason: "ENTRY_NOT_FOUND", code: 5 },
      { name: "IdentityError", reason: "ENTRY_INVALID" },
    ]);
    t.equal(store.get(one?.id ?? "")?.revisionNumber, 0);
  },
);

t.test(
  "an identity that an update or a deletion set free can be taken, in the same batch too",
  async (t) => {
    const { store } = await open(t);
    const [one, two] = (await store.create([workload(1), workload(2)])).map(
      ({ entry }) => entry.id,
    );
    const take = (spiffeId: string) => (entry: RegistrationEntry) => ({ ...entry, spiffeId });
    const moved = await store.update([
      { id: one ?? "", change: take("spiffe://north.test/w/3") },
      { id: two ?? "", change: take("spiffe://north.test/w/1") },
    ]);
    t.notOk(moved.some((result) => result instanceof IdentityError));
    t.equal((await store.create([workload(2)]))[0]?.conflict, undefined);
    t.equal((await store.create([workload(1)]))[0]?.conflict?.reason, "ENTRY_ALREADY_EXISTS");
    await store.delete([two ?? ""]);
    t.equal((await store.create([workload(1)]))[0]?.conflict, undefined);
  },
);

t.test("an unexpected failure within an update fails the call, not one item", async (t) => {
  const { store } = await open(t);
  const [created] = await store.create([draft()]);
  const change = (): never => {
    throw new TypeError("a bug");
  };
  await t.rejects(store.update([{ id: entryOf(created?.entry).id, change }]), TypeError);
});

t.test("deletes entries and says which were not there", async (t) => {
  const { store } = await open(t);
  const ids = (await store.create([workload(1), workload(2)])).map(({ entry }) => entry.id);
  const results = await store.delete([ids[0] ?? "", "none", ids[0] ?? ""]);
  t.match(results, [
    { id: ids[0] },
    { name: "IdentityError", reason: "ENTRY_NOT_FOUND" },
    { name: "IdentityError", reason: "ENTRY_NOT_FOUND" },
  ]);
  t.equal(store.size, 1);
});

t.test("prunes what has expired and nothing else", async (t) => {
  const { store, log } = await open(t);
  const seconds = Math.floor(now.getTime() / 1000);
  const expiring = Array.from({ length: 700 }, (_, i) =>
    workload(i, { expiresAtUnixSeconds: seconds + 10 }),
  );
  for (let i = 0; i < expiring.length; i += 350) await store.create(expiring.slice(i, i + 350));
  await store.create([workload(1000), workload(1001, { expiresAtUnixSeconds: seconds + 11 })]);
  t.strictSame(await store.pruneExpired(), []);
  now = new Date((seconds + 10) * 1000);
  const before = log.revision;
  t.equal((await store.pruneExpired()).length, 700);
  t.equal(log.revision, before + 2, "in two commits");
  t.equal(store.size, 2);
});

t.test("an entry prolonged while it is pruned stays", async (t) => {
  const { store } = await open(t);
  const seconds = Math.floor(now.getTime() / 1000);
  const [created] = await store.create([draft({ expiresAtUnixSeconds: seconds - 1 })]);
  const id = entryOf(created?.entry).id;
  const prolonging = store.update([
    { id, change: (entry) => ({ ...entry, expiresAtUnixSeconds: 0 }) },
  ]);
  const pruned = await store.pruneExpired();
  await prolonging;
  t.ok(
    (pruned.length === 0) === (store.get(id) !== undefined),
    "it was pruned before, or is there",
  );
});

t.test("tells of every change, with what was before, in order", async (t) => {
  const { store } = await open(t);
  const seen: [string | undefined, string | undefined, number][] = [];
  const end = store.onChange((changes, revision) => {
    for (const { before, after } of changes) seen.push([before?.hint, after?.hint, revision]);
  });
  const [created] = await store.create([draft({ hint: "a" })]);
  const id = entryOf(created?.entry).id;
  await store.update([{ id, change: (entry) => ({ ...entry, hint: "b" }) }]);
  await store.delete([id]);
  end();
  await store.create([draft({ hint: "c" })]);
  t.strictSame(seen, [
    [undefined, "a", 1],
    ["a", "b", 2],
    ["b", undefined, 3],
  ]);
});

t.test("everything is there for the next one that opens the store", async (t) => {
  const { store, log } = await open(t);
  await store.create(Array.from({ length: 300 }, (_, i) => workload(i)));
  const again = await EntryStore.start({ log, now: () => now });
  t.teardown(() => again.stop());
  const byId = (a: RegistrationEntry, b: RegistrationEntry): number => (a.id < b.id ? -1 : 1);
  t.strictSame([...again.values()].sort(byId), [...store.values()].sort(byId));
  t.equal(again.revision, log.revision);
});

t.test("what makes an entry unique cannot be imitated by odd values", async (t) => {
  const key = (selectors: [string, string][], parentId = "p", spiffeId = "s"): string =>
    identityKey({
      parentId,
      spiffeId,
      selectors: selectors.map(([type, value]) => ({ type, value })),
    });
  const keys = [
    key([
      ["a", "b"],
      ["c", "d"],
    ]),
    key([["a", 'b"],["c","d']]),
    key([["a", "b"]]),
    key([["a", "b"]], "s", "p"),
    key([["a", "b,c"]]),
    key([["a,b", "c"]]),
  ];
  t.equal(new Set(keys).size, keys.length);
  t.equal(
    key([
      ["a", "b"],
      ["c", "d"],
    ]),
    key([
      ["c", "d"],
      ["a", "b"],
    ]),
    "the order does not matter",
  );
});
