// The agent's configuration: the sample stays valid, defaults are safe, mistakes are found.

import { readFileSync } from "node:fs";
import t from "tap";
import { agentConfigSchema, takeJoinToken } from "../../agent/config.ts";
import { loadConfig, parseConfig } from "../../runtime/config.ts";

const sample = new URL("../../deploy/agent.yaml", import.meta.url).pathname;
const MINIMAL = "trust_domain: north.test\ndata_dir: /var/lib/x\nserver: { address: localhost }\n";

t.test("the sample in deploy/ is valid", async (t) => {
  const config = await loadConfig({ path: sample }, agentConfigSchema);
  t.equal(config.trustDomain.name, "example.org");
  t.strictSame(config.bootstrap, { kind: "file", path: "/etc/signet/bundle.pem" });
  t.match(readFileSync(sample, "utf8"), /insecure_bootstrap/);
});

t.test("a minimal file gets safe defaults", async (t) => {
  const config = parseConfig(MINIMAL, agentConfigSchema);
  t.match(config, {
    server: { address: "localhost", port: 8081 },
    socket: { path: "/run/signet/agent.sock", mode: 0o777 },
    adminSocket: "/var/lib/x/agent-admin.sock",
    bootstrap: { kind: "none" },
    sealingKeyFile: "/var/lib/x/keys/sealing.key",
    x509SvidKeyType: "ec-p256",
    cache: { x509Svids: 1000, jwtSvids: 1000 },
    logLevel: "info",
    workloadApi: { x509: true, jwt: true },
    allowUnauthenticatedVerifiers: false,
    allowedForeignJwtClaims: [],
  });
  t.equal(config.featureFlags.size, 0, "nothing that may still change");
  t.equal(config.health, undefined);
});

const MISTAKES = [
  { name: "an unknown key", text: "sokcet: /run/a.sock", says: /sokcet/ },
  { name: "a bad trust domain", text: "trust_domain: North.test", says: /trust_domain/ },
  { name: "an address as socket", text: "socket: tcp://0.0.0.0:1", says: /unix socket/ },
  { name: "a mode without quotes in decimal", text: "socket_mode: 511", says: /socket_mode/ },
  { name: "an unknown key type", text: "x509_svid_key_type: dsa", says: /x509_svid_key_type/ },
  {
    name: "both profiles off",
    text: "workload_api: { x509: false, jwt: false }",
    says: /at least/,
  },
  { name: "an unknown flag", text: "feature_flags: [wit-svid, broker]", says: /feature_flags/ },
  { name: "a flag that is none", text: "feature_flags: wit-svid", says: /feature_flags/ },
  { name: "no room in the cache", text: "cache: { x509_svids: 0 }", says: /x509_svids/ },
  {
    name: "two kinds of bootstrap",
    text: "trust_bundle_file: a.pem\ninsecure_bootstrap: true",
    says: /not both/,
  },
];

for (const { name, text, says } of MISTAKES) {
  t.test(`refuses ${name}`, async (t) => {
    const [key = ""] = text.split(":");
    const rest = MINIMAL.split("\n").filter((line) => !line.startsWith(`${key}:`));
    t.throws(() => parseConfig(`${rest.join("\n")}\n${text}\n`, agentConfigSchema), {
      reason: "CONFIG_INVALID",
      message: says,
    });
  });
}

t.test("a join token is taken out of the environment, so that no child inherits it", async (t) => {
  const environment: NodeJS.ProcessEnv = { SIGNET_JOIN_TOKEN: "secret" };
  t.equal(takeJoinToken(environment), "secret");
  t.strictSame(environment, {});
  t.equal(takeJoinToken({ SIGNET_JOIN_TOKEN: "" }), undefined);
});
