// What guards are told of tasks: everything first, changes in the turn in which they come, beats; one who
// reads slowly misses nothing in the end.

import t from "tap";
import { type TaskStatus, TaskStatusCache } from "../../../agent/cache/task-status.ts";
import { BEAT_MS, StatusBroadcast } from "../../../agent/guard/broadcast.ts";
import { newUlid } from "../../../pki/task-id.ts";
import { GuardService, type signet, TaskVerdict } from "../../../proto/schema.gen.ts";
import { TestClock } from "../../support/clock.ts";

const NOW = "2030-01-01T00:00:00Z";
const { response } = GuardService.methods.watchStatus;
type Message = signet.guard.v1.WatchStatusResponse;

let count = 0;
function statusOf(verdict: TaskStatus["verdict"], more: Partial<TaskStatus> = {}): TaskStatus {
  const random = new Uint8Array(10);
  new DataView(random.buffer).setUint32(6, ++count);
  const taskId = newUlid(new Date(NOW), random);
  return {
    taskId,
    spiffeId: `spiffe://north.test/bot/task/${taskId}`,
    verdict,
    version: 2,
    forgetAt: new Date("2030-01-01T00:10:00Z"),
    reason: "",
    state: verdict === "ended" ? "REVOKED" : "SUSPENDED",
    ...more,
  };
}

function setUp(): {
  clock: TestClock;
  taskStatus: TaskStatusCache;
  broadcast: StatusBroadcast;
  watch: () => { next(): Promise<Message>; bytes(): Promise<Buffer>; stop(): Promise<void> };
} {
  const clock = new TestClock(NOW);
  const taskStatus = new TaskStatusCache({ clock, ask: () => undefined });
  const broadcast = new StatusBroadcast({ taskStatus, clock });
  const watch = () => {
    const abort = new AbortController();
    const stream = broadcast.watch(abort.signal);
    const bytes = async (): Promise<Buffer> => {
      const { value } = await stream.next();
      if (value === undefined) throw new Error("the stream ended");
      return value.framed;
    };
    return {
      bytes,
      next: async () => response.decode((await bytes()).subarray(5)),
      stop: async () => {
        abort.abort();
        await stream.next();
      },
    };
  };
  return { clock, taskStatus, broadcast, watch };
}

const change = (tasks: readonly TaskStatus[]) => ({ tasks, classes: [], removedClasses: [] });

t.test("first comes everything that is to be refused, then each change at once", async (t) => {
  const { taskStatus, watch } = setUp();
  taskStatus.heard();
  const held = statusOf("refused");
  const classes = [{ name: "sensitive", failMode: "closed", requirePop: true }] as const;
  taskStatus.replaceAll({ tasks: [held], classes });
  const watcher = watch();
  const first = await watcher.next();
  t.match(first, { reset: true, complete: true, fresh: true, classes });
  t.match(first.tasks, [
    {
      taskId: held.taskId,
      spiffeId: held.spiffeId,
      verdict: TaskVerdict.REFUSED,
      version: 2,
      state: "SUSPENDED",
      forgetAt: Date.parse("2030-01-01T00:10:00Z") / 1000,
    },
  ]);
  const next = watcher.next();
  const ended = statusOf("ended");
  taskStatus.apply(change([ended, { ...held, verdict: "good", version: 3 }]));
  const news = await next;
  t.match(news, { reset: false, complete: true });
  t.match(news.tasks, [
    { taskId: ended.taskId, verdict: TaskVerdict.ENDED },
    { taskId: held.taskId, verdict: TaskVerdict.GOOD, version: 3 },
  ]);
  await watcher.stop();
});

t.test("all who watch share the bytes of a message", async (t) => {
  const { taskStatus, watch } = setUp();
  taskStatus.apply(change([statusOf("ended")]));
  const watchers = [watch(), watch(), watch()];
  const first = await Promise.all(watchers.map((one) => one.bytes()));
  t.ok(first.every((bytes) => bytes === first[0]));
  const next = watchers.map((one) => one.bytes());
  taskStatus.apply(change([statusOf("ended")]));
  const news = await Promise.all(next);
  t.ok(news.every((bytes) => bytes === news[0]));
  for (const watcher of watchers) await watcher.stop();
});

t.test("a beat comes every second and says when the server is not heard any more", async (t) => {
  const { clock, taskStatus, watch, broadcast } = setUp();
  taskStatus.heard();
  const watcher = watch();
  t.match(await watcher.next(), { fresh: true, complete: true });
  const beat = watcher.next();
  await clock.advance(BEAT_MS);
  t.match(await beat, { reset: false, tasks: [], fresh: true, complete: true });
  let message = watcher.next();
  await clock.advance(10_000);
  while ((await message).fresh) message = watcher.next();
  t.match(await message, { fresh: false, complete: true });
  const again = watcher.next();
  taskStatus.heard();
  t.match(await again, { fresh: true }, "and at once when it is heard again");
  await watcher.stop();
  t.equal(broadcast.size, 0);
  t.equal(clock.timers, 0, "nothing is left running for nobody");
});

t.test("many come in pages, of which the last one completes the list", async (t) => {
  const { taskStatus, watch } = setUp();
  taskStatus.apply(change(Array.from({ length: 4500 }, () => statusOf("ended"))));
  const watcher = watch();
  const pages = [await watcher.next()];
  taskStatus.apply(change([statusOf("refused")]));
  pages.push(await watcher.next(), await watcher.next(), await watcher.next());
  t.same(
    pages.map(({ reset, complete, tasks }) => [reset, complete, tasks.length]),
    [
      [true, false, 2000],
      [false, false, 2000],
      [false, true, 500],
      [false, true, 1],
    ],
    "what changes while they are sent comes after them",
  );
  await watcher.stop();
});

t.test("one who does not read is started over and misses no task", async (t) => {
  const { taskStatus, watch } = setUp();
  const [slow, quick] = [watch(), watch()];
  await Promise.all([slow.next(), quick.next()]);
  const all: string[] = [];
  for (let i = 0; i < 600; i++) {
    const status = statusOf("ended");
    all.push(status.taskId);
    const read = quick.next();
    taskStatus.apply(change([status]));
    if ((await read).tasks[0]?.taskId !== status.taskId) t.fail("the quick one has missed a task");
  }
  const known = new Set<string>();
  for (let isThere = false; !isThere; ) {
    const message = await slow.next();
    if (message.reset) known.clear();
    for (const { taskId } of message.tasks) known.add(taskId);
    isThere = known.has(all.at(-1) ?? "");
  }
  t.same([...known].sort(), all.sort());
  await slow.stop();
  await quick.stop();
});

t.test("a class that is gone starts everyone over", async (t) => {
  const { taskStatus, watch } = setUp();
  const rules = { name: "own", failMode: "closed", requirePop: false } as const;
  taskStatus.apply({ tasks: [], classes: [rules], removedClasses: [] });
  const watcher = watch();
  t.same((await watcher.next()).classes, [rules]);
  const next = watcher.next();
  taskStatus.apply({ tasks: [], classes: [], removedClasses: ["own"] });
  t.match(await next, { reset: true, classes: [], complete: true });
  await watcher.stop();
});
