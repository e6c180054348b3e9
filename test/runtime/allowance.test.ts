// What one may have in a while, and that what is over is told.

import t from "tap";
import { Allowance } from "../../runtime/allowance.ts";
import { TestClock } from "../support/clock.ts";

function setUp(maxNames = 10) {
  const clock = new TestClock();
  const told: [last: string, leftOut: number][] = [];
  const tell = (last: string, leftOut: number): void => void told.push([last, leftOut]);
  const limitOf = (name: string): number => (name === "" ? 1 : 3);
  const allowance = new Allowance<string>({ windowMs: 1000, limitOf, maxNames, tell, clock });
  const take = (name: string, count: number): boolean[] =>
    Array.from({ length: count }, (_, i) => allowance.take(name, `${name}${i + 1}`));
  return { clock, told, allowance, take };
}

t.test(
  "what is over is counted, and told when the window is over, though nothing follows",
  async (t) => {
    const { clock, told, take } = setUp();
    t.same(take("a", 6), [true, true, true, false, false, false]);
    t.same(take("b", 3), [true, true, true], "each name has its own");
    t.same(told, []);
    await clock.advance(1000);
    t.same(told, [["a6", 2]], "the last one, and how many before it");
    t.equal(clock.timers, 0, "nothing is kept");
    t.same(take("a", 1), [true]);
    await clock.advance(1000);
    t.equal(told.length, 1);
  },
);

t.test("many names share one allowance", async (t) => {
  const { clock, told, take } = setUp(2);
  take("a", 1);
  take("b", 1);
  t.same(take("c", 1), [true]);
  t.same(take("d", 2), [false, false]);
  t.same(take("a", 1), [true], "those that came first keep theirs");
  await clock.advance(1000);
  t.same(told, [["d2", 1]]);
  t.same(take("d", 2), [true, true]);
});

t.test("tells what is left when it is stopped", async (t) => {
  const { clock, told, allowance, take } = setUp();
  take("", 2);
  allowance.stop();
  t.same(told, [["2", 0]]);
  t.equal(clock.timers, 0);
});
