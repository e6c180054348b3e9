// The life of X509-SVIDs in the agent: renewed in time and without a gap, replaced when their authority is
// withdrawn, served while the server is away until they expire, left out when the server refuses them.

import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { parseCertificates } from "../../../pki/x509/certificate.ts";
import type { workload } from "../../../proto/schema.gen.ts";
import { settle } from "../../support/clock.ts";
import {
  entryOf,
  first,
  idsOf,
  NORTH,
  StreamReader,
  TestAgent,
  TestPeer,
} from "../../support/test-agent.ts";
import { bundleOf, createSigner } from "../../support/test-signing.ts";

const issuersOf = (message: workload.X509SVIDResponse): string[] =>
  message.svids.map((svid) => {
    const [leaf] = parseCertificates(svid.x509Svid);
    return Buffer.from(leaf?.authorityKeyId ?? []).toString("hex");
  });

const ids = (...names: string[]): string[] => names.map((name) => `spiffe://north.test/${name}`);

t.test("an SVID is renewed at half its lifetime, and the stream gets one message", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
  const before = await stream.next();
  // Half of 3600 s from when it was made; jitter is fixed here.
  await agent.clock.advance(1_790_000);
  t.equal(agent.signing.batches.length, 1);
  await agent.clock.advance(10_000);
  const after = await stream.next();
  t.notSame(after.svids[0]?.x509Svid, before.svids[0]?.x509Svid);
  t.notSame(after.svids[0]?.x509SvidKey, before.svids[0]?.x509SvidKey, "with a new key");
  t.equal(agent.signing.batches.length, 2);
  t.ok(await stream.isQuiet());
  await stream.close();
});

t.test("an SVID of seconds is not due at once, though it is backdated by more", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  agent.signing.x509TtlSeconds = 8;
  const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
  await stream.next();
  await agent.clock.advance(3_000);
  t.equal(agent.signing.batches.length, 1);
  await agent.clock.advance(2_000);
  t.equal(agent.signing.batches.length, 2);
  await stream.close();
});

t.test("the old SVID is served until the new one is there", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const before = await first(client.fetchX509SVID({}));
  const gate = Promise.withResolvers<void>();
  agent.signing.gate = gate.promise;
  await agent.clock.advance(1_800_000);
  t.equal(agent.signing.batches.length, 2, "the new one is on its way");
  t.same((await first(client.fetchX509SVID({}))).svids, before.svids);
  gate.resolve();
  await settle();
  t.notSame((await first(client.fetchX509SVID({}))).svids, before.svids);
});

t.test("what falls due together is renewed in one batch, as one message", async (t) => {
  const agent = await TestAgent.create(
    t,
    ["a", "b", "c"].map((id) => entryOf(id)),
  );
  const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
  await stream.next();
  await agent.clock.advance(1_800_000);
  t.strictSame(agent.signing.batches.at(-1)?.toSorted(), ["a", "b", "c"]);
  t.strictSame(idsOf(await stream.next()), ids("a", "b", "c"));
  t.ok(await stream.isQuiet());
  await stream.close();
});

t.test("a tainted authority has everything below it replaced at once", async (t) => {
  const agent = await TestAgent.create(
    t,
    ["a", "b"].map((id) => entryOf(id)),
  );
  const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
  const before = await stream.next();
  const next = await createSigner(NORTH, agent.clock.now());
  agent.delta({ bundles: [bundleOf(NORTH, [agent.signer, next])] });
  await stream.next();
  agent.signing.signer = next;
  agent.delta({ bundles: [bundleOf(NORTH, [agent.signer, next], [agent.signer])] });
  const after = await stream.next();
  t.equal(after.svids.length, 2, "both in one message");
  t.equal(new Set([...issuersOf(before), ...issuersOf(after)]).size, 2);
  t.equal(new Set(issuersOf(after)).size, 1);
  agent.delta({ bundles: [bundleOf(NORTH, [next])] });
  t.equal(parseCertificates((await stream.next()).svids[0]?.bundle ?? new Uint8Array()).length, 1);
  t.ok(await stream.isQuiet(), "nothing is replaced twice");
  await stream.close();
});

t.test(
  "what an authority is just signing when it is withdrawn is asked for once more",
  async (t) => {
    const agent = await TestAgent.create(t, [], { unsynced: true });
    const gate = Promise.withResolvers<void>();
    agent.signing.gate = gate.promise;
    agent.snapshot([entryOf("a")]);
    await settle();
    t.equal(agent.signing.batches.length, 1, "on its way");
    const next = await createSigner(NORTH, agent.clock.now());
    agent.signing.signer = next;
    agent.delta({ bundles: [bundleOf(NORTH, [agent.signer, next], [agent.signer])] });
    gate.resolve();
    await settle(20);
    t.equal(agent.signing.batches.length, 2);
    const message = await first((await agent.connect()).fetchX509SVID({}));
    const keyId = Buffer.from(next.x509.certificate.subjectKeyId ?? []).toString("hex");
    t.strictSame(issuersOf(message), [keyId]);
  },
);

t.test("a revoked authority too, though it was never tainted", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a")]);
  await settle();
  const next = await createSigner(NORTH, agent.clock.now());
  agent.signing.signer = next;
  agent.delta({ bundles: [bundleOf(NORTH, [next])] });
  await settle();
  t.equal(agent.signing.batches.length, 2);
  agent.delta({ bundles: [bundleOf(NORTH, [next, await createSigner(NORTH, agent.clock.now())])] });
  await settle();
  t.equal(agent.signing.batches.length, 2, "a further authority changes no SVID");
});

t.test(
  "what is still below a withdrawn authority is asked for again, but not in a hot loop",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("a")]);
    await settle();
    agent.delta({ bundles: [bundleOf(NORTH, [agent.signer], [agent.signer])] });
    await settle(20);
    t.equal(agent.signing.batches.length, 2);
    await agent.clock.advance(9000);
    t.equal(agent.signing.batches.length, 2);
    await agent.clock.advance(3000);
    t.equal(agent.signing.batches.length, 3);
  },
);

t.test(
  "while the server is away what is held is served until it expires, and then the truth is told",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db")]);
    const client = await agent.connect();
    const stream = new StreamReader(client.fetchX509SVID({}));
    const before = await stream.next();
    agent.signing.isAway = true;
    await agent.clock.advance(3_590_000);
    t.same((await first(client.fetchX509SVID({}))).svids, before.svids);
    t.ok(await stream.isQuiet());
    await agent.clock.advance(20_000);
    await t.rejects(stream.next(), { code: Status.unavailable, reason: "SVIDS_EXPIRED" });
    await t.rejects(first(client.fetchX509SVID({})), { code: Status.unavailable });
    agent.signing.isAway = false;
    await agent.clock.advance(61_000);
    t.equal((await first(client.fetchX509SVID({}))).svids.length, 1, "asked again by itself");
  },
);

t.test("the link's return is not waited for longer than it takes", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")], { unsynced: true });
  agent.signing.isAway = true;
  agent.snapshot([entryOf("db")]);
  const client = await agent.connect();
  await t.rejects(first(client.fetchX509SVID({})), {
    code: Status.unavailable,
    reason: "SERVER_UNREACHABLE",
  });
  agent.signing.isAway = false;
  agent.snapshot([entryOf("db")]);
  t.equal((await first(client.fetchX509SVID({}))).svids.length, 1);
});

t.test("the default identity does not pass to another because an SVID cannot be had", async (t) => {
  const old = entryOf("old", { createdAtUnixSeconds: 1, disableX509SvidPrefetch: true });
  const agent = await TestAgent.create(t, [old, entryOf("young")]);
  await settle();
  agent.signing.isAway = true;
  const client = await agent.connect();
  await t.rejects(first(client.fetchX509SVID({})), { code: Status.unavailable });
  agent.signing.isAway = false;
  t.strictSame(idsOf(await first(client.fetchX509SVID({}))), ids("old", "young"));
});

t.test("an identity that the server refuses is left out, until its entry changes", async (t) => {
  const agent = await TestAgent.create(t, [], { unsynced: true });
  agent.signing.refused.add("a");
  agent.snapshot([entryOf("a"), entryOf("b")]);
  const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
  t.strictSame(idsOf(await stream.next()), ids("b"));
  agent.signing.refused.delete("a");
  agent.delta({ entries: [entryOf("a", { revisionNumber: 1 })] });
  t.strictSame(idsOf(await stream.next()), ids("a", "b"));
  await stream.close();
});

t.test("a refused identity is asked for again after a while", async (t) => {
  const agent = await TestAgent.create(t, [], { unsynced: true });
  agent.signing.refused.add("a");
  agent.snapshot([entryOf("a")]);
  const client = await agent.connect();
  await t.rejects(first(client.fetchX509SVID({})), { code: Status.permissionDenied });
  agent.signing.refused.delete("a");
  await agent.clock.advance(31_000);
  t.equal((await first(client.fetchX509SVID({}))).svids.length, 1);
});

t.test("an entry whose SPIFFE ID changes: the former identity is gone at once", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b")]);
  const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
  t.strictSame(idsOf(await stream.next()), ids("a", "b"));
  const gate = Promise.withResolvers<void>();
  agent.signing.gate = gate.promise;
  agent.delta({
    entries: [entryOf("a", { revisionNumber: 1, spiffeId: "spiffe://north.test/new" })],
  });
  t.strictSame(idsOf(await stream.next()), ids("b"));
  gate.resolve();
  t.strictSame(idsOf(await stream.next()), ids("new", "b"));
  await stream.close();
});

t.test("a change of the hint alone takes no new SVID", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a")]);
  const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
  const before = await stream.next();
  agent.delta({ entries: [entryOf("a", { revisionNumber: 1, hint: "h" })] });
  const after = await stream.next();
  t.equal(after.svids[0]?.hint, "h");
  t.same(after.svids[0]?.x509Svid, before.svids[0]?.x509Svid);
  await stream.close();
});

t.test("entries that store their SVID elsewhere, and expired ones, are not served", async (t) => {
  const nowSeconds = new Date("2030-01-01T00:00:00Z").getTime() / 1000;
  const agent = await TestAgent.create(t, [
    entryOf("stored", { storeSvid: true }),
    entryOf("over", { expiresAtUnixSeconds: nowSeconds }),
    entryOf("db", { expiresAtUnixSeconds: nowSeconds + 60 }),
  ]);
  const client = await agent.connect();
  t.strictSame(idsOf(await first(client.fetchX509SVID({}))), ids("db"));
});

t.test("many entries are asked for in few batches", async (t) => {
  const entries = Array.from({ length: 600 }, (_, i) => entryOf(`e${i}`, { selectors: [] }));
  const agent = await TestAgent.create(t, entries);
  for (let i = 0; i < 200 && agent.svids.size < 600; i++) await settle();
  t.equal(agent.svids.size, 600);
  t.strictSame(agent.signing.batches.map((batch) => batch.length).toSorted(), [100, 250, 250]);
});

t.test("the cache holds its limit of idle SVIDs; those with a subscriber are pinned", async (t) => {
  const entries = ["a", "b", "c", "d"].map((id) =>
    entryOf(id, {
      selectors: [
        { type: "only", value: id },
        { type: "test", value: "a" },
      ],
    }),
  );
  const agent = await TestAgent.create(t, entries, { x509Limit: 2 });
  for (let i = 0; i < 20; i++) await settle();
  t.equal(agent.svids.size, 2, "no more are made ahead of use");
  const all = new TestPeer(["test:a", ...["a", "b", "c", "d"].map((id) => `only:${id}`)]);
  const stream = new StreamReader((await agent.connect(all)).fetchX509SVID({}));
  t.equal((await stream.next()).svids.length, 4);
  t.equal(agent.svids.size, 4, "pinned beyond the limit");
  await stream.close();
  for (let i = 0; i < 100 && agent.svids.size > 2; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.equal(agent.svids.size, 2, "let go when nobody listens any more");
});

t.test("an entry can forbid that its SVID is made ahead of use", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a", { disableX509SvidPrefetch: true })]);
  await settle();
  t.strictSame(agent.signing.batches, []);
  t.equal((await first((await agent.connect()).fetchX509SVID({}))).svids.length, 1);
});

t.test("a server that mixes up its answers gives nobody another's identity", async (t) => {
  const agent = await TestAgent.create(t, [], { unsynced: true });
  const sign = agent.signing.signX509.bind(agent.signing);
  agent.signing.signX509 = async (requests) => (await sign(requests)).toReversed();
  agent.snapshot([entryOf("a"), entryOf("b")]);
  const client = await agent.connect();
  await t.rejects(first(client.fetchX509SVID({})), { code: Status.unavailable });
  t.equal(agent.svids.size, 0);
});

t.test("what expired while the machine slept is not served, before any timer fires", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  await first(client.fetchX509SVID({}));
  agent.clock.step(2 * 3_600_000);
  await t.rejects(first(client.fetchX509SVID({})), { reason: "SVIDS_EXPIRED", code: 14 });
});

t.test("an entry that expires is not served any longer, though no server says so", async (t) => {
  const nowSeconds = 1_893_456_000;
  const agent = await TestAgent.create(t, [
    entryOf("db", { expiresAtUnixSeconds: nowSeconds + 60 }),
  ]);
  t.equal(agent.clock.now().getTime() / 1000, nowSeconds);
  const client = await agent.connect();
  t.strictSame(idsOf(await first(client.fetchX509SVID({}))), ids("db"));
  await agent.clock.advance(61_000);
  await t.rejects(first(client.fetchX509SVID({})), { reason: "NO_IDENTITY_ISSUED", code: 7 });
  await t.rejects(client.fetchJWTSVID({ audience: ["a"] }), {
    reason: "NO_IDENTITY_ISSUED",
    code: 7,
  });
});

t.test(
  "an SVID that is not valid yet, after the clock was set back, is replaced once",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db")]);
    const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
    await stream.next();
    agent.clock.step(-1_200_000);
    await agent.clock.advance(10_000);
    const after = await stream.next();
    const [leaf] = parseCertificates(after.svids[0]?.x509Svid ?? new Uint8Array());
    t.ok(leaf && leaf.notBefore <= agent.clock.now());
    await agent.clock.advance(60_000);
    t.equal(agent.signing.batches.length, 2);
    await stream.close();
  },
);
