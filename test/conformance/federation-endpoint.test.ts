// SPIFFE_Federation.md as it binds who fetches bundles: from whom, and how the endpoint proves itself. One
// test per row, accept and reject, over real https. When they are fetched: federation-client.test.ts.
import t from "tap";
import type { X509Svid } from "../../pki/x509/svid.ts";
import { bundleToWire } from "../../proto/types/bundle.ts";
import { parseConfig } from "../../runtime/config.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { TestBundleEndpoint } from "../support/test-bundle-endpoint.ts";
import { bundleOf, documentOf, startTestFederation } from "../support/test-federation.ts";
import {
  attempted,
  codeOf,
  create,
  ENDPOINT,
  endpointSvid,
  first,
  forge,
  isTrusted,
  roots,
  second,
  spiffeRelationship,
  third,
  web,
  webCertificate,
  webRelationship,
  west,
  withWeb,
  workloadOf,
} from "./federation.ts";

t.test("FED-13 one profile never stands in for the other", async (t) => {
  const federation = await startTestFederation(t, { webAuthority: web });
  const endpoint = await TestBundleEndpoint.start(t, webCertificate);
  endpoint.document = documentOf([second]);
  await create(federation, spiffeRelationship(endpoint.url("/", "localhost")));
  await attempted(federation, 1);
  t.equal(endpoint.count, 0, "a certificate of the web is no SVID");
  t.ok(isTrusted(federation, await workloadOf(first)));
  const svidEndpoint = await TestBundleEndpoint.start(t, endpointSvid);
  svidEndpoint.document = documentOf([second]);
  const { api } = federation;
  await api.batchUpdateFederationRelationship({
    federationRelationships: [webRelationship(svidEndpoint.url())],
  });
  await attempted(federation, 2);
  t.equal(svidEndpoint.count, 0, "nor an SVID a certificate of the web");
  t.notOk(isTrusted(federation, await workloadOf(second)));
});

t.test("FED-15 the endpoint's URL is https without userinfo, with both profiles", async (t) => {
  const federation = await startTestFederation(t);
  const make = [
    (url: string, name: string) => ({ ...webRelationship(url), trustDomain: name }),
    (url: string, name: string) => ({
      ...spiffeRelationship(url, first, `spiffe://${name}/e`),
      trustDomain: name,
      trustDomainBundle: { ...bundleToWire(bundleOf([first])), trustDomain: name },
    }),
  ];
  for (const [i, relationship] of make.entries()) {
    t.equal(await codeOf(federation, relationship("https://h.test:8443/b?x=1", `a${i}.test`)), 0);
    const bad = ["http://h.test/b", "HTTP://h.test/b", "//h.test/b", "spiffe://h.test/b"];
    for (const user of ["u:p", "u", "", ":", "u%40x", "h.test:443"])
      bad.push(`https://${user}@h.test/b`);
    for (const url of bad) {
      t.equal(await codeOf(federation, relationship(url, `b${i}.test`)), 3, url);
    }
  }
});

t.test(
  "FED-25 https_web checks the certificate against trusted authorities and the URL's host",
  async (t) => {
    const { federation, endpoint, url } = await withWeb(t);
    await create(federation, webRelationship(url));
    await attempted(federation, 1);
    t.ok(isTrusted(federation, await workloadOf(first)));
    const refresh = () => federation.api.refreshBundle({ trustDomain: "south.test" });
    const stranger = await TestAuthority.create("stranger.test");
    const bad: [string, X509Svid][] = [
      ["an unknown authority", await stranger.issue("/site", { dnsNames: ["localhost"] })],
      ["another host", await web.issue("/site", { dnsNames: ["other.test"] })],
      [
        "a certificate that has expired",
        await web.issue("/site", {
          dnsNames: ["localhost"],
          notBefore: new Date(Date.now() - 7200_000),
          notAfter: new Date(Date.now() - 3600_000),
        }),
      ],
    ];
    for (const [name, svid] of bad) {
      endpoint.show(svid);
      await t.rejects(refresh(), { code: 14 }, name);
    }
    t.equal(endpoint.count, 1, "no request was sent");
    endpoint.show(webCertificate);
    await t.resolves(refresh());
  },
);

t.test("FED-26 a redirect is followed to a valid endpoint URL only", async (t) => {
  const { federation, endpoint, url } = await withWeb(t);
  const target = await TestBundleEndpoint.start(t, webCertificate);
  target.document = documentOf([second]);
  endpoint.redirect(target.url("/moved", "localhost"));
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  t.ok(isTrusted(federation, await workloadOf(second)), "one hop");
  target.document = documentOf([third]);
  const refresh = () => federation.api.refreshBundle({ trustDomain: "south.test" });
  const bad = [
    target.url("/moved", "localhost").replace("https", "http"),
    target.url("/moved", "u:p@localhost"),
    "ftp://localhost/",
    url,
  ];
  for (const location of bad) {
    endpoint.redirect(location);
    await t.rejects(refresh(), { code: 14 }, location);
  }
  t.ok(isTrusted(federation, await workloadOf(second)));
  t.equal(target.count, 1);
});

t.test("FED-27 the target of a redirect passes the same checks", async (t) => {
  const { federation, endpoint, url } = await withWeb(t);
  const elsewhere = await TestBundleEndpoint.start(
    t,
    await west.issue("/x", { dnsNames: ["localhost"] }),
  );
  endpoint.redirect(elsewhere.url("/", "localhost"));
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  t.equal(elsewhere.count, 0, "https_web: an unknown authority");

  const spiffe = await startTestFederation(t);
  const source = await TestBundleEndpoint.start(t, endpointSvid);
  const sameId = await TestBundleEndpoint.start(t, await first.issue("/spire/server"));
  const otherId = await TestBundleEndpoint.start(t, await first.issue("/spire/other"));
  sameId.document = documentOf([first, second]);
  otherId.document = documentOf([third]);
  source.redirect(otherId.url());
  await create(spiffe, spiffeRelationship(source.url()));
  await attempted(spiffe, 1);
  t.equal(otherId.count, 0, "https_spiffe: another SPIFFE ID");
  source.redirect(sameId.url());
  await spiffe.api.refreshBundle({ trustDomain: "south.test" });
  t.equal(roots(spiffe), 2);
});

t.test(
  "FED-28 each refresh begins at the configured URL, whatever a redirect said before",
  async (t) => {
    for (const status of [301, 302, 303, 307, 308]) {
      const { federation, endpoint, url } = await withWeb(t);
      const target = await TestBundleEndpoint.start(t, webCertificate);
      target.document = documentOf([second], { refreshHintSeconds: 60 });
      endpoint.redirect(target.url("/", "localhost"), status);
      await create(federation, webRelationship(url));
      await attempted(federation, 1);
      endpoint.answer = undefined;
      await federation.clock.advance(60_000);
      await attempted(federation, 2);
      t.same([endpoint.count, target.count], [2, 1], `${status}`);
      t.ok(isTrusted(federation, await workloadOf(first)));
    }
  },
);

t.test("FED-29 https_spiffe needs the endpoint's ID and a bundle to verify it with", async (t) => {
  const federation = await startTestFederation(t);
  const whole = spiffeRelationship("https://h.test/");
  const { trustDomainBundle, ...without } = whole;
  t.equal(await codeOf(federation, without), 9, "no bundle");
  const noId = { ...whole, httpsSpiffe: { endpointSpiffeId: "" } };
  t.equal(await codeOf(federation, noId), 3, "no ID");
  t.equal(
    await codeOf(federation, {
      ...whole,
      httpsSpiffe: { endpointSpiffeId: "spiffe://south.test" },
    }),
    3,
  );
  t.equal(await codeOf(federation, whole), 0, "both");
  const config = (row: string) => () =>
    parseConfig(
      `trust_domain: north.test\ndata_dir: /tmp/x\nfederation: { federates_with: { south.test: { url: "https://h.test/", profile: https_spiffe, ${row} } } }`,
      serverConfigSchema,
    );
  t.throws(config("bundle_file: b.json"), { reason: "CONFIG_INVALID", message: /SPIFFE ID/ });
  t.doesNotThrow(config(`endpoint_spiffe_id: "${ENDPOINT}", bundle_file: b.json`));
});

t.test(
  "FED-31, FED-39 a self-serving endpoint is verified with the newest bundle, over the change of every root",
  async (t) => {
    const federation = await startTestFederation(t);
    const endpoint = await TestBundleEndpoint.start(t, endpointSvid);
    const steps: [TestAuthority, TestAuthority[]][] = [
      [first, [first, second]],
      [second, [second]],
      [second, [second, third]],
      [third, [third]],
    ];
    await create(federation, spiffeRelationship(endpoint.url()));
    await attempted(federation, 1);
    for (const [i, [shown, served]] of steps.entries()) {
      endpoint.show(await shown.issue("/spire/server"));
      endpoint.document = documentOf(served, { sequence: BigInt(i + 1) });
      await federation.api.refreshBundle({ trustDomain: "south.test" });
      for (const authority of [first, second, third]) {
        const isServed = served.includes(authority);
        t.equal(
          isTrusted(federation, await workloadOf(authority)),
          isServed,
          "new in, missing out",
        );
      }
    }
    endpoint.show(endpointSvid);
    await t.rejects(
      federation.api.refreshBundle({ trustDomain: "south.test" }),
      { code: 14 },
      "the bundle it began with vouches no more",
    );
  },
);

t.test(
  "FED-32 an endpoint of another trust domain is verified with that one's newest bundle",
  async (t) => {
    const { federation, endpoint: ofWest } = await withWeb(t);
    ofWest.document = documentOf([west]);
    const endpoint = await TestBundleEndpoint.start(t, await west.issue("/endpoint"));
    endpoint.document = documentOf([first]);
    const relationship = {
      ...webRelationship(endpoint.url()),
      httpsWeb: undefined,
      httpsSpiffe: { endpointSpiffeId: "spiffe://west.test/endpoint" },
    };
    t.equal(await codeOf(federation, relationship), 9, "nothing says who west.test is");
    const url = ofWest.url("/", "localhost");
    await create(federation, { ...webRelationship(url), trustDomain: "west.test" });
    await attempted(federation, 1);
    await create(federation, relationship);
    await attempted(federation, 2);
    t.ok(isTrusted(federation, await workloadOf(first)));
    // The bundle that is fetched vouches for nobody who serves it.
    const impostor = forge(first, "spiffe://west.test/endpoint");
    endpoint.show(impostor);
    endpoint.document = documentOf([second]);
    await t.rejects(federation.api.refreshBundle({ trustDomain: "south.test" }), { code: 14 });
    t.notOk(isTrusted(federation, await workloadOf(second)));
  },
);

t.test(
  "FED-34 https_spiffe wants exactly the configured ID, and host names mean nothing",
  async (t) => {
    const federation = await startTestFederation(t);
    const endpoint = await TestBundleEndpoint.start(t, endpointSvid);
    endpoint.document = documentOf([first, second]);
    t.same(endpointSvid.leaf.dnsNames ?? [], [], "an SVID without any DNS name");
    await create(federation, spiffeRelationship(endpoint.url("/", "localhost")));
    await attempted(federation, 1);
    t.equal(roots(federation), 2);
    const refresh = () => federation.api.refreshBundle({ trustDomain: "south.test" });
    endpoint.document = documentOf([first]);
    for (const path of ["/spire/server2", "/spire", "/spire/server/x"]) {
      endpoint.show(await first.issue(path, { dnsNames: ["localhost"] }));
      await t.rejects(refresh(), { code: 14 }, path);
    }
    const west2 = forge(west, ENDPOINT);
    endpoint.show(west2);
    await t.rejects(refresh(), { code: 14 }, "the right ID by the wrong authority");
    t.equal(endpoint.count, 1, "no request was sent");
    t.equal(roots(federation), 2);
  },
);

t.test("FED-36 trust goes one way", async (t) => {
  const north = await startTestFederation(t, { webAuthority: web });
  const { federation: other, endpoint, url } = await withWeb(t);
  await create(north, webRelationship(url));
  await attempted(north, 1);
  t.ok(isTrusted(north, await workloadOf(first)));
  t.equal(endpoint.count, 1);
  t.same(other.bundles.list(), [], "being fetched from makes nobody trust who fetches");
});
