import { readFileSync } from "node:fs";
import t from "tap";
import { ROWS } from "../../cli/index.ts";
import { command } from "../support/command.ts";

for (const { name } of ROWS) {
  t.test(`signet ${name} --help teaches by example`, async (t) => {
    const { code, out, err } = await command(...name.split(" "), "--help");
    t.equal(code, 0);
    t.equal(err, "");
    t.ok(out.includes(`Usage: signet ${name} `), "usage");
    t.ok(out.includes("Examples:\n"), "examples");
    t.ok(out.includes("--output <format>"), "output");
  });
}

t.test("help and version are answers", async (t) => {
  t.match(await command("--help"), { code: 0, err: "" });
  t.match(await command("--version"), { code: 0, out: "1.2.3\n", err: "" });
  t.match(await command("entry", "--help"), { code: 0, out: /create +register/ });
});

t.test("the version comes alone, with the standards it follows, or for programs", async (t) => {
  const { version } = JSON.parse(readFileSync(`${import.meta.dirname}/../../package.json`, "utf8"));
  t.match(await command("version"), { code: 0, out: `${version}\n`, err: "" });
  const verbose = await command("version", "--verbose");
  t.match(verbose.out, /SPIFFE standards +665a28f/);
  t.match(verbose.out, "wit-svid");
  const { out } = await command("version", "--output", "json");
  t.match(JSON.parse(out), { version, node: process.version, incubating: [{}] });
  t.match(await command("version", "now"), { code: 2, err: /too many arguments/ });
});

const MISUSES: { name: string; args: string[]; says: RegExp }[] = [
  { name: "no command", args: [], says: /Usage: signet/ },
  { name: "a group without a command", args: ["entry"], says: /create/ },
  { name: "an unknown command", args: ["entyr"], says: /unknown command 'entyr'/ },
  { name: "an unknown flag", args: ["entry", "list", "--nope"], says: /unknown option '--nope'/ },
  { name: "an argument too many", args: ["entry", "list", "x"], says: /too many arguments/ },
  { name: "a flag without its value", args: ["entry", "list", "--hint"], says: /argument missing/ },
  { name: "a format there is not", args: ["entry", "list", "--output", "xml"], says: /--output/ },
  { name: "a bad SPIFFE ID", args: ["agent", "show", "x"], says: /--spiffe-id: "x"/ },
  { name: "a missing ID", args: ["entry", "delete"], says: /the ID of the entry is missing/ },
  { name: "no audience", args: ["api", "fetch", "jwt"], says: /--audience is missing/ },
  { name: "no command to run", args: ["run", "--name", "x"], says: /missing/ },
  { name: "no folder", args: ["up"], says: /--dir is missing/ },
  { name: "no configuration", args: ["server", "run"], says: /--config is missing/ },
  {
    name: "a path no socket can have",
    args: ["entry", "list", "--admin-socket", `/${"x".repeat(107)}`],
    says: /too long for a socket/,
  },
  { name: "a bad lifetime", args: ["token", "generate", "--ttl", "soon"], says: /--ttl/ },
  { name: "no lifetime", args: ["token", "generate", "--ttl", "0"], says: /--ttl/ },
];
for (const { name, args, says } of MISUSES) {
  t.test(`${name} is misuse: exit code 2`, async (t) => {
    const { code, out, err } = await command(...args);
    t.equal(code, 2);
    t.equal(out, "");
    t.match(err, says);
  });
}

t.test("a server that is not there: exit code 1, and what to do", async (t) => {
  const { code, err } = await command("entry", "list", "--admin-socket", "/nowhere/no.sock");
  t.equal(code, 1);
  t.match(err, /no server answers at ".*no.sock" \(DAEMON_UNREACHABLE\)\nhint: start it/);
});

t.test("a configuration is checked, every problem with its line", async (t) => {
  const folder = t.testdir({
    "good.yaml": "trust_domain: north.test\ndata_dir: /tmp/x\n",
    "bad.yaml": "trust_domain: North\ndata_dir: /tmp/x\nnope: 1\n",
  });
  const good = await command("server", "validate", "--config", `${folder}/good.yaml`);
  t.match(good, { code: 0, out: "the configuration is valid\n" });
  const bad = await command("server", "validate", "--config", `${folder}/bad.yaml`);
  t.equal(bad.code, 1);
  t.match(bad.err, /line 1/);
  t.match(bad.err, /line 3/);
});
