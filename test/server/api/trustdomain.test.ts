// The TrustDomain service over the wire, as SPIRE's command calls it: masks, pages, a status for each item.
// What fetching does is in test/server/federation and test/conformance.
import t, { type Test } from "tap";
import { bundleToWire } from "../../../proto/types/bundle.ts";
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
const ID = "spiffe://south.test/spire/server";
/** Nobody listens there. */
const NOWHERE = "https://127.0.0.1:1/";

const web = (trustDomain: string, bundleEndpointUrl = NOWHERE) => ({
  trustDomain,
  bundleEndpointUrl,
  httpsWeb: {},
});
const spiffe = (bundleEndpointUrl = NOWHERE) => ({
  trustDomain: "south.test",
  bundleEndpointUrl,
  httpsSpiffe: { endpointSpiffeId: ID },
  trustDomainBundle: bundleToWire(bundleOf([south], { sequence: 5n })),
});

const codes = (results: readonly { readonly status: { readonly code: number } }[]) =>
  results.map(({ status }) => status.code);

async function endpointOf(t: Test, ...authorities: TestAuthority[]): Promise<TestBundleEndpoint> {
  const endpoint = await TestBundleEndpoint.start(t, await south.issue("/spire/server"));
  endpoint.document = documentOf(authorities, { sequence: 6n });
  return endpoint;
}

async function fetched({ lines }: TestFederation, count = 1): Promise<void> {
  await until(
    () => lines.filter(({ msg }) => /^bundle (not )?fetched/.test(msg)).length >= count,
    "a fetch",
  );
}

t.test("creates relationships, each with its own status", async (t) => {
  const { api, bundles } = await startTestFederation(t);
  const { results } = await api.batchCreateFederationRelationship({
    federationRelationships: [
      spiffe(),
      spiffe(),
      web("north.test"),
      web("West.test"),
      web("west.test", "http://h.test/"),
      { ...web("west.test"), httpsWeb: undefined },
      { ...spiffe(), trustDomain: "west.test" },
      web("west.test"),
    ],
  });
  t.same(codes(results), [0, 6, 3, 3, 3, 3, 3, 0]);
  const [first] = results;
  t.match(first?.federationRelationship, {
    trustDomain: "south.test",
    bundleEndpointUrl: NOWHERE,
    httpsSpiffe: { endpointSpiffeId: ID },
    httpsWeb: undefined,
    trustDomainBundle: { trustDomain: "south.test", sequenceNumber: 5 },
  });
  t.equal(results[1]?.federationRelationship, undefined);
  t.match(results[2]?.status.message, /own trust domain/);
  t.match(results[6]?.status.message, /bundle is that of "south\.test"/);
  t.equal(bundles.get("south.test")?.x509Authorities.length, 1);
});

t.test("answers the fields of the mask alone", async (t) => {
  const { api } = await startTestFederation(t);
  const { results } = await api.batchCreateFederationRelationship({
    federationRelationships: [spiffe()],
    outputMask: { bundleEndpointProfile: true },
  });
  const absent = { bundleEndpointUrl: "", trustDomainBundle: undefined };
  t.match(results[0]?.federationRelationship, {
    trustDomain: "south.test",
    httpsSpiffe: {},
    ...absent,
  });
  const got = await api.getFederationRelationship({
    trustDomain: "south.test",
    outputMask: { bundleEndpointUrl: true },
  });
  t.match(got, {
    bundleEndpointUrl: NOWHERE,
    httpsSpiffe: undefined,
    trustDomainBundle: undefined,
  });
  t.match(await api.getFederationRelationship({ trustDomain: "south.test" }), {
    trustDomainBundle: { sequenceNumber: 5 },
  });
  await t.rejects(api.getFederationRelationship({ trustDomain: "east.test" }), {
    reason: "FEDERATION_NOT_FOUND",
    code: 5,
  });
  await t.rejects(api.getFederationRelationship({ trustDomain: "NO" }), { code: 3 });
});

t.test("lists relationships page by page, by name", async (t) => {
  const { api } = await startTestFederation(t);
  const names = ["e.test", "a.test", "d.test", "b.test", "c.test"];
  await api.batchCreateFederationRelationship({
    federationRelationships: names.map((name) => web(name)),
  });
  const seen: string[] = [];
  let pageToken = "";
  do {
    const page = await api.listFederationRelationships({ pageSize: 2, pageToken });
    t.ok(page.federationRelationships.length <= 2);
    seen.push(...page.federationRelationships.map(({ trustDomain }) => trustDomain));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  t.same(seen, names.toSorted());
  const all = await api.listFederationRelationships({});
  t.equal(all.federationRelationships.length, 5);
  t.equal(all.nextPageToken, "");
  await t.rejects(api.listFederationRelationships({ pageSize: -1 }), { code: 3 });
});

t.test("updates what the mask means, and begins anew with the new settings", async (t) => {
  const federation = await startTestFederation(t);
  const { api, bundles } = federation;
  await api.batchCreateFederationRelationship({ federationRelationships: [spiffe()] });
  await fetched(federation);
  const endpoint = await endpointOf(t, south, next);
  const { results } = await api.batchUpdateFederationRelationship({
    federationRelationships: [
      { trustDomain: "south.test", bundleEndpointUrl: endpoint.url(), httpsWeb: {} },
      web("west.test"),
      { trustDomain: "south.test", bundleEndpointUrl: "http://h.test" },
    ],
    inputMask: { bundleEndpointUrl: true },
  });
  t.same(codes(results), [0, 5, 3]);
  t.match(results[0]?.federationRelationship, {
    bundleEndpointUrl: endpoint.url(),
    httpsSpiffe: { endpointSpiffeId: ID },
  });
  await until(() => bundles.get("south.test")?.x509Authorities.length === 2, "fetched at once");
  const whole = await api.batchUpdateFederationRelationship({
    federationRelationships: [{ ...spiffe(endpoint.url()), trustDomainBundle: undefined }],
  });
  t.same(codes(whole.results), [0]);
  t.equal(bundles.get("south.test")?.x509Authorities.length, 2, "without a bundle it stays");
  const toWeb = await api.batchUpdateFederationRelationship({
    federationRelationships: [{ trustDomain: "south.test", httpsWeb: {} }],
    inputMask: { bundleEndpointProfile: true },
  });
  t.match(toWeb.results[0]?.federationRelationship, { httpsWeb: {}, httpsSpiffe: undefined });
});

t.test("an update forgets which sequence number was fetched last", async (t) => {
  const federation = await startTestFederation(t);
  const { api, bundles } = federation;
  const endpoint = await endpointOf(t, south);
  await api.batchCreateFederationRelationship({
    federationRelationships: [spiffe(endpoint.url())],
  });
  await fetched(federation);
  endpoint.document = documentOf([south, next], { sequence: 1n });
  const refresh = () => api.refreshBundle({ trustDomain: "south.test" });
  await t.rejects(refresh(), {
    reason: "BUNDLE_FETCH_FAILED",
    code: 14,
    hint: /federation update/,
  });
  const { trustDomainBundle, ...same } = spiffe(endpoint.url());
  await api.batchUpdateFederationRelationship({ federationRelationships: [same] });
  await refresh();
  t.equal(bundles.get("south.test")?.x509Authorities.length, 2);
});

t.test("refreshes at once, and says when that fails", async (t) => {
  const federation = await startTestFederation(t);
  const { api, bundles } = federation;
  const endpoint = await endpointOf(t, south);
  await api.batchCreateFederationRelationship({
    federationRelationships: [spiffe(endpoint.url())],
  });
  await fetched(federation);
  endpoint.document = documentOf([south, next], { sequence: 7n });
  await api.refreshBundle({ trustDomain: "south.test" });
  t.equal(bundles.get("south.test")?.x509Authorities.length, 2);
  await endpoint.stop();
  await t.rejects(api.refreshBundle({ trustDomain: "south.test" }), {
    reason: "BUNDLE_FETCH_FAILED",
    code: 14,
  });
  await t.rejects(api.refreshBundle({ trustDomain: "east.test" }), { code: 5 });
  await t.rejects(api.refreshBundle({ trustDomain: "" }), { code: 3 });
});

t.test("deletes relationships, each with its own status", async (t) => {
  const { api, bundles } = await startTestFederation(t);
  await api.batchCreateFederationRelationship({
    federationRelationships: [spiffe(), web("west.test")],
  });
  const { results } = await api.batchDeleteFederationRelationship({
    trustDomains: ["south.test", "south.test", "NO", "", "west.test"],
  });
  t.same(codes(results), [0, 5, 3, 3, 0]);
  t.same(
    results.map(({ trustDomain }) => trustDomain),
    ["south.test", "south.test", "NO", "", "west.test"],
  );
  t.same(bundles.list(), []);
  t.same((await api.listFederationRelationships({})).federationRelationships, []);
});

t.test(
  "relationships of the configuration do not appear, stand over the others, and refresh",
  async (t) => {
    const endpoint = await endpointOf(t, south);
    const { trustDomain } = south;
    const fixed = [
      { trustDomain, url: endpoint.url("/fixed"), profile: "https_web", endpointId: undefined },
    ] as const;
    const host = await TestAuthority.create("host.test");
    endpoint.show(await host.issue("/site", { dnsNames: ["localhost"] }));
    const federation = await startTestFederation(t, {
      fixed: [{ ...fixed[0], url: endpoint.url("/fixed", "localhost") }],
      webAuthority: host,
    });
    const { api, bundles, status } = federation;
    await fetched(federation);
    t.same((await api.listFederationRelationships({})).federationRelationships, []);
    await t.rejects(api.getFederationRelationship({ trustDomain: "south.test" }), { code: 5 });
    await t.resolves(api.refreshBundle({ trustDomain: "south.test" }));
    await api.batchCreateFederationRelationship({ federationRelationships: [web("south.test")] });
    t.equal((await api.listFederationRelationships({})).federationRelationships.length, 1);
    await api.refreshBundle({ trustDomain: "south.test" });
    t.same(new Set(endpoint.requests), new Set(["GET /fixed"]));
    const shown = await status.listRelationships({});
    t.match(shown.relationships, [{ static: true, bundleEndpointUrl: /fixed/, createdAt: 0 }]);
    await api.batchDeleteFederationRelationship({ trustDomains: ["south.test"] });
    t.ok(bundles.get("south.test"), "the configuration still federates");
  },
);

t.test("tells how each relationship fares", async (t) => {
  const federation = await startTestFederation(t);
  const { api, status, clock } = federation;
  const endpoint = await endpointOf(t, south);
  await api.batchCreateFederationRelationship({
    federationRelationships: [spiffe(endpoint.url()), web("west.test")],
  });
  await fetched(federation, 2);
  const now = Math.floor(clock.now().getTime() / 1000);
  const { relationships } = await status.listRelationships({});
  t.match(relationships, [
    {
      trustDomain: "south.test",
      bundleEndpointProfile: "https_spiffe",
      endpointSpiffeId: ID,
      hasBundle: true,
      sequence: "6",
      lastSuccess: now,
      lastError: "",
    },
    { trustDomain: "west.test", hasBundle: false, sequence: "", lastAttempt: now, lastSuccess: 0 },
  ]);
  t.match(relationships[1]?.lastError, /nothing was fetched from https:\/\/127\.0\.0\.1:1\//);
  t.ok((relationships[0]?.nextPoll ?? 0) >= now + 299);
  const one = await status.listRelationships({ trustDomain: "west.test" });
  t.equal(one.relationships.length, 1);
  await t.rejects(status.listRelationships({ trustDomain: "east.test" }), { code: 5 });
  const page = await status.listRelationships({ pageSize: 1 });
  t.match(page, { relationships: [{ trustDomain: "south.test" }], nextPageToken: "south.test" });
});

t.test("takes no batch without an end", async (t) => {
  const { api } = await startTestFederation(t);
  const many = Array.from({ length: 501 }, (_, i) => `a${i}.test`);
  await t.rejects(
    api.batchCreateFederationRelationship({
      federationRelationships: many.map((name) => web(name)),
    }),
    { reason: "BATCH_TOO_LARGE", code: 3 },
  );
  await t.rejects(api.batchDeleteFederationRelationship({ trustDomains: many }), {
    reason: "BATCH_TOO_LARGE",
    code: 3,
  });
});
