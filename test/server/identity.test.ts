// The server's own SVID: when it is replaced. How it is shown: edge/listener.test.ts.
import t, { type Test } from "tap";
import { createLogger } from "../../runtime/log.ts";
import { ServerIdentity } from "../../server/identity.ts";
import { settle } from "../support/clock.ts";
import { north, startTestCa } from "../support/test-ca.ts";

const HOUR = 3_600_000;

async function startIdentity(t: Test) {
  const ca = await startTestCa(t);
  const identity = await ServerIdentity.start({
    trustDomain: north,
    issuer: ca.issuer,
    bundles: ca.bundles,
    ttlSeconds: 3600,
    clock: ca.clock,
    log: createLogger({ level: "silent" }),
  });
  t.teardown(() => identity.stop());
  return { ca, identity };
}

t.test("renews at about half its life, with another key", async (t) => {
  const { ca, identity } = await startIdentity(t);
  const first = identity.svid();
  await ca.clock.advance(0.4 * HOUR);
  t.equal(identity.svid(), first);
  await ca.clock.advance(0.2 * HOUR);
  t.notSame(identity.svid()?.leaf.spki, first?.leaf.spki);
});

t.test("is replaced when the clock is set back to before it was made", async (t) => {
  const { ca, identity } = await startIdentity(t);
  await ca.clock.advance(0.6 * HOUR);
  const made = identity.svid();
  ca.clock.step(-0.6 * HOUR);
  t.notOk(identity.isValid);
  await ca.clock.advance(10_000);
  await settle();
  t.not(identity.svid(), made);
  t.ok(identity.isValid);
});

t.test("is kept when the clock is set back by less than its age", async (t) => {
  const { ca, identity } = await startIdentity(t);
  await ca.clock.advance(0.3 * HOUR);
  const made = identity.svid();
  ca.clock.step(-0.2 * HOUR);
  await ca.clock.advance(10_000);
  t.equal(identity.svid(), made);
});
