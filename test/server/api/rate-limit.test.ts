// The token buckets: waiting, refusing, and who shares a bucket.
import t from "tap";
import { RateLimiter, subnetOf } from "../../../server/api/rate-limit.ts";
import { settle, TestClock } from "../../support/clock.ts";

const ATTEST = "/spire.api.server.agent.v1.Agent/AttestAgent";
const SIGN = "/spire.api.server.svid.v1.SVID/BatchNewX509SVID";
const signal = new AbortController().signal;

function limiter(switches = { attestation: true, signing: true }) {
  const clock = new TestClock();
  return { clock, limits: new RateLimiter({ clock, ...switches }) };
}

t.test("lets a burst through and makes the next call wait for its token", async (t) => {
  const { clock, limits } = limiter();
  await limits.take(ATTEST, "10.0.0.1", 1, signal);
  let passed = false;
  const second = limits.take(ATTEST, "10.0.0.1", 1, signal).then(() => {
    passed = true;
  });
  await settle();
  t.notOk(passed, "the second call of one second waits");
  await clock.advance(999);
  t.notOk(passed);
  await clock.advance(1);
  await second;
  t.ok(passed);
});

t.test("counts the items of a batch, per address and per method", async (t) => {
  const { clock, limits } = limiter();
  await limits.take(SIGN, "10.0.0.1", 500, signal);
  await limits.take(SIGN, "10.0.0.2", 500, signal);
  await limits.take("/spire.api.server.svid.v1.SVID/NewJWTSVID", "10.0.0.1", 1, signal);
  const held = limits.take(SIGN, "10.0.0.1", 250, signal);
  await settle();
  t.equal(clock.timers, 1, "only the first address waits");
  await clock.advance(500);
  await held;
});

t.test("refuses a batch that never fits, and a queue that grew too long", async (t) => {
  const { limits } = limiter();
  await t.rejects(limits.take(SIGN, "10.0.0.1", 501, signal), { reason: "RATE_LIMITED", code: 8 });
  const abort = new AbortController();
  const waiting: Promise<void>[] = [];
  for (let i = 0; i < 31; i++) waiting.push(limits.take(ATTEST, "10.0.0.1", 1, abort.signal));
  await t.rejects(limits.take(ATTEST, "10.0.0.1", 1, signal), { reason: "RATE_LIMITED", code: 8 });
  abort.abort(new Error("gone"));
  const outcomes = await Promise.allSettled(waiting);
  t.equal(
    outcomes.filter(({ status }) => status === "rejected").length,
    30,
    "callers that left stop waiting",
  );
});

t.test("keeps nobody out after the clock was set back", async (t) => {
  const { clock, limits } = limiter();
  await limits.take(ATTEST, "10.0.0.1", 1, signal);
  clock.step(-3 * 86_400_000);
  await limits.take(ATTEST, "10.0.0.1", 1, signal);
  await t.rejects(limits.take(SIGN, "10.0.0.1", 501, signal), { reason: "RATE_LIMITED", code: 8 });
});

t.test("does nothing when switched off, and for methods without a limit", async (t) => {
  const { clock, limits } = limiter({ attestation: false, signing: false });
  for (let i = 0; i < 100; i++) await limits.take(ATTEST, "10.0.0.1", 1, signal);
  await limits.take(SIGN, "10.0.0.1", 100_000, signal);
  await limits.take("/spire.api.server.bundle.v1.Bundle/GetBundle", "10.0.0.1", 1, signal);
  t.equal(clock.timers, 0);
  t.notOk(limits.limits(SIGN));
});

for (const { address, subnet } of [
  { address: "192.0.2.7", subnet: "192.0.2.7" },
  { address: "::ffff:192.0.2.7", subnet: "192.0.2.7" },
  { address: "2001:db8:1:2:3:4:5:6", subnet: "2001:db8:1:2::/64" },
  { address: "2001:db8::1", subnet: "2001:db8:0:0::/64" },
  { address: "2001:0db8:0001:0002::ffff", subnet: "2001:db8:1:2::/64" },
  { address: "::1", subnet: "0:0:0:0::/64" },
  { address: "fe80::1%eth0", subnet: "fe80:0:0:0::/64" },
]) {
  t.test(`counts ${address} under ${subnet}`, async (t) => {
    t.equal(subnetOf(address), subnet);
  });
}
