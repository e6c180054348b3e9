// Relationships of the configuration over the life of a server: the first bundle of a file is for the first
// time alone, and what is taken out of the file has ended.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import {
  BundleService,
  EntryService,
  FederationService,
  TrustDomainService,
} from "../../../proto/schema.gen.ts";
import { createLogger } from "../../../runtime/log.ts";
import { TestServer } from "../../support/running-server.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { TestBundleEndpoint } from "../../support/test-bundle-endpoint.ts";
import { documentOf } from "../../support/test-federation.ts";

const first = await TestAuthority.create("south.test");
const second = await TestAuthority.create("south.test");
const ID = "spiffe://south.test/spire/server";

t.test(
  "a relationship of the configuration begins with its file and ends with its key",
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), "sg-"));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    mkdirSync(join(dir, "s"));
    writeFileSync(join(dir, "s/south.json"), documentOf([first]));
    const endpoint = await TestBundleEndpoint.start(t, await first.issue("/spire/server"));
    endpoint.document = documentOf([first, second], { sequence: 2n });
    const lines: { audit?: boolean; object?: string; method?: string }[] = [];
    const log = createLogger({
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    });
    const start = (federation: string) =>
      TestServer.start({ dir: join(dir, "s"), config: `federation: ${federation}`, log });
    const row = (more: string) =>
      `{ federates_with: { south.test: { url: "${endpoint.url()}", profile: https_spiffe, endpoint_spiffe_id: "${ID}"${more} } } }`;

    t.comment("1. the file's bundle verifies the endpoint");
    let server = await start(row(", bundle_file: south.json"));
    await server.admin.client(TrustDomainService).refreshBundle({ trustDomain: "south.test" });
    const { results } = await server.admin.client(EntryService).batchCreateEntry({
      entries: [
        {
          spiffeId: { trustDomain: "north.test", path: "/db" },
          parentId: { trustDomain: "north.test", path: "/node" },
          selectors: [{ type: "unix", value: "uid:1" }],
          federatesWith: ["south.test"],
        },
      ],
    });
    t.equal(results[0]?.status.code, 0);
    await server.stop();

    t.comment("2. later the newest fetched one does, and the file is not needed");
    endpoint.show(await second.issue("/spire/server"));
    endpoint.document = documentOf([second], { sequence: 3n });
    server = await start(row(""));
    await server.admin.client(TrustDomainService).refreshBundle({ trustDomain: "south.test" });
    const { relationships } = await server.admin.client(FederationService).listRelationships({});
    t.match(relationships, [{ static: true, sequence: "3", lastError: "" }]);
    await server.stop();
    server = await start(row(", bundle_file: south.json"));
    await server.admin.client(TrustDomainService).refreshBundle({ trustDomain: "south.test" });
    await server.stop();

    t.comment("3. without the key the federation has ended");
    server = await start("{}");
    const federated = await server.admin.client(BundleService).listFederatedBundles({});
    t.same(federated.bundles, []);
    const { entries } = await server.admin.client(EntryService).listEntries({ pageSize: 10 });
    t.same(entries[0]?.federatesWith, []);
    t.ok(
      lines.some(
        ({ audit, object, method }) =>
          audit && object === "south.test" && method === "end federation",
      ),
    );
    await server.stop();
  },
);

t.test("a bundle that was set by hand stays when the configuration names nobody", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "sg-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  let server = await TestServer.start({ dir });
  const bundle = [{ trustDomain: "south.test", x509Authorities: [{ asn1: first.root.der }] }];
  await server.admin.client(BundleService).batchSetFederatedBundle({ bundle });
  await server.stop();
  server = await TestServer.start({ dir });
  const { bundles } = await server.admin.client(BundleService).listFederatedBundles({});
  t.equal(bundles.length, 1);
  await server.stop();
});

t.test("a relationship of the API goes on over a restart", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "sg-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const endpoint = await TestBundleEndpoint.start(t, await first.issue("/spire/server"));
  endpoint.document = documentOf([first]);
  let server = await TestServer.start({ dir });
  const { results } = await server.admin
    .client(TrustDomainService)
    .batchCreateFederationRelationship({
      federationRelationships: [
        {
          trustDomain: "south.test",
          bundleEndpointUrl: endpoint.url(),
          httpsSpiffe: { endpointSpiffeId: ID },
          trustDomainBundle: {
            trustDomain: "south.test",
            x509Authorities: [{ asn1: first.root.der }],
          },
        },
      ],
    });
  t.equal(results[0]?.status.code, 0);
  await server.stop();
  const before = endpoint.count;
  server = await TestServer.start({ dir });
  await server.admin.client(TrustDomainService).refreshBundle({ trustDomain: "south.test" });
  t.ok(endpoint.count > before);
  t.equal((await server.admin.client(BundleService).countBundles({})).count, 2);
  await server.stop();
});
