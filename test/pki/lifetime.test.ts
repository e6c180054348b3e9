import t from "tap";
import { activateAt, prepareAt, renewAt } from "../../pki/lifetime.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const start = new Date("2026-03-01T00:00:00Z");
const after = (ms: number) => new Date(start.getTime() + ms);

t.test(
  "prepares the next authority at half life, and 30 days before the end at the latest",
  async (t) => {
    t.same(prepareAt(start, after(DAY)), after(12 * HOUR));
    t.same(prepareAt(start, after(60 * DAY)), after(30 * DAY));
    t.same(prepareAt(start, after(365 * DAY)), after(335 * DAY));
  },
);

t.test("activates it a sixth of the life before the end, and 7 days at the latest", async (t) => {
  t.same(activateAt(start, after(DAY)), after(20 * HOUR));
  t.same(activateAt(start, after(42 * DAY)), after(35 * DAY));
  t.same(activateAt(start, after(365 * DAY)), after(358 * DAY));
});

t.test("renews around half life, spread by a tenth of it to each side", async (t) => {
  t.same(renewAt(start, after(2 * HOUR), 0.5), after(HOUR));
  t.same(renewAt(start, after(2 * HOUR), 0), after(0.9 * HOUR));
  t.same(renewAt(start, after(2 * HOUR), 1), after(1.1 * HOUR));
  t.same(renewAt(start, after(2 * HOUR), 7), after(1.1 * HOUR), "more jitter than there is");
});

t.test("takes a lifetime that ends before it starts for none", async (t) => {
  const end = after(-HOUR);
  t.same(renewAt(start, end, 0.5), start);
  t.same(prepareAt(start, end), end);
  t.same(activateAt(start, end), end);
});
