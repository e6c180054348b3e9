// Which entries an agent may serve: parents, aliases, cycles, expiry; and the indexes behind it.

import t, { type Test } from "tap";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import type { Selector } from "../../../proto/types/selector.ts";
import { AuthorizedEntries } from "../../../server/entries/authorized.ts";
import { EntryIndex } from "../../../server/entries/index.ts";
import { type EntryDraft, EntryStore } from "../../../server/store/entries.ts";
import { draft, openTestLog } from "../../support/test-store.ts";

const AGENT = "spiffe://north.test/spire/agent/join_token/one";
const OTHER = "spiffe://north.test/spire/agent/join_token/two";
const SERVER = "spiffe://north.test/spire/server";

interface World {
  readonly store: EntryStore;
  readonly index: EntryIndex;
  readonly authorized: AuthorizedEntries;
  readonly nodes: Map<string, { selectors: Selector[] }>;
  readonly time: { now: Date };
  /** Creates entries, given as "ID: parent -> SPIFFE ID", both as paths. */
  add(...entries: string[]): Promise<void>;
  /** IDs of what an agent may serve, and of what `find` grants: must be the same. */
  serves(agentId: string): string[];
}

async function world(t: Test): Promise<World> {
  const log = await openTestLog(t);
  const time = { now: new Date("2026-01-01T00:00:00Z") };
  const now = (): Date => time.now;
  const store = await EntryStore.start({ log, now });
  t.teardown(() => store.stop());
  const index = new EntryIndex({ source: store, trustDomain: TrustDomain.parse("north.test") });
  const nodes = new Map<string, { selectors: Selector[] }>(
    [AGENT, OTHER].map((id) => [id, { selectors: [] }]),
  );
  const authorized = new AuthorizedEntries({ index, nodes, now });
  return {
    store,
    index,
    authorized,
    nodes,
    time,
    async add(...entries) {
      for (const text of entries) {
        const [, id = "", parent = "", path = ""] = /^(\S+): (\S+) -> (\S+)$/.exec(text) ?? [];
        const parentId = parent.startsWith("spiffe:") ? parent : `spiffe://north.test${parent}`;
        await store.create([draft({ id, parentId, spiffeId: `spiffe://north.test${path}` })]);
      }
    },
    serves(agentId) {
      const listed = authorized.entriesOf(agentId).map(({ id }) => id);
      const granted = [...store.values()]
        .map(({ id }) => id)
        .filter((id) => authorized.isAuthorized(agentId, id));
      t.strictSame(listed.sort(), granted.sort(), "the walk down and the walk up agree");
      for (const { spiffeId } of [...store.values()]) {
        const isListed = listed.some((id) => index.get(id)?.spiffeId === spiffeId);
        t.equal(authorized.serves(agentId, spiffeId), isListed, spiffeId);
      }
      return listed;
    },
  };
}

t.test("an agent serves what is below it, at any depth, and nothing of others", async (t) => {
  const { add, serves, authorized } = await world(t);
  await add(
    `a: ${AGENT} -> /a`,
    "b: /a -> /b",
    "c: /b -> /c",
    `d: ${OTHER} -> /d`,
    "e: /d -> /e",
    "f: /nowhere -> /f",
  );
  t.strictSame(serves(AGENT), ["a", "b", "c"]);
  t.strictSame(serves(OTHER), ["d", "e"]);
  t.equal(authorized.find(AGENT, "c")?.spiffeId, "spiffe://north.test/c");
  t.equal(authorized.find(AGENT, "d"), undefined);
  t.equal(authorized.find(AGENT, "none"), undefined);
});

t.test("an alias whose selectors the node has brings its entries", async (t) => {
  const { store, add, serves, nodes } = await world(t);
  nodes.set(AGENT, {
    selectors: [
      { type: "k8s_psat", value: "cluster:a" },
      { type: "k8s_psat", value: "agent_ns:x" },
    ],
  });
  const alias = (id: string, selectors: [string, string][]): EntryDraft => ({
    ...draft(),
    id,
    parentId: SERVER,
    spiffeId: `spiffe://north.test/${id}`,
    selectors: selectors.map(([type, value]) => ({ type, value })),
  });
  await store.create([
    alias("one", [["k8s_psat", "cluster:a"]]),
    alias("both", [
      ["k8s_psat", "agent_ns:x"],
      ["k8s_psat", "cluster:a"],
    ]),
    alias("more", [
      ["k8s_psat", "cluster:a"],
      ["k8s_psat", "cluster:b"],
    ]),
    alias("self", [["spiffe_id", AGENT]]),
  ]);
  await add(
    "w1: /one -> /w1",
    "w2: /both -> /w2",
    "w3: /more -> /w3",
    "w4: /self -> /w4",
    "w5: /w1 -> /w5",
  );
  t.strictSame(serves(AGENT), ["both", "one", "self", "w1", "w2", "w4", "w5"]);
  t.strictSame(serves(OTHER), []);
  nodes.set(AGENT, { selectors: [] });
  t.strictSame(serves(AGENT), ["self", "w4"]);
});

t.test("parents that form a circle end the walk", async (t) => {
  const { add, serves } = await world(t);
  await add("a: /c -> /a", "b: /a -> /b", "c: /b -> /c", "self: /self -> /self");
  t.strictSame(serves(AGENT), []);
  await add(`in: ${AGENT} -> /b`);
  t.strictSame(serves(AGENT), ["a", "b", "c", "in"]);
});

t.test("an entry reached on two ways is given once", async (t) => {
  const { add, serves } = await world(t);
  await add(`a: ${AGENT} -> /x`, `b: ${AGENT} -> /y`, "c: /y -> /x", "d: /x -> /d");
  t.strictSame(serves(AGENT), ["a", "b", "c", "d"]);
});

t.test("an expired entry is not served, nor what hangs on it alone", async (t) => {
  const { store, add, serves, time } = await world(t);
  const expiresAtUnixSeconds = time.now.getTime() / 1000 + 10;
  await store.create([
    draft({ id: "a", parentId: AGENT, spiffeId: "spiffe://north.test/a", expiresAtUnixSeconds }),
  ]);
  await add("b: /a -> /b");
  t.strictSame(serves(AGENT), ["a", "b"]);
  time.now = new Date(expiresAtUnixSeconds * 1000);
  t.strictSame(serves(AGENT), []);
});

t.test("who is not an attested agent may serve nothing", async (t) => {
  const { add, authorized } = await world(t);
  await add("a: /unknown -> /a");
  t.strictSame(authorized.entriesOf("spiffe://north.test/unknown"), []);
  t.equal(authorized.find("spiffe://north.test/unknown", "a"), undefined);
});

t.test("names the IDs under which a new entry would concern the agent", async (t) => {
  const { add, authorized } = await world(t);
  await add(`a: ${AGENT} -> /a`, "b: /a -> /b", "c: /other -> /c");
  t.strictSame(
    [...authorized.reach(AGENT).parentIds].sort(),
    ["spiffe://north.test/a", "spiffe://north.test/b", AGENT].sort(),
  );
});

t.test("follows every change of an entry", async (t) => {
  const { store, add, serves, index } = await world(t);
  await add(`a: ${AGENT} -> /a`, "b: /a -> /b");
  const seen: string[] = [];
  index.onChange((changes) => {
    for (const { id, after } of changes) seen.push(`${id} ${index.get(id) === after}`);
  });
  await store.update([{ id: "a", change: (entry) => ({ ...entry, parentId: OTHER }) }]);
  t.strictSame(serves(AGENT), []);
  t.strictSame(serves(OTHER), ["a", "b"]);
  await store.update([
    { id: "a", change: (entry) => ({ ...entry, spiffeId: "spiffe://north.test/c" }) },
  ]);
  t.strictSame(serves(OTHER), ["a"]);
  await store.delete(["a"]);
  t.strictSame(serves(OTHER), []);
  t.strictSame(seen, ["a true", "a true", "a true"]);
  t.equal(index.isParent(AGENT), false);
  t.equal(index.isParent("spiffe://north.test/a"), true);
});

t.test("ten thousand entries below one agent, in a chain of a thousand", async (t) => {
  const { store, authorized } = await world(t);
  const chain = Array.from({ length: 1000 }, (_, i) =>
    draft({
      id: `c${i}`,
      parentId: i === 0 ? AGENT : `spiffe://north.test/c/${i - 1}`,
      spiffeId: `spiffe://north.test/c/${i}`,
    }),
  );
  const wide = Array.from({ length: 9000 }, (_, i) =>
    draft({ id: `w${i}`, parentId: AGENT, spiffeId: `spiffe://north.test/w/${i}` }),
  );
  for (const batch of [chain, wide.slice(0, 4500), wide.slice(4500)]) await store.create(batch);
  t.equal(authorized.entriesOf(AGENT).length, 10_000);
  t.ok(authorized.isAuthorized(AGENT, "c999"));
});
