// What SPIFFE's client libraries in other languages ask of the socket, beyond the standard's letter. Each
// test names the library that breaks otherwise. Java's `:authority`: test/proto/rpc/authority.test.ts.

import { createPrivateKey, X509Certificate } from "node:crypto";
import t from "tap";
import { Status } from "../../pki/errors.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificates } from "../../pki/x509/certificate.ts";
import { entryOf, first, idsOf, StreamReader, TestAgent, TestPeer } from "../support/test-agent.ts";
import { bundleOf, createSigner } from "../support/test-signing.ts";

const SOUTH = TrustDomain.parse("south.test");
const START = new Date("2030-01-01T00:00:00Z");

t.test("a watch never ends with OK, which Java takes for the end of the world", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const streams = [
    new StreamReader<unknown>(client.fetchX509SVID({})),
    new StreamReader<unknown>(client.fetchX509Bundles({})),
    new StreamReader<unknown>(client.fetchJWTBundles({})),
  ];
  for (const stream of streams) await stream.next();
  const ends = streams.map((stream) => t.rejects(stream.next(), { code: Status.unavailable }));
  await agent.server.stop();
  await Promise.all(ends);
});

t.test('"no identity issued" stands in the message, by which Rust knows the case', async (t) => {
  const agent = await TestAgent.create(t);
  const client = await agent.connect();
  const denied = { code: Status.permissionDenied, message: /no identity issued/ };
  await t.rejects(first(client.fetchX509SVID({})), denied);
  await t.rejects(first(client.fetchX509Bundles({})), denied);
  await t.rejects(first(client.fetchJWTBundles({})), denied);
  await t.rejects(client.fetchJWTSVID({ audience: ["x"] }), denied);
});

t.test("a stream that loses its last identity is denied, so that Rust withdraws it", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
  await stream.next();
  agent.delta({ removedEntryIds: ["db"] });
  await t.rejects(stream.next(), { code: Status.permissionDenied, message: /no identity issued/ });
});

t.test("an X.509 bundle of zero bytes is left out: Python and Java fail on it", async (t) => {
  const agent = await TestAgent.create(t);
  const empty = { ...bundleOf(SOUTH, [await createSigner(SOUTH, START)]), x509Authorities: [] };
  agent.snapshot([entryOf("db", { federatesWith: ["south.test"] })], [empty]);
  const client = await agent.connect();
  t.strictSame(Object.keys((await first(client.fetchX509SVID({}))).federatedBundles), []);
  const { bundles } = await first(client.fetchX509Bundles({}));
  t.strictSame(Object.keys(bundles), ["spiffe://north.test"]);
  const jwt = await first(client.fetchJWTBundles({}));
  t.ok(jwt.bundles["spiffe://south.test"], "its JWT keys are there");
});

t.test('a JWT bundle without keys is {"keys":[]}, not zero bytes', async (t) => {
  const agent = await TestAgent.create(t);
  const none = { ...bundleOf(SOUTH, [await createSigner(SOUTH, START)]), jwtAuthorities: [] };
  agent.snapshot([entryOf("db", { federatesWith: ["south.test"] })], [none]);
  const { bundles } = await first((await agent.connect()).fetchJWTBundles({}));
  const text = Buffer.from(bundles["spiffe://south.test"] ?? []).toString("utf8");
  t.strictSame(JSON.parse(text), { keys: [] });
});

t.test(
  "every JWT key has a kid and neither use nor alg; one without spoils a bundle for all",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db")]);
    const { bundles } = await first((await agent.connect()).fetchJWTBundles({}));
    const text = Buffer.from(bundles["spiffe://north.test"] ?? []).toString("utf8");
    const { keys } = JSON.parse(text) as { keys: Record<string, unknown>[] };
    for (const key of keys) {
      t.type(key["kid"], "string");
      t.ok(["EC", "RSA"].includes(String(key["kty"])), "an OKP key makes Java throw");
      t.notOk("use" in key);
      t.notOk("alg" in key);
    }
  },
);

t.test(
  "the first SVID stays the first when an entry is added: it is everybody's default",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("m", { createdAtUnixSeconds: 5 })]);
    const stream = new StreamReader((await agent.connect()).fetchX509SVID({}));
    t.equal(idsOf(await stream.next())[0], "spiffe://north.test/m");
    for (const id of ["a", "z"]) {
      agent.delta({ entries: [entryOf(id, { createdAtUnixSeconds: 6 })] });
      t.equal(idsOf(await stream.next())[0], "spiffe://north.test/m");
    }
    await stream.close();
  },
);

t.test(
  "spiffe_id is the URI of the certificate to the letter, as Java compares them",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("Db_1.-")]);
    const [svid] = (await first((await agent.connect()).fetchX509SVID({}))).svids;
    const [leaf] = parseCertificates(svid?.x509Svid ?? new Uint8Array());
    t.strictSame(leaf?.uris, [svid?.spiffeId]);
  },
);

t.test(
  "the key is PKCS #8 of a kind that all read, the leaf has basic constraints and no CA bits",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db")]);
    const [svid] = (await first((await agent.connect()).fetchX509SVID({}))).svids;
    const key = createPrivateKey({
      key: Buffer.from(svid?.x509SvidKey ?? []),
      format: "der",
      type: "pkcs8",
    });
    t.equal(key.asymmetricKeyDetails?.namedCurve, "prime256v1");
    const leaf = new X509Certificate(svid?.x509Svid ?? "");
    t.notOk(leaf.ca);
    t.strictSame(leaf.keyUsage?.toSorted(), ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  },
);

t.test("no message is larger than the 4 MiB that clients take", async (t) => {
  const entries = Array.from({ length: 900 }, (_, i) =>
    entryOf(`e${i}`, { hint: `h${i}`.padEnd(1000, "x"), createdAtUnixSeconds: 1000 + i }),
  );
  const agent = await TestAgent.create(t, entries);
  const { svids } = await first((await agent.connect()).fetchX509SVID({}));
  t.equal(svids[0]?.spiffeId, "spiffe://north.test/e0", "the default is there");
  t.ok(svids.length > 500 && svids.length <= 900, `${svids.length} of 900`);
});

t.test("the error of a call fits into the 8 KiB of headers that Java takes", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect(new TestPeer());
  const spiffeId = `spiffe://north.test/${"é".repeat(4000)}`;
  const error = await client.fetchJWTSVID({ audience: ["x"], spiffeId }).catch((e: Error) => e);
  t.match(error, { code: Status.invalidArgument });
  t.ok(error instanceof Error && encodeURI(error.message).length <= 4096);
});

t.test(
  "the claims of ValidateJWTSVID have sub, aud and a numeric exp, as Rust wants them",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db")]);
    const client = await agent.connect();
    const { svids } = await client.fetchJWTSVID({ audience: ["x"] });
    const { claims } = await client.validateJWTSVID({ audience: "x", svid: svids[0]?.svid ?? "" });
    t.equal(claims.fields["sub"]?.kind, "stringValue");
    t.equal(claims.fields["aud"]?.kind, "listValue");
    t.ok(Number.isInteger(claims.fields["exp"]?.numberValue));
    t.ok(Number.isInteger(claims.fields["iat"]?.numberValue), "Java reads it without a look");
  },
);

t.test(
  "a client may cancel after each first message, thousands of times on one connection",
  async (t) => {
    const agent = await TestAgent.create(t, [entryOf("db")]);
    const client = await agent.connect();
    for (let i = 0; i < 1500; i++) await first(client.fetchX509SVID({}));
    t.equal((await first(client.fetchX509SVID({}))).svids.length, 1);
  },
);
