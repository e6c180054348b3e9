// How the tasks of a node stand, as the server says: what it does not know is over, soon, whatever the clocks say.
import t from "tap";
import { HeldTask } from "../../../agent/tasks/held-task.ts";
import { Refresher } from "../../../agent/tasks/refresher.ts";
import type { Task } from "../../../agent/tasks/server.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { settle, TestClock } from "../../support/clock.ts";

const DAY_MS = 86_400_000;

function frame(openedMsAgo: number) {
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const openedAtMs = clock.now().getTime() - openedMsAgo;
  const task = { id: "a", version: 1n, openedAtMs } as unknown as Task;
  const record = {
    taskId: "a",
    spiffeId: "spiffe://north.test/ai/a/task/a",
    aiAgent: "spiffe://north.test/ai/a",
    taskClass: "standard",
    spki: "",
    uid: 1000,
    expiresAtMs: 0,
    federatesWith: [],
  };
  const held = new HeldTask({ record, task, process: undefined, leave: () => undefined });
  const state = { known: [] as Task[], lost: 0, asked: 0 };
  const refresher = new Refresher({
    server: {
      held: async () => {
        state.asked++;
        return state.known;
      },
    },
    get: () => held,
    learn: () => undefined,
    lost: () => {
      state.lost++;
    },
    clock,
    log: silentLogger,
  });
  return { clock, refresher, state, task };
}

t.test("what the server does not know is lost at once, unless it is young", async (t) => {
  const old = frame(60_000);
  old.refresher.refresh(["a"]);
  await settle();
  t.equal(old.state.lost, 1);
  const young = frame(1000);
  young.refresher.refresh(["a"]);
  await settle();
  t.equal(young.state.lost, 0, "the server that was asked may not have heard of it");
  young.state.known = [young.task];
  await young.clock.advance(60_000);
  t.equal(young.state.lost, 0);
});

t.test("by a clock that is a day behind it does not stay young for a day", async (t) => {
  const { clock, refresher, state } = frame(-DAY_MS);
  refresher.refresh(["a"]);
  await settle();
  t.equal(state.lost, 0);
  for (let i = 0; i < 4; i++) await clock.advance(5000);
  t.equal(state.lost, 1);
  t.equal(state.asked, 3);
});
