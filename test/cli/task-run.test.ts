// `signet task run`, as a process of its own, against a node that does what the test says.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { IdentityError, Status } from "../../pki/errors.ts";
import { TaskState } from "../../proto/schema.gen.ts";
import { command } from "../support/command.ts";
import { AI_AGENT, FakeTaskNode } from "../support/fake-task-node.ts";
import { FakeWorkloadApi } from "../support/fake-workload-api.ts";
import { signet } from "../support/signet.ts";
import { TestAuthority } from "../support/test-authority.ts";
import { until } from "../support/until.ts";

const north = await TestAuthority.create();
const cli = new URL("../../cli/index.ts", import.meta.url).pathname;
const CLASS = ["--class", "read-only", "--purpose", "triage 42"] as const;

function run(node: FakeTaskNode, ...args: string[]): ReturnType<typeof signet> {
  return signet(["task", "run", "--socket", node.endpoint, ...args]);
}

interface Running {
  readonly child: ChildProcess;
  readonly stderr: () => string;
  /** The ID of the command's own process. */
  readonly pid: number;
  readonly exited: Promise<unknown[]>;
}

/** Starts a command that writes its process ID and then does what `script` says. */
async function start(
  t: Test,
  node: FakeTaskNode,
  args: string[],
  script: string,
): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), "run-"));
  const file = join(folder, "pid");
  const command = ["task", "run", "--socket", node.endpoint, ...CLASS, ...args, "--"];
  const child = spawn(
    "env",
    [
      ...["-u", "NODE_OPTIONS", process.execPath, cli, ...command],
      ...["/bin/sh", "-c", `trap 'echo got TERM; exit 3' TERM; echo $$ > ${file}; ${script}`],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  t.teardown(() => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const exited = once(child, "exit");
  const read = (): number => {
    try {
      return Number(readFileSync(file, "utf8"));
    } catch {
      return 0;
    }
  };
  await until(() => read() > 0 || child.exitCode !== null);
  const pid = read();
  t.teardown(() => isAlive(pid) && process.kill(pid, "SIGKILL"));
  return { child, stderr: () => stderr, pid, exited };
}

const WAIT = "while :; do sleep 0.05; done";

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

t.test("runs a command in a task, and ends the task with it", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const script = 'echo "$SIGNET_TASK_ID $SIGNET_TASK_SPIFFE_ID $SPIFFE_ENDPOINT_SOCKET"';
  const done = await run(
    node,
    ...CLASS,
    ...["--ai-agent", AI_AGENT, "--name", "planner", "--ttl", "10m", "--principal", "user:alice"],
    ...["--location", "https://mcp.north.test/a", "--action", "tools/read/*", "--uses", "5"],
    ...["--label", "team=support", "--external-ref", "ticket=42", "--allow-clip"],
    ...["--", "/bin/sh", "-c", script],
  );
  t.equal(done.status, 0, done.stderr);
  const [task] = [...node.tasks.values()].map((held) => held.task);
  const [id, spiffeId, socket] = done.stdout.trim().split(" ");
  t.equal(id, task?.id);
  t.equal(spiffeId, task?.spiffeId);
  t.match(socket, new RegExp(`^unix:///.*/${id}\\.sock$`));
  t.match(done.stderr, new RegExp(`^task ${id}: read-only, until 20.*, as ${spiffeId}\n$`));
  t.equal(task?.state, TaskState.COMPLETED);
  t.match(node.runs[0], {
    launchName: "planner",
    open: {
      ...{ taskClass: "read-only", purpose: "triage 42", aiAgent: AI_AGENT, ttlSeconds: 600 },
      ...{ principal: "user:alice", labels: { team: "support" }, externalRefs: { ticket: "42" } },
      allowClip: true,
      mandate: {
        ...{ locations: { values: ["https://mcp.north.test/a"] }, uses: { value: 5 } },
        ...{ actions: { any: false, values: ["tools/read/*"] }, datatypes: undefined },
      },
    },
  });
});

t.test("a command that fails makes a task that failed; its exit code is passed on", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const done = await run(node, ...CLASS, "--quiet", "--", "/bin/sh", "-c", "exit 7");
  t.equal(done.status, 7);
  t.equal(done.stderr, "", "quiet while all goes well");
  t.match(node.finished, [{ succeeded: false, detail: /exit code 7/ }]);
  const killed = await run(node, ...CLASS, "--quiet", "--", "/bin/sh", "-c", "kill -9 $$");
  t.equal(killed.status, 137);
  t.match(node.finished[1], { succeeded: false, detail: /exit code 137/ });
  const absent = await run(node, ...CLASS, "--", "/no/such/program");
  t.equal(absent.status, 127);
  t.match(node.finished[2], { succeeded: false });
});

t.test("passes signals on", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const { child, exited } = await start(t, node, [], WAIT);
  child.kill("SIGTERM");
  t.strictSame(await exited, [3, null]);
  t.match(node.finished, [{ succeeded: false }]);
});

t.test("when somebody else ends the task, the command gets SIGTERM", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const { stderr, exited } = await start(t, node, [], WAIT);
  const [id = ""] = node.tasks.keys();
  node.set(id, { state: TaskState.REVOKED, stateReason: "taken over" });
  t.strictSame(await exited, [3, null]);
  t.match(stderr(), `task ${id} has ended (REVOKED): taken over; the command gets SIGTERM`);
  t.strictSame(node.finished, [], "there is nothing left to report");
});

t.test("and SIGKILL when it does not listen", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const deaf = `trap '' TERM; ${WAIT}`;
  const { pid, exited } = await start(t, node, ["--grace", "0s"], deaf);
  const [id = ""] = node.tasks.keys();
  t.ok(isAlive(pid));
  node.set(id, { state: TaskState.EXPIRED });
  t.strictSame(await exited, [137, null]);
  t.notOk(isAlive(pid));
});

t.test("with --on-end none it goes on without an identity", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const { child, stderr, exited, pid } = await start(t, node, ["--on-end", "none"], WAIT);
  const [id = ""] = node.tasks.keys();
  node.set(id, { state: TaskState.REVOKED });
  await until(() => stderr().includes("goes on without it"));
  t.ok(isAlive(pid));
  child.kill("SIGTERM");
  t.strictSame(await exited, [3, null]);
});

t.test("says when the task is suspended, and when it goes on", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const { child, stderr, exited } = await start(t, node, [], WAIT);
  const [id = ""] = node.tasks.keys();
  node.set(id, { state: TaskState.SUSPENDED, stateReason: "key mismatch" });
  await until(() => stderr().includes(`${id} is suspended, without credentials: key mismatch`));
  node.set(id, { state: TaskState.ACTIVE, stateReason: "" });
  await until(() => stderr().includes(`${id} goes on`));
  child.kill("SIGTERM");
  await exited;
});

t.test("survives a restart of the node agent", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const { child, stderr, exited, pid } = await start(t, node, [], WAIT);
  const [id = ""] = node.tasks.keys();
  await node.stop();
  await until(() => stderr().includes("the node agent is away"));
  await node.start();
  await until(() => stderr().includes("the node agent is back"));
  t.match(node.runs[1], { attach: { pid, proof: { taskId: id } } });
  t.ok(isAlive(pid));
  child.kill("SIGTERM");
  t.strictSame(await exited, [3, null]);
  t.match(node.finished, [{ succeeded: false }], "and reports the end to the new one");
});

t.test(
  "a command that ends while the node agent is away is reported when it is back",
  async (t) => {
    const node = await FakeTaskNode.start(t, north);
    const { child, stderr, exited, pid } = await start(t, node, [], WAIT);
    await node.stop();
    await until(() => stderr().includes("the node agent is away"));
    child.kill("SIGTERM");
    await until(() => !isAlive(pid));
    await node.start();
    t.strictSame(await exited, [3, null]);
    t.match(node.finished, [{ succeeded: false }]);
  },
);

t.test("a task that has ended while the node agent was away has ended", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const { stderr, exited } = await start(t, node, [], WAIT);
  const [id = ""] = node.tasks.keys();
  await node.stop();
  node.set(id, { state: TaskState.REVOKED });
  await node.start();
  t.strictSame(await exited, [3, null]);
  t.match(stderr(), /has ended.*the command gets SIGTERM/);
});

t.test("claims a task that was made for it", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const id = "01JD9Z0000000000000000000A";
  const done = await run(node, "--claim", `${AI_AGENT}/task/${id}`, "--", "/bin/true");
  t.equal(done.status, 0, done.stderr);
  t.equal(node.opened[0]?.claimTaskId, id);
});

t.test("says what is wrong, and runs nothing then", async (t) => {
  const node = await FakeTaskNode.start(t, north);
  const echo = ["--", "/bin/echo", "ran"];
  for (const [name, args, expected] of [
    ["no command", [...CLASS], /missing required argument 'command'/],
    ["no class", ["--purpose", "x", ...echo], /--class is missing/],
    ["no purpose", ["--class", "x", ...echo], /--purpose is missing/],
    [
      "a wrong --on-end",
      [...CLASS, "--on-end", "stop", ...echo],
      /--on-end.*not one of term, none/,
    ],
    ["a wrong --grace", [...CLASS, "--grace", "soon", ...echo], /--grace/],
    ["a wrong --uses", [...CLASS, "--uses", "-1", ...echo], /--uses: "-1" is not a number/],
    [
      "a wrong --label",
      [...CLASS, "--label", "x", ...echo],
      /--label: "x" is not written as name=value/,
    ],
    ["a wrong --ai-agent", [...CLASS, "--ai-agent", "x", ...echo], /--ai-agent/],
    ["any and others", [...CLASS, "--action", "any", "--action", "a/b", ...echo], /--action: any/],
  ] as const) {
    const done = await command("task", "run", "--socket", node.endpoint, ...args);
    t.equal(done.code, 2, name);
    t.match(done.err, expected, name);
  }
  node.failures.push(
    new IdentityError("MANDATE_EXCEEDED", Status.permissionDenied, "too wide", {
      hint: "ask less",
    }),
  );
  const refused = await command("task", "run", "--socket", node.endpoint, ...CLASS, ...echo);
  t.equal(refused.code, 1);
  t.match(refused.err, /^error: too wide \(MANDATE_EXCEEDED\)/);

  const ordinary = await FakeWorkloadApi.start(t);
  const unserved = await command("task", "run", "--socket", ordinary.endpoint, ...CLASS, ...echo);
  t.equal(unserved.code, 1);
  t.match(unserved.err, /TASKS_NOT_SERVED.*\nhint: name the node agent's own socket/);
  await node.stop();
  const away = await command("task", "run", "--socket", node.endpoint, ...CLASS, ...echo);
  t.match(away.err, /no agent answers at .*\nhint: start one/);
});
