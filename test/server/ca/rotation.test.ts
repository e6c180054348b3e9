// Rotation by lifetime, on a clock that the test moves: when each step happens, and the three laws
// through many lifetimes with node agents that are slow.
import t from "tap";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { settle } from "../../support/clock.ts";
import { startTestCa, type TestCa } from "../../support/test-ca.ts";
import { Laws } from "./laws.ts";

/** Waits until the rotation has done its step and set its timer again. */
async function asleep(ca: TestCa): Promise<void> {
  while (ca.clock.timers === 0) await settle(1);
}

const HOUR = 3_600_000;
const MINUTE = 60_000;

t.test(
  "prepares at half of a day, activates four hours before the end, drops after the end",
  async (t) => {
    const ca = await startTestCa(t);
    const first = ca.authorities.slots("x509").active?.authorityId;
    const look = async (ms: number) => {
      await ca.clock.advance(ms);
      await ca.rotation.check();
      return ca.authorities.slots("x509");
    };
    t.equal((await look(12 * HOUR - 6000)).prepared, undefined);
    const prepared = (await look(6000)).prepared?.authorityId;
    t.ok(prepared, "at 12 h");
    t.equal((await look(8 * HOUR - 2000)).active?.authorityId, first);
    t.equal((await look(2000)).active?.authorityId, prepared, "at 20 h");
    t.strictSame(
      (await look(4 * HOUR)).old.map(({ authorityId }) => authorityId),
      [first],
    );
    t.equal((await look(MINUTE)).old.length, 1, "it has expired, and could still be needed");
    t.notOk(
      (await look(24 * HOUR)).old.some(({ authorityId }) => authorityId === first),
      "a day after its end",
    );
  },
);

t.test("wakes by itself when something is due", async (t) => {
  const ca = await startTestCa(t, { ca: { ttlSeconds: 60 } });
  const stop = new AbortController();
  const running = ca.rotation.run(stop.signal);
  const first = ca.authorities.slots("jwt").active?.authorityId;
  for (let i = 0; i < 120; i++) {
    await ca.clock.advance(500);
    await asleep(ca);
  }
  t.not(ca.authorities.slots("jwt").active?.authorityId, first);
  t.doesNotThrow(() => ca.authorities.x509());
  stop.abort();
  await running;
  t.equal(ca.clock.timers, 0);
});

t.test(
  "does not activate before the node agents have acknowledged, and does soon after",
  async (t) => {
    const ca = await startTestCa(t, { refreshHintSeconds: 8 * 3600 });
    ca.agents.connect(ca.authorities.bundle().sequence);
    const first = ca.authorities.slots("x509").active?.authorityId;
    for (let hour = 1; hour <= 22; hour++) {
      await ca.clock.advance(HOUR);
      await ca.rotation.check();
    }
    t.equal(ca.authorities.slots("x509").active?.authorityId, first, "at 22 h, not acknowledged");
    ca.agents.acknowledge(ca.authorities.bundle().sequence);
    await settle();
    await ca.rotation.check();
    t.not(ca.authorities.slots("x509").active?.authorityId, first);
  },
);

t.test("replaces an authority that was prepared by hand and then left", async (t) => {
  const ca = await startTestCa(t);
  const left = await ca.authorities.prepare("x509");
  await ca.clock.advance(12 * HOUR);
  await ca.rotation.check();
  const { prepared } = ca.authorities.slots("x509");
  t.not(prepared?.authorityId, left.authorityId);
  await ca.rotation.check();
  t.equal(ca.authorities.slots("x509").prepared?.authorityId, prepared?.authorityId);
});

t.test("loses nothing when the clock was ahead for a moment", async (t) => {
  const ca = await startTestCa(t);
  const { spki } = ca.authorities.x509().certificate;
  ca.clock.step(40 * HOUR);
  await ca.rotation.check();
  ca.clock.step(-40 * HOUR);
  await ca.rotation.check();
  const held = ca.authorities.bundle().x509Authorities.map(({ der }) => parseCertificate(der).spki);
  t.ok(
    held.some((one) => Buffer.compare(one, spki) === 0),
    "what was signed before is still good",
  );
  t.doesNotThrow(() => ca.authorities.x509());
});

t.test("replaces, soon, an authority that was made while the clock was ahead", async (t) => {
  const ca = await startTestCa(t);
  const stop = new AbortController();
  const running = ca.rotation.run(stop.signal);
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 1000) {
      await asleep(ca);
      await ca.clock.advance(1000);
    }
    await asleep(ca);
  };
  const first = ca.authorities.slots("x509").active?.authorityId;
  await ca.clock.advance(72 * HOUR);
  await pass(5000);
  const made = ca.authorities.slots("x509").active?.authorityId;
  t.not(made, first);
  ca.agents.connect(ca.authorities.bundle().sequence);
  ca.clock.step(-72 * HOUR);
  t.throws(() => ca.authorities.x509(), { message: /not valid yet/ });
  await pass(MINUTE + 5000);
  t.equal(ca.authorities.slots("x509").active?.authorityId, made, "the next one is not published");
  ca.agents.acknowledge(ca.authorities.bundle().sequence);
  await pass(5000);
  const { active, old } = ca.authorities.slots("x509");
  t.not(active?.authorityId, made);
  t.ok(active && active.notBefore <= ca.clock.now());
  t.ok(
    old.some(({ authorityId }) => authorityId === made),
    "it stays in the bundle: what it signed will be valid one day",
  );
  t.doesNotThrow(() => ca.authorities.x509());
  stop.abort();
  await running;
});

t.test("goes on after a failed step", async (t) => {
  let failing = false;
  const ca = await startTestCa(t, {
    wrapLog: (log) => {
      const commit = log.commit.bind(log);
      log.commit = async (change) => {
        if (failing) throw new Error("the disk is full");
        return commit(change);
      };
      return log;
    },
  });
  const stop = new AbortController();
  const running = ca.rotation.run(stop.signal);
  await asleep(ca);
  failing = true;
  await ca.clock.advance(12 * HOUR);
  await asleep(ca);
  t.equal(ca.authorities.slots("x509").prepared, undefined);
  t.ok(ca.lines.some(({ level }) => level === "error"));
  failing = false;
  await ca.clock.advance(5000);
  await asleep(ca);
  t.ok(ca.authorities.slots("x509").prepared);
  stop.abort();
  await running;
});

t.test(
  "[FED-01 FED-02 FED-03] keeps the three laws through 8 lifetimes with slow agents",
  async (t) => {
    const ca = await startTestCa(t);
    const laws = new Laws(ca, 3);
    const problems = new Set<string>();
    for (let step = 0; step < 8 * 24 * 3; step++) {
      await ca.clock.advance(20 * MINUTE);
      await ca.rotation.check();
      // Each agent is up to five hours behind the others.
      if (step % 5 === 0) laws.deliver(step / 5);
      await settle(1);
      for (const problem of await laws.step()) problems.add(problem);
    }
    t.strictSame([...problems], []);
    t.ok(laws.signers >= 16, `${laws.signers} authorities signed`);
    t.ok(ca.authorities.bundle().x509Authorities.length <= 5);
  },
);

t.test(
  "keeps the three laws when an operator rotates, taints and revokes in between",
  async (t) => {
    const ca = await startTestCa(t);
    const laws = new Laws(ca, 2);
    const problems = new Set<string>();
    for (let step = 0; step < 300; step++) {
      await ca.clock.advance(30 * MINUTE);
      await ca.rotation.check();
      laws.deliver(step);
      laws.deliver(step + 1);
      const kind = step % 2 === 0 ? "x509" : "jwt";
      if (step % 7 === 0) await ca.authorities.prepare(kind);
      const { prepared, old } = ca.authorities.slots(kind);
      if (step % 11 === 0 && prepared) {
        laws.deliver(0);
        laws.deliver(1);
        await ca.authorities.activate(kind, prepared.authorityId, { forced: true });
      }
      const oldest = old.at(-1);
      if (step % 13 === 0 && oldest) {
        await ca.authorities.taint(kind, oldest.authorityId);
        await ca.authorities.revoke(kind, oldest.authorityId);
        laws.revoked(oldest.spki);
      }
      await settle(1);
      for (const problem of await laws.step()) problems.add(problem);
    }
    t.strictSame([...problems], []);
  },
);

t.test(
  "[FED-01 FED-02] where bundles are polled, an acknowledgement of every agent is not enough to sign",
  async (t) => {
    const ca = await startTestCa(t, { refreshHintSeconds: 3600, isPolled: () => true });
    const first = ca.authorities.slots("x509").active?.authorityId;
    const prepared = await ca.authorities.prepare("x509");
    await settle();
    t.notOk(ca.authorities.isPublished(prepared), "no agent is connected, and nobody has polled");
    await t.rejects(
      ca.authorities.activate("x509", prepared.authorityId, { forced: false }),
      { reason: "AUTHORITY_NOT_READY", message: /three refresh hints/ },
      "not forced",
    );
    await ca.clock.advance(3 * HOUR - 1000);
    t.notOk(ca.authorities.isPublished(prepared));
    await ca.clock.advance(1000);
    t.ok(ca.authorities.isPublished(prepared), "after three hints");
    t.equal(ca.authorities.slots("x509").active?.authorityId, first);
  },
);

t.test("a forced activation says that those who poll may not know the authority", async (t) => {
  const ca = await startTestCa(t, { isPolled: (kind) => kind === "jwt" });
  for (const kind of ["x509", "jwt"] as const) {
    const { authorityId } = await ca.authorities.prepare(kind);
    await ca.authorities.activate(kind, authorityId, { forced: true });
    t.equal(ca.authorities.slots(kind).active?.authorityId, authorityId);
  }
  const warnings = ca.lines.filter(({ level }) => level === "warn");
  t.match(warnings, [{ kind: "jwt", msg: /by force, before those who poll the bundle/ }]);
  t.equal(warnings.length, 1, "nobody polls the other kind");
});

t.test("does not wait for those who poll when nothing else can sign", async (t) => {
  const ca = await startTestCa(t, { refreshHintSeconds: 2 * 3600, isPolled: () => true });
  const first = ca.authorities.slots("x509").active?.authorityId;
  // The machine slept from before the preparation to after the end.
  await ca.clock.advance(24 * HOUR + MINUTE);
  t.throws(() => ca.authorities.x509(), { name: "IdentityError", reason: "AUTHORITY_NOT_READY" });
  await ca.rotation.check();
  await settle();
  await ca.rotation.check();
  t.not(ca.authorities.slots("x509").active?.authorityId, first);
  t.doesNotThrow(() => ca.authorities.x509());
  t.ok(
    ca.lines.some(({ level, msg }) => level === "warn" && msg.includes("no other one can sign")),
  );
});
