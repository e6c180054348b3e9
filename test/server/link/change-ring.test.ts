// What is remembered of recent changes, and what is forgotten.
import t from "tap";
import { ChangeRing } from "../../../server/link/change-ring.ts";

const AGENT = "spiffe://north.test/spire/agent/x/one";
const ROOTS: ReadonlySet<string> = new Set([AGENT, "spiffe://north.test/pool"]);
const effect = (entryId: string, roots: readonly string[], structural = false) => ({
  entryId,
  roots,
  structural,
});

t.test(
  "answers with the entries below an agent's roots that changed after a revision",
  async (t) => {
    const ring = new ChangeRing({ revision: 10, capacity: 100 });
    ring.add({ revision: 11, ...effect("a", [AGENT]) });
    ring.add({ revision: 12, ...effect("b", ["spiffe://north.test/other"]) });
    ring.add({ revision: 12, ...effect("c", ["spiffe://north.test/pool"]) });
    ring.add({ revision: 13, ...effect("a", [AGENT]) });
    t.same(ring.missed(AGENT, ROOTS, 10), new Set(["a", "c"]));
    t.same(ring.missed(AGENT, ROOTS, 12), new Set(["a"]));
    t.same(ring.missed(AGENT, ROOTS, 13), new Set());
    t.equal(ring.missed(AGENT, ROOTS, 9), undefined, "before it began everything is in doubt");
  },
);

t.test("gives up on changes that moved more than one entry", async (t) => {
  const ring = new ChangeRing({ revision: 0, capacity: 100 });
  ring.add({ revision: 1, ...effect("elsewhere", ["spiffe://north.test/other"], true) });
  t.same(ring.missed(AGENT, ROOTS, 0), new Set());
  ring.add({ revision: 2, ...effect("parent", [AGENT], true) });
  t.equal(ring.missed(AGENT, ROOTS, 1), undefined);
  t.same(ring.missed(AGENT, ROOTS, 2), new Set());
  ring.add({ revision: 3, ...effect("alias", []), aliasOf: (id) => id === AGENT });
  t.equal(ring.missed(AGENT, ROOTS, 2), undefined, "an alias of the agent");
  t.same(ring.missed("spiffe://north.test/spire/agent/x/two", new Set(["two"]), 2), new Set());
  ring.addReselected(AGENT, 4);
  t.equal(ring.missed(AGENT, ROOTS, 3), undefined, "the agent's own selectors");
  t.same(ring.missed(AGENT, ROOTS, 4), new Set());
});

t.test("forgets the oldest changes, and says when cursors fall behind", async (t) => {
  const ring = new ChangeRing({ revision: 0, capacity: 10 });
  const stale: number[] = [];
  for (let revision = 1; revision <= 35; revision++) {
    ring.add({ revision, ...effect(`e${revision}`, [AGENT]) });
    const before = ring.takeStaleBefore();
    if (before !== undefined) stale.push(before);
  }
  t.equal(ring.missed(AGENT, ROOTS, 24), undefined);
  t.equal(ring.missed(AGENT, ROOTS, 25)?.size, 10);
  t.ok(stale.length >= 6, "twice for each length of the ring");
  t.ok(
    stale.every((revision, i) => revision > (stale[i - 1] ?? 0)),
    "later and later",
  );
});
