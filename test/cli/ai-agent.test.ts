// `signet ai-agent` and `signet task-class`, against a real server.
import t, { type Test } from "tap";
import { command } from "../support/command.ts";
import { TestServer } from "../support/running-server.ts";

const ID = "spiffe://north.test/agent/researcher";
const CREATE = [
  ...["ai-agent", "create", ID, "--owner", "team:support", "--purpose", "answers tickets"],
  ...["--environment", "production", "--until", "90d"],
];

async function setUp(t: Test) {
  const server = await TestServer.start({});
  t.teardown(() => server.stop());
  const socket = ["--admin-socket", server.running.adminSocket];
  return (...words: string[]) => command(...words, ...socket);
}

const json = <T>(out: string): T => JSON.parse(out) as T;

t.test("an AI agent is created with its processes, shown, changed and ended", async (t) => {
  const signet = await setUp(t);
  t.match(await signet("ai-agent", "list"), { code: 0, out: "no AI agents\n" });
  const created = await signet(
    ...CREATE,
    ...["--task-class", "read-only", "--location", "https://MCP.north.test:443/tickets"],
    ...["--action", "tools/read/**", "--uses", "50", "--label", "tier=1"],
    ...["--parent-id", "spiffe://north.test/node", "--selector", "unix:uid:1000"],
  );
  t.match(created, { code: 0, err: "" });
  t.match(created.out, /Owner +team:support\n/);
  t.match(created.out, /State +enabled\n/);
  t.match(created.out, /Locations +https:\/\/mcp\.north\.test\/tickets\n/, "in its one spelling");
  t.match(created.out, /Environment +production\n.*\n?Uses +at most 50/s);
  const entries = json<{ entries: { spiffeId: { path: string } }[] }>(
    (await signet("entry", "list", "--output", "json")).out,
  );
  t.match(entries.entries, [{ spiffeId: { path: "/agent/researcher" } }]);

  const again = await signet(...CREATE);
  t.match(again, { code: 1, err: /AI_AGENT_EXISTS.*\nhint: change it with/ });

  const updated = await signet(
    "ai-agent",
    "update",
    ID,
    "--action",
    "tools/read/*",
    "--until",
    "30d",
  );
  t.match(updated, { code: 0, out: /Actions +tools\/read\/\*\n/ });
  t.match(updated.out, /Uses +at most 50/, "the rest stays as it is");
  t.match(updated.out, /Labels +tier=1/);

  const listed = await signet("ai-agent", "list", "--owner", "team:support", "--label", "tier=1");
  t.match(listed.out, /researcher +team:support +production +read-only +0 +\d{4}.* +enabled/);
  t.match(await signet("ai-agent", "list", "--label", "tier=2"), { out: "no AI agents\n" });

  const disabled = await signet("ai-agent", "disable", ID, "--reason", "misbehaves");
  t.match(disabled, { code: 0, out: /is disabled: its tasks have ended/ });
  t.match((await signet("ai-agent", "show", ID)).out, /State +disabled: misbehaves/);
  t.match(await signet("ai-agent", "delete", ID), { code: 1, err: /AI_AGENT_HAS_ENTRIES/ });
  t.match(await signet("ai-agent", "enable", ID), { code: 0, out: /is enabled until 2/ });
  t.match(await signet("ai-agent", "delete", ID, "--with-entries"), { code: 0 });
  t.match(await signet("ai-agent", "show", ID), { code: 1, err: /AI_AGENT_NOT_FOUND/ });
  t.match(await signet("entry", "count"), { out: /0 entries/ });
});

t.test("says whom an AI agent may host, and the other who may host it", async (t) => {
  const signet = await setUp(t);
  const helper = "spiffe://north.test/crew/helper";
  const hosts = ["--may-host", "spiffe://north.test/crew/*", "--may-host", `${ID}s`];
  const made = await signet(...CREATE, ...hosts);
  t.match(made.out, /May host +spiffe:.*researchers\n +spiffe:.*crew\/\*\nHosted tasks +0\n/);
  const hosted = await signet(...CREATE.with(2, helper));
  t.match(hosted, { code: 0, err: "", out: /Hosted by +spiffe:.*researcher\n/ });
  t.match(hosted.out, /Entries +none: its tasks are its hosts' to open/);
  t.match((await signet("ai-agent", "update", ID, "--until", "30d")).out, /May host/, "it stays");
  const none = await signet("ai-agent", "update", ID, "--may-host", "");
  t.notMatch(none.out, /May host/, "until an empty one is given");
  t.match(await signet("ai-agent", "update", ID, "--may-host", ID), { code: 1, err: /itself/ });
});

t.test("what is missing or wrong is told, all of it at once", async (t) => {
  const signet = await setUp(t);
  t.match(await signet("ai-agent", "create", ID), { code: 2, err: /--owner is missing/ });
  t.match(await signet("ai-agent", "create"), { code: 2, err: /SPIFFE ID of the AI agent/ });
  t.match(await signet(...CREATE, "--until", "soon"), { code: 2, err: /30d or 12h from now/ });
  t.match(await signet(...CREATE, "--label", "x"), { code: 2, err: /name=value/ });
  t.match(await signet(...CREATE, "--selector", "unix:uid:1"), { code: 2, err: /--parent-id/ });
  t.match(await signet(...CREATE, "--parent-id", ID), { code: 2, err: /--selector/ });
  const wrong = await signet(
    ...CREATE.with(2, "spiffe://south.test/spire/task/x"),
    ...["--action", "tools/**/x", "--task-class", "Read Only"],
  );
  t.equal(wrong.code, 1);
  for (const part of [/not in the trust domain/, /reserved/, /ID of a task/, /ceiling: action/]) {
    t.match(wrong.err, part);
  }
  t.match(wrong.err, /"Read Only" is no name/);
  const gone = await signet(...CREATE, "--task-class", "nothing");
  t.match(gone, { code: 1, err: /TASK_CLASS_NOT_FOUND.*\nhint: list them/ });
});

t.test("task classes are listed, made, changed and deleted", async (t) => {
  const signet = await setUp(t);
  const listed = await signet("task-class", "list");
  t.match(listed.out, /read-only +http\/get\/\*\* .*15m +1h +agent +signet\n/);
  t.match(listed.out, /break-glass +any +15m +15m +operator +signet\n/);
  const made = await signet(
    ...["task-class", "set", "triage", "--description", "sorts tickets", "--location", "any"],
    ...["--action", "tools/read/**", "--ttl", "10m", "--max-ttl", "30m", "--require-pop"],
    ...["--reaction", "not-owner=revoke", "--depth", "2", "--require-attested"],
  );
  t.match(made, { code: 0, err: "" });
  t.match(made.out, /Lifetime +10m, at most 30m\n/);
  t.match(made.out, /Reactions +not-owner: revoke\n/);
  t.match(made.out, /Environment +any\n/);
  t.match(made.out, /Held by +its AI agent's own processes\n/);
  t.match(made.out, /Handed on +up to 2 times/);
  const changed = await signet("task-class", "set", "triage", "--max-ttl", "1h");
  t.match(changed.out, /Lifetime +10m, at most 1h\n/);
  t.match(changed.out, /Proof of possession +always/, "the rest stays");
  t.match(await signet("task-class", "set", "triage", "--ttl", "2h"), {
    code: 1,
    err: /default_ttl of 7200 s is not within 1 s and 3600 s \(TASK_CLASS_INVALID\)/,
  });
  const empty = await signet("task-class", "set", "nothing", "--location", "any");
  t.match(empty, { code: 0, err: /its tasks may do nothing: --location and --action/ });
  await signet("task-class", "delete", "nothing");
  t.match(await signet("task-class", "set", "x", "--reaction", "sneezing=log"), {
    code: 1,
    err: /no kind of attempt/,
  });

  t.match(await signet(...CREATE, "--task-class", "triage"), { code: 0 });
  t.match(await signet("task-class", "delete", "triage"), { code: 1, err: /TASK_CLASS_IN_USE/ });
  await signet("ai-agent", "delete", ID);
  t.match(await signet("task-class", "delete", "triage"), { code: 0, out: "triage is deleted\n" });
  t.match(await signet("task-class", "show", "triage"), { code: 1, err: /TASK_CLASS_NOT_FOUND/ });

  await signet("task-class", "set", "sensitive", "--max-ttl", "10m");
  t.match((await signet("task-class", "show", "sensitive")).out, /Made by +hand, over signet's/);
  const back = await signet("task-class", "delete", "sensitive");
  t.match(back, { code: 0, out: /as it comes with the server/ });
  const shown = await signet("task-class", "show", "sensitive", "--output", "json");
  t.match(json(shown.out), { name: "sensitive", maxTtlSeconds: 1800, version: "0" });
});
