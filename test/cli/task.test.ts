// Commands of tasks that ask the server: what they ask, and what they print of the answer.
import t, { type Test } from "tap";
import { pkiError } from "../../pki/errors.ts";
import type { Init } from "../../proto/codec.ts";
import { type signet, TaskControlService, TaskState } from "../../proto/schema.gen.ts";
import { command, serveOnSocket } from "../support/command.ts";
import { AI_AGENT } from "../support/fake-task-node.ts";

const ID = "01JD9Z0000000000000000000A";
const OPENED = Date.UTC(2027, 0, 31, 12);
const TASK: Init<signet.task.v1.Task> = {
  ...{ id: ID, spiffeId: `${AI_AGENT}/task/${ID}`, aiAgent: AI_AGENT, taskClass: "read-only" },
  ...{ purpose: "triage 42", principal: "user:alice", owner: "team:support", root: ID },
  ...{ openedAtMs: OPENED, expiresAtMs: OPENED + 900_000, openedBy: "uid:0", version: 3 },
  ...{ state: TaskState.ACTIVE, nodeAgent: "spiffe://north.test/node", usesTaken: 3 },
  ...{ idleTimeoutSeconds: 300, lastActiveMs: OPENED + 60_000, labels: { team: "support" } },
  binding: { pid: 4711, uid: 1000, startTime: 1, bootId: "x" },
  externalRefs: { ticket: "42" },
  mandate: {
    ...{ locations: { values: ["https://mcp.north.test/tickets"] }, datatypes: {} },
    ...{ actions: { values: ["tools/read/**"] }, uses: { value: 20 } },
    environment: { values: ["production"] },
  },
};

interface Asked {
  readonly socket: string;
  readonly requests: object[];
}

async function serve(t: Test, tasks: Init<signet.task.v1.Task>[] = [TASK]): Promise<Asked> {
  const requests: object[] = [];
  const note = <T extends object>(request: T): void => void requests.push(request);
  const withState = (state: number, stateReason: string) => ({
    task: { ...TASK, state, stateReason },
  });
  const socket = await serveOnSocket(t, (server) => {
    server.add(TaskControlService, {
      createTask: async (request) => {
        note(request);
        return { task: { ...TASK, state: TaskState.PENDING, nodeAgent: "", binding: undefined } };
      },
      getTask: async (request) => {
        note(request);
        if (request.id !== ID) throw pkiError("TASK_ENDED", "no such task", { hint: "look" });
        return { task: TASK };
      },
      listTasks: async (request) => {
        note(request);
        const at = Number(request.pageToken || "0");
        const next = at + 2 < tasks.length ? String(at + 2) : "";
        return { tasks: tasks.slice(at, at + 2), nextPageToken: next };
      },
      suspendTask: async (request) => {
        note(request);
        return withState(TaskState.SUSPENDED, request.reason);
      },
      unsuspendTask: async (request) => {
        note(request);
        return withState(TaskState.ACTIVE, "");
      },
      revokeTask: async (request) => {
        note(request);
        const below = { ...TASK, id: `${ID.slice(0, -1)}B`, state: TaskState.REVOKED };
        return { ended: [{ ...TASK, state: TaskState.REVOKED }, below] };
      },
      completeTask: async (request) => {
        note(request);
        return withState(request.outcome, request.reason);
      },
    });
  });
  return { socket, requests };
}

t.test(
  "task list prints a line for each, and those that go on unless told otherwise",
  async (t) => {
    const ended = { ...TASK, id: `${ID.slice(0, -1)}C`, state: TaskState.REVOKED };
    const tasks = [TASK, { ...ended, endedAtMs: OPENED + 1000, purpose: "x".repeat(100) }];
    const { socket, requests } = await serve(t, tasks);
    const admin = ["--admin-socket", socket];
    const { out, code } = await command("task", "list", ...admin);
    t.equal(code, 0);
    t.matchOnly(out.split("\n"), [
      /^TASK ID +STATE +AI AGENT +CLASS +UNTIL +PURPOSE$/,
      new RegExp(`^${ID}  active +${AI_AGENT}  read-only  2027-01-31T12:15:00Z  triage 42$`),
      /^01J.*C {2}revoked .* 2027-01-31T12:00:01Z {2}x{57}\.\.\.$/,
      /^$/,
    ]);
    t.match(requests[0], { states: [1, 2, 3, 4], pageToken: "" });
    await command("task", "list", ...admin, "--all");
    t.strictSame((requests[1] as { states: number[] }).states, []);
    await command(
      ...["task", "list", ...admin, "--state", "suspended", "--state", "revoked", "--class", "x"],
      ...["--ai-agent", AI_AGENT, "--node-agent", "spiffe://north.test/node", "--label", "a=b=c"],
      ...["--root", `${AI_AGENT}/task/${ID}`, "--owner", "team:a", "--host", `${AI_AGENT}s`],
    );
    t.match(requests[2], {
      ...{ states: [TaskState.SUSPENDED, TaskState.REVOKED], taskClass: "x", aiAgent: AI_AGENT },
      ...{ nodeAgent: "spiffe://north.test/node", labels: { a: "b=c" }, root: ID },
      ...{ owner: "team:a", host: `${AI_AGENT}s` },
    });
    const json = await command("task", "list", ...admin, "--output", "json");
    t.match(JSON.parse(json.out), { tasks: [{ id: ID, state: "ACTIVE" }, { state: "REVOKED" }] });
  },
);

t.test("task list reads page by page, up to a limit", async (t) => {
  const tasks = Array.from({ length: 5 }, (_, i) => ({ ...TASK, purpose: `task ${i}` }));
  const { socket, requests } = await serve(t, tasks);
  const all = await command("task", "list", "--admin-socket", socket);
  t.equal(all.out.match(/task \d/g)?.length, 5);
  t.equal(requests.length, 3);
  const some = await command("task", "list", "--admin-socket", socket, "--limit", "3");
  t.equal(some.out.match(/task \d/g)?.length, 3);
  t.match(some.err, /more than 3/);
  const none = await command("task", "list", "--admin-socket", (await serve(t, [])).socket);
  t.equal(none.out, "no tasks\n");
});

t.test("task show says all there is to say", async (t) => {
  const { socket } = await serve(t);
  const { out, code } = await command("task", "show", ID, "--admin-socket", socket);
  t.equal(code, 0);
  for (const line of [
    new RegExp(`^Task ID +${ID}$`, "m"),
    /^State +active$/m,
    /^Opened +2027-01-31T12:00:00Z by uid:0$/m,
    /^Until +2027-01-31T12:15:00Z$/m,
    /^Process +4711 of user 1000$/m,
    /^Idle +ends 300 s after its last sign of life, 2027-01-31T12:01:00Z$/m,
    /^Labels +team=support$/m,
    /^Known elsewhere +ticket=42$/m,
    /^Uses taken +3$/m,
    /^It may use\nLocations +https:\/\/mcp.north.test\/tickets$/m,
    /^Actions +tools\/read\/\*\*$/m,
    /^Data types +none$/m,
  ]) {
    t.match(out, line);
  }
  const json = await command("task", "show", ID, "--admin-socket", socket, "--output", "json");
  t.match(JSON.parse(json.out), { tasks: [{ id: ID, mandate: { uses: { value: "20" } } }] });
  const absent = await command("task", "show", "01X", "--admin-socket", socket);
  t.equal(absent.code, 1);
  t.match(absent.err, /^error: no such task \(TASK_ENDED\)\nhint: look$/m);
});

t.test("task create makes a task for an AI agent", async (t) => {
  const { socket, requests } = await serve(t);
  const { out, code } = await command(
    ...["task", "create", "--admin-socket", socket, "--ai-agent", AI_AGENT, "--class", "read-only"],
    ...["--purpose", "triage 42", "--location", "any", "--ttl", "1h", "--idle-timeout", "5m"],
    ...[
      "--intent",
      "triage",
      "--environment",
      "production",
      "--action",
      "",
      "--until",
      "1900000000",
    ],
    ...["--max-sensitivity", "2", "--depth", "1"],
  );
  t.equal(code, 0);
  t.match(out, /^State +pending$/m);
  t.match(out, /^Node agent +none yet: it has not been claimed$/m);
  t.match(requests, [
    {
      aiAgent: AI_AGENT,
      task: {
        ...{ taskClass: "read-only", purpose: "triage 42", intent: "triage", aiAgent: "" },
        ...{ ttlSeconds: 3600, idleTimeoutSeconds: 300, idempotencyKey: /^[0-9a-f-]{36}$/ },
        mandate: {
          ...{ locations: { any: true, values: [] }, actions: { any: false, values: [] } },
          ...{ datatypes: undefined, until: 1_900_000_000, depth: { value: 1 } },
          ...{ maxSensitivity: { value: 2 }, environment: { values: ["production"] } },
        },
      },
    },
  ]);
});

t.test("suspend, unsuspend, revoke and complete say what became of each", async (t) => {
  const { socket, requests } = await serve(t);
  const end = ["--admin-socket", socket];
  const why = ["--reason", "looking into it"];
  for (const [verb, args, printed] of [
    ["suspend", [...why], `task ${ID}: suspended\n`],
    ["unsuspend", [], `task ${ID}: active\n`],
    ["revoke", [...why], `task ${ID}: revoked\ntask ${ID.slice(0, -1)}B: revoked\n`],
    ["complete", [], `task ${ID}: completed\n`],
    ["complete", ["--failed", ...why], `task ${ID}: failed\n`],
  ] as const) {
    const { out, code } = await command("task", verb, ID, ...args, ...end);
    t.equal(code, 0, verb);
    t.equal(out, printed);
  }
  t.match(requests, [
    { id: ID, reason: "looking into it" },
    { id: ID, reason: "" },
    { id: ID, reason: "looking into it" },
    { id: ID, outcome: TaskState.COMPLETED },
    { id: ID, outcome: TaskState.FAILED, reason: "looking into it" },
  ]);
  const json = await command("task", "suspend", ID, ...end, "--output", "json");
  t.match(JSON.parse(json.out), { tasks: [{ id: ID, state: "SUSPENDED" }] });
});

t.test("misuse is told before anybody is asked", async (t) => {
  const { socket, requests } = await serve(t);
  for (const [args, expected] of [
    [["show"], /the task is missing/],
    [["revoke"], /the task is missing/],
    [["list", "--state", "odd"], /--state: "odd" is not one of pending, active/],
    [["list", "--limit", "0"], /--limit/],
    [["list", "--label", "x"], /--label/],
    [["list", "--ai-agent", "x"], /--ai-agent/],
    [["create", "--class", "x", "--purpose", "y"], /--ai-agent is missing/],
    [["create", "--ai-agent", AI_AGENT, "--purpose", "y"], /--class is missing/],
    [["create", "--ai-agent", AI_AGENT, "--class", "x"], /--purpose is missing/],
    [["list", "--server", "nowhere"], /--server: "nowhere" is not a host and a port/],
    [["list", "--server", "x:99999"], /--server/],
  ] as const) {
    const { code, err } = await command("task", ...args, "--admin-socket", socket);
    t.equal(code, 2, args.join(" "));
    t.match(err, expected);
  }
  t.strictSame(requests, []);
});
