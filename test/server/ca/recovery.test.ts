// What a restart finds: journal and keys as a crash, an operator or a lost disk left them.
import t, { type Test } from "tap";
import { type IdentityError, Status } from "../../../pki/errors.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { serverError } from "../../../server/errors.ts";
import { MemoryKeyManager } from "../../../server/keymanager/memory.ts";
import { readJournals } from "../../../server/store/journal.ts";
import type { Commit, OrderedLog } from "../../../server/store/log.ts";
import { startTestCa, type TestCa, type TestCaOptions } from "../../support/test-ca.ts";

const HOUR = 3_600_000;

/** Stops a CA and starts it again over the same store and, unless others are given, the same keys. */
async function restart(t: Test, ca: TestCa, options: TestCaOptions = {}): Promise<TestCa> {
  await ca.stop();
  const { folder, keys, clock } = ca;
  return startTestCa(t, { folder, keys, clock, ...options });
}

const idsOf = (ca: TestCa) =>
  (["x509", "jwt"] as const).map((kind) => ca.authorities.slots(kind).active?.authorityId);

/** Makes commits fail from the moment `isBroken` answers true, before or after they are written. */
function failingLog(isBroken: (commit: Commit) => "before" | "after" | undefined) {
  return (log: OrderedLog): OrderedLog => {
    const commit = log.commit.bind(log);
    log.commit = async (change) => {
      const when = isBroken(change);
      if (when === "before") throw serverError("STORE_FAILED", "the process died");
      const revision = await commit(change);
      if (when === "after") throw serverError("STORE_FAILED", "the process died");
      return revision;
    };
    return log;
  };
}

t.test("has the same authorities, bundle and prepared authority after a restart", async (t) => {
  const ca = await startTestCa(t);
  const prepared = await ca.authorities.prepare("x509");
  const before = { ids: idsOf(ca), bundle: ca.authorities.bundle() };
  const again = await restart(t, ca);
  t.strictSame(idsOf(again), before.ids);
  t.strictSame(again.authorities.bundle(), before.bundle);
  t.strictSame(again.authorities.slots("x509").prepared, prepared);
  t.strictSame(again.authorities.x509().certificate.der, ca.authorities.x509().certificate.der);
});

t.test(
  "makes new authorities when the clock was set back to before the others begin",
  async (t) => {
    const ca = await startTestCa(t);
    await ca.authorities.prepare("x509");
    const before = idsOf(ca);
    ca.clock.step(-48 * HOUR);
    const again = await restart(t, ca);
    t.notOk(idsOf(again).some((id) => before.includes(id)));
    t.ok(again.authorities.x509().certificate.notBefore <= ca.clock.now());
    t.equal(again.authorities.slots("x509").prepared, undefined);
    t.equal(again.authorities.bundle().x509Authorities.length, 3);
  },
);

t.test(
  "makes new authorities when the keys are gone, and keeps the lost ones in the bundle until they expire",
  async (t) => {
    const ca = await startTestCa(t);
    const lost = idsOf(ca);
    const { spki } = ca.authorities.x509().certificate;
    const again = await restart(t, ca, { keys: new MemoryKeyManager() });
    t.notOk(idsOf(again).some((id) => lost.includes(id)));
    t.equal(again.authorities.bundle().x509Authorities.length, 2);
    t.equal(again.authorities.bundle().jwtAuthorities.length, 2);
    t.ok(again.lines.some(({ level, msg }) => level === "warn" && msg.includes("does not hold")));
    t.notSame(again.authorities.x509().certificate.spki, spki);
    await again.clock.advance(48 * HOUR + 61_000);
    await again.authorities.dropExpired();
    t.notOk(
      again.authorities
        .bundle()
        .x509Authorities.some(({ der }) => Buffer.from(parseCertificate(der).spki).equals(spki)),
    );
  },
);

t.test(
  "lets the prepared authority take over when only the active one's key is gone",
  async (t) => {
    const ca = await startTestCa(t);
    const prepared = await ca.authorities.prepare("x509");
    const lost = ca.authorities.slots("x509").active;
    await ca.keys.delete(lost?.keyId ?? "");
    const again = await restart(t, ca);
    const slots = again.authorities.slots("x509");
    t.equal(slots.active?.authorityId, prepared.authorityId);
    t.strictSame(
      slots.old.map(({ authorityId }) => authorityId),
      [lost?.authorityId],
    );
    await again.authorities.taint("x509", lost?.authorityId ?? "");
    await again.authorities.revoke("x509", lost?.authorityId ?? "");
    t.equal(again.authorities.bundle().x509Authorities.length, 1);
  },
);

t.test("makes a new authority at once when all expired while the server was down", async (t) => {
  const ca = await startTestCa(t);
  const before = idsOf(ca);
  await ca.clock.advance(100 * HOUR);
  const again = await restart(t, ca);
  t.notOk(idsOf(again).some((id) => before.includes(id)));
  t.doesNotThrow(() => again.authorities.x509());
  await again.rotation.check();
  t.equal(again.authorities.bundle().x509Authorities.length, 1);
  t.equal((await again.keys.list()).length, 2);
});

t.test("destroys the key of an authority whose commit never happened", async (t) => {
  let broken = false;
  const wrapLog = failingLog(() => (broken ? "before" : undefined));
  const ca = await startTestCa(t, { wrapLog });
  broken = true;
  await t.rejects(ca.authorities.prepare("x509"), {
    name: "IdentityError",
    reason: "STORE_FAILED",
  });
  t.equal(ca.authorities.slots("x509").prepared, undefined);
  t.equal((await ca.keys.list()).length, 3, "the key was made");
  const again = await restart(t, ca);
  t.equal((await again.keys.list()).length, 2);
  t.equal(again.authorities.bundle().x509Authorities.length, 1);
});

t.test("finds an authority whose commit happened although the process died", async (t) => {
  let broken = false;
  const wrapLog = failingLog(() => (broken ? "after" : undefined));
  const ca = await startTestCa(t, { wrapLog });
  broken = true;
  await t.rejects(ca.authorities.prepare("x509"), {
    name: "IdentityError",
    reason: "STORE_FAILED",
  });
  const again = await restart(t, ca);
  const { prepared } = again.authorities.slots("x509");
  t.ok(prepared && (await again.keys.get(prepared.keyId)));
  t.equal(again.authorities.bundle().x509Authorities.length, 2);
});

t.test("starts after a crash in the middle of the very first start", async (t) => {
  const keys = new MemoryKeyManager();
  let broken = true;
  const wrapLog = failingLog(() => (broken ? "before" : undefined));
  const folder = t.testdir({});
  await t.rejects(startTestCa(t, { keys, folder: `${folder}/store`, wrapLog }), {
    name: "IdentityError",
    reason: "STORE_FAILED",
  });
  t.equal((await keys.list()).length, 2);
  broken = false;
  const ca = await startTestCa(t, { keys, folder: `${folder}/store` });
  t.ok(
    ca.lines.some(({ msg }) => msg.includes("the store does not know")),
    "keys are not destroyed yet",
  );
  t.equal((await keys.list()).length, 4);
  await restart(t, ca);
  t.equal((await keys.list()).length, 2, "now the journal is known to belong to the keys");
});

t.test("destroys a revoked authority's key when a crash kept it", async (t) => {
  class StickyKeys extends MemoryKeyManager {
    sticky = true;
    override async delete(keyId: string): Promise<void> {
      if (this.sticky) throw new Error("the process died");
      await super.delete(keyId);
    }
  }
  const keys = new StickyKeys();
  const ca = await startTestCa(t, { keys });
  const old = ca.authorities.slots("jwt").active?.authorityId ?? "";
  const { authorityId } = await ca.authorities.prepare("jwt");
  await ca.authorities.activate("jwt", authorityId, { forced: true });
  await ca.authorities.taint("jwt", old);
  await t.rejects(ca.authorities.revoke("jwt", old), /the process died/);
  t.equal(ca.authorities.bundle().jwtAuthorities.length, 1, "revoked all the same");
  keys.sticky = false;
  await restart(t, ca);
  t.equal((await keys.list()).length, 2);
});

t.test("keeps keys of others in the same key manager", async (t) => {
  const keys = new MemoryKeyManager();
  await keys.create("something-else", "ec-p256");
  const ca = await startTestCa(t, { keys });
  await restart(t, ca);
  t.ok(await keys.get("something-else"));
});

t.test("forgets journals without keys two weeks after their last authority", async (t) => {
  const ca = await startTestCa(t);
  const second = await restart(t, ca, { keys: new MemoryKeyManager() });
  t.equal((await readJournals(second.log)).length, 2);
  await second.clock.advance((24 + 14 * 24 + 1) * HOUR);
  const third = await restart(t, second, { keys: new MemoryKeyManager() });
  t.equal((await readJournals(third.log)).length, 1);
});

t.test("takes over a changed refresh hint with a new sequence number", async (t) => {
  const ca = await startTestCa(t, { refreshHintSeconds: 300 });
  const { sequence } = ca.authorities.bundle();
  const again = await restart(t, ca, { refreshHintSeconds: 60 });
  t.equal(again.authorities.bundle().refreshHintSeconds, 60);
  t.ok(again.authorities.bundle().sequence > sequence);
  const third = await restart(t, again, { refreshHintSeconds: 60 });
  t.equal(third.authorities.bundle().sequence, again.authorities.bundle().sequence);
});

t.test("a server whose authorities have all expired says that it cannot sign", async (t) => {
  const ca = await startTestCa(t);
  await ca.clock.advance(25 * HOUR);
  for (const call of [() => ca.authorities.x509(), () => ca.authorities.jwt()]) {
    try {
      call();
      t.fail("it signed");
    } catch (error) {
      t.equal((error as IdentityError).reason, "AUTHORITY_NOT_READY");
      t.equal((error as IdentityError).code, Status.unavailable);
    }
  }
});
