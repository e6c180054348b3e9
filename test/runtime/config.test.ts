// Configuration files: every problem at once, each with its line, its path and what was expected.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import {
  configJsonSchema,
  duration,
  formatDuration,
  loadConfig,
  parseConfig,
  parseDuration,
  section,
  z,
} from "../../runtime/config.ts";

const schema = section({
  trust_domain: z.string(),
  listen: section({ port: z.number().int().min(0).max(65535).default(8081) }).prefault({}),
  ttl: duration({ minMs: 1000, maxMs: 86_400_000 }).default(3_600_000),
  key_type: z.enum(["ec-p256", "rsa-2048"]).default("ec-p256"),
  peers: z.array(section({ name: z.string() })).default([]),
});

t.test("fills in defaults and turns durations into milliseconds", async (t) => {
  t.same(parseConfig("trust_domain: example.org\nttl: 1m30s\n", schema), {
    trust_domain: "example.org",
    listen: { port: 8081 },
    ttl: 90_000,
    key_type: "ec-p256",
    peers: [],
  });
});

t.test("reports all problems at once, each with line, path and what was expected", async (t) => {
  const text = `listen:
  port: 99999
  prot: 1
ttl: 3 hours
key_type: dsa
peers:
  - name: 4
  - label: x
`;
  t.throws(() => parseConfig(text, schema, "server.yaml"), {
    reason: "CONFIG_INVALID",
    code: 3,
    message: `server.yaml: 8 problems
  trust_domain: missing: expected string
  line 2, listen.port: expected number to be <=65535
  line 3, listen.prot: unknown key
  line 4, ttl: expected a duration such as "1h", "5m", "1h30m", "30s" or "500ms", got "3 hours"
  line 5, key_type: expected "ec-p256" or "rsa-2048"
  line 7, peers.0.name: expected string, received number
  line 8, peers.1.name: missing: expected string
  line 8, peers.1.label: unknown key`,
  });
});

for (const [name, text, message] of [
  ["broken YAML", "a: b: c", /line 1: /],
  ["a key given twice", "trust_domain: a\ntrust_domain: b", /line 2: /],
  ["two documents", "trust_domain: a\n---\ntrust_domain: b", /one YAML document/],
  ["a list", "- a", /expected object/],
  ["an empty file", "", /trust_domain: missing/],
  ["a duration out of bounds", "trust_domain: a\nttl: 25h", /line 2, ttl: expected at most 24h/],
  ["a duration that is a number", "trust_domain: a\nttl: 30", /ttl: expected a duration/],
  ["a text beyond 1 MiB", `# ${"x".repeat(1024 * 1024)}`, /1 MiB/],
  [
    "aliases that unfold to gigabytes",
    `trust_domain: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c,*c,*c,*c]`,
    /alias/,
  ],
] as const) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => parseConfig(text, schema), { reason: "CONFIG_INVALID", message });
  });
}

t.test("reads a file, and names one that is missing", async (t) => {
  const path = join(t.testdir(), "server.yaml");
  await t.rejects(loadConfig({ path }, schema), {
    reason: "FILE_UNREADABLE",
    code: 9,
    hint: /--config/,
  });
  writeFileSync(path, "trust_domain: example.org");
  t.equal((await loadConfig({ path }, schema)).trust_domain, "example.org");
});

t.test("a schema that would drop unknown keys is our own mistake", async (t) => {
  const open = section({ inner: z.object({ a: z.string() }) });
  t.throws(() => parseConfig("inner: {a: x}", open), TypeError);
});

t.test("has a JSON Schema of what may be written", async (t) => {
  t.match(configJsonSchema(schema, "server"), {
    title: "server",
    required: ["trust_domain"],
    additionalProperties: false,
    properties: { ttl: { type: "string" } },
  });
});

t.test("durations: whole numbers with units, largest first", async (t) => {
  const good = {
    "1h": 3_600_000,
    "5m": 300_000,
    "30s": 30_000,
    "500ms": 500,
    "1h2m3s4ms": 3_723_004,
    "0s": 0,
  };
  for (const [text, ms] of Object.entries(good)) {
    t.equal(parseDuration(text), ms, text);
    t.equal(formatDuration(ms), text);
  }
  for (const text of [
    "",
    "1",
    "h",
    "1d",
    "-1h",
    "1.5h",
    "1s1h",
    "1h 2m",
    " 1h",
    "1H",
    "1h1h",
    `${"9".repeat(70)}h`,
  ]) {
    t.throws(() => parseDuration(text), { reason: "CONFIG_INVALID", code: 3 }, text);
  }
});
