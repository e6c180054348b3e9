// Attempts of AI agents against a whole server over TLS: on its API, with mandates, budgets and reports.
import { randomBytes, randomFillSync } from "node:crypto";
import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { exportPkcs8, generateP256KeyPair } from "../../../pki/keys.ts";
import { Ulids } from "../../../pki/task-id.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { parseX509Svid, type X509Svid } from "../../../pki/x509/svid.ts";
import type { Init } from "../../../proto/codec.ts";
import {
  AuditLogService,
  EntryService,
  NodeTasksService,
  RegistryService,
  type signet,
  TaskControlService,
  TaskState,
} from "../../../proto/schema.gen.ts";
import { parseSelector } from "../../../proto/types/selector.ts";
import { type TestAgent, TestServer } from "../../support/running-server.ts";
import { eventually } from "../../support/trust-domain.ts";

const RESEARCHER = "spiffe://north.test/ai/researcher";
const TOOLS = "https://tools.test/mcp";
const ulids = new Ulids((bytes) => randomFillSync(bytes));
const leaseId = (): string => randomBytes(16).toString("base64url");

// The AI agent is named as an administrator, and still is none.
const CONFIG = `
admin_ids: ["${RESEARCHER}"]
tasks:
  escalations:
    probing: { denials: 5, window: 10m }
    trusted_guards: ["spiffe://north.test/guard"]
    max_nodes: 1
`;

interface Opened {
  readonly task: signet.task.v1.Task;
  readonly svid: X509Svid;
}

class Site {
  readonly server: TestServer;
  readonly node: TestAgent;
  readonly other: TestAgent;
  #entryId = "";

  private constructor(server: TestServer, node: TestAgent, other: TestAgent) {
    this.server = server;
    this.node = node;
    this.other = other;
  }

  static async start(): Promise<Site> {
    const server = await TestServer.start({ config: CONFIG });
    const site = new Site(server, await server.attest(), await server.attest());
    const path = site.node.id.slice("spiffe://north.test".length);
    const { aiAgent } = await server.admin.client(RegistryService).createAiAgent({
      aiAgent: {
        spiffeId: RESEARCHER,
        owner: "team:test",
        purpose: "tests",
        environment: "test",
        validUntil: Math.floor(Date.now() / 1000) + 86_400,
        ceiling: {
          locations: { values: [TOOLS] },
          actions: { values: ["tools/**"] },
          datatypes: { any: true },
          uses: { value: 50 },
          environment: { values: ["test"] },
        },
        taskClasses: ["standard"],
      },
      entry: {
        spiffeId: { trustDomain: "north.test", path: "/ai/researcher" },
        parentId: { trustDomain: "north.test", path },
        selectors: [parseSelector("unix:uid:1")],
      },
    });
    [site.#entryId = ""] = aiAgent?.entryIds ?? [];
    return site;
  }

  async open(more: Init<signet.task.v1.OpenTaskRequest> = {}): Promise<Opened> {
    const pair = generateP256KeyPair();
    const channel = await this.server.channel(this.node.svid);
    const task = { taskClass: "standard", purpose: "a test", csr: createCsr(pair), ...more };
    const nodeTasks = channel.client(NodeTasksService);
    const answer = await nodeTasks.open({ entryIds: [this.#entryId], task });
    if (answer.task === undefined) throw new Error("no task");
    const chain: Uint8Array[] = [];
    const all = new Uint8Array(answer.svid?.x509Svid ?? []);
    for (let rest = all; rest.length > 0; rest = rest.subarray(lengthOf(rest))) {
      chain.push(rest.subarray(0, lengthOf(rest)));
    }
    return { task: answer.task, svid: parseX509Svid(chain, exportPkcs8(pair.privateKey)) };
  }

  async state(id: string): Promise<number | undefined> {
    return (await this.server.admin.client(TaskControlService).getTask({ id })).task?.state;
  }

  /** Lines of the escalation stream, as JSON. */
  async events(): Promise<Record<string, string>[]> {
    const call = this.server.admin.client(AuditLogService).tail({ streams: ["escalation"] });
    const lines: Record<string, string>[] = [];
    for await (const { events } of call) {
      for (const { line } of events) lines.push(JSON.parse(Buffer.from(line).toString()));
    }
    return lines;
  }
}

/** Of the DER sequence at the start. */
function lengthOf(der: Uint8Array): number {
  return 4 + ((der[2] ?? 0) << 8) + (der[3] ?? 0);
}

const SUSPENDED = 4;
const ACTIVE = 2;

t.test("attempts of an AI agent on a running server", async (t) => {
  const site = await Site.start();
  t.teardown(() => site.server.stop());
  const { server, node, other } = site;
  const nodeTasks = (await server.channel(node.svid)).client(NodeTasksService);
  const otherTasks = (await server.channel(other.svid)).client(NodeTasksService);

  await t.test(
    "neither it nor its task administrates, whatever the configuration says",
    async (t) => {
      const { task, svid } = await site.open();
      const denied = { reason: "CALLER_NOT_AUTHORIZED", code: Status.permissionDenied };
      for (const [caller, id] of [
        [await server.mint("/ai/researcher"), undefined],
        [svid, task.spiffeId],
      ] as const) {
        const channel = await server.channel(caller);
        await t.rejects(channel.client(EntryService).listEntries({}), denied);
        const entry = { id: "x", admin: true };
        await t.rejects(
          channel.client(EntryService).batchUpdateEntry({ entries: [entry] }),
          denied,
        );
        const aiAgents = channel.client(RegistryService);
        await t.rejects(aiAgents.updateAiAgent({ aiAgent: { spiffeId: RESEARCHER } }), denied);
        const tasks = channel.client(TaskControlService);
        await t.rejects(tasks.unsuspendTask({ id: task.id, reason: "me" }), denied);
        const found = await eventually(async () => {
          const events = await site.events();
          const own = events.filter((event) => event["task"] === id);
          if (own.length < 4) throw new Error("not all are written");
          return own;
        });
        t.same(
          found.map(({ agent }) => agent),
          Array(found.length).fill(RESEARCHER),
        );
        const kinds = found.map(({ reason }) => reason).filter((reason) => reason !== "probing");
        t.same(kinds.sort(), [
          "ai-agent-on-admin-api",
          "ai-agent-on-admin-api",
          "own-entry-edit",
          "own-entry-edit",
        ]);
      }
      const reasons = (await site.events()).map(({ reason }) => reason);
      t.ok(reasons.includes("probing"), "so many refusals are probing");
      // A plain workload that has no business here is refused as ever, and is no attempt.
      const before = (await site.events()).length;
      const plain = await server.channel(await server.mint("/web"));
      await t.rejects(plain.client(EntryService).listEntries({}), denied);
      t.equal((await site.events()).length, before);
    },
  );

  await t.test(
    "a mandate or class beyond what may be had is refused and written down",
    async (t) => {
      const wide = { actions: { values: ["http/**"] } };
      await t.rejects(site.open({ mandate: wide }), {
        reason: "MANDATE_EXCEEDED",
        code: Status.permissionDenied,
      });
      await t.rejects(site.open({ mandate: { actions: { any: true } } }), {
        reason: "MANDATE_ANY_REFUSED",
        code: Status.permissionDenied,
      });
      await t.rejects(site.open({ taskClass: "break-glass" }), Error);
      const events = await site.events();
      t.match(
        events.find(({ reason }) => reason === "mandate-exceeded"),
        { agent: RESEARCHER },
      );
      t.match(
        events.find(({ reason }) => reason === "class-not-allowed"),
        { agent: RESEARCHER },
      );
    },
  );

  await t.test("uses are lent to node agents, and no more than there are", async (t) => {
    const { task } = await site.open({ mandate: { uses: { value: 10 } } });
    const lent = async (tasks: typeof nodeTasks, count: number, id = leaseId()): Promise<number> =>
      Number((await tasks.leaseUses({ taskId: task.id, count, leaseId: id })).lent);
    const id = leaseId();
    t.equal(await lent(nodeTasks, 4, id), 4);
    t.equal(await lent(nodeTasks, 4, id), 4, "asked again");
    t.equal(await lent(otherTasks, 100), 6, "a guard on another node gets the rest");
    t.equal(await lent(nodeTasks, 1), 0);
    const known = await server.admin.client(TaskControlService).getTask({ id: task.id });
    t.equal(Number(known.task?.usesTaken), 10);
  });

  await t.test("a node agent has a say over the tasks that it holds alone", async (t) => {
    const { task } = await site.open();
    const report = { taskId: task.id, kind: "key-mismatch", detail: "a key", observer: "" };
    t.same(await otherTasks.report(report), { reaction: "log" });
    t.equal(await site.state(task.id), ACTIVE);
    t.same(await nodeTasks.report(report), { reaction: "suspend" });
    t.equal(await site.state(task.id), SUSPENDED);
    await t.rejects(nodeTasks.report({ ...report, kind: "made-up" }), Error);
    const events = (await site.events()).filter((event) => event["task"] === task.spiffeId);
    t.match(
      events.map((event) => [event["observer"], event["observed_by"]]),
      [
        [other.id, "node"],
        [node.id, "node"],
      ],
    );
  });

  await t.test(
    "a task that another node agent holds is refused, and that is written down",
    async (t) => {
      const { task } = await site.open();
      const csr = createCsr(generateP256KeyPair());
      const taskId = task.id;
      const calls: [string, () => Promise<unknown>][] = [
        ["ChangeRequest", () => otherTasks.change({ taskId, to: TaskState.COMPLETED })],
        ["NewJWTSVID", () => otherTasks.newJWTSVID({ taskId, audience: [TOOLS] })],
        ["IssueToken", () => otherTasks.issueToken({ taskId, resource: TOOLS })],
      ];
      for (const [name, call] of calls) {
        await t.rejects(call(), { name: "IdentityError", reason: "TASK_HELD_ELSEWHERE" }, name);
      }
      const { results } = await otherTasks.batchSignX509({ requests: [{ taskId, csr }] });
      t.match(results, [{ reason: "TASK_HELD_ELSEWHERE" }]);
      const events = (await site.events()).filter((event) => event["task"] === task.spiffeId);
      t.same(
        events.map(({ reason, agent }) => [reason, agent]),
        Array(4).fill(["node-mismatch", undefined]),
        "and nobody's AI agent is accused of it",
      );
      t.match(events, [{ detail: { node_agent: other.id, method: /Change$/ } }, {}, {}, {}]);
      t.equal(await site.state(task.id), ACTIVE);
    },
  );

  await t.test(
    "a token for a service outside the mandate is refused and written down",
    async (t) => {
      const { task } = await site.open();
      const audience = ["https://elsewhere.test"];
      await t.rejects(nodeTasks.newJWTSVID({ taskId: task.id, audience }), {
        name: "IdentityError",
        reason: "TASK_AUDIENCE_REFUSED",
      });
      const found = (await site.events()).filter((event) => event["task"] === task.spiffeId);
      t.match(found, [{ reason: "audience-not-in-mandate", agent: RESEARCHER }]);
    },
  );

  await t.test("an AI agent on more node agents than it may be on is written down", async (t) => {
    const { task } = await site.open();
    t.notOk((await site.events()).some(({ reason }) => reason === "too-many-places"));
    const entry = {
      spiffeId: { trustDomain: "north.test", path: "/ai/researcher" },
      parentId: { trustDomain: "north.test", path: other.id.slice("spiffe://north.test".length) },
      selectors: [parseSelector("unix:uid:1")],
    };
    const { results } = await server.admin
      .client(EntryService)
      .batchCreateEntry({ entries: [entry] });
    const there = { entryIds: [results[0]?.entry?.id ?? ""] };
    const csr = createCsr(generateP256KeyPair());
    const opened = await otherTasks.open({
      ...there,
      task: { taskClass: "standard", purpose: "a test", csr },
    });
    await eventually(async () => {
      const found = (await site.events()).find(({ reason }) => reason === "too-many-places");
      if (found === undefined) throw new Error("not written");
      t.match(found, {
        agent: RESEARCHER,
        task: opened.task?.spiffeId,
        detail: { nodes: "2", at_most: "1", reaction: "log" },
      });
    });
    t.equal(await site.state(task.id), ACTIVE, "and no more, unless somebody says so");
    t.equal(await site.state(opened.task?.id ?? ""), ACTIVE);
  });

  await t.test("what guards send is written down; trusted ones have tasks suspended", async (t) => {
    const { task } = await site.open();
    const audit = (await server.channel(other.svid)).client(AuditLogService);
    const event = (observer: string, observedBy = "guard"): Init<signet.audit.v1.Event> => ({
      id: ulids.next(new Date()),
      timeMs: Date.now(),
      stream: "escalation",
      type: "escalation.key-mismatch",
      outcome: "denied",
      observedBy,
      observer,
      task: task.spiffeId,
    });
    const guard = "spiffe://north.test/guard";
    await audit.append({ events: [event("spiffe://north.test/web"), event(RESEARCHER, "agent")] });
    await audit.append({ events: [event(guard)] });
    await eventually(async () => {
      const found = (await site.events()).filter(({ observer }) => observer === guard);
      if (found.length === 0) throw new Error("not written");
    });
    t.equal(await site.state(task.id), ACTIVE, "no such guard is on that node");
    const entry = {
      spiffeId: { trustDomain: "north.test", path: "/guard" },
      parentId: { trustDomain: "north.test", path: other.id.slice("spiffe://north.test".length) },
      selectors: [parseSelector("unix:uid:2")],
    };
    await server.admin.client(EntryService).batchCreateEntry({ entries: [entry] });
    await audit.append({ events: [event(guard)] });
    await eventually(async () => {
      if ((await site.state(task.id)) !== SUSPENDED) throw new Error("goes on");
    });
  });
});
