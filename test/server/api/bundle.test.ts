// The Bundle service over the wire: the own bundle, and the bundles of federated trust domains.
import t, { type Test } from "tap";
import { generateP256KeyPair, signerOf } from "../../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../../pki/spiffe-id.ts";
import { createCaCertificate } from "../../../pki/x509/ca.ts";
import { pairInProcess } from "../../../proto/rpc/in-process.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import {
  BundleService,
  BatchDeleteFederatedBundleRequestMode as Mode,
} from "../../../proto/schema.gen.ts";
import { bundleHandlers } from "../../../server/api/bundle.ts";
import { EntryStore } from "../../../server/store/entries.ts";
import { north, startTestCa } from "../../support/test-ca.ts";

async function serve(t: Test, { takesWit = false } = {}) {
  const ca = await startTestCa(t);
  const entries = await EntryStore.start({ log: ca.log, now: () => ca.clock.now() });
  t.teardown(() => entries.stop());
  const server = createRpcServer({ onInternalError: (error) => t.fail(String(error)) });
  server.add(
    BundleService,
    bundleHandlers({ trustDomain: north, bundles: ca.bundles, entries, takesWit }),
  );
  const pair = await pairInProcess(server);
  t.teardown(() => pair.close());
  return { ca, entries, client: (await pair.connect("local")).client(BundleService) };
}

async function authority(name: string): Promise<Uint8Array> {
  return createCaCertificate({
    signer: signerOf("ca", generateP256KeyPair()),
    trustDomain: TrustDomain.parse(name),
    subject: { country: "US", organization: "SPIFFE" },
    notBefore: new Date("2030-01-01"),
    notAfter: new Date("2031-01-01"),
  });
}

const jwtKey = (keyId: string) => ({ keyId, publicKey: generateP256KeyPair().spki, expiresAt: 0 });

async function south(trustDomain = "south.test") {
  return {
    trustDomain,
    x509Authorities: [{ asn1: await authority(trustDomain) }],
    jwtAuthorities: [jwtKey("k1")],
    refreshHint: 60,
    sequenceNumber: 7,
  };
}

t.test("answers the own bundle, the fields of the mask alone", async (t) => {
  const { client, ca } = await serve(t);
  const bundle = await client.getBundle({});
  t.equal(bundle.trustDomain, "north.test");
  t.equal(bundle.x509Authorities.length, 1);
  t.equal(bundle.jwtAuthorities.length, 1);
  t.equal(bundle.refreshHint, 300);
  t.equal(BigInt(bundle.sequenceNumber), ca.authorities.bundle().sequence);
  const masked = await client.getBundle({ outputMask: { jwtAuthorities: true } });
  t.match(masked, { trustDomain: "north.test", refreshHint: 0, sequenceNumber: 0 });
  t.equal(masked.x509Authorities.length, 0);
  t.equal(masked.jwtAuthorities[0]?.keyId, ca.authorities.slots("jwt").active?.authorityId);
});

t.test("shows a tainted authority as tainted", async (t) => {
  const { client, ca } = await serve(t);
  const old = ca.authorities.slots("x509").active?.authorityId ?? "";
  const { authorityId } = await ca.authorities.prepare("x509");
  await ca.authorities.activate("x509", authorityId, { forced: true });
  await ca.authorities.taint("x509", old);
  const { x509Authorities } = await client.getBundle({});
  t.strictSame(
    x509Authorities.map(({ tainted }) => tainted),
    [true, false],
  );
});

t.test(
  "BND-04 appends authorities to the own bundle, with a new sequence number for new content alone",
  async (t) => {
    const { client } = await serve(t, { takesWit: true });
    const before = await client.getBundle({});
    const append = {
      x509Authorities: [{ asn1: await authority("north.test") }],
      jwtAuthorities: [jwtKey("mine")],
      witAuthorities: [jwtKey("wit")],
    };
    const after = await client.appendBundle(append);
    t.equal(after.x509Authorities.length, 2);
    t.equal(after.jwtAuthorities.length, 2);
    t.equal(after.witAuthorities[0]?.keyId, "wit");
    t.ok(after.sequenceNumber > before.sequenceNumber);
    const same = await client.appendBundle(append);
    t.equal(same.sequenceNumber, after.sequenceNumber);
  },
);

t.test("appends nothing that is no authority", async (t) => {
  const { client, ca } = await serve(t);
  const { leaf } = await ca.issuer.issueForKey({
    spki: generateP256KeyPair().spki,
    spiffeId: SpiffeId.of(north, "/db"),
    ttlSeconds: 60,
  });
  const rows = [
    { name: "nothing", request: {}, reason: "BUNDLE_REQUEST_INVALID" },
    {
      name: "a leaf",
      request: { x509Authorities: [{ asn1: leaf.der }] },
      reason: "BUNDLE_REQUEST_INVALID",
    },
    {
      name: "junk",
      request: { x509Authorities: [{ asn1: new Uint8Array([1]) }] },
      reason: "CERTIFICATE_INVALID",
    },
    {
      name: "a key without ID",
      request: { jwtAuthorities: [jwtKey("")] },
      reason: "AUTHORITY_MALFORMED",
    },
    {
      name: "a WIT key where WIT-SVIDs are turned off",
      request: { jwtAuthorities: [jwtKey("k")], witAuthorities: [jwtKey("w")] },
      reason: "NOT_SUPPORTED",
    },
  ];
  const before = ca.authorities.bundle();
  for (const { name, request, reason } of rows) {
    await t.rejects(client.appendBundle(request), { name: "IdentityError", reason }, name);
  }
  t.equal(ca.authorities.bundle(), before);
});

t.test("appends no WIT key under the ID of a JWT key", async (t) => {
  const { client: open, ca } = await serve(t, { takesWit: true });
  await t.rejects(
    open.appendBundle({ jwtAuthorities: [jwtKey("k")], witAuthorities: [jwtKey("k")] }),
    { name: "IdentityError", reason: "AUTHORITY_CONFLICT" },
  );
  t.strictSame(ca.authorities.bundle().witAuthorities, []);
});

t.test("FED-08 keeps each foreign bundle under its own name", async (t) => {
  const { client } = await serve(t);
  const sent = [await south(), await south("west.test"), await south()];
  const { results } = await client.batchCreateFederatedBundle({ bundle: sent });
  t.strictSame(
    results.map(({ status }) => status?.code),
    [0, 0, 6],
    "the second of the same name exists",
  );
  const got = await client.getFederatedBundle({ trustDomain: "south.test" });
  t.strictSame(got.x509Authorities[0]?.asn1, Buffer.from(sent[0]?.x509Authorities[0]?.asn1 ?? []));
  t.match(got, { trustDomain: "south.test", refreshHint: 60, sequenceNumber: 7 });
  t.equal((await client.countBundles({})).count, 3, "the own one too");
  const listed = await client.listFederatedBundles({});
  t.strictSame(
    listed.bundles.map(({ trustDomain }) => trustDomain),
    ["south.test", "west.test"],
  );
  t.equal((await client.getBundle({})).x509Authorities.length, 1);
});

t.test(
  "BND-05 keeps a sequence number to the last digit, and no bundle with a key ID twice",
  async (t) => {
    const { client, ca } = await serve(t);
    const { bundles } = ca;
    const south64 = await south();
    for (const sequenceNumber of [2n ** 53n + 1n, 2n ** 64n - 1n]) {
      await client.batchSetFederatedBundle({ bundle: [{ ...south64, sequenceNumber }] });
      const got = await client.getFederatedBundle({ trustDomain: "south.test" });
      t.equal(got.sequenceNumber, sequenceNumber);
      t.equal(bundles.get("south.test")?.sequence, sequenceNumber);
    }
    const twice = { ...south64, jwtAuthorities: [jwtKey("k1"), jwtKey("k1")] };
    const { results } = await client.batchSetFederatedBundle({ bundle: [twice] });
    t.match(results[0]?.status, { code: 3, message: /share/ });
    t.equal(bundles.get("south.test")?.jwtAuthorities.length, 1);
  },
);

t.test("lists foreign bundles page by page", async (t) => {
  const { client } = await serve(t);
  const names = ["a.test", "b.test", "c.test", "d.test", "e.test"];
  await client.batchSetFederatedBundle({
    bundle: await Promise.all(names.map((name) => south(name))),
  });
  const seen: string[] = [];
  for (let pageToken = "", pages = 0; pages < 10; pages++) {
    const page = await client.listFederatedBundles({ pageSize: 2, pageToken });
    seen.push(...page.bundles.map(({ trustDomain }) => trustDomain));
    t.ok(page.bundles.length <= 2);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  t.strictSame(seen, names);
});

t.test("updates what the mask means and sets the whole", async (t) => {
  const { client } = await serve(t);
  const first = await south();
  await client.batchSetFederatedBundle({ bundle: [first] });
  const change = { ...(await south()), refreshHint: 90, jwtAuthorities: [] };
  const { results } = await client.batchUpdateFederatedBundle({
    bundle: [change, await south("unknown.test")],
    inputMask: { refreshHint: true },
  });
  t.strictSame(
    results.map(({ status }) => status?.code),
    [0, 5],
  );
  t.match(results[0]?.bundle, { refreshHint: 90, sequenceNumber: 7 });
  t.equal(results[0]?.bundle?.jwtAuthorities.length, 1);
  const set = await client.batchSetFederatedBundle({
    bundle: [change],
    outputMask: { refreshHint: true },
  });
  t.match(set.results[0]?.bundle, {
    trustDomain: "south.test",
    refreshHint: 90,
    sequenceNumber: 0,
  });
  const got = await client.getFederatedBundle({ trustDomain: "south.test" });
  t.equal(got.jwtAuthorities.length, 0);
});

t.test("sets WIT authorities when they are meant, never under a JWT authority's ID", async (t) => {
  const { client } = await serve(t);
  await client.batchSetFederatedBundle({ bundle: [await south()] });
  const update = async (keyId: string) => {
    const { results } = await client.batchUpdateFederatedBundle({
      bundle: [{ ...(await south()), jwtAuthorities: [], witAuthorities: [jwtKey(keyId)] }],
      inputMask: { witAuthorities: true },
    });
    return results[0]?.status?.code;
  };
  t.equal(await update("w1"), 0);
  t.equal(await update("k1"), 3);
  const got = await client.getFederatedBundle({ trustDomain: "south.test" });
  t.match(got, { jwtAuthorities: [{ keyId: "k1" }], witAuthorities: [{ keyId: "w1" }] });
  const masked = await client.getFederatedBundle({
    trustDomain: "south.test",
    outputMask: { witAuthorities: true },
  });
  t.match(masked, { jwtAuthorities: [], witAuthorities: [{ keyId: "w1" }] });
});

t.test("ID-24 takes the own trust domain for no federated one", async (t) => {
  const { client, ca } = await serve(t);
  const own = await south("north.test");
  const before = ca.authorities.bundle();
  const expected = { name: "IdentityError", reason: "BUNDLE_REQUEST_INVALID" };
  await t.rejects(client.getFederatedBundle({ trustDomain: "north.test" }), expected);
  const statuses = [
    (await client.batchCreateFederatedBundle({ bundle: [own] })).results,
    (await client.batchUpdateFederatedBundle({ bundle: [own] })).results,
    (await client.batchSetFederatedBundle({ bundle: [own] })).results,
    (await client.batchDeleteFederatedBundle({ trustDomains: ["north.test"] })).results,
  ];
  for (const results of statuses) t.equal(results[0]?.status?.code, 3);
  t.equal(ca.authorities.bundle(), before);
});

t.test("answers for each bad item by itself", async (t) => {
  const { client } = await serve(t);
  const good = await south();
  const { results } = await client.batchSetFederatedBundle({
    bundle: [
      { ...good, trustDomain: "South.test" },
      { ...good, x509Authorities: [{ asn1: new Uint8Array([0x30]) }] },
      good,
    ],
  });
  t.strictSame(
    results.map(({ status }) => status?.code),
    [3, 3, 0],
  );
  const deleted = await client.batchDeleteFederatedBundle({
    trustDomains: ["NO", "gone.test", "south.test"],
  });
  t.strictSame(
    deleted.results.map(({ status }) => status?.code),
    [3, 5, 0],
  );
  await t.rejects(client.getFederatedBundle({ trustDomain: "south.test" }), {
    reason: "BUNDLE_NOT_FOUND",
    code: 5,
  });
});

t.test("deletes a bundle that entries federate with as the mode says", async (t) => {
  const { client, entries } = await serve(t);
  const federated = async () => {
    await client.batchSetFederatedBundle({ bundle: [await south(), await south("west.test")] });
    const [created] = await entries.create([
      {
        id: "",
        spiffeId: "spiffe://north.test/db",
        parentId: "spiffe://north.test/spire/agent/a",
        selectors: [{ type: "unix", value: "uid:1" }],
        x509SvidTtlSeconds: 0,
        jwtSvidTtlSeconds: 0,
        federatesWith: ["west.test", "south.test"],
        admin: false,
        downstream: false,
        expiresAtUnixSeconds: 0,
        dnsNames: [],
        storeSvid: false,
        hint: "",
        disableX509SvidPrefetch: false,
        jwtSvidIncludeJti: false,
      },
    ]);
    return created?.entry.id ?? "";
  };
  const remove = async (mode: number) => {
    const { results } = await client.batchDeleteFederatedBundle({
      trustDomains: ["south.test"],
      mode,
    });
    return results[0]?.status?.code;
  };
  const id = await federated();
  t.equal(await remove(Mode.RESTRICT), 9);
  t.ok(await client.getFederatedBundle({ trustDomain: "south.test" }));
  t.equal(await remove(9), 3, "no such mode");
  t.equal(await remove(Mode.DISSOCIATE), 0);
  t.strictSame(entries.get(id)?.federatesWith, ["west.test"]);
  t.equal(entries.get(id)?.revisionNumber, 1);
  await entries.delete([id]);
  const again = await federated();
  t.equal(await remove(Mode.DELETE), 0);
  t.equal(entries.get(again), undefined);
  t.ok(await client.getFederatedBundle({ trustDomain: "west.test" }));
});

t.test("says what it does not do", async (t) => {
  const { client } = await serve(t);
  const expected = { reason: "NOT_SUPPORTED", code: 12 };
  await t.rejects(client.publishJWTAuthority({}), expected);
  await t.rejects(client.publishWITAuthority({}), expected);
});
