// The entry cache: which entries a set of selectors matches, in what order, and what a change amounts to.

import t from "tap";
import { EntryCache } from "../../../agent/cache/entries.ts";
import type { RegistrationEntry } from "../../../proto/types/entry.ts";
import { formatSelector, parseSelector } from "../../../proto/types/selector.ts";
import { entryOf } from "../../support/test-agent.ts";

const withSelectors = (id: string, ...selectors: string[]): RegistrationEntry =>
  entryOf(id, { selectors: selectors.map(parseSelector) });

const idsOf = (entries: readonly RegistrationEntry[]): string[] => entries.map(({ id }) => id);

t.test("an entry matches when all of its selectors are among the caller's", async (t) => {
  const cache = new EntryCache();
  cache.replaceAll([
    withSelectors("one", "a:1"),
    withSelectors("two", "a:1", "b:2"),
    withSelectors("other", "c:3"),
    withSelectors("none"),
  ]);
  t.strictSame(idsOf(cache.matching(new Set(["a:1"]))), ["one"]);
  t.strictSame(idsOf(cache.matching(new Set(["b:2", "a:1", "z:9"]))), ["one", "two"]);
  t.strictSame(idsOf(cache.matching(new Set(["b:2"]))), []);
  t.strictSame(idsOf(cache.matching(new Set())), [], "an entry without selectors matches nobody");
});

t.test("the oldest comes first, then by ID, whatever the order of arrival", async (t) => {
  const cache = new EntryCache();
  cache.apply([entryOf("b"), entryOf("z", { createdAtUnixSeconds: 1 }), entryOf("a")], []);
  t.strictSame(idsOf(cache.matching(new Set(["test:a"]))), ["z", "a", "b"]);
  cache.apply([entryOf("z", { createdAtUnixSeconds: 1, revisionNumber: 3 })], []);
  t.strictSame(idsOf(cache.matching(new Set(["test:a"]))), ["z", "a", "b"]);
});

t.test("the order of their making counts where it is known, more than any clock", async (t) => {
  const cache = new EntryCache();
  const later = { createdAtUnixSeconds: 1_700_000_100 };
  cache.apply(
    [
      entryOf("a", { creationOrder: 7 }),
      entryOf("z", { creationOrder: 3, ...later }),
      entryOf("x", later),
      entryOf("y"),
    ],
    [],
  );
  const order = () => idsOf(cache.matching(new Set(["test:a"])));
  t.strictSame(order(), ["y", "x", "z", "a"], "those of before it was recorded are older");
  const { current } = cache.apply([entryOf("z", { creationOrder: 9, ...later })], []);
  t.strictSame(idsOf(current), ["z"], "removed and made anew within a second");
  t.strictSame(order(), ["y", "x", "a", "z"]);
});

t.test("a snapshot replaces all, and says only what has changed", async (t) => {
  const cache = new EntryCache();
  cache.replaceAll([entryOf("a"), entryOf("b"), entryOf("c")]);
  const change = cache.replaceAll([
    entryOf("a"),
    entryOf("b", { revisionNumber: 1 }),
    entryOf("d"),
  ]);
  t.strictSame(idsOf(change.current), ["b", "d"]);
  t.strictSame(idsOf(change.former).sort(), ["b", "c"]);
  t.equal(cache.size, 3);
  t.equal(cache.get("c"), undefined);
});

t.test(
  "an entry made anew with the same ID is a change, though its revision starts again",
  async (t) => {
    const cache = new EntryCache();
    cache.replaceAll([entryOf("a")]);
    const again = entryOf("a", { createdAtUnixSeconds: 1_700_000_001 });
    t.strictSame(idsOf(cache.apply([again], []).current), ["a"]);
    const other = entryOf("a", {
      createdAtUnixSeconds: 1_700_000_001,
      spiffeId: "spiffe://north.test/x",
    });
    t.strictSame(idsOf(cache.apply([other], []).current), ["a"], "within the same second too");
    t.strictSame(idsOf(cache.apply([other], []).current), []);
  },
);

t.test("whether a kind of selector occurs is known as entries come and go", async (t) => {
  const cache = new EntryCache();
  t.notOk(cache.hasKind("unix:sha256"));
  cache.apply([withSelectors("a", "unix:sha256:ab"), withSelectors("b", "unix:sha256:cd")], []);
  t.ok(cache.hasKind("unix:sha256"));
  cache.apply([], ["a"]);
  t.ok(cache.hasKind("unix:sha256"));
  cache.apply([withSelectors("b", "unix:uid:1")], []);
  t.notOk(cache.hasKind("unix:sha256"));
});

t.test("answers as a plain search would, after thousands of changes", async (t) => {
  const cache = new EntryCache();
  const all = new Map<string, RegistrationEntry>();
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return seed % below;
  };
  for (let step = 0; step < 4000; step++) {
    const id = `e${random(900)}`;
    if (random(4) === 0) {
      cache.apply([], [id]);
      all.delete(id);
      continue;
    }
    // Most share a common selector, as entries of one uid do.
    const selectors = new Set(["unix:uid:0", `launch:name:${random(40)}`, `x:${random(9)}`]);
    for (const one of [...selectors]) if (random(3) === 0) selectors.delete(one);
    if (selectors.size === 0) selectors.add("unix:uid:0");
    const entry = entryOf(id, {
      selectors: [...selectors].map(parseSelector),
      revisionNumber: step,
      createdAtUnixSeconds: random(50),
    });
    cache.apply([entry], []);
    all.set(id, entry);
  }
  t.equal(cache.size, all.size);
  for (let round = 0; round < 60; round++) {
    const selectors = new Set(["unix:uid:0", `launch:name:${random(40)}`, `x:${random(9)}`]);
    const expected = [...all.values()]
      .filter((entry) => entry.selectors.every((one) => selectors.has(formatSelector(one))))
      .map(({ id }) => id)
      .sort();
    t.strictSame(idsOf(cache.matching(selectors)).sort(), expected);
  }
});
