// A node agent and a server between which answers are lost and late: what nobody holds ends, and what is being opened
// never does.
import t from "tap";
import { Orphans } from "../../../agent/tasks/orphans.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { settle, TestClock } from "../../support/clock.ts";
import { NODE, TaskServer } from "../../support/task-server.ts";
import { until } from "../../support/until.ts";

const lost = (): IdentityError =>
  new IdentityError("SERVER_UNREACHABLE", Status.unavailable, "lost on the way");

/** Does not expire while a test lasts. */
const LONG = { ttlSeconds: 8 * 3600 };

/** What the wire does to a call: its request and its answer are on their way until the test lets them arrive. */
class Wire {
  readonly #held: (() => void)[] = [];
  isHolding = false;

  async pass(): Promise<void> {
    if (!this.isHolding) return;
    await new Promise<void>((resolve) => this.#held.push(resolve));
  }

  release(): void {
    this.isHolding = false;
    for (const go of this.#held.splice(0)) go();
  }

  get waiting(): number {
    return this.#held.length;
  }
}

async function frame(t: Parameters<typeof TaskServer.start>[0]) {
  const server = await TaskServer.start(t);
  // Nothing ends here by being idle.
  await server.setClass("standard", { idleTimeoutSeconds: 0 });
  const { clock, tasks } = server;
  const held = new Set<string>();
  const answers = new Wire();
  const lists = new Wire();
  let asked = 0;
  const orphans = new Orphans({
    server: {
      endOrphans: async ({ mark = "", heldIds = [] }) => {
        asked++;
        if (mark !== "") await lists.pass();
        return tasks.endOrphans(NODE, mark, heldIds);
      },
    },
    heldIds: () => held,
    clock,
    random: () => 0,
    log: silentLogger,
  });
  t.teardown(() => orphans.stop());
  /** As the opener does. */
  const open = async (isLost = false): Promise<string> => {
    const settled = orphans.opening();
    try {
      const { task } = await server.open(LONG);
      if (isLost) throw Object.assign(lost(), { cause: task.id });
      await answers.pass();
      held.add(task.id);
      return task.id;
    } catch (error) {
      orphans.failed(error);
      throw error;
    } finally {
      settled();
    }
  };
  const loseOne = async (): Promise<string> => {
    const error = await open(true).catch((reason: Error) => reason);
    return String((error as Error).cause);
  };
  const stateOf = (id: string): string | undefined => tasks.get(id)?.state;
  return {
    server,
    clock,
    orphans,
    held,
    answers,
    lists,
    open,
    loseOne,
    stateOf,
    asked: () => asked,
  };
}

t.test("a task whose answer was lost ends, the others go on", async (t) => {
  const { clock, open, loseOne, stateOf } = await frame(t);
  const kept = await open();
  const gone = await loseOne();
  await clock.advance(10_000);
  t.equal(stateOf(gone), "ACTIVE", "its caller may ask again");
  await clock.advance(65_000);
  await until(() => stateOf(gone) === "ABANDONED");
  t.equal(stateOf(kept), "ACTIVE");
});

t.test("tasks of a former process of the node agent end when the link is there", async (t) => {
  const { server, clock, orphans, stateOf, asked } = await frame(t);
  const { task } = await server.open();
  await clock.advance(120_000);
  orphans.look();
  orphans.look();
  await clock.advance(2000);
  await until(() => stateOf(task.id) === "ABANDONED");
  t.equal(asked(), 2, "asked once, in two calls");
  orphans.look();
  await clock.advance(2000);
  t.equal(asked(), 3, "where there is no task, one call is enough");
});

t.test("one whose answer is late is waited for", async (t) => {
  const { clock, orphans, answers, open, stateOf, asked } = await frame(t);
  answers.isHolding = true;
  const opening = open();
  await until(() => answers.waiting === 1);
  await clock.advance(300_000);
  orphans.look();
  await clock.advance(2000);
  t.equal(asked(), 1, "nothing is said of what is held so far");
  answers.release();
  const id = await opening;
  await until(() => asked() === 2);
  await settle();
  t.equal(stateOf(id), "ACTIVE");
});

t.test(
  "one that is opened while the list is on its way goes on, however long that takes",
  async (t) => {
    const { clock, orphans, lists, open, stateOf } = await frame(t);
    await open();
    lists.isHolding = true;
    orphans.look();
    await clock.advance(2000);
    await until(() => lists.waiting === 1);
    const id = await open();
    await clock.advance(600_000);
    lists.release();
    await settle();
    t.equal(stateOf(id), "ACTIVE");
  },
);

t.test("whatever crosses: none that is held ends, and none that nobody holds stays", async (t) => {
  const { server, clock, orphans, answers, lists, open, loseOne, held } = await frame(t);
  // A generator of its own: a failure can be looked at again.
  let seed = 7;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const openings: Promise<unknown>[] = [];
  for (let step = 0; step < 150; step++) {
    const choice = random(8);
    if (choice < 3) openings.push(open());
    else if (choice === 3) openings.push(loseOne());
    else if (choice === 4) orphans.look();
    else if (choice === 5) answers.isHolding = lists.isHolding = true;
    else if (choice === 6) [answers, lists][random(2)]?.release();
    else await clock.advance(random(100_000));
  }
  answers.release();
  lists.release();
  await Promise.all(openings);
  // Each look that leaves something is followed by another.
  orphans.look();
  const isDone = (): boolean => server.store.size === held.size;
  for (let i = 0; i < 20 && !isDone(); i++) {
    await clock.advance(70_000);
    // The store writes to a disk, which knows nothing of the clock of tests.
    await until(isDone, 500).catch(() => undefined);
  }
  t.equal(server.store.size, held.size);
  const states = [...held].map((id) => server.tasks.get(id)?.state);
  t.ok(held.size > 20);
  t.same(new Set(states), new Set(["ACTIVE"]));
});

t.test("an older server is not asked again; one that cannot be reached is", async (t) => {
  const clock = new TestClock();
  let asked = 0;
  let error = lost();
  const server = { endOrphans: () => Promise.reject(++asked && error) };
  const of = { server, heldIds: () => [], clock, random: () => 0, log: silentLogger };
  const orphans = new Orphans(of);
  orphans.failed(new IdentityError("MANDATE_EXCEEDED", Status.permissionDenied, "no"));
  t.equal(clock.timers, 0, "what was refused was not opened");
  orphans.look();
  await clock.advance(2000);
  await clock.advance(30_000);
  t.equal(asked, 2);
  error = new IdentityError("METHOD_UNIMPLEMENTED", Status.unimplemented, "no such method");
  await clock.advance(30_000);
  t.equal(asked, 3);
  t.equal(clock.timers, 0);
  orphans.look();
  orphans.stop();
  t.equal(clock.timers, 0);
});
