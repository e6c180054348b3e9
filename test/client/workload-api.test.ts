import type { Test } from "tap";
import t from "tap";
import {
  fetchJwtBundles,
  fetchJwtSvid,
  fetchX509Bundles,
  fetchX509Svid,
  validateJwtSvid,
  watchX509Context,
} from "../../client/fetch.ts";
import { WorkloadApi } from "../../client/workload-api.ts";
import { emptyBundle } from "../../pki/bundle/bundle.ts";
import { formatJwks } from "../../pki/bundle/format.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { issueJwtSvid } from "../../pki/jwt/issue.ts";
import { exportPkcs8, generateP256KeyPair, signerOf } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import type { Init } from "../../proto/codec.ts";
import type { workload } from "../../proto/schema.gen.ts";
import { structFromJson } from "../../proto/types/struct.ts";
import { FakeWorkloadApi, x509Response, x509SvidToWire } from "../support/fake-workload-api.ts";
import { TestAuthority } from "../support/test-authority.ts";

const north = await TestAuthority.create("north.test");
const south = await TestAuthority.create("south.test");
const wrong = { reason: "WORKLOAD_API_RESPONSE_INVALID", code: Status.dataLoss };
const signer = signerOf("k1", generateP256KeyPair());
const jwks = formatJwks({
  ...emptyBundle(north.trustDomain),
  jwtAuthorities: [{ keyId: "k1", spki: signer.spki, expiresAt: undefined, tainted: false }],
});

function token(path: string, audience: readonly string[]): string {
  const request = { signer, keyId: "k1", audience, spiffeId: SpiffeId.of(north.trustDomain, path) };
  const times = { issuedAt: new Date(), expiresAt: new Date(Date.now() + 300_000) };
  return issueJwtSvid({ ...request, ...times }) as string;
}

async function start(t: Test) {
  const fake = await FakeWorkloadApi.start(t);
  const api = new WorkloadApi({ endpoint: fake.endpoint });
  t.teardown(() => api.close());
  return { fake, api, options: { endpoint: fake.endpoint } };
}

t.test("fetches the default X509-SVID with its key, and the bundles", async (t) => {
  const { fake, api, options } = await start(t);
  fake.x509.set(await x509Response(north, ["/db", "/other"], [south]));
  const svid = await fetchX509Svid(options);
  t.equal(svid.id.toString(), "spiffe://north.test/db");
  t.equal(svid.privateKey.type, "private");
  t.equal(svid.chain.length, 1);
  const { svids, bundles } = await api.fetchX509Context();
  t.strictSame(
    svids.map(({ id }) => id.path),
    ["/db", "/other"],
  );
  t.strictSame([...bundles.keys()], ["north.test", "south.test"]);
  fake.x509Bundles.set({ bundles: { [north.trustDomain.id]: north.root.der } });
  t.same((await fetchX509Bundles(options)).get("north.test")?.[0]?.der, north.root.der);
});

t.test("picks an identity by its hint, and says which there are", async (t) => {
  const { fake, options } = await start(t);
  const svids = await Promise.all(
    ["a", "b", "a", "", ""].map(async (hint, i) =>
      x509SvidToWire(await north.issue(`/${i}`), [north], hint),
    ),
  );
  fake.x509.set({ svids });
  const path = async (hint?: string) =>
    (await fetchX509Svid({ ...options, ...(hint !== undefined && { hint }) })).id.path;
  t.equal(await path(), "/0");
  t.equal(await path("a"), "/0", "of two with one hint the first");
  t.equal(await path("b"), "/1");
  t.equal(await path(""), "/3");
  await t.rejects(path("c"), {
    reason: "IDENTITY_NOT_FOUND",
    code: Status.notFound,
    hint: /north\.test\/0 \(hint "a"\)/,
  });
});

t.test("fetches and validates JWT-SVIDs", async (t) => {
  const { fake, options } = await start(t);
  fake.jwt = async ({ audience, spiffeId }) => ({
    svids: [spiffeId || "spiffe://north.test/db"].map((id) => ({
      spiffeId: id,
      svid: token(SpiffeId.parse(id).path, audience),
    })),
  });
  const svid = await fetchJwtSvid({ ...options, audience: "ledger" });
  t.equal(svid.id.toString(), "spiffe://north.test/db");
  t.strictSame(svid.audience, ["ledger"]);
  t.ok(svid.expiresAt > new Date());
  const other = { ...options, audience: ["a", "b"], spiffeId: "spiffe://north.test/other" };
  t.equal((await fetchJwtSvid(other)).id.path, "/other");
  fake.validation = async ({ audience, svid: presented }) => {
    t.strictSame([audience, presented], ["ledger", svid.token]);
    const claims = structFromJson({ sub: "spiffe://north.test/db", exp: 1 });
    return { spiffeId: "spiffe://north.test/db", claims };
  };
  const valid = await validateJwtSvid(svid.token, "ledger", options);
  t.equal(valid.id.toString(), "spiffe://north.test/db");
  t.same(valid.claims, { sub: "spiffe://north.test/db", exp: 1 });
  fake.jwtBundles.set({ bundles: { [north.trustDomain.id]: Buffer.from(jwks) } });
  t.equal((await fetchJwtBundles(options)).get("north.test")?.[0]?.keyId, "k1");
});

t.test("answers that break the rules are errors, never half a state", async (t) => {
  const { fake, api } = await start(t);
  const good = x509SvidToWire(await north.issue("/db"), [north]);
  const other = x509SvidToWire(await north.issue("/other"), [north]);
  const id = south.trustDomain.id;
  const rows: readonly (readonly [name: string, message: Init<workload.X509SVIDResponse>])[] = [
    ["no SVIDs", {}],
    ["no ID", { svids: [{ ...good, spiffeId: "" }] }],
    ["no SVID", { svids: [good, { ...other, x509Svid: Buffer.alloc(0) }] }],
    ["no key", { svids: [{ ...good, x509SvidKey: Buffer.alloc(0) }] }],
    ["no bundle", { svids: [{ ...good, bundle: Buffer.alloc(0) }] }],
    ["another ID", { svids: [{ ...good, spiffeId: "spiffe://north.test/x" }] }],
    [
      "the key of another SVID",
      { svids: [{ ...good, x509SvidKey: exportPkcs8(generateP256KeyPair().privateKey) }] },
    ],
    ["rubbish for a certificate", { svids: [{ ...good, x509Svid: Buffer.from("x") }] }],
    ["PEM for a bundle", { svids: [{ ...good, bundle: Buffer.from("-----BEGIN") }] }],
    [
      "bytes after a bundle",
      { svids: [{ ...good, bundle: Buffer.concat([north.root.der, Buffer.of(0)]) }] },
    ],
    ["a bare name as a key", { svids: [good], federatedBundles: { "south.test": south.root.der } }],
    ["a workload as a key", { svids: [good], federatedBundles: { [`${id}/x`]: south.root.der } }],
  ];
  for (const [name, message] of rows) {
    fake.x509.set(message);
    await t.rejects(api.fetchX509Context(), wrong, name);
  }
  fake.x509.set({ svids: [good], federatedBundles: { [id]: Buffer.alloc(0) } });
  t.strictSame(
    (await api.fetchX509Context()).bundles.get("south.test"),
    [],
    "nobody is trusted there",
  );
  fake.x509Bundles.set({});
  await t.rejects(api.fetchX509Bundles(), wrong);
  fake.jwtBundles.set({});
  await t.rejects(api.fetchJwtBundles(), wrong);
  fake.jwtBundles.set({ bundles: { [id]: Buffer.from("{}") } });
  await t.rejects(api.fetchJwtBundles(), wrong);
});

t.test("JWT answers that break the rules are errors", async (t) => {
  const { fake, api } = await start(t);
  const spiffeId = "spiffe://north.test/db";
  const answers: Init<workload.JWTSVIDResponse>[] = [
    {},
    { svids: [{ spiffeId: "", svid: token("/db", ["ledger"]) }] },
    { svids: [{ spiffeId, svid: "" }] },
    { svids: [{ spiffeId, svid: "a.b.c" }] },
    { svids: [{ spiffeId, svid: token("/other", ["ledger"]) }] },
    { svids: [{ spiffeId, svid: token("/db", ["other"]) }] },
  ];
  for (const answer of answers) {
    fake.jwt = async () => answer;
    await t.rejects(api.fetchJwtSvid({ audience: "ledger" }), wrong);
  }
  const claims = structFromJson({ sub: spiffeId });
  for (const answer of [{ claims }, { spiffeId }, { spiffeId: "db", claims }]) {
    fake.validation = async () => answer;
    await t.rejects(api.validateJwtSvid("x", "ledger"), wrong);
  }
});

t.test("the agent's refusal arrives with its reason, code and hint", async (t) => {
  const { fake, api } = await start(t);
  const refusal = new IdentityError(
    "NO_IDENTITY_ISSUED",
    Status.permissionDenied,
    "no identity issued",
    {
      hint: "create an entry",
    },
  );
  fake.x509.set(refusal);
  const { reason, code, message, hint } = refusal;
  await t.rejects(api.fetchX509Svid(), { reason, code, message, hint });
});

t.test("a stream that ends without an answer is an error, not an endless wait", async (t) => {
  const { fake, api } = await start(t);
  fake.x509.end();
  await t.rejects(api.fetchX509Svid(), wrong);
});

t.test("watches without a connection of one's own", async (t) => {
  const { fake, options } = await start(t);
  fake.x509.set(await x509Response(north, ["/db"]));
  const seen: string[] = [];
  for await (const { svids } of watchX509Context(options)) {
    seen.push(svids.map(({ id }) => id.path).join());
    if (seen.length === 2) break;
    fake.x509.set(await x509Response(north, ["/web", "/db"]));
  }
  t.strictSame(seen, ["/db", "/web,/db"]);
});

t.test("a silent agent and a missing one are errors in time", async (t) => {
  const { fake, api } = await start(t);
  await t.rejects(api.fetchX509Svid({ timeoutMs: 50 }), {
    code: Status.deadlineExceeded,
    message: /./,
  });
  const signal = AbortSignal.timeout(50);
  await t.rejects(api.fetchX509Svid({ signal }), { code: Status.cancelled, message: /./ });
  await fake.stop();
  await t.rejects(fetchX509Svid({ endpoint: fake.endpoint }), {
    code: Status.unavailable,
    message: /./,
  });
});
