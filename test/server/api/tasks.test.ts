// NodeTasks, TaskControl and the link's word of tasks, over a whole server and real connections.
import t, { type Test } from "tap";
import { exportPkcs8, generateP256KeyPair } from "../../../pki/keys.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { parseX509Svid } from "../../../pki/x509/svid.ts";
import type { Init } from "../../../proto/codec.ts";
import {
  AgentService,
  EntryService,
  NodeTasksService,
  RegistryService,
  type signet,
  TaskControlService,
  TaskState,
  TaskVerdict,
} from "../../../proto/schema.gen.ts";
import {
  type TestAgent,
  TestServer,
  type TestServerOptions,
} from "../../support/running-server.ts";
import { refusal } from "../../support/task-server.ts";
import { TestLink } from "../../support/test-link.ts";

const TOOLS = "https://tools.test/mcp";
const ULID = "01JD0000000000000000000001";

/** A server with an AI agent whose processes are on the first of two nodes, and an orchestrator. */
async function start(t: Test, options: TestServerOptions = {}) {
  const server = await TestServer.start({
    config: [
      "tasks:",
      "  orchestrators:",
      "    - spiffe_id: spiffe://north.test/orchestrator",
      '      ai_agents: ["spiffe://north.test/ai/*"]',
      "      task_classes: [read-only, standard]",
      options.config ?? "",
    ].join("\n"),
    ...options,
  });
  t.teardown(() => server.stop());
  const agent = await server.attest();
  const other = await server.attest();
  const entryOf = (path: string) => register(server, agent, path);
  const entryId = await entryOf("/ai/researcher");
  const node = (await server.channel(agent.svid)).client(NodeTasksService);
  const stranger = (await server.channel(other.svid)).client(NodeTasksService);
  const control = server.admin.client(TaskControlService);
  const open = async (request: Init<signet.task.v1.OpenTaskRequest> = {}) => {
    const pair = generateP256KeyPair();
    const csr = createCsr(pair);
    const terms = { taskClass: "standard", purpose: "a test", csr, ...request };
    const { task, svid } = await node.open({ entryIds: [entryId], task: terms });
    if (task === undefined || svid === undefined) throw new Error("no task");
    return { task, svid, pair };
  };
  return { server, agent, other, entryId, entryOf, node, stranger, control, open };
}

async function register(server: TestServer, agent: TestAgent, path: string): Promise<string> {
  const { aiAgent } = await server.admin.client(RegistryService).createAiAgent({
    aiAgent: {
      spiffeId: `spiffe://north.test${path}`,
      owner: "team:test",
      purpose: "tests",
      environment: "test",
      validUntil: Math.floor(Date.now() / 1000) + 86_400,
      ceiling: {
        locations: { values: [TOOLS] },
        actions: { any: true },
        environment: { values: ["test"] },
      },
      taskClasses: ["standard", "read-only", "break-glass"],
    },
    entry: {
      spiffeId: { trustDomain: "north.test", path },
      parentId: { trustDomain: "north.test", path: agent.id.slice("spiffe://north.test".length) },
      selectors: [{ type: "unix", value: "uid:1" }],
    },
  });
  return aiAgent?.entryIds[0] ?? "";
}

t.test("a node agent opens, uses and ends a task", async (t) => {
  const { server, agent, node, stranger, control, open, entryId } = await start(t);
  const { task, svid } = await open({ externalRefs: { ticket: "1" } });
  t.match(task, {
    aiAgent: "spiffe://north.test/ai/researcher",
    spiffeId: `spiffe://north.test/ai/researcher/task/${task.id}`,
    state: TaskState.ACTIVE,
    nodeAgent: agent.id,
    externalRefs: { ticket: "1" },
    mandate: { locations: { values: [TOOLS] }, environment: { values: ["test"] } },
  });
  const leaf = parseCertificate(new Uint8Array(svid.x509Svid));
  t.same(leaf.uris, [task.spiffeId]);
  const id = task.id;
  const token = await node.newJWTSVID({ taskId: id, audience: [TOOLS] });
  t.ok(token.token);
  const csr = createCsr(generateP256KeyPair());
  const { results } = await node.batchSignX509({
    requests: [
      { taskId: id, csr },
      { taskId: ULID, csr },
    ],
  });
  t.match(results, [{ code: 0 }, { code: 5, reason: "TASK_NOT_FOUND" }]);
  t.match(await node.held({ taskIds: [id, ULID] }), { tasks: [{ id }] });
  t.same((await stranger.held({ taskIds: [id] })).tasks, [], "only what it holds");
  const { mark, open: openHere } = await node.endOrphans({});
  t.equal(openHere, 1);
  t.match(await stranger.endOrphans({ mark }), { open: 0, left: 0 }, "and it ends what is its own");
  t.match(
    await node.endOrphans({ mark }),
    { open: 1, left: 1 },
    "not yet: its caller may come back",
  );
  await t.rejects(node.endOrphans({ mark: "x" }), refusal("TASK_REQUEST_INVALID"));
  await t.rejects(
    node.endOrphans({ mark, heldIds: Array(100_001).fill("") }),
    refusal("BATCH_TOO_LARGE"),
  );
  t.match(await stranger.describe({ taskIds: [id, ULID] }), { tasks: [{ id }] });
  const foreign = { entryIds: [entryId], task: { taskClass: "standard", purpose: "x", csr } };
  await t.rejects(stranger.open(foreign), refusal("ENTRY_NOT_AUTHORIZED"));
  await t.rejects(
    stranger.change({ taskId: id, to: TaskState.COMPLETED }),
    refusal("TASK_HELD_ELSEWHERE"),
  );
  await t.rejects(
    stranger.newJWTSVID({ taskId: id, audience: [TOOLS] }),
    refusal("TASK_HELD_ELSEWHERE"),
  );
  const any = { mandate: { locations: { any: true } } };
  await t.rejects(open(any), refusal("MANDATE_ANY_REFUSED"));
  const narrow = { uses: { value: 3 } };
  t.match(await node.change({ taskId: id, mandate: narrow }), { task: { version: 2 } });
  const binding = { pid: 7, uid: 1, startTime: 5, bootId: "x" };
  t.match(await node.change({ taskId: id, binding }), { task: { binding } });
  t.match(await node.change({ taskId: id, to: TaskState.PARKED }), {
    task: { state: TaskState.PARKED },
  });
  t.match(await node.change({ taskId: id, to: TaskState.ACTIVE }), {
    task: { state: TaskState.ACTIVE },
  });
  for (const to of [TaskState.REVOKED, TaskState.EXPIRED, TaskState.SUSPENDED, TaskState.PENDING]) {
    await t.rejects(node.change({ taskId: id, to }), refusal("TASK_REQUEST_INVALID"), String(to));
  }
  await t.rejects(node.change({ taskId: id }), refusal("TASK_REQUEST_INVALID"));
  const lent = await node.leaseUses({ taskId: id, count: 2, leaseId: "a".repeat(20) });
  t.match(lent, { lent: 2, left: 1 });
  const done = await node.change({ taskId: id, to: TaskState.COMPLETED, reason: "done" });
  t.match(done.task, { state: TaskState.COMPLETED, usesTaken: 2 });
  t.match(await control.getTask({ id: task.spiffeId }), { task: { state: TaskState.COMPLETED } });
  await t.rejects(node.report({ taskId: id, kind: "nothing" }), refusal("TASK_REQUEST_INVALID"));
  t.match(await node.report({ taskId: id, kind: "node-mismatch", detail: "x" }), {
    reaction: "log",
  });
  await t.rejects(
    node.issueToken({ taskId: (await open()).task.id, resource: TOOLS }),
    refusal("OAUTH_NOT_CONFIGURED"),
  );
  t.ok(server);
});

t.test(
  "an orchestrator makes, sees and ends tasks within its scope, and nothing else",
  async (t) => {
    const { server, control, open, node, entryId } = await start(t);
    const svid = await server.mint("/orchestrator");
    const own = (await server.channel(svid)).client(TaskControlService);
    const aiAgent = "spiffe://north.test/ai/researcher";
    const terms = { taskClass: "standard", purpose: "for it" };
    const { task: made } = await own.createTask({ aiAgent, task: terms });
    t.match(made, { state: TaskState.PENDING, openedBy: "spiffe://north.test/orchestrator" });
    const claimed = await node.open({
      entryIds: [entryId],
      task: { claimTaskId: made?.spiffeId ?? "", csr: createCsr(generateP256KeyPair()) },
    });
    t.match(claimed.task, { id: made?.id, state: TaskState.ACTIVE, purpose: "for it" });
    const refused: [
      string,
      Init<signet.task.v1.CreateTaskRequest>,
      Parameters<typeof refusal>[0],
    ][] = [
      ["a class", { aiAgent, task: { ...terms, taskClass: "break-glass" } }, "TASK_OUT_OF_SCOPE"],
      ["no class", { aiAgent, task: { ...terms, taskClass: "" } }, "TASK_OUT_OF_SCOPE"],
      ["an agent", { aiAgent: "spiffe://north.test/bank", task: terms }, "TASK_OUT_OF_SCOPE"],
      ["no agent", { aiAgent: "spiffe://north.test/ai/x", task: terms }, "AI_AGENT_NOT_FOUND"],
      ["nothing", { aiAgent }, "TASK_REQUEST_INVALID"],
      [
        "any",
        { aiAgent, task: { ...terms, mandate: { actions: { any: true } } } },
        "MANDATE_ANY_REFUSED",
      ],
    ];
    for (const [name, request, reason] of refused) {
      await t.rejects(own.createTask(request), refusal(reason), name);
    }
    const { task: glass } = await control.createTask({
      aiAgent,
      task: { ...terms, taskClass: "break-glass" },
    });
    const id = glass?.id ?? "";
    await t.rejects(own.getTask({ id }), refusal("TASK_NOT_FOUND"), "it knows of no others");
    await t.rejects(own.revokeTask({ id, reason: "" }), refusal("TASK_NOT_FOUND"));
    const listed = await own.listTasks({});
    t.same(
      listed.tasks.map((one) => one.id),
      [made?.id],
    );
    t.equal((await control.listTasks({})).tasks.length, 2);
    const suspending = own.suspendTask({ id: made?.id ?? "", reason: "" });
    await t.rejects(suspending, refusal("CALLER_NOT_AUTHORIZED"), "that is for administrators");
    await t.rejects(
      (await server.channel(svid)).client(EntryService).listEntries({}),
      refusal("CALLER_NOT_AUTHORIZED"),
    );
    const completed = await own.completeTask({
      id: made?.id ?? "",
      outcome: TaskState.FAILED,
      reason: "no use",
    });
    t.match(completed.task, { state: TaskState.FAILED, stateReason: "no use" });
    await t.rejects(
      own.completeTask({ id: made?.id ?? "", outcome: TaskState.REVOKED }),
      refusal("TASK_REQUEST_INVALID"),
    );
    // Those whom an orchestrator hands out work to are none.
    const { task, svid: shown, pair } = await open();
    const chain = [new Uint8Array(shown.x509Svid)];
    const ofTask = parseX509Svid(chain, exportPkcs8(pair.privateKey));
    for (const svid of [await server.mint("/ai/researcher"), ofTask]) {
      const client = (await server.channel(svid)).client(TaskControlService);
      const call = client.getTask({ id: task.id });
      const refused = { ...refusal("CALLER_NOT_AUTHORIZED"), hint: /tasks\.orchestrators/ };
      await t.rejects(call, refused, String(svid.id));
    }
    const path = `/ai/researcher/task/${ULID}`;
    await t.rejects(server.mint(path), refusal("SVID_REQUEST_INVALID"), "nor is such an ID minted");
    await t.resolves(server.mint(`/web/task/${ULID}`), "others are theirs");
  },
);

t.test("administrators suspend, let go on and revoke", async (t) => {
  const { control, open, node } = await start(t);
  const { task } = await open();
  const { id } = task;
  t.match(await control.suspendTask({ id, reason: "look" }), {
    task: { state: TaskState.SUSPENDED, stateReason: "look" },
  });
  await t.rejects(node.newJWTSVID({ taskId: id, audience: [TOOLS] }), refusal("TASK_SUSPENDED"));
  t.match(await control.unsuspendTask({ id }), { task: { state: TaskState.ACTIVE } });
  const { ended } = await control.revokeTask({ id: task.spiffeId, reason: "no" });
  t.match(ended, [{ id, state: TaskState.REVOKED }]);
  await t.rejects(control.unsuspendTask({ id }), refusal("TASK_ENDED"));
  const page = await control.listTasks({ states: [TaskState.REVOKED], aiAgent: task.aiAgent });
  t.same(
    page.tasks.map((one) => one.id),
    [id],
  );
  t.equal((await control.listTasks({ states: [TaskState.ACTIVE] })).tasks.length, 0);
});

t.test("tells every node agent whom to refuse, at once, and the holder what changed", async (t) => {
  const { server, agent, other, control, open, node } = await start(t);
  const before = (await open()).task;
  await control.suspendTask({ id: before.id });
  const holder = await (await TestLink.open(server, agent)).synced();
  const elsewhere = await TestLink.open(server, other);
  t.teardown(() => holder.close());
  t.teardown(() => elsewhere.close());
  const tasks = new Map<string, signet.link.v1.TaskStatus>();
  let classes = 0;
  const follow = async (link: TestLink, isDone: () => boolean): Promise<void> => {
    while (!isDone()) {
      const { snapshot, delta } = await link.next();
      for (const one of [...(snapshot?.tasks ?? []), ...(delta?.tasks ?? [])]) {
        tasks.set(one.taskId, one);
      }
      classes += snapshot?.taskClasses.length ?? 0;
    }
  };
  await follow(elsewhere, () => elsewhere.cursor !== undefined);
  t.match(tasks.get(before.id), { verdict: TaskVerdict.REFUSED, state: "SUSPENDED", version: 2 });
  t.equal(classes, 4);
  await control.unsuspendTask({ id: before.id });
  await follow(elsewhere, () => tasks.get(before.id)?.verdict === TaskVerdict.GOOD);
  const { task } = await open();
  await node.change({ taskId: task.id, mandate: { uses: { value: 1 } } });
  await node.change({ taskId: task.id, to: TaskState.COMPLETED });
  await follow(elsewhere, () => tasks.has(task.id));
  t.match(tasks.get(task.id), {
    verdict: TaskVerdict.ENDED,
    spiffeId: task.spiffeId,
    version: 3,
    state: "COMPLETED",
  });
  t.equal(tasks.size, 2, "of what goes on elsewhere it hears nothing");
  elsewhere.close();
  await control.revokeTask({ id: before.id });
  tasks.clear();
  const resumed = await TestLink.reopen(server, other, elsewhere);
  await follow(resumed, () => tasks.size > 0);
  t.equal(resumed.resumed, true);
  t.same([...tasks.keys()], [before.id], "what it missed, and nothing more");
  resumed.close();
});

t.test("tells those who asked about a task, and no others, what changed of it", async (t) => {
  const { server, other, open, node, stranger } = await start(t);
  const asked = (await open()).task;
  const unasked = (await open()).task;
  const link = await (await TestLink.open(server, other)).synced();
  t.teardown(() => link.close());
  await stranger.describe({ taskIds: [asked.id, ULID] });
  for (const { id } of [unasked, asked]) {
    await node.change({ taskId: id, mandate: { uses: { value: 1 } } });
  }
  const told: signet.link.v1.TaskStatus[] = [];
  while (told.length === 0) told.push(...((await link.next()).delta?.tasks ?? []));
  t.match(told, [{ taskId: asked.id, verdict: TaskVerdict.GOOD, version: 2 }]);
  t.equal(told.length, 1);
});

t.test("a node agent that is banned takes its tasks with it", async (t) => {
  const { server, agent, control, open } = await start(t);
  const { task } = await open();
  const id = { trustDomain: "north.test", path: agent.id.slice("spiffe://north.test".length) };
  await server.admin.client(AgentService).banAgent({ id });
  for (let i = 0; i < 500; i++) {
    const now = (await control.getTask({ id: task.id })).task;
    if (now?.state === TaskState.REVOKED) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  t.match(await control.getTask({ id: task.id }), {
    task: { state: TaskState.REVOKED, stateReason: "its node agent is banned" },
  });
});
