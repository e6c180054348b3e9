// The four ways to compare sets, and lists and counts by filter.

import t from "tap";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import {
  compareSets,
  type EntryFilter,
  queryOf,
  type SetMatch,
} from "../../../server/entries/filter.ts";
import { EntryIndex } from "../../../server/entries/index.ts";
import { EntryStore } from "../../../server/store/entries.ts";
import { draft, openTestLog } from "../../support/test-store.ts";

const SETS: { candidate: string; wanted: string; matches: SetMatch[] }[] = [
  { candidate: "ab", wanted: "ba", matches: ["exact", "subset", "superset", "any"] },
  { candidate: "a", wanted: "ab", matches: ["subset", "any"] },
  { candidate: "abc", wanted: "ab", matches: ["superset", "any"] },
  { candidate: "ac", wanted: "ab", matches: ["any"] },
  { candidate: "c", wanted: "ab", matches: [] },
  { candidate: "", wanted: "ab", matches: [] },
];

for (const { candidate, wanted, matches } of SETS) {
  t.test(
    `{${candidate}} against {${wanted}} matches: ${matches.join(", ") || "nothing"}`,
    async (t) => {
      const all: SetMatch[] = ["exact", "subset", "superset", "any"];
      t.strictSame(
        all.filter((match) => compareSets([...candidate], new Set(wanted), match)),
        matches,
      );
    },
  );
}

const selector = (value: string): { type: string; value: string } => ({ type: "unix", value });

t.test("lists what a filter asks for, whichever index answers", async (t) => {
  const log = await openTestLog(t);
  const store = await EntryStore.start({ log, now: () => new Date() });
  t.teardown(() => store.stop());
  const index = new EntryIndex({ source: store, trustDomain: TrustDomain.parse("north.test") });
  await store.create([
    draft({
      id: "1",
      spiffeId: "spiffe://north.test/a",
      parentId: "spiffe://north.test/p",
      hint: "h",
    }),
    draft({
      id: "2",
      spiffeId: "spiffe://north.test/a",
      parentId: "spiffe://north.test/q",
      downstream: true,
    }),
    draft({
      id: "3",
      spiffeId: "spiffe://north.test/b",
      parentId: "spiffe://north.test/p",
      selectors: [selector("x"), selector("y")],
    }),
    draft({
      id: "4",
      spiffeId: "spiffe://north.test/c",
      parentId: "spiffe://north.test/p",
      federatesWith: ["south.test"],
    }),
  ]);
  const rows: [EntryFilter, string][] = [
    [{}, "1234"],
    [{ spiffeId: "spiffe://north.test/a" }, "12"],
    [{ parentId: "spiffe://north.test/p" }, "134"],
    [{ parentId: "spiffe://north.test/p", spiffeId: "spiffe://north.test/a" }, "1"],
    [{ parentId: "spiffe://north.test/none" }, ""],
    [{ hint: "h" }, "1"],
    [{ hint: "" }, "234"],
    [{ downstream: true }, "2"],
    [{ downstream: false, parentId: "spiffe://north.test/q" }, ""],
    [{ selectors: { match: "any", selectors: [selector("x")] } }, "3"],
    [{ selectors: { match: "exact", selectors: [selector("y"), selector("x")] } }, "3"],
    [{ selectors: { match: "exact", selectors: [selector("x")] } }, ""],
    [{ federatesWith: { match: "superset", trustDomains: ["south.test"] } }, "4"],
  ];
  for (const [filter, expected] of rows) {
    const query = queryOf(filter);
    const { entries } = index.list(query, { limit: 10 });
    t.equal(entries.map(({ id }) => id).join(""), expected, JSON.stringify(filter));
    t.equal(index.count(query), expected.length);
    const second = index.list(query, { limit: 10, after: "1" }).entries.map(({ id }) => id);
    t.equal(second.join(""), expected.replace("1", ""));
  }
});

t.test("pages through entries by ID while some come and go", async (t) => {
  const log = await openTestLog(t);
  const store = await EntryStore.start({ log, now: () => new Date() });
  t.teardown(() => store.stop());
  const index = new EntryIndex({ source: store, trustDomain: TrustDomain.parse("north.test") });
  const named = (id: string): ReturnType<typeof draft> =>
    draft({ id, spiffeId: `spiffe://north.test/${id}` });
  await store.create(["b", "d", "f", "h"].map(named));
  const first = index.list({}, { limit: 2 });
  t.strictSame(
    first.entries.map(({ id }) => id),
    ["b", "d"],
  );
  await store.delete(["d"]);
  await store.create([named("a"), named("e")]);
  const second = index.list(
    {},
    { limit: 2, ...(first.next === undefined ? {} : { after: first.next }) },
  );
  t.strictSame(
    second.entries.map(({ id }) => id),
    ["e", "f"],
  );
  const last = index.list(
    {},
    { limit: 2, ...(second.next === undefined ? {} : { after: second.next }) },
  );
  t.strictSame(
    last.entries.map(({ id }) => id),
    ["h"],
  );
  t.equal(last.next, undefined);
});
