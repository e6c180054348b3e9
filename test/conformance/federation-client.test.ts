// SPIFFE_Federation.md as it binds who fetches bundles: when they are fetched, what becomes of them, and how
// it ends. One test per row, accept and reject, through the server's own refresher, store and API, over
// real https, on a clock that a test moves. Whom they are fetched from: federation-endpoint.test.ts.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { bundleToWire } from "../../proto/types/bundle.ts";
import { parseConfig } from "../../runtime/config.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { TestClock } from "../support/clock.ts";
import { TestBundleEndpoint } from "../support/test-bundle-endpoint.ts";
import { bundleOf, documentOf, startTestFederation } from "../support/test-federation.ts";
import { draft } from "../support/test-store.ts";
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

t.test("ID-24 a trust domain with the own name cannot be federated with", async (t) => {
  const federation = await startTestFederation(t);
  t.equal(await codeOf(federation, webRelationship("https://h.test/")), 0);
  const own = { ...webRelationship("https://h.test/"), trustDomain: "north.test" };
  t.equal(await codeOf(federation, own), 3);
  const config = (name: string) =>
    parseConfig(
      `trust_domain: north.test\ndata_dir: /tmp/x\nfederation: { federates_with: { ${name}: { url: "https://h.test/", profile: https_web } } }`,
      serverConfigSchema,
    );
  t.equal(config("south.test").federation.relationships.length, 1);
  t.throws(() => config("north.test"), { reason: "CONFIG_INVALID", message: /own trust domain/ });
});

t.test(
  "FED-04, BND-08 polls once per refresh hint, and within the operator's bounds",
  async (t) => {
    const { federation, endpoint, url } = await withWeb(t);
    await create(federation, webRelationship(url));
    await attempted(federation, 1);
    await federation.clock.advance(59_000);
    t.equal(endpoint.count, 1, "not before");
    await federation.clock.advance(1000);
    await attempted(federation, 2);
    t.equal(endpoint.count, 2, "after 60 s");

    const clamped = await withWeb(t);
    /** How long after the last attempt the next one is planned: nothing that is under way blurs it. */
    const waitSeconds = async () => {
      const { relationships } = await clamped.federation.status.listRelationships({});
      return (relationships[0]?.nextPoll ?? 0) - (relationships[0]?.lastAttempt ?? 0);
    };
    clamped.endpoint.document = documentOf([first], { refreshHintSeconds: 1 });
    await create(clamped.federation, webRelationship(clamped.url));
    await attempted(clamped.federation, 1);
    t.equal(await waitSeconds(), 10, "the least that is allowed here, not a second");
    await clamped.federation.clock.advance(9_000);
    t.equal(clamped.endpoint.count, 1, "a hint of a second makes no hot loop");
    await clamped.federation.clock.advance(1_000);
    await attempted(clamped.federation, 2);
    clamped.endpoint.document = documentOf([first], { refreshHintSeconds: 1_000_000 });
    await clamped.federation.clock.advance(10_000);
    await attempted(clamped.federation, 3);
    t.equal(await waitSeconds(), 3600, "the most");
    await clamped.federation.clock.advance(3_600_000);
    await attempted(clamped.federation, 4);
    t.equal(clamped.endpoint.count, 4, "and one of days does not let a revoked key live for days");
  },
);

t.test("FED-04, BND-21, BND-06 without a hint polls every five minutes", async (t) => {
  const { federation, endpoint, url } = await withWeb(t);
  endpoint.document = documentOf([first], { refreshHintSeconds: 0 });
  t.notMatch(endpoint.document, /refresh_hint/);
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  await federation.clock.advance(299_000);
  t.equal(endpoint.count, 1);
  await federation.clock.advance(1000);
  await attempted(federation, 2);
  t.equal(endpoint.count, 2);
});

t.test(
  "BND-07 a refresh hint that is no whole number of seconds makes the document none",
  async (t) => {
    const { federation, endpoint, url } = await withWeb(t);
    await create(federation, webRelationship(url));
    await attempted(federation, 1);
    t.equal(federation.bundles.get("south.test")?.refreshHintSeconds, 60);
    for (const hint of ["300.5", '"300"', "-1"]) {
      endpoint.document = documentOf([second]).replace(/}$/, `,"spiffe_refresh_hint":${hint}}`);
      await t.rejects(
        federation.api.refreshBundle({ trustDomain: "south.test" }),
        { code: 14 },
        hint,
      );
    }
    t.ok(isTrusted(federation, await workloadOf(first)), "what was stored stays");
  },
);

t.test("FED-05 a fetched bundle outlives a restart without network", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sg-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { federation, endpoint, url } = await withWeb(t, { folder });
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  await federation.stop();
  await endpoint.stop();
  const again = await startTestFederation(t, { folder, webAuthority: web });
  await attempted(again, 1);
  t.match(again.lines.at(-1), { msg: /not fetched/ });
  t.ok(isTrusted(again, await workloadOf(first)));
  t.notOk(isTrusted(again, await workloadOf(second)));
});

t.test(
  "FED-06, BND-05 the sequence number decides which bundle is newer, in all its digits",
  async (t) => {
    const { federation, endpoint, url } = await withWeb(t);
    const refresh = () => federation.api.refreshBundle({ trustDomain: "south.test" });
    await create(federation, webRelationship(url));
    await attempted(federation, 1);
    endpoint.document = documentOf([second], { sequence: 6n });
    await t.rejects(refresh(), { code: 14, message: /older than 7/ });
    t.ok(isTrusted(federation, await workloadOf(first)), "6 does not replace 7");
    endpoint.document = documentOf([second], { sequence: 9007199254740993n });
    await refresh();
    t.notOk(isTrusted(federation, await workloadOf(first)), "a larger one does");
    endpoint.document = documentOf([third], { sequence: 9007199254740992n });
    await t.rejects(refresh(), { code: 14 }, "one less, beyond what a double tells apart");
    endpoint.document = documentOf([third], { sequence: 18446744073709551615n });
    await refresh();
    t.ok(isTrusted(federation, await workloadOf(third)));
    t.equal(federation.bundles.get("south.test")?.sequence, 18446744073709551615n);
  },
);

t.test("FED-06, BND-03 without sequence numbers the last bundle fetched counts", async (t) => {
  const { federation, endpoint, url } = await withWeb(t);
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  endpoint.document = JSON.stringify({ keys: JSON.parse(documentOf([second])).keys });
  await federation.api.refreshBundle({ trustDomain: "south.test" });
  t.ok(isTrusted(federation, await workloadOf(second)));
  t.notOk(isTrusted(federation, await workloadOf(first)));
});

t.test("FED-06 what was newer is remembered over a restart", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "sg-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const { federation, endpoint, url } = await withWeb(t, { folder });
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  await federation.stop();
  endpoint.document = documentOf([second], { sequence: 6n });
  const again = await startTestFederation(t, { folder, webAuthority: web });
  await attempted(again, 1);
  t.ok(isTrusted(again, await workloadOf(first)));
  t.notOk(isTrusted(again, await workloadOf(second)));
});

t.test("FED-07 a bundle that is set by hand holds until the next refresh", async (t) => {
  const { federation, url } = await withWeb(t);
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  const bundle = [bundleToWire(bundleOf([second], { sequence: 99n, refreshHintSeconds: 60 }))];
  await federation.bundleApi.batchSetFederatedBundle({ bundle });
  await federation.clock.advance(59_000);
  t.ok(isTrusted(federation, await workloadOf(second)));
  t.notOk(isTrusted(federation, await workloadOf(first)));
  await federation.clock.advance(1000);
  await attempted(federation, 2);
  t.ok(isTrusted(federation, await workloadOf(first)), "replaced, whatever its number was");
  t.notOk(isTrusted(federation, await workloadOf(second)));
});

t.test("FED-08, BND-18 bundles of different trust domains are never merged", async (t) => {
  const { federation, url } = await withWeb(t);
  await create(federation, webRelationship(url));
  const other = await TestBundleEndpoint.start(t, webCertificate);
  other.document = documentOf([west]);
  const relationship = {
    ...webRelationship(other.url("/", "localhost")),
    trustDomain: "west.test",
  };
  await create(federation, relationship);
  await attempted(federation, 2);
  t.ok(isTrusted(federation, await workloadOf(first)));
  t.ok(isTrusted(federation, await workloadOf(west)));
  const forged = forge(west, "spiffe://south.test/db");
  t.notOk(isTrusted(federation, forged), "an authority of west vouches for nobody in south");
});

t.test(
  "FED-09, FED-16, BND-02 both profiles fetch, https_web by three settings alone",
  async (t) => {
    const { federation, endpoint, url } = await withWeb(t);
    endpoint.document = documentOf([first]).replace(/}$/, ',"more":{"keys":[]}}');
    await create(federation, webRelationship(url));
    await attempted(federation, 1);
    t.ok(isTrusted(federation, await workloadOf(first)));
    const spiffe = await startTestFederation(t);
    const endpoint2 = await TestBundleEndpoint.start(t, endpointSvid);
    endpoint2.document = documentOf([first, second]);
    await create(spiffe, spiffeRelationship(endpoint2.url()));
    await attempted(spiffe, 1);
    t.equal(roots(spiffe), 2);
    const config = `trust_domain: north.test\ndata_dir: /tmp/x\nfederation: { federates_with: { south.test: { url: "https://h.test/", profile: https_web } } }`;
    const [only] = parseConfig(config, serverConfigSchema).federation.relationships;
    t.match(only, { url: "https://h.test/", profile: "https_web" });
    t.equal(
      await codeOf(federation, { trustDomain: "x.test", bundleEndpointUrl: url }),
      3,
      "no profile",
    );
  },
);

t.test(
  "FED-12, FED-35, BND-17 name, URL and profile are all given, and none follows from another",
  async (t) => {
    const { federation, url } = await withWeb(t);
    const whole = webRelationship(url);
    t.equal(await codeOf(federation, { ...whole, trustDomain: "" }), 3);
    t.equal(await codeOf(federation, { ...whole, bundleEndpointUrl: "" }), 3);
    t.equal(await codeOf(federation, { trustDomain: "south.test", bundleEndpointUrl: url }), 3);
    const row = 'url: "https://south.test/", profile: https_web';
    const config = (text: string) => () =>
      parseConfig(
        `trust_domain: north.test\ndata_dir: /tmp/x\nfederation: { federates_with: ${text} }`,
        serverConfigSchema,
      );
    t.doesNotThrow(config(`{ south.test: { ${row} } }`));
    t.throws(config(`{ south.test: { profile: https_web } }`), {
      reason: "CONFIG_INVALID",
      code: 3,
    });
    t.throws(config(`{ south.test: { url: "https://south.test/" } }`), {
      reason: "CONFIG_INVALID",
      code: 3,
    });
    t.throws(config(`[{ ${row} }]`), { reason: "CONFIG_INVALID", code: 3 });
    // What the endpoint serves is filed under the name that was configured, whatever names its keys carry.
    await create(federation, { ...whole, trustDomain: "east.test" });
    await attempted(federation, 1);
    t.ok(federation.bundles.get("east.test"));
    t.equal(federation.bundles.get("south.test"), undefined);
    t.notOk(isTrusted(federation, await workloadOf(first)));
  },
);

t.test("FED-37 a failed poll waits for the next interval", async (t) => {
  const { federation, endpoint, url } = await withWeb(t);
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  endpoint.answer = (_, response) => response.writeHead(503).end();
  for (let interval = 1; interval <= 4; interval++) {
    await federation.clock.advance(59_000);
    t.equal(endpoint.count, interval, "nothing in between");
    await federation.clock.advance(1000);
    await attempted(federation, interval + 1);
    t.equal(endpoint.count, interval + 1, "one request in an interval");
  }
});

t.test("FED-38 what fails or is no bundle leaves the stored one alone", async (t) => {
  const { federation, endpoint, url } = await withWeb(t);
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  const { keys } = JSON.parse(documentOf([second])) as { keys: unknown };
  const documents: [string, string | Uint8Array][] = [
    ["nothing", ""],
    ["no JSON", "<html>"],
    ["no keys", "{}"],
    ["keys that are no list", '{"keys":null}'],
    ["a list", JSON.stringify(keys)],
    ["UTF-16", Buffer.from(JSON.stringify({ keys }), "utf16le")],
  ];
  for (const [name, document] of documents) {
    endpoint.document = document;
    await t.rejects(
      federation.api.refreshBundle({ trustDomain: "south.test" }),
      { code: 14 },
      name,
    );
    t.ok(isTrusted(federation, await workloadOf(first)), name);
  }
  endpoint.answer = (_, response) => response.writeHead(500).end(JSON.stringify({ keys }));
  await t.rejects(federation.api.refreshBundle({ trustDomain: "south.test" }), { code: 14 });
  t.ok(isTrusted(federation, await workloadOf(first)));
  endpoint.answer = undefined;
  endpoint.document = '{"keys":[]}';
  await federation.api.refreshBundle({ trustDomain: "south.test" });
  t.notOk(isTrusted(federation, await workloadOf(first)), "an empty list is a bundle, and revokes");
});

t.test("FED-40 the end of a relationship ends trust, polling and what entries say", async (t) => {
  const { federation, endpoint, url } = await withWeb(t);
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  const [created] = await federation.entries.create([draft({ federatesWith: ["south.test"] })]);
  t.ok(isTrusted(federation, await workloadOf(first)));
  const { results } = await federation.api.batchDeleteFederationRelationship({
    trustDomains: ["south.test"],
  });
  t.equal(results[0]?.status.code, 0);
  t.notOk(isTrusted(federation, await workloadOf(first)));
  t.same(federation.entries.get(created?.entry.id ?? "")?.federatesWith, []);
  await federation.clock.advance(3_600_000);
  t.equal(endpoint.count, 1, "nobody asks any more");
  await t.rejects(federation.api.refreshBundle({ trustDomain: "south.test" }), { code: 5 });
});

t.test("FED-41 each fetch leaves a line, and redirects can be switched off", async (t) => {
  const clock = new TestClock(new Date());
  const { federation, endpoint, url } = await withWeb(t, { clock, followRedirects: false });
  await create(federation, webRelationship(url));
  await attempted(federation, 1);
  const line = federation.lines.find(({ msg }) => msg === "bundle fetched");
  t.match(line, { url, trust_domain: "south.test", peer_id: "localhost", time: String });
  const target = await TestBundleEndpoint.start(t, webCertificate);
  target.document = documentOf([second]);
  endpoint.redirect(target.url("/", "localhost"));
  await t.rejects(federation.api.refreshBundle({ trustDomain: "south.test" }), {
    code: 14,
    message: /not followed/,
  });
  t.equal(target.count, 0);
  t.match(federation.lines.at(-1), { msg: /not fetched/, url });

  const spiffe = await startTestFederation(t);
  const svidEndpoint = await TestBundleEndpoint.start(t, endpointSvid);
  svidEndpoint.document = documentOf([first]);
  await create(spiffe, spiffeRelationship(svidEndpoint.url()));
  await attempted(spiffe, 1);
  t.match(
    spiffe.lines.find(({ msg }) => msg === "bundle fetched"),
    { peer_id: ENDPOINT },
  );
});
