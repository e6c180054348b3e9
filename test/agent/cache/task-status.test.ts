// The deny list of tasks: ends last, newer states win, listeners hear at once; and how current it is.
import t from "tap";
import {
  type TaskStatus,
  TaskStatusCache,
  type TaskStatusChange,
  type TaskVerdict,
} from "../../../agent/cache/task-status.ts";
import { TestClock } from "../../support/clock.ts";

const FORGET = new Date("2030-01-01T01:00:00Z");

function status(taskId: string, verdict: TaskVerdict, version = 1, forgetAt = FORGET): TaskStatus {
  const spiffeId = `spiffe://north.test/agent/task/${taskId}`;
  return { taskId, spiffeId, verdict, version, forgetAt, state: verdict, reason: "" };
}

function frame() {
  const clock = new TestClock("2030-01-01T00:00:00Z");
  let asked = 0;
  const cache = new TaskStatusCache({ clock, ask: () => (asked += 1) });
  const seen: TaskStatusChange[] = [];
  cache.onChange((change) => seen.push(change));
  const apply = (...tasks: TaskStatus[]): void =>
    cache.apply({ tasks, classes: [], removedClasses: [] });
  return { clock, cache, seen, apply, asked: () => asked };
}

t.test("what is refused is told in the same turn, and once", async (t) => {
  const { cache, seen, apply } = frame();
  apply(status("a", "refused", 2));
  t.equal(cache.get("a")?.verdict, "refused");
  t.strictSame(seen, [{ tasks: [status("a", "refused", 2)], classes: [], removedClasses: [] }]);
  apply();
  t.equal(seen.length, 1, "nothing new is not told");
  apply(status("a", "good", 3));
  t.equal(cache.get("a"), undefined);
  t.equal(seen[1]?.tasks[0]?.verdict, "good");
});

t.test("an older state does not take the place of a newer one", async (t) => {
  const { cache, apply } = frame();
  apply(status("a", "refused", 5));
  apply(status("a", "good", 4));
  t.equal(cache.get("a")?.verdict, "refused");
});

t.test("an end is told also where the clock says that it does not matter any more", async (t) => {
  const { cache, seen, apply } = frame();
  const before = new Date("2029-12-31T23:00:00Z");
  apply(status("a", "ended", 2, before), status("b", "refused", 2, before));
  t.strictSame(seen[0]?.tasks, [status("a", "ended", 2, before)], "by a clock that is ahead");
  t.equal(cache.size, 0);
});

t.test(
  "nothing follows an end: no later version, no snapshot without it, no older version before it",
  async (t) => {
    const { cache, seen, apply } = frame();
    apply(status("a", "refused", 9), status("a", "ended", 3));
    t.equal(cache.get("a")?.verdict, "ended", "this node knew of it before the server did");
    apply(status("a", "good", 10));
    cache.replaceAll({ tasks: [], classes: [] });
    t.equal(cache.get("a")?.verdict, "ended");
    const told = seen.length;
    const later = new Date("2030-01-01T02:00:00Z");
    apply(status("a", "ended", 10, later));
    t.equal(cache.get("a")?.forgetAt, later, "the server says how long it matters");
    t.equal(seen.length, told);
  },
);

t.test("a snapshot frees who is not in it", async (t) => {
  const { cache, seen, apply } = frame();
  apply(status("a", "refused"), status("b", "refused"));
  const rules = { name: "sensitive", failMode: "closed", requirePop: true } as const;
  cache.replaceAll({ tasks: [status("b", "refused")], classes: [rules] });
  t.strictSame(
    [...cache.refused()].map(({ taskId }) => taskId),
    ["b"],
  );
  t.match(seen.at(-1)?.tasks, [{ taskId: "a", verdict: "good" }, { taskId: "b" }]);
  t.strictSame([...cache.classes.values()], [rules]);
  cache.replaceAll({ tasks: [], classes: [] });
  t.strictSame(seen.at(-1)?.removedClasses, ["sensitive"]);
});

t.test("a task is forgotten when none of its credentials can be good any more", async (t) => {
  const { clock, cache, apply } = frame();
  apply(status("a", "ended"));
  await clock.advance(3_600_000);
  t.equal(cache.get("a"), undefined);
  t.strictSame([...cache.refused()], []);
  apply(status("b", "ended"));
  t.equal(cache.size, 0, "swept, and what is past is not taken in");
});

t.test(
  "is current for five seconds after the server was heard, and asks only while somebody watches",
  async (t) => {
    const { clock, cache, asked } = frame();
    t.notOk(cache.isFresh(), "nothing was heard yet");
    cache.heard();
    t.ok(cache.isFresh());
    await clock.advance(6000);
    t.notOk(cache.isFresh());
    t.equal(asked(), 0);
    const turns: boolean[] = [];
    const release = cache.onFreshness((isFresh) => turns.push(isFresh));
    t.equal(asked(), 1);
    cache.heard();
    await clock.advance(1000);
    t.equal(asked(), 1, "the server has just been heard");
    for (let i = 0; i < 6; i++) await clock.advance(1000);
    t.ok(asked() > 2);
    t.strictSame(turns, [false, true, false]);
    release();
    const before = asked();
    await clock.advance(10_000);
    t.equal(asked(), before);
  },
);

t.test("a clock that was set back makes nothing current", async (t) => {
  const { clock, cache } = frame();
  cache.heard();
  clock.step(-3_600_000);
  t.notOk(cache.isFresh());
});

t.test("what a stopped process finds in its sockets is not current", async (t) => {
  const { clock, cache, asked } = frame();
  const turns: boolean[] = [];
  t.teardown(cache.onFreshness((isFresh) => turns.push(isFresh)));
  cache.heard();
  await clock.advance(2000);
  // SIGSTOP, and SIGCONT a minute later: messages are read before any timer fires, and for a while.
  clock.step(60_000);
  cache.heard();
  t.notOk(cache.isFresh());
  await clock.advance(500);
  cache.heard();
  t.notOk(cache.isFresh(), "nor what is read next");
  const before = asked();
  await clock.advance(1500);
  t.ok(asked() > before, "the server is asked anew");
  cache.heard();
  t.ok(cache.isFresh(), "and its answer counts");
  t.strictSame(turns, [true, false, true]);
});
