// Clocks: the machine's and the one tests move.

import t from "tap";
import { onClockSetBack, systemClock } from "../../runtime/clock.ts";
import { TestClock } from "../support/clock.ts";

t.test("a timer of the system clock fires once, not before its time", async (t) => {
  const before = performance.now();
  await new Promise<void>((resolve) => systemClock.setTimer(20, resolve, { keepAlive: true }));
  t.ok(performance.now() - before >= 20);
  await new Promise<void>((resolve) =>
    systemClock.setTimer(new Date(Date.now() + 20), resolve, { keepAlive: true }),
  );
  await new Promise<void>((resolve) =>
    systemClock.setTimer(new Date(0), resolve, { keepAlive: true }),
  );
});

t.test(
  "a timer of a hundred years neither fires at once nor keeps the process alive",
  async (t) => {
    let fired = 0;
    const century = 100 * 365 * 86_400_000;
    const timers = [
      systemClock.setTimer(century, () => fired++),
      systemClock.setTimer(new Date(Date.now() + century), () => fired++),
    ];
    await systemClock.sleep(30);
    t.equal(fired, 0);
    for (const timer of timers) timer.cancel();
  },
);

t.test("a cancelled timer does not fire, nor one whose scope has ended", async (t) => {
  let fired = 0;
  const timer = systemClock.setTimer(5, () => fired++);
  timer.cancel();
  timer.cancel();
  {
    using _scoped = systemClock.setTimer(5, () => fired++);
  }
  await systemClock.sleep(20);
  t.equal(fired, 0);
});

t.test("sleep ends with the reason of its signal", async (t) => {
  const controller = new AbortController();
  const slept = systemClock.sleep(60_000, controller.signal);
  controller.abort(new Error("enough"));
  await t.rejects(slept, { message: "enough" });
  await t.rejects(systemClock.sleep(1, AbortSignal.abort(new Error("before"))), {
    message: "before",
  });
});

t.test("the test clock fires in order of time and follows a loop", async (t) => {
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const seen: string[] = [];
  const note = (name: string) => () =>
    seen.push(`${name}@${clock.now().toISOString().slice(17, 23)}`);
  clock.setTimer(3000, note("c"));
  clock.setTimer(new Date("2030-01-01T00:00:01Z"), note("a"));
  const loop = (async () => {
    for (let i = 0; i < 3; i++) {
      await clock.sleep(1500);
      note(`loop${i}`)();
    }
  })();
  await clock.advance(5000);
  await loop;
  t.same(seen, ["a@01.000", "loop0@01.500", "c@03.000", "loop1@03.000", "loop2@04.500"]);
  t.equal(clock.timers, 0);
  t.equal(clock.now().toISOString(), "2030-01-01T00:00:05.000Z");
});

t.test("a clock that is set back is noticed soon, once, and not after the end", async (t) => {
  const clock = new TestClock();
  let noticed = 0;
  const watch = onClockSetBack(clock, () => noticed++);
  await clock.advance(60_000);
  t.equal(noticed, 0);
  clock.step(-30_000);
  await clock.advance(5000);
  t.equal(noticed, 1);
  await clock.advance(60_000);
  t.equal(noticed, 1);
  watch.cancel();
  clock.step(-30_000);
  await clock.advance(60_000);
  t.equal(noticed, 1);
  t.equal(clock.timers, 0);
});
