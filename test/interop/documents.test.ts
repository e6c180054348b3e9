// What the public listeners serve, read by programs that nobody here wrote: a Go OpenID library, curl,
// OpenSSL and nginx with revocation lists.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { exportPkcs8 } from "../../pki/keys.ts";
import { formatPem } from "../../pki/x509/pem.ts";
import type { X509Svid } from "../../pki/x509/svid.ts";
import {
  BundleService,
  LocalAuthorityService,
  RevocationService,
  SvidService,
} from "../../proto/schema.gen.ts";
import { freePort } from "../support/listening.ts";
import { TestServer } from "../support/running-server.ts";
import { run } from "../support/signet.ts";
import { eventually } from "../support/trust-domain.ts";
import { WebAuthority } from "../support/web-certificate.ts";
import { buildDir, goReader } from "./readers.ts";

const dir = buildDir(t);

t.test("go-oidc discovers the issuer and verifies JWT-SVIDs with its keys", async (t) => {
  const go = goReader(dir);
  const web = new WebAuthority();
  const ca = join(dir, "web-ca.pem");
  writeFileSync(ca, web.pem);
  for (const keyType of ["ec-p256", "rsa-2048"]) {
    const { certFile, keyFile } = web.write(dir);
    const port = await freePort();
    const issuer = `https://localhost:${port}/north`;
    const server = await TestServer.start({
      config: [
        `ca: { jwt_key_type: ${keyType} }`,
        `jwt_issuer: ${issuer}`,
        `oidc: { address: 127.0.0.1, port: ${port}, cert_file: ${certFile}, key_file: ${keyFile} }`,
      ].join("\n"),
    });
    t.teardown(() => server.stop());
    const id = { trustDomain: "north.test", path: "/db" };
    const svids = server.admin.client(SvidService);
    const { svid } = await svids.mintJWTSVID({ id, audience: ["ledger"] });
    const verify = (audience: string) =>
      run(go, ["oidc", "-issuer", issuer, "-audience", audience, "-token", svid.token, "-ca", ca]);
    const verified = await verify("ledger");
    t.equal(verified.stderr, "");
    t.same(JSON.parse(verified.stdout), { subject: "spiffe://north.test/db", issuer });
    t.match(await verify("another"), { status: 1, stderr: /audience/ });
    const elsewhere = [
      "oidc",
      "-issuer",
      `${issuer}/`,
      "-audience",
      "ledger",
      "-token",
      svid.token,
    ];
    t.match(await run(go, [...elsewhere, "-ca", ca]), { status: 1, stderr: /issuer/ });
    await server.stop();
  }
});

/** A server with revocation lists, two SVIDs, and the files that other programs read. */
async function startLists(t: Test) {
  const server = await TestServer.start({ config: "crl: { address: 127.0.0.1, port: 0 }" });
  t.teardown(() => server.stop());
  const { active } = await server.admin.client(LocalAuthorityService).getX509AuthorityState({});
  const { port } = server.running.documents.crl ?? {};
  const bundle = await server.admin.client(BundleService).getBundle({});
  const rootFile = join(dir, "root.pem");
  const roots = bundle.x509Authorities.map(({ asn1 }) => formatPem("CERTIFICATE", asn1));
  writeFileSync(rootFile, roots.join(""));
  const write = (name: string, svid: X509Svid) => {
    const files = { cert: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
    writeFileSync(files.cert, formatPem("CERTIFICATE", svid.leaf.der));
    writeFileSync(files.key, formatPem("PRIVATE KEY", exportPkcs8(svid.privateKey)), {
      mode: 0o600,
    });
    return files;
  };
  const listFile = join(dir, "list.der");
  const pemFile = join(dir, "list.pem");
  const [good, bad] = [await server.mint("/good"), await server.mint("/bad")];
  return {
    rootFile,
    pemFile,
    listFile,
    good: write("good", good),
    bad: write("bad", bad),
    url: `http://127.0.0.1:${port}/crl/${active?.authorityId}.crl`,
    revoke: () =>
      server.admin.client(RevocationService).revokeSVID({ serial: bad.leaf.serialHex, reason: 1 }),
    /** As an operator does: fetched with curl, turned into PEM by openssl. */
    async fetchList(): Promise<void> {
      const fetched = await run("curl", ["--silent", "--fail", "--output", listFile, this.url]);
      t.equal(fetched.status, 0, fetched.stderr);
      const turned = ["crl", "-inform", "DER", "-in", listFile, "-out", pemFile];
      t.equal((await run("openssl", turned)).status, 0);
    },
  };
}

t.test("curl fetches a list only when it has changed, and openssl believes it", async (t) => {
  const lists = await startLists(t);
  await lists.fetchList();
  const verify = ({ cert }: { cert: string }) =>
    run("openssl", [
      "verify",
      "-crl_check",
      "-CAfile",
      lists.rootFile,
      "-CRLfile",
      lists.pemFile,
      cert,
    ]);
  t.equal((await verify(lists.bad)).status, 0, "not yet revoked");
  const tags = join(dir, "etag");
  const args = [
    "--silent",
    "--etag-save",
    tags,
    "--etag-compare",
    tags,
    "--write-out",
    "%{http_code}",
  ];
  const again = () => run("curl", [...args, "--output", join(dir, "again.der"), lists.url]);
  t.equal((await again()).stdout, "200");
  t.equal((await again()).stdout, "304");
  await lists.revoke();
  t.equal((await again()).stdout, "200");
  await lists.fetchList();
  const refused = await verify(lists.bad);
  t.not(refused.status, 0);
  t.match(refused.stdout + refused.stderr, /certificate revoked/);
  t.equal((await verify(lists.good)).status, 0);
  const shown = await run("openssl", ["crl", "-in", lists.pemFile, "-noout", "-text"]);
  t.match(shown.stdout, /Key Compromise/);
});

t.test("nginx refuses a revoked client with ssl_crl, after a reload", async (t) => {
  const lists = await startLists(t);
  await lists.fetchList();
  const port = await freePort();
  const nginx = startNginx(port, lists);
  t.teardown(() => nginx.kill());
  const call = ({ cert, key }: { cert: string; key: string }) =>
    run("curl", [
      "--silent",
      "--insecure",
      "--cert",
      cert,
      "--key",
      key,
      `https://127.0.0.1:${port}/`,
    ]);
  await eventually(async () => {
    if ((await call(lists.bad)).stdout !== "SUCCESS") throw new Error("not yet");
  });
  await lists.revoke();
  await lists.fetchList();
  process.kill(Number(readFileSync(join(dir, "nginx.pid"), "utf8")), "SIGHUP");
  await eventually(async () => {
    if (!(await call(lists.bad)).stdout.includes("400")) throw new Error("not yet");
  });
  t.equal((await call(lists.good)).stdout, "SUCCESS");
});

function startNginx(
  port: number,
  lists: {
    readonly rootFile: string;
    readonly pemFile: string;
    readonly good: { cert: string; key: string };
  },
): ChildProcess {
  const config = join(dir, "nginx.conf");
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  writeFileSync(
    config,
    `daemon off; pid ${dir}/nginx.pid; error_log ${dir}/nginx.log;
events {}
http {
  access_log off;
  ${paths.map((name) => `${name}_temp_path ${dir}/${name};`).join(" ")}
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${lists.good.cert};
    ssl_certificate_key ${lists.good.key};
    ssl_client_certificate ${lists.rootFile};
    ssl_crl ${lists.pemFile};
    ssl_verify_client on;
    location / { return 200 "$ssl_client_verify"; }
  }
}
`,
  );
  return spawn("nginx", ["-p", dir, "-c", config], { stdio: ["ignore", "ignore", "inherit"] });
}
