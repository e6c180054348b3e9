// One agent's session: what is pending, what is confirmed, how it ends.
import t from "tap";
import { serverError } from "../../../server/errors.ts";
import { Session } from "../../../server/link/session.ts";
import { settle } from "../../support/clock.ts";

function session(maxPending = 3): { session: Session; progress: () => number } {
  let count = 0;
  const made = new Session({
    agent: { id: "spiffe://north.test/spire/agent/x/one", version: "" },
    roots: new Set(),
    maxPending,
    onProgress: () => {
      count++;
    },
  });
  return { session: made, progress: () => count };
}

t.test("gives what came together as one step, and waits when there is nothing", async (t) => {
  const { session: s } = session();
  s.addEntry("a");
  s.addEntry("b");
  s.addEntry("a");
  s.addBundle("north.test");
  t.match(await s.next(), { kind: "delta", entryIds: new Set(["a", "b"]) });
  let step: unknown;
  void s.next().then((next) => {
    step = next;
  });
  await settle();
  t.equal(step, undefined);
  s.addEntry("c");
  await settle();
  t.equal(step, undefined, "until it is woken");
  s.wake();
  await settle();
  t.match(step, { entryIds: new Set(["c"]) });
});

t.test("gives everything again instead of more than it may hold", async (t) => {
  const { session: s } = session(3);
  for (const id of ["a", "b", "c", "d", "e"]) s.addEntry(id);
  t.same(await s.next(), { kind: "snapshot" });
  t.notOk(s.hasPending, "what was pending is in it");
});

t.test("moves a cursor with an empty delta", async (t) => {
  const { session: s } = session();
  s.moveCursor();
  t.same(await s.next(), {
    kind: "delta",
    entryIds: new Set(),
    trustDomains: new Set(),
    crls: new Set(),
    revocations: new Set(),
    tasks: new Set(),
    taskClasses: new Set(),
    reask: false,
  });
});

t.test("knows which bundle an agent has confirmed", async (t) => {
  const { session: s, progress } = session(100);
  t.equal(s.confirmedBundle, -1n);
  s.sent(5, 1n);
  s.sent(7, 1n);
  s.sent(9, 2n);
  s.confirmed(4);
  t.equal(s.confirmedBundle, -1n);
  t.equal(progress(), 0);
  s.confirmed(8);
  t.equal(s.confirmedBundle, 1n);
  s.confirmed(9);
  t.equal(s.confirmedBundle, 2n);
  t.equal(progress(), 2);
  for (let revision = 10; revision < 1000; revision++) s.sent(revision, 3n);
  s.confirmed(999);
  t.equal(s.confirmedBundle, 3n, "though the oldest of so many were forgotten");
});

t.test("ends with an error for the agent, or silently", async (t) => {
  const { session: banned } = session();
  const waiting = banned.next();
  banned.addEntry("a");
  banned.end(serverError("AGENT_BANNED", "banned"));
  banned.end();
  await t.rejects(waiting, { reason: "AGENT_BANNED", code: 7 });
  const { session: gone } = session();
  const quiet = gone.next();
  gone.end();
  t.equal(await quiet, undefined);
});
