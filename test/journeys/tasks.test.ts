// Tasks as they are used: a server, a node agent, AI agents that open tasks by each door, and a verifier that
// they are connected to. However a task ends, the open connection ends. How soon: bench/task-revocation.ts.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import t, { type Test } from "tap";
import { TaskStatuses } from "../../client/task-status.ts";
import { openTask } from "../../client/tasks/open.ts";
import { createTask, TaskOrchestrator } from "../../client/tasks/orchestrator.ts";
import { peerOf } from "../../client/tls/admit.ts";
import { authorizeMemberOf } from "../../client/tls/authorize.ts";
import { createTlsServer } from "../../client/tls/server.ts";
import { X509Source } from "../../client/x509-source.ts";
import { Status } from "../../pki/errors.ts";
import { TaskSite } from "../support/task-site.ts";
import { eventually } from "../support/trust-domain.ts";
import { until } from "../support/until.ts";

const WORKLOAD = new URL("task-workload.ts", import.meta.url).pathname;
const CLI = new URL("../../cli/index.ts", import.meta.url).pathname;
const SLOW = { timeout: 180_000 };
const ORCHESTRATORS = `tasks:
  orchestrators:
    - spiffe_id: spiffe://north.test/planner
      ai_agents: [spiffe://north.test/agent/*]
      task_classes: [read-only]
`;

interface Verifier {
  readonly port: number;
  /** When the connection of each task ended. */
  readonly closed: Map<string, number>;
  stop(): void;
}

async function startVerifier(site: TaskSite): Promise<Verifier> {
  const { endpoint } = site;
  const source = await X509Source.start({ endpoint, pick: "db" });
  const tasks = await TaskStatuses.start({ endpoint });
  const closed: Verifier["closed"] = new Map();
  const server = createTlsServer({
    ...{ source, tasks, authorize: authorizeMemberOf("north.test") },
    onConnection: (socket) => {
      const id = peerOf(socket)?.id.toString() ?? "";
      socket.on("error", () => {});
      socket.on("close", () => closed.set(id, performance.now()));
      socket.write("hello");
      socket.pipe(socket);
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const stop = (): void => {
    server.close();
    tasks.close();
    source.close();
  };
  return { port: (server.address() as AddressInfo).port, closed, stop };
}

/** A process of task-workload.ts. */
class Program {
  readonly child: ChildProcess;
  readonly #said: { event: string; value: string }[] = [];
  /** Its exit code; asked for from the start, since a process does not wait for who asks. */
  readonly exited: Promise<number | null>;
  stderr = "";
  id = "";

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const [file = "", ...args] = command;
    this.child = spawn("env", ["-u", "NODE_OPTIONS", file, ...args], { stdio: "pipe", env });
    this.exited = once(this.child, "exit").then(([code]) => code as number | null);
    if (this.child.stdout === null) throw new TypeError("no pipe");
    createInterface({ input: this.child.stdout }).on("line", (line) =>
      this.#said.push(JSON.parse(line) as { event: string; value: string }),
    );
    this.child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
  }

  async next(event: string): Promise<string> {
    const find = () => this.#said.find((said) => said.event === event);
    await until(() => find() !== undefined || this.child.exitCode !== null, 30_000);
    const found = find();
    if (found === undefined) throw new Error(`it ended before "${event}": ${this.stderr}`);
    this.#said.splice(this.#said.indexOf(found), 1);
    return found.value;
  }

  async tell(order: string): Promise<void> {
    this.child.stdin?.write(`${order}\n`);
    await this.next("done");
  }

  order(order: string): void {
    this.child.stdin?.write(`${order}\n`);
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // its time was over
  }
}

async function startPrograms(
  t: Test,
  site: TaskSite,
  verifier: Verifier,
  aiAgent: string,
  count: number,
  launcher: readonly string[] = [],
): Promise<Program[]> {
  const env = { ...process.env, SPIFFE_ENDPOINT_SOCKET: site.endpoint };
  const own = launcher.length === 0 ? [aiAgent] : [];
  const programs = Array.from({ length: count }, () => {
    const command = [process.execPath, WORKLOAD, String(verifier.port), ...own];
    return new Program([...launcher, ...command], env);
  });
  t.teardown(() => {
    for (const { child } of programs) child.kill("SIGKILL");
  });
  for (const program of programs) program.id = await program.next("connected");
  return programs;
}

/** The state of a task, as the server has it. */
async function stateOf(site: TaskSite, spiffeId: string): Promise<string> {
  const json = await site.admin("task", "show", spiffeId, "--output", "json");
  const { tasks } = JSON.parse(json) as { tasks: { state: string }[] };
  return tasks[0]?.state ?? "";
}

t.test("tasks end with their work, and with them what they were connected to", SLOW, async (t) => {
  const site = await TaskSite.start(ORCHESTRATORS);
  t.teardown(() => site.stop());
  const { endpoint } = site;
  await site.register("/db");
  await site.register("/planner");
  const researcher = await site.registerAiAgent("/agent/researcher");
  const verifier = await eventually(() => startVerifier(site), 20_000);
  t.teardown(() => verifier.stop());

  /** Runs what ends a task, and tells how long its connection outlived that. */
  const closesWithin = async (id: string, end: () => unknown, what: string): Promise<void> => {
    verifier.closed.delete(id);
    const before = performance.now();
    await end();
    await until(() => verifier.closed.has(id), 20_000);
    const at = verifier.closed.get(id);
    t.type(at, "number", `${what}: closed after ${((at ?? Number.NaN) - before).toFixed(0)} ms`);
  };

  const run = ["task", "run", "--class", "standard", "--purpose", "x", "--ai-agent", researcher];
  const launcher = [process.execPath, CLI, ...run, "--socket", endpoint, "--"];

  await t.test("by the SDK", async (t) => {
    const programs = await startPrograms(t, site, verifier, researcher, 3);
    const [completes, dies, revoked] = programs as [Program, Program, Program];
    t.match(completes.id, /^spiffe:\/\/north\.test\/agent\/researcher\/task\/[0-9A-Z]{26}$/);

    await closesWithin(completes.id, () => completes.order("complete"), "completed");
    t.equal(await completes.next("ended"), "COMPLETED");
    t.equal(await stateOf(site, completes.id), "COMPLETED");

    dies.order("fork");
    const forked = Number(await dies.next("forked"));
    t.teardown(() => killIfThere(forked));
    await closesWithin(dies.id, () => dies.order("die"), "killed, with a child that holds on");
    process.kill(forked, 0); // which is still there
    t.equal(await eventually(() => stateOf(site, dies.id)), "ABANDONED");

    const reason = ["--reason", "taken over"];
    const revoke = () => site.admin("task", "revoke", revoked.id, ...reason);
    await revoke();
    t.equal(await revoked.next("ended"), "REVOKED");
    await until(() => verifier.closed.has(revoked.id));
    t.equal(await stateOf(site, revoked.id), "REVOKED");
  });

  await t.test("by the wrapper, with a library that knows of no tasks", async (t) => {
    const programs = await startPrograms(t, site, verifier, researcher, 3, launcher);
    const [exits, dies, revoked] = programs as [Program, Program, Program];
    await closesWithin(exits.id, () => exits.order("exit"), "exits");
    t.strictSame(await exits.exited, 0);
    t.equal(await stateOf(site, exits.id), "COMPLETED");

    dies.order("fork");
    const forked = Number(await dies.next("forked"));
    t.teardown(() => killIfThere(forked));
    await closesWithin(dies.id, () => dies.order("die"), "killed, with a child that holds on");
    t.strictSame(await dies.exited, 137);
    t.equal(await stateOf(site, dies.id), "FAILED");

    await site.admin("task", "revoke", revoked.id, "--reason", "taken over");
    t.strictSame(await revoked.exited, 143);
    t.match(revoked.stderr, /has ended \(REVOKED\): .*; the command gets SIGTERM/);
    await until(() => verifier.closed.has(revoked.id));
  });

  await t.test("by an orchestrator, which has a say over its own alone", async (t) => {
    const server = { host: "127.0.0.1", port: site.port };
    const source = await X509Source.start({ endpoint, pick: "planner" });
    t.teardown(() => source.close());
    const one = { taskClass: "read-only", purpose: "triage 42", aiAgent: researcher };
    const made = await createTask({ ...one, server, source });
    t.equal(made.state, "PENDING");
    const task = await openTask({ endpoint, claim: made.id });
    t.teardown(() => task.close());
    t.equal(task.spiffeId.toString(), made.spiffeId.toString());
    t.equal(task.info.purpose, "triage 42");
    using tasks = new TaskOrchestrator({ server, source });
    t.equal((await tasks.get(made.id)).state, "ACTIVE");
    await tasks.complete(made.id);
    t.equal((await task.ended).state, "COMPLETED");
    await t.rejects(createTask({ ...one, taskClass: "standard", server, source }), {
      ...{ reason: "TASK_OUT_OF_SCOPE", code: Status.permissionDenied },
    });
    const agent = await X509Source.start({
      endpoint,
      pick: (svids) => svids.find(({ id }) => id.toString() === researcher),
    });
    t.teardown(() => agent.close());
    await t.rejects(createTask({ ...one, server, source: agent }), {
      code: Status.permissionDenied,
    });
  });

  await t.test("by themselves: expired, idle, or their AI agent disabled", async (t) => {
    const one = { endpoint, taskClass: "read-only", purpose: "x" };
    const other = await site.registerAiAgent("/agent/other");
    const short = await openTask({ ...one, aiAgent: researcher, ttlSeconds: 2 });
    t.teardown(() => short.close());
    const leftMs = short.x509.svid().leaf.notAfter.getTime() - short.expiresAt.getTime();
    t.ok(leftMs <= 0, "no credential outlives its task");
    const idle = await openTask({ ...one, aiAgent: researcher, idleTimeoutSeconds: 2 });
    t.teardown(() => idle.close());
    const disabled = await eventually(() => openTask({ ...one, aiAgent: other }));
    t.teardown(() => disabled.close());
    t.equal((await short.ended).state, "EXPIRED");
    t.equal((await idle.ended).state, "ABANDONED");
    await site.admin("ai-agent", "disable", other, "--reason", "a test");
    t.equal((await disabled.ended).state, "REVOKED");
    await t.rejects(openTask({ ...one, aiAgent: other }), { code: Status.permissionDenied });
  });

  await t.test("suspended ones go on when they are let", async (t) => {
    const task = await openTask({
      endpoint,
      taskClass: "standard",
      purpose: "x",
      aiAgent: researcher,
    });
    t.teardown(() => task.close());
    await site.admin("task", "suspend", task.id, "--reason", "looking into it");
    await until(() => task.state === "SUSPENDED");
    t.throws(() => task.x509.svid(), { reason: "TASK_SUSPENDED", code: Status.permissionDenied });
    await site.admin("task", "unsuspend", task.id);
    await until(() => task.state === "ACTIVE");
    await eventually(() => task.jwtSvid("https://mcp.north.test/tickets"));
    t.equal(task.x509.svid().id.toString(), task.spiffeId.toString());
    await task.park();
    t.equal(await stateOf(site, task.spiffeId.toString()), "PARKED");
    await task.resume();
    await task.complete();
    t.equal(await stateOf(site, task.id), "COMPLETED");
  });

  await t.test("restarts, in order, of node agent and server end none", async (t) => {
    const [sdk] = (await startPrograms(t, site, verifier, researcher, 1)) as [Program];
    const [wrapped] = (await startPrograms(t, site, verifier, researcher, 1, launcher)) as [
      Program,
    ];
    await site.stopAgent();
    await Promise.all([sdk.tell("echo"), wrapped.tell("echo")]);
    await site.startAgent();
    await sdk.tell("token");
    await until(() => wrapped.stderr.includes("the node agent is back"), 20_000);
    await site.stopServer();
    await Promise.all([sdk.tell("echo"), wrapped.tell("echo")]);
    await site.startServer();
    await eventually(() => sdk.tell("token"), 20_000);
    t.equal(await stateOf(site, sdk.id), "ACTIVE");
    t.equal(await stateOf(site, wrapped.id), "ACTIVE");
    await Promise.all([sdk.tell("echo"), wrapped.tell("echo")]);
    await closesWithin(sdk.id, () => sdk.order("complete"), "completed after both");
    await closesWithin(wrapped.id, () => wrapped.order("die"), "killed after both");
    t.strictSame(await wrapped.exited, 137);
    t.equal(await stateOf(site, wrapped.id), "FAILED");
  });
});
