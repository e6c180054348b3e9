// The server's settings: the sample, the defaults, and what is refused.
import { readFileSync } from "node:fs";
import t from "tap";
import { configJsonSchema, loadConfig, parseConfig } from "../../runtime/config.ts";
import { lifetimeWarning, serverConfigSchema } from "../../server/config.ts";

const sample = new URL("../../deploy/server.yaml", import.meta.url).pathname;
const MINIMAL = "trust_domain: example.org\ndata_dir: /var/lib/signet/server\n";

t.test("reads the sample, whose comments show the defaults", async (t) => {
  const read = await loadConfig({ path: sample }, serverConfigSchema);
  const withoutHealth = { ...read, health: undefined };
  t.same(withoutHealth, parseConfig(MINIMAL, serverConfigSchema));
  // Every commented setting, taken literally, says what is true without it.
  const literal = readFileSync(sample, "utf8")
    .replace(/^# (jwt_issuer|admin_socket_group):.*$/gm, "")
    .replace(/^# (?=[a-z_]+:| {2})/gm, "");
  t.same(parseConfig(literal, serverConfigSchema), read);
});

t.test("the examples of the sample are valid, all of them together", async (t) => {
  const examples = readFileSync(sample, "utf8")
    .replace(/^# (jwt_issuer:)/gm, "$1")
    .replace(/^#: {3}http: true.*$/gm, "")
    .replace(/^#: ?/gm, "")
    .replace(/^# (?=[a-z_]+:| {2})/gm, "");
  t.match(parseConfig(examples, serverConfigSchema), {
    federation: { relationships: { length: 1 } },
    documents: { bundleEndpoint: { port: 8443 }, oidc: { port: 443 }, crl: { port: 8080 } },
  });
});

t.test("has safe defaults", async (t) => {
  t.match(parseConfig(MINIMAL, serverConfigSchema), {
    dataDir: "/var/lib/signet/server",
    listen: { address: "0.0.0.0", port: 8081 },
    adminSocket: { path: "/var/lib/signet/server/server.sock", group: undefined },
    ca: { ttlSeconds: 86_400, keyType: "ec-p256", jwtKeyType: "ec-p256" },
    x509SvidTtlSeconds: 3600,
    jwtSvidTtlSeconds: 300,
    agentTtlSeconds: 3600,
    adminIds: [],
    keyManager: { type: "disk", sealingKeyFile: "/var/lib/signet/server/keys/sealing.key" },
    rateLimit: { attestation: true, signing: true },
    logLevel: "info",
  });
});

t.test("lets lifetimes and key types follow one another", async (t) => {
  const text = `${MINIMAL}default_x509_svid_ttl: 10m\nca: { key_type: rsa-2048 }\n`;
  t.match(parseConfig(text, serverConfigSchema), {
    agentTtlSeconds: 600,
    ca: { jwtKeyType: "rsa-2048" },
  });
});

t.test(
  "makes WIT authorities behind their flag alone, with keys and lifetimes of their own",
  async (t) => {
    const read = (more: string) => parseConfig(`${MINIMAL}${more}\n`, serverConfigSchema);
    t.equal(read("ca: { wit_key_type: ec-p384 }").ca.witKeyType, undefined);
    t.equal(read("feature_flags: [wit-svid]").ca.witKeyType, "ec-p256");
    t.equal(read("feature_flags: [wit-svid]\ndefault_x509_svid_ttl: 10m").witSvidTtlSeconds, 600);
    const own = read(
      "feature_flags: [wit-svid]\nca: { wit_key_type: ec-p384 }\ndefault_wit_svid_ttl: 9h",
    );
    t.match(own, { ca: { witKeyType: "ec-p384" }, witSvidTtlSeconds: 9 * 3600 });
    t.match(lifetimeWarning(own), /32400 s/);
    for (const flags of ["[wit]", "wit-svid", "[WIT-SVID]"]) {
      t.throws(() => read(`feature_flags: ${flags}`), { message: /feature_flags/ }, flags);
    }
  },
);

t.test("says what is wrong, all of it at once, with lines", async (t) => {
  const text = [
    "trust_domain: Example.org",
    "ca: { ttl: 1 day, key_type: dsa }",
    "listen: { port: 70000 }",
    "admin_ids: [ops]",
    "surprise: true",
  ].join("\n");
  t.throws(() => parseConfig(text, serverConfigSchema, "server.yaml"), {
    reason: "CONFIG_INVALID",
    message:
      /7 problems.*data_dir.*line 1, trust_domain.*line 2, ca\.ttl.*line 2, ca\.key_type.*line 3, listen\.port.*line 4, admin_ids\.0.*line 5, surprise/s,
  });
});

t.test("refuses an authority without any name", async (t) => {
  const text = `${MINIMAL}ca: { subject: { country: "", organization: "" } }\n`;
  t.throws(() => parseConfig(text, serverConfigSchema), { message: /ca\.subject/ });
});

t.test("warns when SVIDs may outlive their authority", async (t) => {
  t.equal(lifetimeWarning(parseConfig(MINIMAL, serverConfigSchema)), undefined);
  const short = parseConfig(`${MINIMAL}ca: { ttl: 2h }\n`, serverConfigSchema);
  t.match(lifetimeWarning(short), /up to 1200 s/);
});

t.test("has a JSON Schema for editors", async (t) => {
  const schema = configJsonSchema(serverConfigSchema, "Signet server");
  t.match(schema, { title: "Signet server", required: ["trust_domain", "data_dir"] });
});

t.test("reads who may make tasks, and refuses who is none", async (t) => {
  const row = (spiffeId: string, aiAgent: string, taskClass = "standard"): string =>
    `${MINIMAL}tasks:\n  orchestrators:\n    - spiffe_id: ${spiffeId}\n      ai_agents: ["${aiAgent}"]\n      task_classes: ["${taskClass}"]\n`;
  const good = row("spiffe://example.org/orchestrator", "spiffe://example.org/ai/*");
  t.match(parseConfig(good, serverConfigSchema).tasks, {
    maxOpenPerAiAgent: 1000,
    openPerSecond: 50,
    keepEndedSeconds: 30 * 24 * 3600,
    orchestrators: [
      { spiffeId: "spiffe://example.org/orchestrator", aiAgents: ["spiffe://example.org/ai/*"] },
    ],
    escalations: { reactions: {}, probing: { denials: 20, windowSeconds: 60 }, maxNodes: 10 },
  });
  const ulid = "01JD0000000000000000000001";
  for (const [text, where] of [
    [row("spiffe://other.org/orchestrator", "spiffe://example.org/ai/*"), "spiffe_id"],
    [row("spiffe://example.org", "spiffe://example.org/ai/*"), "spiffe_id"],
    [row("spiffe://example.org/spire/agent/x", "spiffe://example.org/ai/*"), "spiffe_id"],
    [row(`spiffe://example.org/ai/x/task/${ulid}`, "spiffe://example.org/ai/*"), "spiffe_id"],
    [row("spiffe://example.org/o", "spiffe://other.org/ai/*"), "ai_agents"],
    [row("spiffe://example.org/o", "*"), "ai_agents"],
    [row("spiffe://example.org/o", "spiffe://example.org/*"), "ai_agents"],
    [row("spiffe://example.org/o", "spiffe://example.org/ai/*", "Not A Class"), "task_classes"],
  ] as const) {
    t.throws(() => parseConfig(text, serverConfigSchema), { message: new RegExp(where) }, text);
  }
  const reaction = `${MINIMAL}tasks: { escalations: { reactions: { KIND: suspend } } }`;
  t.throws(() => parseConfig(reaction, serverConfigSchema));
  parseConfig(reaction.replace("KIND", "mandate-exceeded"), serverConfigSchema);
});
