// Our certificates and our TLS, read by OpenSSL, zlint, curl and nginx.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer, get } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import {
  authorizeId,
  httpsAgent,
  peerOf,
  protectServer,
  Status,
  serverTlsOptions,
  X509Source,
} from "../../client/index.ts";
import { freePort } from "../support/listening.ts";
import { run, startUp } from "../support/signet.ts";
import { fetchMaterial, registerSelf } from "./material.ts";
import { buildDir, goReader } from "./readers.ts";

t.test("certificates and TLS in the eyes of others", async (t) => {
  const dir = buildDir(t);
  const up = await startUp();
  t.teardown(() => up.stop());
  const id = await registerSelf(up, "/web", "--dns", "localhost");
  const material = await fetchMaterial(up, dir);
  const source = await X509Source.start({ endpoint: `unix://${up.agentSocket}` });
  t.teardown(() => source.close());

  await t.test("OpenSSL verifies the chain strictly, for both roles", async (t) => {
    for (const purpose of ["sslserver", "sslclient"]) {
      const args = ["verify", "-x509_strict", "-purpose", purpose, "-CAfile", material.bundleFile];
      const result = await run("openssl", [...args, material.chainFile]);
      t.equal(result.status, 0, `${purpose}: ${result.stderr}`);
    }
    const alien = await run("openssl", [
      "verify",
      "-x509_strict",
      "-no-CAfile",
      "-no-CApath",
      material.chainFile,
    ]);
    t.not(alien.status, 0, "and refuses it without our authority");
  });

  await t.test("OpenSSL reads the fields that X509-SVID asks for", async (t) => {
    const { stdout } = await run("openssl", ["x509", "-in", material.chainFile, "-noout", "-text"]);
    t.match(stdout, new RegExp(`URI:${id}, DNS:localhost`));
    t.match(stdout, /X509v3 Key Usage: critical\s+Digital Signature\n/);
    t.match(stdout, /TLS Web Server Authentication, TLS Web Client Authentication/);
    t.match(stdout, /X509v3 Basic Constraints: critical\s+CA:FALSE/);
  });

  await t.test("zlint finds no error in leaf and authority", async (t) => {
    const result = await run(goReader(dir), ["lint", material.leafDer, material.authorityDer]);
    t.equal(result.status, 0, result.stderr);
    t.ok((JSON.parse(result.stdout) as { lints: number }).lints > 100);
  });

  await t.test(
    "curl calls a server of our client library with its SVID, and not without",
    async (t) => {
      const server = createServer(serverTlsOptions(), (request, response) => {
        response.end(String(peerOf(request.socket)?.id));
      });
      protectServer(server, { source, authorize: authorizeId(id) });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      t.teardown(() => server.close());
      const url = `https://localhost:${(server.address() as AddressInfo).port}`;
      const ca = ["--silent", "--show-error", "--cacert", material.bundleFile];
      const svid = ["--cert", material.chainFile, "--key", material.keyFile];
      for (const version of ["--tlsv1.3", "--tls-max=1.2"]) {
        const flags = version === "--tls-max=1.2" ? ["--tls-max", "1.2"] : [version];
        const good = await run("curl", [...ca, ...svid, ...flags, url]);
        t.equal(good.stdout, id, `${version}: ${good.stderr}`);
      }
      t.not((await run("curl", [...ca, url])).status, 0, "no SVID, no answer");
    },
  );

  await t.test("nginx serves with an SVID to our client, and asks for one", async (t) => {
    const port = await freePort();
    const nginx = await startNginx(dir, port, material);
    t.teardown(() => nginx.kill());
    const answer = await fetchText(port, source, id);
    t.match(answer, { status: 200, body: "verified SUCCESS" });
    await t.rejects(fetchText(port, source, "spiffe://north.test/another"), {
      reason: "PEER_NOT_AUTHORIZED",
      code: Status.permissionDenied,
    });
    const bare = await run("curl", [
      "--silent",
      "--cacert",
      material.bundleFile,
      `https://localhost:${port}/`,
    ]);
    t.match(bare.stdout, /400/, "nginx refuses a caller without an SVID");
  });
});

async function fetchText(
  port: number,
  source: X509Source,
  id: string,
): Promise<{ status: number | undefined; body: string }> {
  const agent = httpsAgent({ source, authorize: authorizeId(id), http: { keepAlive: false } });
  const [response] = (await once(get({ host: "127.0.0.1", port, agent }), "response")) as [
    import("node:http").IncomingMessage,
  ];
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, body };
}

async function startNginx(
  dir: string,
  port: number,
  files: { chainFile: string; keyFile: string; bundleFile: string },
): Promise<ChildProcess> {
  const config = join(dir, "nginx.conf");
  writeFileSync(
    config,
    `daemon off;
pid ${dir}/nginx.pid;
error_log ${dir}/nginx.log;
events {}
http {
  access_log off;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/proxy; fastcgi_temp_path ${dir}/fcgi;
  uwsgi_temp_path ${dir}/uwsgi; scgi_temp_path ${dir}/scgi;
  server {
    listen 127.0.0.1:${port} ssl;
    ssl_certificate ${files.chainFile};
    ssl_certificate_key ${files.keyFile};
    ssl_client_certificate ${files.bundleFile};
    ssl_verify_client on;
    location / { return 200 "verified $ssl_client_verify"; }
  }
}
`,
  );
  const child = spawn("nginx", ["-p", dir, "-c", config], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (let tries = 0; ; tries++) {
    const open = await new Promise<boolean>((resolve) => {
      const probe = connect(port, "127.0.0.1", () => {
        probe.destroy();
        resolve(true);
      }).once("error", () => resolve(false));
    });
    if (open) return child;
    if (tries > 500 || child.exitCode !== null) throw new Error("nginx did not start");
    await sleep(10);
  }
}
