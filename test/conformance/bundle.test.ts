// SPIFFE_Trust_Domain_and_Bundle.md, sections 1 to 4 and 6: one test per row, accept and reject. What
// binds the server over time (sequence numbers over restarts, keys of authorities) is also in
// issuer.test.ts.
import { join } from "node:path";
import t from "tap";
import { X509Source } from "../../client/x509-source.ts";
import {
  addJwt,
  addX509,
  revokeJwt,
  revokeX509,
  taintJwt,
  x509AuthorityId,
} from "../../pki/bundle/authorities.ts";
import { type Bundle, emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatBundle, formatJwks } from "../../pki/bundle/format.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { validateJwtSvid } from "../../pki/jwt/svid.ts";
import { generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { parseConfig } from "../../runtime/config.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { openLevelLog } from "../../server/store/engine-level.ts";
import { claimStore } from "../../server/store/owner.ts";
import { FakeWorkloadApi, x509SvidToWire } from "../support/fake-workload-api.ts";
import { entryOf, StreamReader, TestAgent } from "../support/test-agent.ts";
import { TestAuthority } from "../support/test-authority.ts";

const north = TrustDomain.parse("north.test");
const now = new Date();
const invalid = { reason: "BUNDLE_INVALID", code: Status.invalidArgument };
const [first, second] = [await TestAuthority.create(), await TestAuthority.create()];
const jwtSigner = signerOf("k1", generateP256KeyPair());
const jwtAuthority = { keyId: "k1", spki: jwtSigner.spki, expiresAt: undefined, tainted: false };
const full: Bundle = {
  ...addJwt(addX509(emptyBundle(north), first.root.der), jwtAuthority),
  refreshHintSeconds: 300,
};

interface Document {
  keys: Record<string, unknown>[];
  [member: string]: unknown;
}
const documentOf = (bundle: Bundle): Document => JSON.parse(formatBundle(bundle));
const read = (document: unknown) => parseBundle(north, JSON.stringify(document));
const sizes = ({ x509Authorities, jwtAuthorities }: Bundle) => [
  x509Authorities.length,
  jwtAuthorities.length,
];

/** Whether an SVID of the first authority is valid under a bundle. */
function trusts(bundle: Bundle, chain: readonly Uint8Array[]): boolean {
  const anchors = bundle.x509Authorities.map(({ der }) => parseCertificate(der));
  try {
    validateX509Svid(chain, (name) => (name.equals(bundle.trustDomain) ? anchors : undefined), now);
    return true;
  } catch {
    return false;
  }
}
const { chain } = await first.issue("/db");

t.test("BND-01 a bundle is a JWK Set, a JSON object", async (t) => {
  t.ok(Array.isArray(documentOf(full).keys));
  t.strictSame(sizes(read(documentOf(full))), [1, 1]);
  for (const text of ["[]", "-----BEGIN CERTIFICATE-----", '"x"', "null"]) {
    t.throws(() => parseBundle(north, text), invalid, text);
  }
});

t.test("BND-02 unknown members are ignored, and none is needed", async (t) => {
  t.strictSame(sizes(read({ ...documentOf(full), "x.test/extra": [1] })), [1, 1]);
  t.strictSame(sizes(read({ keys: documentOf(full).keys })), [1, 1]);
  t.throws(
    () => parseBundle(north, '{"keys":[],"a":1,"a":2}'),
    invalid,
    "said twice, it is no JSON",
  );
});

t.test("BND-03 the sequence number is published, and a bundle without one is read", async (t) => {
  t.equal(documentOf(full)["spiffe_sequence"], 2);
  t.equal(read({ keys: [] }).sequence, 0n);
});

t.test(
  "BND-04 each change of content has a higher sequence number, and no change has the same",
  async (t) => {
    const more = addX509(full, second.root.der);
    t.equal(more.sequence, full.sequence + 1n);
    t.equal(taintJwt(more, "k1").sequence, more.sequence + 1n);
    t.equal(revokeJwt(more, "k1").sequence, more.sequence + 1n);
    t.equal(addX509(full, first.root.der).sequence, full.sequence);
    for (const sequence of ["-1", "1.5", '"7"', "null"]) {
      t.throws(() => parseBundle(north, `{"keys":[],"spiffe_sequence":${sequence}}`), invalid);
    }
  },
);

t.test("BND-05 sequence numbers are exact to 64 bits", async (t) => {
  const sequences = ["9007199254740992", "9007199254740993", "18446744073709551615"].map(
    (text) => parseBundle(north, `{"keys":[],"spiffe_sequence":${text}}`).sequence,
  );
  t.strictSame(sequences, [9007199254740992n, 9007199254740993n, 18446744073709551615n]);
  t.match(
    formatBundle({ ...full, sequence: 9007199254740993n }),
    '"spiffe_sequence":9007199254740993',
  );
  t.throws(() => parseBundle(north, '{"keys":[],"spiffe_sequence":18446744073709551616}'), invalid);
});

t.test("BND-06 the refresh hint is published, and a bundle without one is read", async (t) => {
  t.equal(documentOf(full)["spiffe_refresh_hint"], 300);
  t.equal(read({ keys: [] }).refreshHintSeconds, 0);
});

t.test("BND-07 the refresh hint is a whole number of seconds", async (t) => {
  t.equal(read({ keys: [], spiffe_refresh_hint: 300 }).refreshHintSeconds, 300);
  for (const hint of [300.5, "300", -1, null]) {
    t.throws(() => read({ keys: [], spiffe_refresh_hint: hint }), invalid);
  }
});

// BND-08 and BND-21 bind who polls. Nothing here does: agents and workloads are sent every change (BND-22),
// and foreign bundles are set by administrators until federation is built. So what is tested is that a hint
// changes no behaviour of a consumer, and what we publish for those who poll us.
t.test("BND-08 a hint is advice: one of 0 or 1 makes nobody busy", async (t) => {
  for (const hint of [0, 1])
    t.equal(read({ keys: [], spiffe_refresh_hint: hint }).refreshHintSeconds, hint);
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const stream = new StreamReader(client.fetchX509Bundles({}));
  await stream.next();
  const requests = agent.signing.batches.length;
  for (const refreshHintSeconds of [1, 0]) {
    agent.delta({ bundles: [{ ...agent.ownBundle, refreshHintSeconds }] });
    await agent.clock.advance(60_000);
    t.ok(await stream.isQuiet(), `hint ${refreshHintSeconds}`);
  }
  t.equal(agent.signing.batches.length, requests, "and the server is not asked");
  const config = "trust_domain: x.test\ndata_dir: /tmp/x\nbundle_refresh_hint: 0s\n";
  t.throws(() => parseConfig(config, serverConfigSchema), {
    reason: "CONFIG_INVALID",
    message: /hint/,
  });
});

t.test("BND-09 keys is present and an array", async (t) => {
  t.strictSame(sizes(read({ keys: [] })), [0, 0]);
  for (const document of [{}, { keys: null }, { keys: {} }])
    t.throws(() => read(document), invalid);
});

t.test("BND-10 elements of unknown kty or use are skipped whole, the others kept", async (t) => {
  const [x509, jwt] = documentOf(full).keys;
  t.strictSame(
    sizes(
      read({ keys: [x509, { ...jwt, kty: "AKP" }, { ...x509, use: "other" }, { kty: "oct" }] }),
    ),
    [1, 0],
  );
  t.strictSame(sizes(read({ keys: [x509, jwt, 7, null, [], {}] })), [1, 1]);
});

t.test("BND-11 an empty set revokes everything", async (t) => {
  t.ok(trusts(read(documentOf(full)), chain));
  t.notOk(trusts(read({ keys: [] }), chain));
});

t.test("BND-11, BND-12 an agent forgets the keys of older bundles", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")]);
  const client = await agent.connect();
  const { svids } = await client.fetchJWTSVID({ audience: ["a"] });
  const check = () => client.validateJWTSVID({ audience: "a", svid: svids[0]?.svid ?? "" });
  t.equal((await check()).spiffeId, "spiffe://north.test/db");
  agent.delta({ bundles: [{ ...agent.ownBundle, jwtAuthorities: [] }] });
  await t.rejects(check(), { code: Status.invalidArgument }, "no key, no SVID");
  const other = { ...jwtAuthority, keyId: "other" };
  agent.delta({ bundles: [{ ...agent.ownBundle, jwtAuthorities: [other] }] });
  await t.rejects(check(), { code: Status.invalidArgument }, "nor with others");
});

t.test("BND-12 a set without usable keys is an empty one", async (t) => {
  const [x509] = documentOf(full).keys;
  t.ok(trusts(read({ keys: [{ kty: "AKP" }, x509] }), chain));
  t.notOk(trusts(read({ keys: [{ ...x509, x5c: [] }, { kty: "AKP" }] }), chain));
});

t.test("BND-13 each key says its kty, and one that does not is skipped", async (t) => {
  t.strictSame(
    documentOf(full).keys.map(({ kty }) => kty),
    ["EC", "EC"],
  );
  t.strictSame(sizes(read({ keys: documentOf(full).keys.map(({ kty, ...key }) => key) })), [0, 0]);
});

t.test("BND-14 each key says its use, to the letter", async (t) => {
  t.strictSame(
    documentOf(full).keys.map(({ use }) => use),
    ["x509-svid", "jwt-svid"],
  );
  for (const use of ["X509-SVID", "JWT-SVID", "sig", "wit-svid"]) {
    t.strictSame(
      sizes(read({ keys: documentOf(full).keys.map((key) => ({ ...key, use })) })),
      [0, 0],
    );
  }
});

t.test("BND-15 a key without use is skipped: nothing is guessed", async (t) => {
  const [x509, { use, ...jwt } = {}] = documentOf(full).keys;
  t.strictSame(sizes(read({ keys: [x509, jwt] })), [1, 0]);
  t.equal(use, "jwt-svid");
  t.strictSame(sizes(read({ keys: [x509, { ...jwt, use }] })), [1, 1], "with it, it counts");
});

t.test(
  "BND-16 keys have the members of the standards and no others, never private ones",
  async (t) => {
    const allowed = ["kty", "use", "kid", "crv", "x", "y", "n", "e", "x5c"];
    const rsa = await TestAuthority.create("north.test", "rsa-2048");
    const documents = [formatBundle(addX509(full, rsa.root.der)), formatJwks(full)];
    for (const key of documents.flatMap((text) => (JSON.parse(text) as Document).keys)) {
      t.strictSame(
        Object.keys(key).filter((name) => !allowed.includes(name)),
        [],
      );
    }
  },
);

t.test(
  "BND-17 the trust domain's name is kept beside the bundle, not taken from inside it",
  async (t) => {
    t.equal(read(documentOf(full)).trustDomain.name, "north.test");
    const filed = parseBundle(TrustDomain.parse("south.test"), formatBundle(full));
    t.equal(filed.trustDomain.name, "south.test");
    t.notOk(
      trusts(filed, chain),
      "an authority named north, filed under south, vouches for no north",
    );
  },
);

t.test("BND-18 the bundle is chosen by the SVID's trust domain", async (t) => {
  t.ok(trusts(full, chain));
  t.throws(() => validateX509Svid(chain, () => undefined, now), {
    reason: "SVID_TRUST_DOMAIN_UNKNOWN",
    code: Status.invalidArgument,
  });
});

t.test("BND-19 revoking is a bundle without the key", async (t) => {
  const both = addX509(full, second.root.der);
  t.ok(trusts(both, chain));
  const revoked = revokeX509(both, x509AuthorityId(first.root.der));
  t.notOk(trusts(revoked, chain));
  t.strictSame(sizes(read(documentOf(revoked))), [1, 1], "and no trace of the one that is gone");
  const token = await issueJwtSvid({
    signer: jwtSigner,
    keyId: "k1",
    spiffeId: (await first.issue("/db")).id,
    audience: ["a"],
    issuedAt: now,
    expiresAt: new Date(now.getTime() + 60_000),
  });
  const check = ({ jwtAuthorities }: Bundle) =>
    validateJwtSvid(token, { audience: ["a"], authoritiesOf: () => jwtAuthorities, now });
  await t.resolves(check(full));
  await t.rejects(check(revokeJwt(full, "k1")), {
    reason: "JWT_SVID_UNTRUSTED",
    code: Status.invalidArgument,
  });
});

t.test(
  "BND-20 each authority has a key of its own, and a certificate of one vouches for no other",
  async (t) => {
    const south = await TestAuthority.create("south.test");
    t.notSame(Buffer.from(first.root.spki), Buffer.from(south.root.spki));
    t.notOk(trusts(addX509(emptyBundle(north), south.root.der), chain));
    const log = await openLevelLog({ folder: join(t.testdir({}), "store") });
    t.teardown(() => log.close());
    await claimStore(log, north);
    const other = claimStore(log, TrustDomain.parse("south.test"));
    await t.rejects(other, { reason: "STORE_UNUSABLE", code: 9 }, "nor does a store serve two");
  },
);

t.test("BND-21 without a setting, a bundle says five minutes", async (t) => {
  const config = parseConfig("trust_domain: x.test\ndata_dir: /tmp/x\n", serverConfigSchema);
  const refreshHintSeconds = config.bundleRefreshHintSeconds;
  t.equal(documentOf({ ...full, refreshHintSeconds })["spiffe_refresh_hint"], 300);
  t.equal(read({ keys: [] }).refreshHintSeconds, 0, "0 is no hint, for consumers to replace");
  t.notOk("spiffe_refresh_hint" in documentOf({ ...full, refreshHintSeconds: 0 }));
});

t.test("BND-22 a workload sees a change of the bundle without asking again", async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  const svid = await first.issue("/db");
  fake.x509.set({ svids: [x509SvidToWire(svid, [first])] });
  const source = await X509Source.start({ endpoint: fake.endpoint });
  t.teardown(() => source.close());
  t.equal(source.anchorsOf(north)?.length, 1);
  const changed = new Promise<void>((resolve) => source.onChange(resolve));
  fake.x509.set({ svids: [x509SvidToWire(svid, [first, second])] });
  await changed;
  t.equal(source.anchorsOf(north)?.length, 2);
  t.equal(fake.count("FetchX509SVID"), 1);
});
