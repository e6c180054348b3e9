// When a daemon gives memory back.

import t from "tap";
import { silentLogger } from "../../runtime/log.ts";
import { isWorthTrimming, trimMemoryWhenIdle } from "../../runtime/memory.ts";
import { TestClock } from "../support/clock.ts";

const MIB = 1024 * 1024;

const ROWS = [
  { name: "after the start", total: 60, used: 40, busy: 0, trimmed: 0, worth: true },
  {
    name: "again, when nothing has grown",
    total: 60,
    used: 40,
    busy: 0,
    trimmed: 55,
    worth: false,
  },
  { name: "after a burst", total: 180, used: 150, busy: 0.01, trimmed: 40, worth: true },
  { name: "while calls are served", total: 180, used: 150, busy: 0.5, trimmed: 40, worth: false },
  { name: "when the heap is huge", total: 900, used: 800, busy: 0, trimmed: 100, worth: false },
];

for (const { name, total, used, busy, trimmed, worth } of ROWS) {
  t.test(`${worth ? "collects" : "does not collect"} ${name}`, async (t) => {
    const sample = {
      heapTotalBytes: total * MIB,
      heapUsedBytes: used * MIB,
      busyShare: busy,
    };
    t.equal(isWorthTrimming(sample, trimmed * MIB), worth);
  });
}

t.test("a quiet process shrinks to what it needs", async (t) => {
  const clock = new TestClock();
  const trim = trimMemoryWhenIdle({ clock, log: silentLogger });
  let junk: unknown[] | undefined = Array.from({ length: 400_000 }, (_, i) => ({
    i,
    text: `x${i}`,
  }));
  const before = process.memoryUsage().heapTotal;
  t.ok(junk.length > 0);
  junk = undefined;
  // The first look sees the work of making the junk, a later one a quiet process.
  for (let i = 0; i < 3; i++) await clock.advance(10_000);
  t.ok(process.memoryUsage().heapTotal < before);
  trim.stop();
  t.equal(clock.timers, 0);
});
