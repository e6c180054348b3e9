// Growing, jittered delays between tries.

import t from "tap";
import { backoff, retry } from "../../runtime/backoff.ts";
import { TestClock } from "../support/clock.ts";

t.test("delays grow to the maximum and start over after a reset", async (t) => {
  const delays = backoff({ initialMs: 100, maxMs: 1000, jitter: 0 });
  t.same(
    [1, 2, 3, 4, 5, 6].map(() => delays.next()),
    [100, 200, 400, 800, 1000, 1000],
  );
  t.equal(delays.attempts, 6);
  delays.reset();
  t.equal(delays.next(), 100);
  for (let i = 0; i < 5000; i++) delays.next();
  t.equal(delays.next(), 1000, "no overflow");
});

t.test("jitter takes away up to its share", async (t) => {
  const options = { initialMs: 100, maxMs: 100, jitter: 0.5 };
  t.equal(backoff(options, () => 0).next(), 100);
  t.equal(backoff(options, () => 1).next(), 50);
});

t.test("retries until it succeeds, and waits in between", async (t) => {
  const clock = new TestClock();
  let tries = 0;
  const waits: number[] = [];
  const result = retry(
    async () => {
      if (++tries < 4) throw new Error("down");
      return "up";
    },
    {
      clock,
      signal: new AbortController().signal,
      backoff: backoff({ initialMs: 1000, maxMs: 10_000, jitter: 0 }),
      onRetry: (_, delayMs) => waits.push(delayMs),
    },
  );
  await clock.advance(6999);
  t.equal(tries, 3);
  await clock.advance(1);
  t.equal(await result, "up");
  t.same(waits, [1000, 2000, 4000]);
});

t.test("gives up at once on what will not pass, and when told to stop", async (t) => {
  const clock = new TestClock();
  const controller = new AbortController();
  const options = {
    clock,
    signal: controller.signal,
    backoff: backoff({ initialMs: 10, maxMs: 10 }),
  };
  const fails = async (): Promise<void> => {
    throw new Error("banned");
  };
  await t.rejects(retry(fails, { ...options, isRetryable: () => false }), { message: "banned" });
  const waiting = retry(fails, options);
  await clock.advance(0);
  controller.abort(new Error("stopping"));
  await t.rejects(waiting, { message: "stopping" });
  t.equal(clock.timers, 0);
});
