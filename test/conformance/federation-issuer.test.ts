// SPIFFE_Federation.md as it binds the trust domain whose bundle others fetch, and the server that takes
// foreign bundles into use: keys are public before they sign, and bundles reach workloads by name.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { formatPem } from "../../pki/x509/pem.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { createChannel } from "../../proto/rpc/client.ts";
import { BundleService, TrustDomainService } from "../../proto/schema.gen.ts";
import { bundleToWire } from "../../proto/types/bundle.ts";
import { parseConfig } from "../../runtime/config.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { TestServer } from "../support/running-server.ts";
import { first as firstOf } from "../support/test-agent.ts";
import { TestBundleEndpoint } from "../support/test-bundle-endpoint.ts";
import { north, startTestCa, type TestCa } from "../support/test-ca.ts";
import { bundleOf, documentOf, until } from "../support/test-federation.ts";
import { eventually, TestTrustDomain } from "../support/trust-domain.ts";
import { ENDPOINT, endpointSvid, first, second } from "./federation.ts";

const HOUR_MS = 3_600_000;

const idsOf = (ca: TestCa) =>
  ca.authorities
    .bundle()
    .x509Authorities.map(({ der }) =>
      Buffer.from(parseCertificate(der).subjectKeyId ?? []).toString("hex"),
    );

t.test("FED-01 a key is public before it signs anything", async (t) => {
  const ca = await startTestCa(t);
  ca.agents.connect(ca.authorities.bundle().sequence);
  const { authorityId } = await ca.authorities.prepare("x509");
  t.ok(idsOf(ca).includes(authorityId), "in the bundle from the moment it is there");
  t.not(ca.authorities.slots("x509").active?.authorityId, authorityId, "and not signing");
  await t.rejects(ca.authorities.activate("x509", authorityId, { forced: false }), {
    reason: "AUTHORITY_NOT_READY",
    code: 14,
  });
  await ca.clock.advance(3 * 300_000);
  await ca.authorities.activate("x509", authorityId, { forced: false });
  t.equal(ca.authorities.slots("x509").active?.authorityId, authorityId);
});

t.test(
  "FED-02 a key is public for at least three refresh hints before rotation uses it",
  async (t) => {
    const ca = await startTestCa(t);
    const before = ca.authorities.slots("x509").active?.authorityId;
    let preparedAt: number | undefined;
    let activatedAt: number | undefined;
    for (let minutes = 0; minutes < 24 * 60 && activatedAt === undefined; minutes += 15) {
      await ca.rotation.check();
      const { prepared, active } = ca.authorities.slots("x509");
      if (prepared !== undefined) preparedAt ??= ca.clock.now().getTime();
      if (active?.authorityId !== before) activatedAt = ca.clock.now().getTime();
      await ca.clock.advance(15 * 60_000);
    }
    t.ok((activatedAt ?? 0) - (preparedAt ?? Infinity) >= 3 * 300_000);
    // Where lives are too short for that, a server that publishes its bundle does not start.
    const config = (ttl: string) => () =>
      parseConfig(
        `trust_domain: x.test\ndata_dir: /tmp/x\nca: { ttl: ${ttl} }\nfederation: { bundle_endpoint: { port: 0, profile: https_spiffe } }`,
        serverConfigSchema,
      );
    t.doesNotThrow(config("24h"));
    t.throws(config("30m"), { reason: "CONFIG_INVALID", code: 3 });
  },
);

t.test(
  "FED-03 a retired key stays public until the last of what it signed has expired",
  async (t) => {
    const ca = await startTestCa(t);
    const old = ca.authorities.slots("x509").active?.authorityId ?? "";
    const { chain, notAfter } = await ca.issuer.issueX509({
      csr: createCsr(generateP256KeyPair()),
      spiffeId: SpiffeId.of(north, "/db").toString(),
      dnsNames: [],
      ttlSeconds: 24 * 3600,
    });
    const isTrusted = (): boolean => {
      const anchors = ca.authorities
        .bundle()
        .x509Authorities.map(({ der }) => parseCertificate(der));
      try {
        validateX509Svid(chain, () => anchors, ca.clock.now());
        return true;
      } catch {
        return false;
      }
    };
    const { authorityId } = await ca.authorities.prepare("x509");
    await ca.authorities.activate("x509", authorityId, { forced: true });
    while (ca.clock.now().getTime() < notAfter.getTime() - HOUR_MS) {
      await ca.clock.advance(HOUR_MS);
      await ca.rotation.check();
      if (!idsOf(ca).includes(old) || !isTrusted()) t.fail("removed too early");
    }
    t.ok(isTrusted());
    await ca.clock.advance(50 * HOUR_MS);
    await ca.rotation.check();
    t.notOk(idsOf(ca).includes(old), "and no longer than it is needed");
  },
);

t.test("FED-14 workloads are given each bundle under the name of its trust domain", async (t) => {
  const domain = new TestTrustDomain(t);
  await domain.start();
  const admin = createChannel({ address: { unix: domain.server?.adminSocket ?? "" } });
  t.teardown(() => admin.close());
  const bundle = [bundleToWire(bundleOf([first]))];
  await admin.client(BundleService).batchSetFederatedBundle({ bundle });
  await domain.createEntry({ path: "/plain" });
  const client = domain.workload();
  const plain = await eventually(() => firstOf(client.fetchX509Bundles({})));
  t.same(Object.keys(plain.bundles), ["spiffe://north.test"], "nothing without the entry's word");
  await domain.createEntry({ path: "/db", more: { federatesWith: ["south.test"] } });
  await eventually(async () => {
    const { bundles } = await firstOf(client.fetchX509Bundles({}));
    if (Object.keys(bundles).length < 2) throw new Error("not yet");
  });
  const { bundles } = await firstOf(client.fetchX509Bundles({}));
  t.same(Object.keys(bundles).toSorted(), ["spiffe://north.test", "spiffe://south.test"]);
  t.same(Buffer.from(bundles["spiffe://south.test"] ?? []), Buffer.from(first.root.der));
});

t.test(
  "FED-29, FED-30 the first bundle is taken as a SPIFFE bundle document, and must be there",
  async (t) => {
    const endpoint = await TestBundleEndpoint.start(t, endpointSvid);
    endpoint.document = documentOf([first, second]);
    const dir = mkdtempSync(join(tmpdir(), "sg-"));
    t.teardown(() => rmSync(dir, { recursive: true, force: true }));
    for (const folder of ["none", "json", "pem", "other"]) mkdirSync(join(dir, folder));
    const start = (folder: string) =>
      TestServer.start({
        dir: join(dir, folder),
        config: `federation: { federates_with: { south.test: { url: "${endpoint.url()}", profile: https_spiffe, endpoint_spiffe_id: "${ENDPOINT}"${folder === "none" ? "" : ", bundle_file: first"} } } }`,
      });
    writeFileSync(join(dir, "json/first"), documentOf([first]));
    writeFileSync(join(dir, "pem/first"), formatPem("CERTIFICATE", first.root.der));
    writeFileSync(join(dir, "other/first"), formatPem("CERTIFICATE", endpointSvid.leaf.der));
    for (const folder of ["json", "pem"]) {
      const server = await start(folder);
      t.teardown(() => server.stop());
      const asked = endpoint.count;
      await server.admin.client(TrustDomainService).refreshBundle({ trustDomain: "south.test" });
      await until(() => endpoint.count > asked, "a fetch");
      const got = await server.admin
        .client(BundleService)
        .getFederatedBundle({ trustDomain: "south.test" });
      t.equal(got.x509Authorities.length, 2, folder);
    }
    await t.rejects(start("none"), {
      reason: "FEDERATION_INCOMPLETE",
      code: 9,
      hint: /bundle_file/,
    });
    await t.rejects(start("other"), {
      reason: "FEDERATION_INCOMPLETE",
      code: 9,
      message: /no authority/,
    });
  },
);
