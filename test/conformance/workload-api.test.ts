// SPIFFE Workload API, the rows that bind the agent: streams and the X.509 profile. The JWT profile stands
// in workload-api-jwt.test.ts, what binds the client in client.test.ts.

import { createPrivateKey, X509Certificate } from "node:crypto";
import t from "tap";
import type { Bundle } from "../../pki/bundle/bundle.ts";
import { Status } from "../../pki/errors.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificates } from "../../pki/x509/certificate.ts";
import type { spire } from "../../proto/schema.gen.ts";
import { entryFromWire, entryToWire } from "../../proto/types/entry.ts";
import { parseSelector } from "../../proto/types/selector.ts";
import {
  entryOf,
  first,
  idsOf,
  NORTH,
  StreamReader,
  TestAgent,
  TestPeer,
} from "../support/test-agent.ts";
import { bundleOf, createSigner } from "../support/test-signing.ts";

const SOUTH = TrustDomain.parse("south.test");
const START = new Date("2030-01-01T00:00:00Z");

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString("hex");

async function southBundle(): Promise<Bundle> {
  return bundleOf(SOUTH, [await createSigner(SOUTH, START)]);
}

// Neither profile can be turned off, so no call answers Unimplemented but those of the WIT profile.
t.test("WL-01 the X.509 and JWT profiles are served, and neither is silently empty", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  t.equal((await first(client.fetchX509SVID({}))).svids.length, 1);
  t.equal(Object.keys((await first(client.fetchX509Bundles({}))).bundles).length, 1);
  t.equal(Object.keys((await first(client.fetchJWTBundles({}))).bundles).length, 1);
  const { svids } = await client.fetchJWTSVID({ audience: ["x"] });
  t.equal(svids.length, 1);
  const answer = await client.validateJWTSVID({ audience: "x", svid: svids[0]?.svid ?? "" });
  t.equal(answer.spiffeId, "spiffe://north.test/db");
});

t.test("WL-03 without the WIT profile both of its methods answer Unimplemented", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  await t.rejects(first(client.fetchWITSVID({})), { code: Status.unimplemented });
  await t.rejects(first(client.fetchWITBundles({})), { code: Status.unimplemented });
});

t.test(
  "WL-06 what a caller gets depends on who it is found to be, and on nothing else",
  async (t) => {
    const agent = await TestAgent.create(t, [
      entryOf("one", { selectors: [parseSelector("unix:uid:1")] }),
      entryOf("two", { selectors: [parseSelector("unix:uid:2")] }),
      entryOf("both", { selectors: [parseSelector("unix:uid:1"), parseSelector("unix:gid:9")] }),
    ]);
    const one = await agent.connect(new TestPeer(["unix:uid:1"], 1));
    const two = await agent.connect(new TestPeer(["unix:uid:2", "unix:gid:9"], 2));
    t.strictSame(idsOf(await first(one.fetchX509SVID({}))), ["spiffe://north.test/one"]);
    t.strictSame(idsOf(await first(two.fetchX509SVID({}))), ["spiffe://north.test/two"]);
    const { svids } = await two.fetchJWTSVID({ audience: ["x"] });
    t.strictSame(
      svids.map(({ spiffeId }) => spiffeId),
      ["spiffe://north.test/two"],
    );
  },
);

t.test("WL-08 every message carries the whole state", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b"), entryOf("c")]);
  const client = await agent.connect();
  const stream = new StreamReader(client.fetchX509SVID({}));
  const before = await stream.next();
  t.equal(before.svids.length, 3);
  agent.svids.renew(["b"]);
  const after = await stream.next();
  t.strictSame(idsOf(after), idsOf(before));
  t.same(
    after.svids[0]?.x509Svid,
    before.svids[0]?.x509Svid,
    "one that did not rotate is sent too",
  );
  t.notSame(after.svids[1]?.x509Svid, before.svids[1]?.x509Svid);
  await stream.close();
});

t.test("WL-09 the first message is sent at once", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  await first(client.fetchX509SVID({}));
  for (const stream of [
    () => first(client.fetchX509SVID({})),
    () => first(client.fetchX509Bundles({})),
    () => first(client.fetchJWTBundles({})),
  ]) {
    const start = performance.now();
    await stream();
    t.ok(performance.now() - start < 1000);
  }
  t.equal(agent.clock.now().getTime(), START.getTime(), "no time had to pass");
});

t.test("WL-10 later messages follow events, one each, and nothing comes without one", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const svids = new StreamReader(client.fetchX509SVID({}));
  const bundles = new StreamReader(client.fetchX509Bundles({}));
  await svids.next();
  await bundles.next();
  agent.svids.renew(["db"]);
  t.equal((await svids.next()).svids.length, 1);
  t.ok(await bundles.isQuiet(), "a new SVID is no change of the bundle");
  const next = await createSigner(NORTH, START);
  agent.delta({ bundles: [bundleOf(NORTH, [agent.signer, next])] });
  const [svid] = (await svids.next()).svids;
  t.equal(parseCertificates(svid?.bundle ?? new Uint8Array()).length, 2);
  await bundles.next();
  agent.delta({ bundles: [bundleOf(NORTH, [agent.signer, next])] });
  t.ok(await svids.isQuiet(), "nothing without an event");
  t.ok(await bundles.isQuiet(1));
  await svids.close();
  await bundles.close();
});

t.test("WL-10 what comes out as before is not sent again", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const svids = new StreamReader(client.fetchX509SVID({}));
  await svids.next();
  agent.snapshot([entryOf("db")]);
  agent.delta({ entries: [entryOf("db", { revisionNumber: 1 })] });
  agent.delta({ bundles: [{ ...agent.ownBundle, sequence: 9n, refreshHintSeconds: 10 }] });
  agent.delta({ entries: [entryOf("other", { selectors: [parseSelector("test:b")] })] });
  t.ok(await svids.isQuiet());
  agent.delta({ entries: [entryOf("db", { hint: "h", revisionNumber: 2 })] });
  t.equal((await svids.next()).svids[0]?.hint, "h", "what differs is");
  await svids.close();
});

t.test("WL-13 a mandatory field of a request that is empty is InvalidArgument", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const code = Status.invalidArgument;
  await t.rejects(client.fetchJWTSVID({ audience: [] }), { code });
  await t.rejects(client.validateJWTSVID({ audience: "", svid: "a.b.c" }), { code });
  await t.rejects(client.validateJWTSVID({ audience: "x", svid: "" }), { code });
  await t.resolves(client.fetchJWTSVID({ audience: ["x"] }));
});

t.test("WL-16 one SVID for each identity, and never a message without any", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a"), entryOf("b"), entryOf("c")]);
  const client = await agent.connect();
  const stream = new StreamReader(client.fetchX509SVID({}));
  t.strictSame(
    idsOf(await stream.next()),
    ["a", "b", "c"].map((id) => `spiffe://north.test/${id}`),
  );
  agent.delta({ removedEntryIds: ["a", "b"] });
  t.strictSame(idsOf(await stream.next()), ["spiffe://north.test/c"]);
  agent.delta({ removedEntryIds: ["c"] });
  await t.rejects(stream.next(), { code: Status.permissionDenied }, "not an empty message");
});

t.test("WL-17 every field of an SVID is filled, but the hint may be empty", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("a", { hint: "internal" }), entryOf("b")]);
  const client = await agent.connect();
  const { svids } = await first(client.fetchX509SVID({}));
  t.equal(svids.length, 2);
  for (const svid of svids) {
    t.not(svid.spiffeId, "");
    for (const bytes of [svid.x509Svid, svid.x509SvidKey, svid.bundle]) t.ok(bytes.length > 0);
  }
  t.strictSame(
    svids.map(({ hint }) => hint),
    ["internal", ""],
  );
});

t.test("WL-18 x509_svid is DER, leaf first, intermediates after it", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const below = await createSigner(NORTH, START);
  agent.signing.signer = {
    ...below,
    x509: { ...below.x509, upstreamChain: [below.x509.certificate.der] },
  };
  agent.svids.renew(["db"]);
  await new Promise((resolve) => setTimeout(resolve, 20));
  const client = await agent.connect();
  const [svid] = (await first(client.fetchX509SVID({}))).svids;
  const chain = parseCertificates(svid?.x509Svid ?? new Uint8Array());
  t.equal(chain.length, 2, "split by the lengths of ASN.1");
  t.strictSame(chain[0]?.uris, ["spiffe://north.test/db"], "the leaf is the first");
  t.ok(chain[1]?.isCa);
  t.not(
    Buffer.from(svid?.x509Svid ?? [])
      .toString("latin1")
      .slice(0, 5),
    "-----",
  );
});

t.test("WL-19 x509_svid_key is unencrypted PKCS #8 DER of the leaf's key", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const [svid] = (await first(client.fetchX509SVID({}))).svids;
  const read = (type: "pkcs8" | "sec1"): ReturnType<typeof createPrivateKey> =>
    createPrivateKey({ key: Buffer.from(svid?.x509SvidKey ?? []), format: "der", type });
  t.ok(new X509Certificate(svid?.x509Svid ?? "").checkPrivateKey(read("pkcs8")));
  // RFC 5958: a PrivateKeyInfo begins with its version 0; SEC 1 with 1; an encrypted one has none.
  t.strictSame([...(svid?.x509SvidKey ?? [])].slice(3, 6), [0x02, 0x01, 0x00]);
  t.notOk(
    new X509Certificate(svid?.x509Svid ?? "").checkPrivateKey(generateP256KeyPair().privateKey),
    "another key would not pass",
  );
});

t.test(
  "WL-20 bundle holds the roots of the SVID's trust domain as DER, both of them in a rotation",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db", { federatesWith: ["south.test"] })]);
    const next = await createSigner(NORTH, START);
    const south = await southBundle();
    agent.delta({ bundles: [bundleOf(NORTH, [agent.signer, next]), south] });
    const client = await agent.connect();
    const [svid] = (await first(client.fetchX509SVID({}))).svids;
    t.same(
      parseCertificates(svid?.bundle ?? new Uint8Array()).map(({ der }) => der),
      [agent.signer.x509.certificate.der, next.x509.certificate.der],
      "no foreign root among them",
    );
    const bundles = await first(client.fetchX509Bundles({}));
    t.equal(hex(bundles.bundles["spiffe://north.test"]), hex(svid?.bundle), "the same as alone");
  },
);

t.test(
  "WL-21 federated_bundles is keyed by the SPIFFE ID of the foreign trust domain",
  async (t) => {
    const south = await southBundle();
    const west = TrustDomain.parse("west.test");
    const agent = await TestAgent.create(t);
    agent.snapshot(
      [
        entryOf("db", { federatesWith: ["south.test", "north.test", "unknown.test"] }),
        entryOf("x"),
      ],
      [south, bundleOf(west, [await createSigner(west, START)])],
    );
    const client = await agent.connect();
    const { federatedBundles } = await first(client.fetchX509SVID({}));
    t.strictSame(Object.keys(federatedBundles), ["spiffe://south.test"]);
    t.equal(hex(federatedBundles["spiffe://south.test"]), hex(south.x509Authorities[0]?.der));
  },
);

// What it holds when something is revoked: revocation.test.ts.
t.test("WL-22 crl is empty while nothing is revoked", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  t.strictSame((await first(client.fetchX509SVID({}))).crl, []);
  t.strictSame((await first(client.fetchX509Bundles({}))).crl, []);
});

t.test(
  "WL-23 a hint is unique within a response: of two entries the older one is kept",
  async (t) => {
    const younger = entryOf("a", { hint: "db", createdAtUnixSeconds: 1_700_000_100 });
    const older = entryOf("z", { hint: "db" });
    const plain = [entryOf("p"), entryOf("q")];
    const agent = await TestAgent.create(t, [younger, ...plain, older]);
    const client = await agent.connect();
    const expected = ["p", "q", "z"].map((id) => `spiffe://north.test/${id}`);
    t.strictSame(idsOf(await first(client.fetchX509SVID({}))), expected);
    const { svids } = await client.fetchJWTSVID({ audience: ["x"] });
    t.strictSame(
      svids.map(({ spiffeId }) => spiffeId),
      expected,
    );
    agent.delta({ removedEntryIds: ["z"] });
    t.strictSame(
      idsOf(await first(client.fetchX509SVID({}))),
      ["p", "q", "a"].map((id) => `spiffe://north.test/${id}`),
      "the other takes its place when it goes",
    );
  },
);

t.test("WL-25 hints have at most 1024 bytes", async (t) => {
  const withHint = (hint: string): spire.api.types.Entry =>
    entryToWire(entryOf("a", { hint })) as spire.api.types.Entry;
  t.equal(entryFromWire(withHint("h".repeat(1024))).hint.length, 1024);
  t.throws(() => entryFromWire(withHint("h".repeat(1025))), { code: Status.invalidArgument });
});

t.test(
  "WL-26 a caller without X509-SVID gets PermissionDenied, and an SVID once there is an entry",
  async (t) => {
    const agent = await TestAgent.create(t);
    const client = await agent.connect();
    await t.rejects(first(client.fetchX509SVID({})), {
      code: Status.permissionDenied,
      reason: "NO_IDENTITY_ISSUED",
    });
    agent.delta({ entries: [entryOf("db")] });
    t.equal((await first(client.fetchX509SVID({}))).svids.length, 1);
  },
);

t.test("WL-29 the bundles include the own trust domain", async (t) => {
  const agent = await TestAgent.create(t);
  agent.snapshot([entryOf("db", { federatesWith: ["south.test"] })], [await southBundle()]);
  const client = await agent.connect();
  const { bundles } = await first(client.fetchX509Bundles({}));
  t.strictSame(Object.keys(bundles).sort(), ["spiffe://north.test", "spiffe://south.test"]);
  t.equal(hex(bundles["spiffe://north.test"]), hex(agent.signer.x509.certificate.der));
});

t.test("WL-30 a caller that is not entitled to bundles gets PermissionDenied", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect(new TestPeer(["test:other"]));
  await t.rejects(first(client.fetchX509Bundles({})), { code: Status.permissionDenied });
  const entitled = await agent.connect();
  t.equal(Object.keys((await first(entitled.fetchX509Bundles({}))).bundles).length, 1);
});

t.test("WL-52 the default identity is the first, and stays the first", async (t) => {
  const agent = await TestAgent.create(t, [
    entryOf("m", { createdAtUnixSeconds: 20 }),
    entryOf("z", { createdAtUnixSeconds: 10 }),
  ]);
  const client = await agent.connect();
  const stream = new StreamReader(client.fetchX509SVID({}));
  const expected = ["spiffe://north.test/z", "spiffe://north.test/m"];
  t.strictSame(idsOf(await stream.next()), expected, "the oldest entry");
  agent.svids.renew(["z", "m"]);
  t.strictSame(idsOf(await stream.next()), expected, "after a rotation");
  agent.delta({ entries: [entryOf("a", { createdAtUnixSeconds: 30 })] });
  t.strictSame(
    idsOf(await stream.next()),
    [...expected, "spiffe://north.test/a"],
    "after a new entry",
  );
  agent.delta({
    entries: [entryOf("z", { createdAtUnixSeconds: 10, revisionNumber: 5, hint: "h" })],
  });
  t.equal(idsOf(await stream.next())[0], expected[0], "after a change of its entry");
  await stream.close();
});

t.test("BND-22 a change of a bundle reaches workloads that are waiting", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db", { federatesWith: ["south.test"] })]);
  const client = await agent.connect();
  const x509 = new StreamReader(client.fetchX509Bundles({}));
  const jwt = new StreamReader(client.fetchJWTBundles({}));
  await x509.next();
  await jwt.next();
  agent.delta({ bundles: [await southBundle()] });
  t.equal(Object.keys((await x509.next()).bundles).length, 2);
  t.equal(Object.keys((await jwt.next()).bundles).length, 2);
  agent.delta({ removedBundles: ["south.test"] });
  t.equal(Object.keys((await x509.next()).bundles).length, 1);
  t.equal(Object.keys((await jwt.next()).bundles).length, 1);
  await x509.close();
  await jwt.close();
});
