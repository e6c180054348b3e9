import t from "tap";
import { ReplayCache } from "../../../client/wit/replay-cache.ts";
import { Status } from "../../../pki/errors.ts";
import { TestClock } from "../../support/clock.ts";

const replayed = { reason: "WIT_PROOF_REPLAYED", code: Status.unauthenticated };
const full = { reason: "WIT_REPLAY_CACHE_FULL", code: Status.resourceExhausted };

function start(options: { limit?: number; limitPerSender?: number } = {}) {
  const clock = new TestClock();
  const cache = new ReplayCache({ ...options, clock });
  const remember = (sender: string, id: string, seconds = 60) =>
    cache.remember({ sender, id, until: new Date(clock.now().getTime() + seconds * 1000) });
  return { clock, cache, remember };
}

t.test("a memory begins in a second in which no former process remembered anything", async (t) => {
  const clock = new TestClock("2030-01-01T00:00:00.700Z");
  const { since } = new ReplayCache({ clock });
  const bornMs = clock.now().getTime() - performance.now();
  t.equal(since.getTime() % 1000, 0, "in whole seconds, as proofs have them");
  t.ok(since.getTime() >= bornMs, "not before this process was there");
  t.ok(since.getTime() > clock.now().getTime() - 1000, "and not before the memory was");
  await clock.advance(5000);
  const later = new ReplayCache({ clock });
  // This process was born some part of a second, or some seconds, before that moment.
  const seconds = ["2030-01-01T00:00:05.000Z", "2030-01-01T00:00:06.000Z"];
  t.ok(seconds.includes(later.since.toISOString()), later.since.toISOString());
});

t.test("a clock that was ahead at the start, and is set right, shuts no proof out", async (t) => {
  const clock = new TestClock("2030-01-01T01:00:00Z");
  const cache = new ReplayCache({ clock });
  const before = cache.since;
  t.same(before, cache.since);
  clock.step(-3_600_000);
  const nowMs = clock.now().getTime();
  t.ok(cache.since.getTime() <= nowMs + 1000, "what is made now counts");
  t.ok(cache.since.getTime() > nowMs - 60_000, "what was made before the memory does not");
  clock.step(3_600_000);
  t.same(cache.since, before);
});

t.test("a proof is known until it has ended, and forgotten then", async (t) => {
  const { clock, cache, remember } = start();
  remember("a", "1");
  remember("a", "2", 30.5);
  remember("b", "1");
  t.throws(() => remember("a", "1"), replayed);
  await clock.advance(30_400);
  t.throws(() => remember("a", "2"), replayed);
  await clock.advance(29_500);
  t.throws(() => remember("a", "1"), replayed);
  t.equal(cache.size, 2);
  await clock.advance(2000);
  remember("a", "1");
  t.equal(cache.size, 1);
});

t.test(
  "a full cache refuses what is new instead of forgetting, and no sender fills it",
  async (t) => {
    const { clock, cache, remember } = start({ limit: 8 });
    remember("a", "1");
    remember("a", "2");
    t.throws(() => remember("a", "3"), full, "a quarter for each");
    t.throws(() => remember("a", "1"), replayed);
    for (const sender of ["b", "c", "d"]) for (const id of ["1", "2"]) remember(sender, id);
    t.throws(() => remember("e", "1"), full);
    t.throws(() => remember("d", "2"), replayed);
    t.equal(cache.size, 8);
    await clock.advance(61_000);
    remember("e", "1");
    t.equal(cache.size, 1);
  },
);

t.test("a hundred thousand proofs fit, by default", async (t) => {
  const { cache, remember } = start({ limitPerSender: 100_000 });
  for (let i = 0; i < 100_000; i++) remember("a", String(i));
  t.equal(cache.size, 100_000);
  t.throws(() => remember("b", "1"), full);
});
