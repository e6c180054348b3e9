// `signet apply`: files, folders and standard input; what is wrong with them; what is shown; against a
// real server.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { command } from "../support/command.ts";
import { codeBlocks } from "../support/markdown.ts";
import { TestServer } from "../support/running-server.ts";
import { run } from "../support/signet.ts";

const CLI = new URL("../../cli/index.ts", import.meta.url).pathname;
const AGENT = `apiVersion: signet/v1
kind: AiAgent
metadata:
  owner: team:support
spec:
  spiffe_id: spiffe://north.test/agent/researcher
  purpose: answers tickets
  environment: production
  valid_until: 2099-01-01
  task_classes: [read-only]
  ceiling:
    locations: any
    actions: [tools/read/**]
`;
const ENTRY = `apiVersion: signet/v1
kind: Entry
spec:
  spiffe_id: spiffe://north.test/agent/researcher
  parent_id: spiffe://north.test/node
  selectors: [unix:uid:1000]
  ttl: 1h
`;

async function setUp(t: Test) {
  const server = await TestServer.start({});
  t.teardown(() => server.stop());
  const dir = t.testdir({});
  const socket = ["--admin-socket", server.running.adminSocket];
  const signet = (...words: string[]) => command(...words, ...socket);
  const write = (name: string, text: string): string => {
    const path = join(dir, name);
    writeFileSync(path, text);
    return path;
  };
  return { dir, write, signet, socket };
}

t.test("what files declare is shown, made so, and then there is nothing to change", async (t) => {
  const { dir, write, signet } = await setUp(t);
  write("agents.yaml", `${AGENT}  may_host: [spiffe://north.test/crew/*]\n`);
  mkdirSync(join(dir, "more"));
  write("more/entries.yml", `---\n${ENTRY}---\n`);
  write("notes.txt", "no YAML: {");
  write("more/.hidden.yaml", "nor: {");
  const dry = await signet("apply", "-f", dir, "--dry-run");
  t.match(dry, { code: 0, err: "" });
  t.match(
    dry.out,
    /^\+ ai-agent spiffe:\/\/north\.test\/agent\/researcher\n {4}owner: "team:support"\n/,
  );
  t.match(dry.out, /\n\+ entry .*\n {4}parent_id: .*\n {4}selectors: \["unix:uid:1000"\]\n/);
  t.match(dry.out, /\n2 to create\n$/);
  t.notOk(dry.out.includes("\u001b"), "no colours but on a terminal");
  t.match(await signet("ai-agent", "list"), { out: "no AI agents\n" });

  t.match(await signet("apply", "-f", dir), { code: 0, out: /\n2 created\n$/ });
  t.match(await signet("entry", "owners"), { out: /^ENTRY ID .*\n\S+ +nobody +default\n$/ });
  t.match(await signet("entry", "owners", "--set", "x"), { out: "no entry has an owner\n" });
  const again = await signet("apply", "--file", dir);
  t.match(again, { code: 0, out: "nothing to change: 2 objects are as declared\n" });

  write("agents.yaml", AGENT.replace("any", "[https://a.test]").replace("support", "b"));
  const changed = await signet("apply", "-f", dir);
  t.match(changed.out, /^~ ai-agent .*\n {4}owner: "team:support" -> "team:b"\n/);
  t.match(
    changed.out,
    /ceiling\.locations: "any" -> \["https:\/\/a\.test"\]\n {4}may_host: .*\/crew\/\*"\] -> nothing\n1 changed; 1 object is/,
  );

  const json = await signet("apply", "-f", join(dir, "agents.yaml"), "--prune", "--output", "json");
  t.equal(json.code, 0);
  t.match(JSON.parse(json.out), {
    changes: [{ kind: "entry", action: "delete", name: "spiffe://north.test/agent/researcher" }],
    summary: { set: "default", dryRun: false, deleted: 1, unchanged: 1 },
  });
  t.match(await signet("entry", "count"), { out: /^0 / });
});

t.test("all that is wrong is told at once, with file and line, and nothing is done", async (t) => {
  const { write, signet } = await setUp(t);
  const wrong = write(
    "wrong.yaml",
    `${AGENT.replace("purpose:", "porpoise:").replace("2099-01-01", "90d")}---
${ENTRY.replace("Entry", "Entree")}---
${ENTRY.replace("unix:uid:1000", "unix").replace("1h", "1 hour")}  node: true
---
- a list
---
${ENTRY.replace("signet/v1", "v1")}---
${ENTRY.replace("1h", "1193047h")}`,
  );
  const { code, err } = await signet("apply", "-f", wrong);
  t.equal(code, 1);
  for (const expected of [
    /10 problems/,
    /wrong\.yaml:7: spec\.porpoise: unknown key/,
    /wrong\.yaml:5: spec\.purpose: missing/,
    /wrong\.yaml:9: spec\.valid_until: expected a moment.*"90d"/,
    /wrong\.yaml:16: kind: expected Entry, AiAgent, TaskClass/,
    /wrong\.yaml:28: spec\.selectors\.0: /,
    /wrong\.yaml:29: spec\.ttl: expected a duration/,
    /wrong\.yaml:32: expected apiVersion, kind and spec/,
    /wrong\.yaml:34: apiVersion: expected "signet\/v1"/,
    /wrong\.yaml:\d+: spec\.ttl: expected at most .*"1193047h"/,
    /\(DECLARATION_INVALID\)/,
    /hint: correct the lines/,
  ]) {
    t.match(err, expected);
  }
  const broken = write("broken.yaml", "a: [1\nb: }");
  t.match(await signet("apply", "-f", broken), { code: 1, err: /broken\.yaml:2: / });
  const bomb = `a: &a [x,x,x,x]\n${"bcdefgh".replace(/./g, (c) => {
    const before = String.fromCharCode(c.charCodeAt(0) - 1);
    return `${c}: &${c} [*${before},*${before},*${before},*${before},*${before},*${before}]\n`;
  })}`;
  t.match(await signet("apply", "-f", write("bomb.yaml", bomb)), { code: 1, err: /alias/ });
  t.match(await signet("ai-agent", "list"), { out: "no AI agents\n" });
});

t.test("what only the server knows is told with file and line too", async (t) => {
  const { write, signet } = await setUp(t);
  const file = write(
    "all.yaml",
    `${ENTRY.replace("/agent/researcher", "/agent/researcher/task/x")}---
${AGENT.replace("read-only", "nothing")}---
${ENTRY.replace("north", "south")}`,
  );
  const { code, err } = await signet("apply", "-f", file);
  t.equal(code, 1);
  t.match(err, /3 problems/);
  t.match(err, /all\.yaml:2: .*reserved for tasks/);
  t.match(err, /all\.yaml:10: there is no task class "nothing" \(list them with/);
  t.match(err, /all\.yaml:24: .*not in the trust domain/);
});

t.test("what was made by hand is taken over when that is asked for", async (t) => {
  const { write, signet } = await setUp(t);
  const file = write("agent.yaml", AGENT);
  await signet(
    ...["ai-agent", "create", "spiffe://north.test/agent/researcher", "--owner", "a"],
    ...["--purpose", "b", "--environment", "c", "--until", "1d"],
  );
  const refused = await signet("apply", "-f", file);
  t.match(refused, {
    code: 1,
    err: /agent\.yaml:2: it was made by hand, and otherwise: owner, purpose/,
  });
  t.match(await signet("apply", "-f", file, "--adopt"), { code: 0, out: /1 changed/ });
  const other = await signet("apply", "-f", file, "--set", "other");
  t.match(other, { code: 1, err: /declared by the set "default"/ });
  const gone = await signet("apply", "-f", write("none.yaml", "---\n"), "--prune");
  t.match(gone, { code: 0, out: /^- ai-agent .*researcher\n1 deleted\n$/ });
});

const NO_TERMINAL = existsSync("/usr/bin/script") ? false : "there is no script(1)";

t.test(
  "on a terminal there are colours, and a question before something goes",
  { skip: NO_TERMINAL },
  async (t) => {
    const { write, signet, socket } = await setUp(t);
    const file = write("agent.yaml", AGENT);
    const none = write("none.yaml", "# nothing\n");
    const onTerminal = async (answer: string, ...words: string[]): Promise<string> => {
      const line = [process.execPath, CLI, "apply", ...words, ...socket].join(" ");
      const env = { PATH: process.env["PATH"], TERM: "xterm" };
      const { stdout } = await run("script", ["-qec", line, "/dev/null"], { input: answer, env });
      return stdout.replaceAll("\u001b", "ESC");
    };
    t.match(await onTerminal("", "-f", file), /^ESC\[32m\+ ai-agent .*researcher/);
    const prune = ["-f", none, "--prune"];
    t.match(await onTerminal("n\n", ...prune), /delete 1\? \[y\/N\].*nothing is changed/s);
    t.match(await signet("ai-agent", "list"), { out: /researcher/ });
    t.match(await onTerminal("y\n", ...prune), /1 deleted/);
    await signet("apply", "-f", file);
    t.match(await onTerminal("", ...prune, "--yes"), /ESC\[31m- ai-agent.*1 deleted/s);
  },
);

t.test("misuse", async (t) => {
  const { dir, write, signet } = await setUp(t);
  t.match(await signet("apply"), { code: 2, err: /--file is missing/ });
  t.match(await signet("apply", "-f", join(dir, "none.yaml")), { code: 2, err: /cannot read/ });
  t.match(await signet("apply", "-f", dir), { code: 2, err: /no file \*\.yaml/ });
  const none = write("none.yaml", "# nothing\n");
  t.match(await signet("apply", "-f", none), { code: 2, err: /declare nothing/ });
  t.match(await signet("apply", "-f", write("a.yaml", AGENT), "--set", "a b"), {
    code: 1,
    err: /APPLY_INVALID/,
  });
  t.match((await command("apply", "--help")).out, /-f, --file <file or folder>.*Examples:/s);
});

t.test("the example of the documentation is what it says", async (t) => {
  const { write, signet } = await setUp(t);
  const page = readFileSync(new URL("../../docs/apply.md", import.meta.url), "utf8");
  const [yaml = ""] = codeBlocks(page).flatMap(({ info, code }) => (info === "yaml" ? [code] : []));
  const file = write("example.yaml", yaml.replaceAll("example.org", "north.test"));
  t.match(await signet("apply", "-f", file), { code: 0, out: /3 created/ });
  t.match(await signet("apply", "-f", file), { out: /^nothing to change/ });
});
