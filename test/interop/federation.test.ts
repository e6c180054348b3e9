// Bundle endpoints both ways with go-spiffe, which nobody here wrote: its client fetches from our endpoint,
// and our server fetches from its handler.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import t from "tap";
import { formatBundle } from "../../pki/bundle/format.ts";
import { formatPem } from "../../pki/x509/pem.ts";
import { BundleService, FederationService, TrustDomainService } from "../../proto/schema.gen.ts";
import { bundleFromWire, bundleToWire } from "../../proto/types/bundle.ts";
import { TestServer } from "../support/running-server.ts";
import { run } from "../support/signet.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { bundleOf, documentOf } from "../support/test-federation.ts";
import { buildDir, goReader } from "./readers.ts";

t.test("bundle endpoints of go-spiffe and of Signet", async (t) => {
  const dir = buildDir(t);
  const go = goReader(dir);
  const write = (name: string, content: string): string => {
    const path = join(dir, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const bundleOfServer = async (server: TestServer): Promise<string> => {
    const bundle = await server.admin.client(BundleService).getBundle({});
    return formatBundle(bundleFromWire(bundle));
  };

  await t.test("go-spiffe fetches from our endpoint that shows an SVID", async (t) => {
    const endpoint = "{ address: 127.0.0.1, port: 0, profile: https_spiffe }";
    const server = await TestServer.start({
      config: `federation: { bundle_endpoint: ${endpoint} }`,
    });
    t.teardown(() => server.stop());
    const url = `https://127.0.0.1:${server.running.documents.bundleEndpoint?.port}/`;
    const known = write("north.json", await bundleOfServer(server));
    const fetch = (...args: string[]) =>
      run(go, ["fetch-bundle", "-domain", "north.test", "-url", url, "-bundle", known, ...args]);
    const good = await fetch("-id", "spiffe://north.test/spire/server");
    t.equal(good.status, 0, good.stderr);
    const { spiffe_sequence: sequence } = JSON.parse(await bundleOfServer(server)) as {
      spiffe_sequence: number;
    };
    t.match(JSON.parse(good.stdout), { x509: 1, jwt: 1, hint: 300, sequence });
    const other = await fetch("-id", "spiffe://north.test/spire/other");
    t.not(other.status, 0);
    t.match(other.stderr, /unexpected ID/, "go-spiffe sees who our endpoint is");
  });

  await t.test(
    "go-spiffe fetches from our endpoint that shows a certificate of the web",
    async (t) => {
      const web = await TestAuthority.create("web.test");
      const site = await web.issue("/site", { dnsNames: ["localhost"] });
      const cert = write(
        "site.pem",
        site.chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
      );
      const key = write(
        "site.key",
        site.privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
      );
      const endpoint = `{ address: 127.0.0.1, port: 0, profile: https_web, cert_file: ${cert}, key_file: ${key}, path: /b }`;
      const server = await TestServer.start({
        config: `federation: { bundle_endpoint: ${endpoint} }`,
      });
      t.teardown(() => server.stop());
      const url = `https://localhost:${server.running.documents.bundleEndpoint?.port}/b`;
      const roots = write("roots.pem", formatPem("CERTIFICATE", web.root.der));
      const fetched = await run(go, [
        "fetch-bundle",
        "-domain",
        "north.test",
        "-url",
        url,
        "-roots",
        roots,
      ]);
      t.equal(fetched.status, 0, fetched.stderr);
      t.match(JSON.parse(fetched.stdout), { x509: 1, jwt: 1 });
    },
  );

  await t.test("our server fetches from go-spiffe's handler", async (t) => {
    const south = await TestAuthority.create("south.test");
    const next = await TestAuthority.create("south.test");
    const svid = await south.issue("/endpoint");
    const child = spawn(go, [
      "serve-bundle",
      ...["-domain", "south.test"],
      ...[
        "-bundle",
        write("south.json", documentOf([south, next], { sequence: 41n, refreshHintSeconds: 60 })),
      ],
      ...[
        "-cert",
        write("svid.pem", svid.chain.map((der) => formatPem("CERTIFICATE", der)).join("")),
      ],
      ...[
        "-key",
        write("svid.key", svid.privateKey.export({ type: "pkcs8", format: "pem" }).toString()),
      ],
    ]);
    t.teardown(async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    });
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    const { port } = JSON.parse(line) as { port: number };
    const server = await TestServer.start();
    t.teardown(() => server.stop());
    const api = server.admin.client(TrustDomainService);
    const relationship = (endpointSpiffeId: string) => ({
      trustDomain: "south.test",
      bundleEndpointUrl: `https://127.0.0.1:${port}/`,
      httpsSpiffe: { endpointSpiffeId },
      trustDomainBundle: bundleToWire(bundleOf([south])),
    });
    const { results } = await api.batchCreateFederationRelationship({
      federationRelationships: [relationship("spiffe://south.test/endpoint")],
    });
    t.equal(results[0]?.status.code, 0, String(results[0]?.status.message));
    await api.refreshBundle({ trustDomain: "south.test" });
    const { relationships } = await server.admin.client(FederationService).listRelationships({});
    t.match(relationships, [{ sequence: "41", lastError: "" }]);
    const got = await server.admin
      .client(BundleService)
      .getFederatedBundle({ trustDomain: "south.test" });
    t.match(got, { refreshHint: 60, x509Authorities: { length: 2 } });
    await api.batchUpdateFederationRelationship({
      federationRelationships: [relationship("spiffe://south.test/other")],
    });
    await t.rejects(api.refreshBundle({ trustDomain: "south.test" }), {
      reason: "BUNDLE_FETCH_FAILED",
      message: /not authorised/,
    });
  });
});
