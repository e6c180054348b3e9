// An MCP server on stdio: a child of its agent under `signet task run`, guarded by the task that it runs under.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import t, { type Test } from "tap";
import { startUp, type Up } from "../support/signet.ts";

const cli = new URL("../../cli/index.ts", import.meta.url).pathname;
const agent = new URL("../support/stdio-agent.ts", import.meta.url).pathname;
const tickets = new URL("../support/stdio-tickets.ts", import.meta.url).pathname;
const AGENT = "spiffe://north.test/agent/researcher";
const RESOURCE = "mcp:tickets";

interface Running {
  readonly child: ChildProcess;
  next(): Promise<Record<string, unknown>>;
  call(tool: string): Promise<Record<string, unknown>>;
}

/** The agent, as `signet task run` starts it. */
function runAgent(t: Test, up: Up, ...flags: string[]): Running {
  const args = [cli, "task", "run", ...flags, "--", process.execPath, agent];
  const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${up.agentSocket}`, RESOURCE };
  const child = spawn("env", ["-u", "NODE_OPTIONS", process.execPath, ...args], {
    env,
    stdio: ["pipe", "pipe", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors += text;
  });
  t.teardown(async () => {
    child.stdin.end();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<Record<string, unknown>> => {
    const { value } = await lines.next();
    if (value === undefined) throw new Error(`the agent ended: ${errors}`);
    return JSON.parse(value);
  };
  return {
    child,
    next,
    call(tool) {
      child.stdin.write(`${tool}\n`);
      return next();
    },
  };
}

t.test(
  "a server on stdio does what the task of its environment may, and ends with it",
  async (t) => {
    const up = await startUp();
    t.teardown(() => up.stop());
    await up.admin(
      ...["ai-agent", "create", AGENT, "--owner", "team:support", "--purpose", "answers tickets"],
      ...["--environment", "test", "--until", "1d", "--task-class", "standard"],
      ...["--location", RESOURCE, "--action", "tools/**"],
      ...[
        "--parent-id",
        "spiffe://north.test/node",
        "--selector",
        `unix:uid:${process.getuid?.()}`,
      ],
    );
    const running = runAgent(
      t,
      up,
      ...["--class", "standard", "--purpose", "triage", "--action", "tools/read/*"],
      // Nobody kills the command: what ends is ended by the guard.
      ...["--on-end", "none"],
    );
    const { tools, pid } = await running.next();
    t.same(tools, ["read_ticket", "fail", "slow"], "what it may not use is hidden");
    t.match(await running.call("read_ticket"), { result: { content: [{ text: /printer/ }] } });
    t.match(await running.call("delete_ticket"), { code: -32003, reason: "GUARD_ACTION_REFUSED" });

    t.comment("the events are there, and marked as the agent's own word");
    const events = async (): Promise<{ observed_by: string; type: string; observer: string }[]> => {
      const args = ["audit", "tail", "--stream", "tool_call", "--stream", "escalation"];
      return JSON.parse(await up.admin(...args, "--output", "json")).events;
    };
    let all = await events();
    for (let i = 0; i < 50 && all.length < 2; i++) all = await events();
    t.same([...new Set(all.map(({ observed_by: by }) => by))], ["agent"]);
    t.ok(all.every(({ observer }) => observer.startsWith(`${AGENT}/task/`)));

    t.comment("a server whose input ends answers what came, and ends by itself");
    const piped = spawn(
      process.execPath,
      [
        cli,
        "task",
        "run",
        "--class",
        "standard",
        "--purpose",
        "piped",
        "--",
        process.execPath,
        tickets,
      ],
      { env: { ...process.env, SPIFFE_ENDPOINT_SOCKET: `unix://${up.agentSocket}`, RESOURCE } },
    );
    t.teardown(() => piped.kill("SIGKILL"));
    let answers = "";
    piped.stdout.setEncoding("utf8").on("data", (text: string) => {
      answers += text;
    });
    piped.stdin.end(
      [
        request(1, "initialize", {
          protocolVersion: "2025-06-18",
          capabilities: {},
          clientInfo: { name: "pipe", version: "1" },
        }),
        request(2, "tools/call", { name: "read_ticket", arguments: {} }),
      ].join(""),
    );
    t.same(await once(piped, "close"), [0, null]);
    t.match(answers, /printer/, "the call that was under way is answered");

    t.comment("an administrator ends the task: the server is gone");
    const { tasks } = JSON.parse(
      await up.admin("task", "list", "--state", "active", "--output", "json"),
    );
    const gone = new Promise<void>((resolve) => {
      const look = setInterval(() => {
        if (isAlive(Number(pid))) return;
        clearInterval(look);
        resolve();
      }, 10);
    });
    await up.admin("task", "revoke", tasks[0].id, "--reason", "test");
    await gone;
    t.pass("it has ended");
  },
);

function request(id: number, method: string, params: object): string {
  return `${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
