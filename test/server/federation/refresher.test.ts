// What the refresher does beside the rows of the standard: intervals, the first fetch, the load it makes,
// and documents that would do harm further on.
import t from "tap";
import { emptyBundle } from "../../../pki/bundle/bundle.ts";
import { formatBundle } from "../../../pki/bundle/format.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { bundleToWire } from "../../../proto/types/bundle.ts";
import { nextIntervalMs } from "../../../server/federation/interval.ts";
import { Turns } from "../../../server/federation/turns.ts";
import { readDocument, storeFetched } from "../../../server/federation/update.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { TestBundleEndpoint } from "../../support/test-bundle-endpoint.ts";
import {
  bundleOf,
  documentOf,
  startTestFederation,
  type TestFederation,
  until,
} from "../../support/test-federation.ts";

const south = await TestAuthority.create("south.test");
const next = await TestAuthority.create("south.test");
const svid = await south.issue("/spire/server");
const ID = "spiffe://south.test/spire/server";

const relationship = (url: string, trustDomain = "south.test") => ({
  trustDomain,
  bundleEndpointUrl: url,
  httpsSpiffe: { endpointSpiffeId: ID },
  ...(trustDomain === "south.test" && { trustDomainBundle: bundleToWire(bundleOf([south])) }),
});

const attempts = ({ lines }: TestFederation): number =>
  lines.filter(({ msg }) => /^bundle (not )?fetched/.test(msg)).length;

t.test("an interval is the hint within bounds, shortened by a tenth at most", async (t) => {
  const bounds = { defaultMs: 300_000, minMs: 10_000, maxMs: 3_600_000 };
  const rows = [
    { hint: 60, failures: 0, random: 0, ms: 60_000 },
    { hint: 60, failures: 9, random: 0, ms: 60_000 },
    { hint: 60, failures: 0, random: 1, ms: 54_000 },
    { hint: 0, failures: 0, random: 0, ms: 300_000 },
    { hint: 1, failures: 0, random: 0, ms: 10_000 },
    { hint: Number.MAX_SAFE_INTEGER, failures: 0, random: 0, ms: 3_600_000 },
    { hint: undefined, failures: 1, random: 0, ms: 10_000 },
    { hint: undefined, failures: 2, random: 0, ms: 20_000 },
    { hint: undefined, failures: 6, random: 0, ms: 300_000 },
    { hint: undefined, failures: 1e9, random: 0, ms: 300_000 },
  ];
  for (const { hint, failures, random, ms } of rows) {
    t.equal(nextIntervalMs(bounds, hint, failures, random), ms, `${hint} s after ${failures}`);
  }
});

t.test("waits a little for a first bundle, and longer each time", async (t) => {
  const federation = await startTestFederation(t);
  const endpoint = await TestBundleEndpoint.start(t, svid);
  const { api, clock, bundles } = federation;
  await api.batchCreateFederationRelationship({
    federationRelationships: [
      { trustDomain: "west.test", bundleEndpointUrl: endpoint.url(), httpsWeb: {} },
    ],
  });
  const waits: number[] = [];
  for (let count = 1; count < 5; count++) {
    await until(() => attempts(federation) >= count, "an attempt");
    const [one] = (await federation.status.listRelationships({})).relationships;
    waits.push((one?.nextPoll ?? 0) - (one?.lastAttempt ?? 0));
    await clock.advance(300_000 / 2 ** (5 - count) + 1000);
  }
  t.same(waits, [10, 20, 40, 80]);
  t.equal(bundles.get("west.test"), undefined);
});

t.test("a fetch that is under way when the relationship ends changes nothing", async (t) => {
  const federation = await startTestFederation(t);
  const endpoint = await TestBundleEndpoint.start(t, svid);
  const { api, bundles } = federation;
  const held = Promise.withResolvers<void>();
  endpoint.answer = (_, response) => {
    void held.promise.then(() => response.end(documentOf([south, next])));
  };
  await api.batchCreateFederationRelationship({
    federationRelationships: [relationship(endpoint.url())],
  });
  await until(() => endpoint.count === 1, "the fetch is under way");
  await api.batchDeleteFederationRelationship({ trustDomains: ["south.test"] });
  held.resolve();
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.equal(bundles.get("south.test"), undefined);
  t.same(await federation.status.listRelationships({}), { relationships: [], nextPageToken: "" });
});

t.test(
  "what was fetched for a relationship that is gone, or has another endpoint now, is not stored",
  async (t) => {
    const { api, bundles, relationships } = await startTestFederation(t);
    await api.batchCreateFederationRelationship({
      federationRelationships: [
        { trustDomain: "south.test", bundleEndpointUrl: "https://127.0.0.1:1/", httpsWeb: {} },
      ],
    });
    const current = relationships.get("south.test");
    if (current === undefined) throw new Error("no relationship");
    const store = (url: string) =>
      storeFetched(bundles, { ...current, url, isStatic: false }, bundleOf([south]));
    t.equal(await store("https://127.0.0.1:2/"), "ended");
    t.equal(bundles.get("south.test"), undefined);
    t.equal(await store(current.url), "changed");
    t.equal(await store(current.url), "unchanged");
    await api.batchDeleteFederationRelationship({ trustDomains: ["south.test"] });
    t.equal(await store(current.url), "ended");
    t.equal(bundles.get("south.test"), undefined);
  },
);

t.test("a change of the relationship takes effect at once, and ends the old polling", async (t) => {
  const federation = await startTestFederation(t);
  const { api, clock, bundles } = federation;
  const before = await TestBundleEndpoint.start(t, svid);
  const after = await TestBundleEndpoint.start(t, svid);
  before.document = documentOf([south], { sequence: 9n, refreshHintSeconds: 60 });
  after.document = documentOf([south, next], { sequence: 1n, refreshHintSeconds: 60 });
  await api.batchCreateFederationRelationship({
    federationRelationships: [relationship(before.url())],
  });
  await until(() => attempts(federation) === 1, "the first");
  await api.batchUpdateFederationRelationship({
    federationRelationships: [{ trustDomain: "south.test", bundleEndpointUrl: after.url() }],
    inputMask: { bundleEndpointUrl: true },
  });
  await until(() => attempts(federation) === 2, "the second");
  t.equal(bundles.get("south.test")?.x509Authorities.length, 2, "another endpoint counts anew");
  await clock.advance(60_000);
  await until(() => attempts(federation) === 3, "the third");
  t.same([before.count, after.count], [1, 2]);
});

t.test("fetches of many trust domains do not all run at once", async (t) => {
  const federation = await startTestFederation(t);
  const endpoint = await TestBundleEndpoint.start(t, svid);
  let open = 0;
  let most = 0;
  endpoint.answer = (_, response) => {
    most = Math.max(most, ++open);
    setTimeout(() => {
      open--;
      response.end(documentOf([south]));
    }, 20);
  };
  const { api } = federation;
  const names = Array.from({ length: 30 }, (_, i) => `a${i}.test`);
  await api.batchCreateFederationRelationship({
    federationRelationships: [
      relationship(endpoint.url()),
      ...names.map((name) => relationship(endpoint.url(), name)),
    ],
  });
  await until(() => attempts(federation) === 31, "all of them");
  t.ok(most <= 8 && most > 1, `${most} at once`);
});

t.test("turns are taken in order, and one that is given up is skipped", async (t) => {
  const turns = new Turns(1);
  const done: number[] = [];
  const stop = new AbortController();
  const { signal } = new AbortController();
  const gate = Promise.withResolvers<void>();
  const all = [
    turns.take(signal, () => gate.promise),
    turns.take(stop.signal, async () => void done.push(1)),
    turns.take(signal, async () => void done.push(2)),
    turns.take(signal, () => Promise.reject(new Error("failed"))),
    turns.take(signal, async () => void done.push(3)),
  ];
  stop.abort();
  gate.resolve();
  const outcomes = await Promise.allSettled(all);
  t.same(done, [2, 3]);
  t.same(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"],
  );
});

t.test(
  "does not take a bundle that node agents would refuse, for it would keep them from all others",
  async (t) => {
    const { trustDomain } = south;
    const key = (keyId: string) => ({
      keyId,
      spki: generateP256KeyPair().spki,
      expiresAt: undefined,
      tainted: false,
    });
    const read = (jwtAuthorities: ReturnType<typeof key>[]) =>
      readDocument(
        trustDomain,
        Buffer.from(formatBundle({ ...emptyBundle(trustDomain), jwtAuthorities })),
        () => {},
      );
    t.equal(read([key("k".repeat(255))]).jwtAuthorities.length, 1);
    const failed = { reason: "BUNDLE_FETCH_FAILED", code: 14 };
    t.throws(() => read([key("k".repeat(256))]), failed, "a key ID that is too long for the wire");
    const one = key("k");
    const many = Array.from({ length: 1001 }, (_, i) => ({ ...one, keyId: `k${i}` }));
    t.equal(read(many.slice(1)).jwtAuthorities.length, 1000);
    t.throws(() => read(many), failed, "more keys than a message may hold");
  },
);

t.test("says so when a bundle without authorities ends all trust", async (t) => {
  const federation = await startTestFederation(t);
  const endpoint = await TestBundleEndpoint.start(t, svid);
  endpoint.document = '{"keys":[]}';
  await federation.api.batchCreateFederationRelationship({
    federationRelationships: [relationship(endpoint.url())],
  });
  await until(
    () => federation.lines.some(({ msg }) => msg.includes("no X.509 authority")),
    "a warning",
  );
  t.match(federation.lines.at(-1), { level: "warn", trust_domain: "south.test" });
  t.equal(federation.anchorsOf(SpiffeId.parse(ID).trustDomain)?.length, 0);
});
