// Authorities moved by hand: prepare, activate, taint, revoke, and what bundle and keys look like after each.
import t from "tap";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import type { AuthorityKindName } from "../../../server/store/journal.ts";
import { settle } from "../../support/clock.ts";
import { startTestCa, type TestCa } from "../../support/test-ca.ts";

const KINDS: readonly AuthorityKindName[] = ["x509", "jwt"];

/** The IDs of the authorities of a kind that the bundle holds, tainted ones marked. */
function published({ authorities }: TestCa, kind: AuthorityKindName): string[] {
  const bundle = authorities.bundle();
  const mark = (id: string, tainted: boolean): string => (tainted ? `${id} tainted` : id);
  if (kind === "jwt") return bundle.jwtAuthorities.map((one) => mark(one.keyId, one.tainted));
  return bundle.x509Authorities.map(({ der, tainted }) => {
    const { subjectKeyId = new Uint8Array() } = parseCertificate(der);
    return mark(Buffer.from(subjectKeyId).toString("hex"), tainted);
  });
}

const keyCount = async ({ keys }: TestCa): Promise<number> => (await keys.list()).length;

async function rotate({ authorities }: TestCa, kind: AuthorityKindName): Promise<string> {
  const old = authorities.slots(kind).active?.authorityId ?? "";
  const { authorityId } = await authorities.prepare(kind);
  await authorities.activate(kind, authorityId, { forced: true });
  return old;
}

t.test(
  "starts with one active authority of each kind, in a bundle with a sequence number",
  async (t) => {
    const ca = await startTestCa(t);
    for (const kind of KINDS) {
      const { active, prepared, old } = ca.authorities.slots(kind);
      t.strictSame([prepared, old], [undefined, []]);
      t.strictSame(published(ca, kind), [active?.authorityId]);
    }
    t.match(ca.authorities.slots("x509").active?.authorityId, /^[0-9a-f]{40}$/);
    t.match(ca.authorities.slots("jwt").active?.authorityId, /^[A-Za-z0-9_-]{32}$/);
    t.ok(ca.authorities.bundle().sequence > 0n);
    t.equal(ca.authorities.bundle().refreshHintSeconds, 300);
    t.equal(await keyCount(ca), 2);
  },
);

t.test("backdates an authority by 10 s and lets it live as long as configured", async (t) => {
  const ca = await startTestCa(t, { ca: { ttlSeconds: 3600 } });
  const { certificate } = ca.authorities.x509();
  t.equal(certificate.notBefore.toISOString(), "2029-12-31T23:59:50.000Z");
  t.equal(certificate.notAfter.toISOString(), "2030-01-01T01:00:00.000Z");
  t.equal(ca.authorities.jwt().expiresAt.toISOString(), "2030-01-01T01:00:00.000Z");
});

for (const kind of KINDS) {
  t.test(`${kind}: prepares an authority that is in the bundle and signs nothing`, async (t) => {
    const ca = await startTestCa(t);
    const before = ca.authorities.bundle().sequence;
    const active = ca.authorities.slots(kind).active?.authorityId;
    const prepared = await ca.authorities.prepare(kind);
    t.strictSame(published(ca, kind), [active, prepared.authorityId]);
    t.equal(ca.authorities.slots(kind).active?.authorityId, active);
    t.ok(ca.authorities.bundle().sequence > before);
    t.equal(prepared.publishedSequence, ca.authorities.bundle().sequence);
  });

  t.test(`${kind}: replaces a prepared authority by a new one, key and all`, async (t) => {
    const ca = await startTestCa(t);
    const first = await ca.authorities.prepare(kind);
    const second = await ca.authorities.prepare(kind);
    t.notOk(published(ca, kind).includes(first.authorityId));
    t.equal(ca.authorities.slots(kind).prepared?.authorityId, second.authorityId);
    t.equal(await keyCount(ca), 3);
    t.equal(await ca.keys.get(first.keyId), undefined);
  });

  t.test(
    `${kind}: activates the prepared authority and keeps the old one and its key`,
    async (t) => {
      const ca = await startTestCa(t);
      const before = [ca.authorities.x509(), ca.authorities.jwt()];
      const old = await rotate(ca, kind);
      const { active, prepared, old: retired } = ca.authorities.slots(kind);
      t.equal(prepared, undefined);
      t.strictSame(
        retired.map(({ authorityId }) => authorityId),
        [old],
      );
      t.strictSame(published(ca, kind), [old, active?.authorityId]);
      t.equal(await keyCount(ca), 3);
      t.equal(
        kind === "x509" ? ca.authorities.jwt() : ca.authorities.x509(),
        before[kind === "x509" ? 1 : 0],
      );
    },
  );

  t.test(
    `${kind}: taints an old authority, tells listeners, and revokes it with its key`,
    async (t) => {
      const ca = await startTestCa(t);
      const tainted: string[] = [];
      ca.authorities.onTaint(({ authorityId }) => tainted.push(authorityId));
      const old = await rotate(ca, kind);
      const { active } = ca.authorities.slots(kind);
      t.equal((await ca.authorities.taint(kind, old)).tainted, true);
      t.strictSame(published(ca, kind), [`${old} tainted`, active?.authorityId]);
      t.strictSame(tainted, [old]);
      const { keyId } = await ca.authorities.revoke(kind, old);
      t.strictSame(published(ca, kind), [active?.authorityId]);
      t.equal(await ca.keys.get(keyId), undefined);
      t.strictSame(ca.authorities.slots(kind).old, []);
    },
  );

  const refusals = [
    {
      name: "activates no active authority",
      step: "activate",
      of: "active",
      reason: "AUTHORITY_STATE_WRONG",
    },
    {
      name: "activates no old authority",
      step: "activate",
      of: "old",
      reason: "AUTHORITY_STATE_WRONG",
    },
    {
      name: "activates no unknown authority",
      step: "activate",
      of: "none",
      reason: "AUTHORITY_ID_UNKNOWN",
    },
    {
      name: "taints no active authority",
      step: "taint",
      of: "active",
      reason: "AUTHORITY_STATE_WRONG",
    },
    {
      name: "taints no prepared authority",
      step: "taint",
      of: "prepared",
      reason: "AUTHORITY_STATE_WRONG",
    },
    {
      name: "taints no unknown authority",
      step: "taint",
      of: "none",
      reason: "AUTHORITY_ID_UNKNOWN",
    },
    {
      name: "revokes no active authority",
      step: "revoke",
      of: "active",
      reason: "AUTHORITY_STATE_WRONG",
    },
    {
      name: "revokes no prepared authority",
      step: "revoke",
      of: "prepared",
      reason: "AUTHORITY_STATE_WRONG",
    },
    {
      name: "revokes no authority that is not tainted",
      step: "revoke",
      of: "old",
      reason: "AUTHORITY_STATE_WRONG",
    },
    {
      name: "revokes no unknown authority",
      step: "revoke",
      of: "none",
      reason: "AUTHORITY_ID_UNKNOWN",
    },
  ] as const;
  t.test(`${kind}: refuses what would break the laws`, async (t) => {
    const ca = await startTestCa(t);
    const old = await rotate(ca, kind);
    const prepared = (await ca.authorities.prepare(kind)).authorityId;
    const active = ca.authorities.slots(kind).active?.authorityId ?? "";
    const ids = { old, prepared, active, none: "feed" };
    const before = ca.authorities.bundle();
    for (const { name, step, of, reason } of refusals) {
      const id = ids[of];
      const run = {
        activate: () => ca.authorities.activate(kind, id, { forced: true }),
        taint: () => ca.authorities.taint(kind, id),
        revoke: () => ca.authorities.revoke(kind, id),
      };
      await t.rejects(run[step](), { name: "IdentityError", reason }, name);
    }
    t.equal(ca.authorities.bundle(), before);
  });
}

t.test("does not find an authority of one kind among those of the other", async (t) => {
  const ca = await startTestCa(t);
  const { authorityId } = await ca.authorities.prepare("jwt");
  await t.rejects(ca.authorities.activate("x509", authorityId, { forced: true }), {
    name: "IdentityError",
    reason: "AUTHORITY_ID_UNKNOWN",
  });
});

t.test("[FED-01] activates nothing that a connected node agent has not acknowledged", async (t) => {
  const ca = await startTestCa(t);
  ca.agents.connect(ca.authorities.bundle().sequence);
  const { authorityId } = await ca.authorities.prepare("x509");
  const activate = () => ca.authorities.activate("x509", authorityId, { forced: false });
  await t.rejects(activate(), { name: "IdentityError", reason: "AUTHORITY_NOT_READY" });
  ca.agents.acknowledge(ca.authorities.bundle().sequence);
  await settle();
  t.equal((await activate()).status, "active");
});

t.test("[FED-02] takes an authority as published when it is three refresh hints old", async (t) => {
  const ca = await startTestCa(t, { refreshHintSeconds: 100 });
  ca.agents.connect(ca.authorities.bundle().sequence);
  const prepared = await ca.authorities.prepare("jwt");
  await ca.clock.advance(299_999);
  t.equal(ca.authorities.isPublished(prepared), false);
  await ca.clock.advance(1);
  t.equal(ca.authorities.isPublished(prepared), true);
});

t.test("a forced activation waits for the acknowledgement of the node agents", async (t) => {
  const ca = await startTestCa(t);
  ca.agents.connect(ca.authorities.bundle().sequence);
  const { authorityId } = await ca.authorities.prepare("x509");
  const activation = ca.authorities.activate("x509", authorityId, { forced: true });
  await ca.clock.advance(5000);
  t.not(ca.authorities.slots("x509").active?.authorityId, authorityId);
  ca.agents.acknowledge(ca.authorities.bundle().sequence);
  await activation;
  t.equal(ca.authorities.slots("x509").active?.authorityId, authorityId);
  t.notOk(ca.lines.some(({ msg }) => msg.includes("by force")));
});

t.test(
  "a forced activation goes on without a node agent that stays silent, and says so",
  async (t) => {
    const ca = await startTestCa(t);
    ca.agents.connect(ca.authorities.bundle().sequence);
    const { authorityId } = await ca.authorities.prepare("x509");
    const activation = ca.authorities.activate("x509", authorityId, { forced: true });
    await ca.clock.advance(10_000);
    await activation;
    t.equal(ca.authorities.slots("x509").active?.authorityId, authorityId);
    t.ok(ca.lines.some(({ level, msg }) => level === "warn" && msg.includes("by force")));
  },
);

t.test("tells listeners of each change of the own bundle", async (t) => {
  const ca = await startTestCa(t);
  const sequences: bigint[] = [];
  const end = ca.authorities.onBundle(({ sequence }) => sequences.push(sequence));
  await ca.authorities.prepare("x509");
  await ca.authorities.prepare("jwt");
  end();
  await ca.authorities.prepare("x509");
  t.equal(sequences.length, 2);
  t.ok((sequences[0] ?? 0n) < (sequences[1] ?? 0n));
});

t.test("runs changes one after the other, whoever asks", async (t) => {
  const ca = await startTestCa(t);
  await Promise.all([
    ...Array.from({ length: 5 }, () => ca.authorities.prepare("x509")),
    ...Array.from({ length: 5 }, () => ca.authorities.prepare("jwt")),
  ]);
  t.equal(ca.authorities.bundle().x509Authorities.length, 2);
  t.equal(ca.authorities.bundle().jwtAuthorities.length, 2);
  t.equal(await keyCount(ca), 4);
});

t.test("makes RSA and P-384 authorities too, and kinds of different key types", async (t) => {
  const ca = await startTestCa(t, { ca: { keyType: "ec-p384", jwtKeyType: "rsa-2048" } });
  t.equal(ca.authorities.x509().signer.keyType, "ec-p384");
  t.equal(ca.authorities.jwt().signer.keyType, "rsa-2048");
});
