import t, { type Test } from "tap";
import { bearerHeader } from "../../../client/bearer.ts";
import { fetchWitBundles, fetchWitSvid } from "../../../client/fetch.ts";
import { WitSource, type WitSourceOptions } from "../../../client/wit/wit-source.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { FakeWorkloadApi } from "../../support/fake-workload-api.ts";
import { ImpatientClock } from "../../support/impatient-clock.ts";
import { proofKey, TestWit, witResponse } from "../../support/test-wit.ts";

const north = new TestWit();
const south = new TestWit("south.test");
const southTest = TrustDomain.parse("south.test");
const refusal = new IdentityError("NO_IDENTITY_ISSUED", Status.permissionDenied, "no identity");
const withdrawn = { reason: "IDENTITY_WITHDRAWN", code: Status.permissionDenied };

async function start(t: Test, options: WitSourceOptions = {}) {
  const fake = await FakeWorkloadApi.start(t);
  fake.wit.set(witResponse(north.issue("/db"), north.issue("/web", { hint: "web" })));
  fake.witBundles.set(north.bundles(south));
  const source = await WitSource.start({
    ...{ endpoint: fake.endpoint, clock: new ImpatientClock() },
    ...options,
  });
  t.teardown(() => source.close());
  return { fake, source };
}

const change = (source: WitSource) =>
  new Promise<void>((resolve) => {
    const stop = source.onChange(() => {
      stop();
      resolve();
    });
  });

t.test("holds the WIT-SVIDs and bundles of now", async (t) => {
  const { fake, source } = await start(t);
  t.equal(source.svid().id.toString(), "spiffe://north.test/db");
  t.equal(source.svids().length, 2);
  t.equal(source.witAuthoritiesOf(southTest)?.[0]?.keyId, "w1");
  t.equal(source.witAuthoritiesOf(TrustDomain.parse("west.test")), undefined);
  t.same(fake.calls.toSorted(), ["FetchWITBundles true", "FetchWITSVID true"]);
  let changed = change(source);
  fake.wit.set(witResponse(north.issue("/db2")));
  await changed;
  t.equal(source.svid().id.path, "/db2");
  changed = change(source);
  fake.witBundles.set(north.bundles());
  await changed;
  t.equal(source.witAuthoritiesOf(southTest), undefined, "what is not sent again is gone");
  t.equal(source.svid().id.path, "/db2");
  source.close();
  t.throws(() => source.svid(), { reason: "SOURCE_CLOSED", code: Status.failedPrecondition });
});

t.test("picks by hint, and asks for one identity alone", async (t) => {
  const { source } = await start(t, { pick: "web" });
  t.equal(source.svid().id.path, "/web");
  const { source: other, fake } = await start(t, {
    pick: "none",
    spiffeId: "spiffe://north.test/db",
  });
  t.throws(() => other.svid(), { reason: "IDENTITY_NOT_FOUND", code: Status.notFound });
  t.strictSame(fake.witRequests, ["spiffe://north.test/db"]);
});

t.test("an expired WIT-SVID is not presented", async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  const past = new Date(Date.now() - 600_000);
  fake.wit.set(witResponse(north.issue("/db", { now: past })));
  fake.witBundles.set(north.bundles());
  const source = await WitSource.start({ endpoint: fake.endpoint });
  t.teardown(() => source.close());
  t.throws(() => source.svid(), { reason: "IDENTITY_EXPIRED", code: Status.unavailable });
});

t.test("a withdrawn identity is not used again, until it comes back", async (t) => {
  const { fake, source } = await start(t);
  let changed = change(source);
  fake.wit.set(refusal);
  await changed;
  t.throws(() => source.svid(), withdrawn);
  t.ok(source.witAuthoritiesOf(southTest), "the bundles are another matter");
  changed = change(source);
  fake.witBundles.set(refusal);
  await changed;
  t.throws(() => source.witAuthoritiesOf(southTest), withdrawn);
  changed = change(source);
  fake.wit.set(witResponse(north.issue("/db")));
  await changed;
  t.equal(source.svid().id.path, "/db");
});

t.test("an agent without the WIT profile is asked once", async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  const unimplemented = new IdentityError("X", Status.unimplemented, "no WIT profile");
  fake.wit.set(unimplemented);
  fake.witBundles.set(unimplemented);
  const clock = new ImpatientClock();
  const options = { endpoint: fake.endpoint, clock };
  await t.rejects(WitSource.start(options), { code: Status.unimplemented, name: "IdentityError" });
  for (let i = 0; i < 50; i++) await new Promise(setImmediate);
  t.equal(fake.count("FetchWITSVID"), 1);
  t.equal(fake.count("FetchWITBundles"), 1);
});

t.test("what does not hold together is reported and changes nothing", async (t) => {
  const errors: IdentityError[] = [];
  const { fake, source } = await start(t, { onError: (error) => errors.push(error) });
  const good = north.issue("/db");
  const [wire] = witResponse(good).svids ?? [];
  const other = witResponse(north.issue("/web")).svids?.[0];
  const jwk = JSON.parse(wire?.witSvidKey ?? "");
  const rows: readonly (readonly [string, object])[] = [
    ["no SVID", {}],
    ["no name", { svids: [{ ...wire, spiffeId: "" }] }],
    ["another name", { svids: [{ ...wire, spiffeId: "spiffe://north.test/x" }] }],
    ["no token", { svids: [{ ...wire, witSvid: "" }] }],
    ["no key", { svids: [{ ...wire, witSvidKey: "" }] }],
    ["no JSON", { svids: [{ ...wire, witSvidKey: "key" }] }],
    [
      "a public key",
      { svids: [{ ...wire, witSvidKey: JSON.stringify({ ...jwk, d: undefined }) }] },
    ],
    ["another key", { svids: [{ ...wire, witSvidKey: other?.witSvidKey }] }],
    ["one good, one bad", { svids: [wire, { ...wire, witSvidKey: "{}" }] }],
  ];
  for (const [name, message] of rows) {
    const before = errors.length;
    fake.wit.set(message);
    while (errors.length === before) await new Promise(setImmediate);
    t.match(errors.at(-1), { reason: "WORKLOAD_API_RESPONSE_INVALID" }, name);
    t.notMatch(errors.at(-1)?.message, new RegExp(jwk.d), "no key in a message");
  }
  t.equal(source.svids().length, 2);
  for (const bundles of [{}, { "north.test": "{}" }, { [north.trustDomain.id]: "{}" }]) {
    const before = errors.length;
    fake.witBundles.set({ bundles });
    while (errors.length === before) await new Promise(setImmediate);
  }
  t.ok(source.witAuthoritiesOf(southTest));
});

t.test("one question at a time, for programs that run once", async (t) => {
  const fake = await FakeWorkloadApi.start(t);
  const options = { endpoint: fake.endpoint };
  fake.wit.set(
    witResponse(north.issue("/db"), north.issue("/web", { hint: "web", key: proofKey() })),
  );
  fake.witBundles.set(north.bundles());
  t.equal((await fetchWitSvid(options)).id.path, "/db");
  const svid = await fetchWitSvid({ ...options, hint: "web", spiffeId: "spiffe://north.test/web" });
  t.equal(svid.id.path, "/web");
  t.equal(fake.witRequests.at(-1), "spiffe://north.test/web");
  t.equal((await fetchWitBundles(options)).get("north.test")?.length, 1);
  t.throws(() => bearerHeader(svid.token, "https://x.test"), {
    reason: "WIT_PRESENTATION_INVALID",
    code: Status.invalidArgument,
  });
});
