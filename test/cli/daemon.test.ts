import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { command } from "../support/command.ts";
import { signet } from "../support/signet.ts";
import { eventually } from "../support/trust-domain.ts";
import { WebAuthority } from "../support/web-certificate.ts";

const CLI = join(import.meta.dirname, "../../cli/index.ts");

t.test("server run serves until a signal, then ends with 0", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "signet-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const config = join(dir, "server.yaml");
  const listen = "listen: { address: 127.0.0.1, port: 0 }";
  writeFileSync(config, `trust_domain: north.test\ndata_dir: ${dir}/data\n${listen}\n`);
  const server = spawn(process.execPath, [CLI, "server", "run", "--config", config]);
  t.teardown(() => server.kill("SIGKILL"));
  let log = "";
  for await (const chunk of server.stderr) {
    log += chunk;
    if (log.includes('"server ready"')) break;
  }
  const health = await command(
    "server",
    "healthcheck",
    "--admin-socket",
    `${dir}/data/server.sock`,
  );
  t.match(health, { code: 0 });
  t.comment("a second server on the same folder fails, and says why");
  const second = await signet(["server", "run", "--config", config]);
  t.equal(second.status, 1);
  t.match(second.stderr, /error: .*\nhint: /);
  server.kill("SIGTERM");
  t.same(await once(server, "exit"), [0, null]);
});

t.test("SIGHUP lets the server read its certificate files at once", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "signet-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const web = new WebAuthority();
  const { certFile, keyFile } = web.write(dir);
  const config = join(dir, "server.yaml");
  const endpoint = `address: 127.0.0.1, port: 0, profile: https_web, cert_file: ${certFile}, key_file: ${keyFile}`;
  const text = [
    `trust_domain: north.test\ndata_dir: ${dir}/data`,
    "listen: { address: 127.0.0.1, port: 0 }",
    `federation: { bundle_endpoint: { ${endpoint} } }`,
  ];
  writeFileSync(config, text.join("\n"));
  const server = spawn(process.execPath, [CLI, "server", "run", "--config", config]);
  t.teardown(() => server.kill("SIGKILL"));
  let log = "";
  server.stderr.on("data", (chunk) => {
    log += chunk;
  });
  const logged = (what: string) =>
    eventually(() => {
      if (!log.includes(what)) throw new Error(`no line with ${what}: ${log}`);
    });
  await logged('"server ready"');
  writeFileSync(keyFile, "no key");
  server.kill("SIGHUP");
  await logged("reload failed; what could not be read stays as it was");
  t.match(log, /CERTIFICATE_FILES_UNUSABLE/);
  web.write(dir);
  server.kill("SIGHUP");
  await logged('"certificate loaded"');
  t.notMatch(log, /PRIVATE KEY/);
  server.kill("SIGTERM");
  t.same(await once(server, "exit"), [0, null]);
});

t.test("agent run without any trust in the server fails, and says what to do", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "signet-"));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  const config = join(dir, "agent.yaml");
  const socket = `socket: ${dir}/a.sock`;
  const server = "server: { address: 127.0.0.1, port: 1 }";
  writeFileSync(config, `trust_domain: a.test\ndata_dir: ${dir}/data\n${socket}\n${server}\n`);
  const { status, stderr } = await signet(["agent", "run", "--config", config], {
    env: { ...process.env, SIGNET_JOIN_TOKEN: "x" },
  });
  t.equal(status, 1);
  t.match(stderr, /trust_bundle_file/);
});
