// The WIT profile of the Workload API (s7), as a running server and a running node agent serve it behind
// their feature flag; tokens, keys and bundles are read by a JOSE library that knows nothing of Signet.
import {
  calculateJwkThumbprint,
  compactVerify,
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  importJWK,
  type JWK,
  SignJWT,
} from "jose";
import t from "tap";
import { createChannel } from "../../proto/rpc/client.ts";
import { BundleService, type workload } from "../../proto/schema.gen.ts";
import { first, StreamReader } from "../support/test-agent.ts";
import { eventually, TestTrustDomain, type TrustDomainOptions } from "../support/trust-domain.ts";

const FLAG = { feature_flags: ["wit-svid"] };
const BOTH: TrustDomainOptions = { server: FLAG, agent: FLAG };
const DENIED = { code: 7 };
const UNIMPLEMENTED = { code: 12, reason: "WIT_NOT_SERVED" };
const NORTH = "spiffe://north.test";

type Message = workload.WITSVIDResponse;
const idsOf = ({ svids }: Message) => svids.map(({ spiffeId }) => spiffeId);
const ids = (...paths: string[]) => paths.map((path) => NORTH + path);
const cnfOf = (token: string) => (decodeJwt(token)["cnf"] as { jwk: JWK }).jwk;
const keysOf = (bundles: Readonly<Record<string, string>>, key = NORTH) =>
  (JSON.parse(bundles[key] ?? "{}") as { keys: (JWK & { use: string })[] }).keys;

const domain = new TestTrustDomain(t, BOTH);
await domain.start();
const client = domain.workload();
const admin = createChannel({ address: { unix: domain.server?.adminSocket ?? "" } });
t.teardown(() => admin.close());

t.test("WL-49 a caller without WIT-SVID or WIT bundle gets PermissionDenied", async (t) => {
  const bare = new TestTrustDomain(t, BOTH);
  await bare.start();
  const nobody = bare.workload();
  await t.rejects(first(nobody.fetchWITSVID({})), DENIED, "no entry");
  await t.rejects(first(nobody.fetchWITBundles({})), DENIED);
  const off = new TestTrustDomain(t, { agent: FLAG });
  await off.start();
  await off.createEntry({ path: "/db" });
  const denied = off.workload();
  await eventually(() => first(denied.fetchX509SVID({})));
  await t.rejects(first(denied.fetchWITSVID({})), DENIED, "its server issues none");
  await t.rejects(first(denied.fetchWITBundles({})), { code: 7, reason: "WIT_BUNDLE_MISSING" });
});

const db = await domain.createEntry({ path: "/db", hint: "internal" });
const web = await domain.createEntry({ path: "/web" });
const both = await eventually(async () => {
  const message = await first(client.fetchWITSVID({}));
  if (message.svids.length < 2) throw new Error("not yet");
  return message;
});

t.test(
  "WL-02, WL-03 the profile is served with the flag, and is UNIMPLEMENTED without",
  async (t) => {
    t.equal(both.svids.length, 2);
    const off = new TestTrustDomain(t, { server: FLAG });
    await off.start();
    await off.createEntry({ path: "/db" });
    const plain = off.workload();
    await eventually(() => first(plain.fetchX509SVID({})));
    await t.rejects(first(plain.fetchWITSVID({})), UNIMPLEMENTED);
    await t.rejects(first(plain.fetchWITBundles({})), UNIMPLEMENTED);
  },
);

t.test("WL-45 without an ID in the request there is one for each identity", async (t) => {
  t.strictSame(idsOf(both), ids("/db", "/web"));
  t.strictSame(
    both.svids.map(({ witSvid }) => decodeJwt(witSvid).sub),
    ids("/db", "/web"),
  );
});

t.test("WL-46 with one, that alone, for as long as the stream is open", async (t) => {
  const stream = new StreamReader(client.fetchWITSVID({ spiffeId: `${NORTH}/web` }));
  t.strictSame(idsOf(await stream.next()), ids("/web"));
  const other = await domain.createEntry({ path: "/other" });
  const all = new StreamReader(client.fetchWITSVID({}));
  t.equal((await all.next()).svids.length, 3);
  t.ok(await stream.isQuiet(), "another identity is none of its business");
  await domain.deleteEntry(other.id);
  t.equal((await all.next()).svids.length, 2);
  await all.close();
  for (const spiffeId of [`${NORTH}/other`, `${NORTH}/nobody`, "spiffe://south.test/web"]) {
    await t.rejects(first(client.fetchWITSVID({ spiffeId })), DENIED, spiffeId);
  }
  for (const spiffeId of ["db", "spiffe://North.test/db", `${NORTH}/db/`]) {
    await t.rejects(first(client.fetchWITSVID({ spiffeId })), { code: 3 }, spiffeId);
  }
  await domain.deleteEntry(web.id);
  await t.rejects(stream.next(), DENIED, "withdrawn");
  await domain.createEntry({ path: "/web" });
});

t.test("WL-47 every field but the hint is filled, and no answer is empty", async (t) => {
  for (const { spiffeId, witSvid, witSvidKey } of both.svids) {
    for (const field of [spiffeId, witSvid, witSvidKey]) t.not(field, "");
  }
  t.strictSame(
    both.svids.map(({ hint }) => hint),
    ["internal", ""],
  );
  const alone = new TestTrustDomain(t, BOTH);
  await alone.start();
  await t.rejects(first(alone.workload().fetchWITSVID({})), DENIED, "never OK with nothing");
});

t.test("WL-48 a compact token, and the private JWK of the key in its cnf", async (t) => {
  const keys = keysOf((await first(client.fetchWITBundles({}))).bundles);
  for (const { witSvid, witSvidKey } of both.svids) {
    t.equal(witSvid.split(".").length, 3);
    t.match(decodeProtectedHeader(witSvid), { alg: "ES256", typ: "wit+jwt" });
    // The library takes keys for use "sig" alone.
    const set = createLocalJWKSet({ keys: keys.map(({ use: _, ...jwk }) => jwk) });
    await t.resolves(compactVerify(witSvid, set));
    const jwk = JSON.parse(witSvidKey) as JWK;
    t.type(jwk.d, "string", "private");
    t.equal(await calculateJwkThumbprint(jwk), await calculateJwkThumbprint(cnfOf(witSvid)));
    t.equal(cnfOf(witSvid).d, undefined);
    const proof = await new SignJWT({})
      .setProtectedHeader({ alg: "ES256" })
      .sign(await importJWK(jwk, "ES256"));
    await t.resolves(compactVerify(proof, await importJWK(cnfOf(witSvid), "ES256")));
  }
  const [one, two] = both.svids.map(({ witSvidKey }) => witSvidKey);
  t.not(one, two);
});

t.test("WL-50 the WIT bundles: the own one, and those that entries federate with", async (t) => {
  const keys = keysOf((await first(client.fetchWITBundles({}))).bundles);
  t.equal(keys.length, 1);
  const bundles = admin.client(BundleService);
  const own = await bundles.getBundle({});
  const bundle = [{ ...own, trustDomain: "south.test" }];
  const { results } = await bundles.batchSetFederatedBundle({ bundle });
  t.equal(results[0]?.status?.code, 0);
  const stream = new StreamReader(client.fetchWITBundles({}));
  t.strictSame(Object.keys((await stream.next()).bundles), [NORTH], "no entry federates");
  const friend = await domain.createEntry({ path: "/x", more: { federatesWith: ["south.test"] } });
  const both = await stream.next();
  t.strictSame(Object.keys(both.bundles).sort(), [NORTH, "spiffe://south.test"]);
  t.strictSame(keysOf(both.bundles, "spiffe://south.test"), keys);
  await domain.deleteEntry(friend.id);
  t.strictSame(Object.keys((await stream.next()).bundles), [NORTH], "withdrawn");
  await stream.close();
});

t.test(
  "WL-51, WIT-35, WL-39 each key has a kid of its own; WIT and JWT keys stay apart",
  async (t) => {
    const stream = new StreamReader(client.fetchWITBundles({}));
    const before = (await stream.next()).bundles;
    t.type(before[NORTH], "string", "text, not bytes");
    const { preparedAuthority } = await domain.authorities.prepareWITAuthority({});
    const after = keysOf((await stream.next()).bundles);
    t.strictSame(
      after.map(({ kid }) => kid),
      [keysOf(before)[0]?.kid, preparedAuthority?.authorityId],
    );
    for (const key of after) {
      t.strictSame(Object.keys(key).sort(), ["crv", "kid", "kty", "use", "x", "y"]);
      t.equal(key.use, "wit-svid");
    }
    const jwks = (await first(client.fetchJWTBundles({}))).bundles[NORTH] ?? new Uint8Array();
    const jwt = (JSON.parse(Buffer.from(jwks).toString()) as { keys: JWK[] }).keys;
    const kids = [...jwt, ...after].map(({ kid }) => kid);
    t.equal(new Set(kids).size, 3, "over both kinds of keys");
    t.notOk(jwt.some(({ kid }) => after.some((key) => key.kid === kid)));
    await stream.close();
  },
);

t.test("WL-23 of two with one hint the older is served", async (t) => {
  const rival = await domain.createEntry({ path: "/rival", hint: "internal" });
  await eventually(async () => {
    const { svids } = await first(client.fetchX509SVID({}));
    if (svids.length < 2) throw new Error("not yet");
  });
  const { svids } = await first(client.fetchWITSVID({}));
  const hinted = svids.filter(({ hint }) => hint === "internal");
  t.strictSame(
    hinted.map(({ spiffeId }) => spiffeId),
    ids("/db"),
  );
  t.notOk(idsOf({ svids } as Message).includes(`${NORTH}/rival`));
  await domain.deleteEntry(rival.id);
});

t.test(
  "WIT-26 callers of one identity share its token, which is in no other's hands",
  async (t) => {
    const [mine, again] = await Promise.all(
      [client, domain.workload()].map((caller) => first(caller.fetchWITSVID({}))),
    );
    t.strictSame(mine, again, "the same token and the same key");
    const thumbprints = (mine?.svids ?? []).map(({ witSvid }) =>
      calculateJwkThumbprint(cnfOf(witSvid)),
    );
    t.equal(new Set(await Promise.all(thumbprints)).size, 2, "each identity has its own key");
    await domain.agent?.stop();
    await (await domain.startAgent({ joinToken: undefined })).ready;
    const later = await eventually(() => first(domain.workload().fetchWITSVID({})));
    for (const [i, { witSvidKey }] of later.svids.entries()) {
      t.not(witSvidKey, mine?.svids[i]?.witSvidKey, "keys were in memory only");
    }
  },
);

t.test(
  "WL-52, WIT-05, WIT-34 tainted: new tokens with new keys, the default stays first",
  async (t) => {
    const stream = new StreamReader(domain.workload().fetchWITSVID({}));
    const before = await stream.next();
    const { active, prepared } = await domain.authorities.getWITAuthorityState({});
    const authorityId = prepared?.authorityId ?? "";
    const kid = ({ svids }: Message) => svids.map((one) => decodeProtectedHeader(one.witSvid).kid);
    t.ok(kid(before).every((id) => id === active?.authorityId));
    await domain.authorities.activateWITAuthority({ authorityId });
    await domain.authorities.taintWITAuthority({ authorityId: active?.authorityId ?? "" });
    const after = await eventually(async () => {
      const message = await stream.next();
      if (kid(message).some((id) => id !== authorityId)) throw new Error("not yet");
      return message;
    });
    t.strictSame(idsOf(after), idsOf(before), "the order is as it was");
    t.equal(idsOf(after)[0], db.spiffeId);
    for (const [i, { witSvid }] of after.svids.entries()) {
      t.notSame(cnfOf(witSvid), cnfOf(before.svids[i]?.witSvid ?? ""), "a key for each token");
    }
    await domain.authorities.revokeWITAuthority({ authorityId: active?.authorityId ?? "" });
    await stream.close();
  },
);
