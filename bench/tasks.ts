// Many tasks: 100,000 open ones on one server, 2,000 on one node agent. How fast they open and end, what
// memory each takes, and how long a restart needs that finds them. It runs the built command:
// `npm run build && node bench/tasks.ts [--quick]`
import { randomBytes } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { generateP256KeyPair } from "../pki/keys.ts";
import { createCsr } from "../pki/x509/csr.ts";
import { type Channel, createChannel } from "../proto/rpc/client.ts";
import {
  EntryService,
  NodeTasksService,
  RegistryService,
  TaskAPIService,
  TaskControlService,
  TaskState,
} from "../proto/schema.gen.ts";
import { attestNode, type BenchNode } from "./node.ts";
import { type Measured, Site, TRUST_DOMAIN } from "./site.ts";

const quick = process.argv.includes("--quick");
const ON_SERVER = quick ? 5_000 : 100_000;
const ON_NODE = quick ? 200 : 2_000;
const ENDED = quick ? 2_000 : 20_000;
const AT_ONCE = 64;
const CONFIG = `tasks:
  max_open_per_ai_agent: 200000
  open_rate: 100000
`;
const rows: string[][] = [];

function row(what: string, ...figures: readonly string[]): void {
  rows.push([what, figures.join(", ")]);
  process.stderr.write(`${what}: ${figures.join(", ")}\n`);
}

/** Requests of 256 keys in turn: making a key costs the client more than a task costs the server. */
const csrs = Array.from({ length: 256 }, () => createCsr(generateP256KeyPair()));
const csr = (i: number): Uint8Array => csrs[i % csrs.length] as Uint8Array;

/** Runs `work` for 0 to count-1, some at once. */
async function each(count: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** How long it took, and what a process spent on it. */
async function measured(
  process: Measured,
  count: number,
  work: () => Promise<void>,
): Promise<string[]> {
  const [began, cpu] = [performance.now(), process.cpuSeconds()];
  await work();
  const seconds = (performance.now() - began) / 1000;
  return [
    `${Math.round(count / seconds).toLocaleString("en")}/s`,
    `${Math.round(count / (process.cpuSeconds() - cpu)).toLocaleString("en")} per CPU-s`,
  ];
}

async function register(
  admin: Channel,
  path: string,
  node: string,
  selector: { type: string; value: string },
): Promise<string> {
  const parentId = {
    trustDomain: TRUST_DOMAIN,
    path: node.slice(`spiffe://${TRUST_DOMAIN}`.length),
  };
  const spiffeId = { trustDomain: TRUST_DOMAIN, path };
  const { results } = await admin
    .client(EntryService)
    .batchCreateEntry({ entries: [{ spiffeId, parentId, selectors: [selector] }] });
  await admin.client(RegistryService).createAiAgent({
    aiAgent: {
      spiffeId: `spiffe://${TRUST_DOMAIN}${path}`,
      owner: "team:bench",
      purpose: "opens many tasks",
      environment: "bench",
      validUntil: Math.floor(Date.now() / 1000) + 86_400,
      ceiling: {
        locations: { values: ["https://tickets.test/"] },
        actions: { values: ["tools/**"] },
        datatypes: { values: ["ticket"] },
        environment: { values: ["bench"] },
      },
      taskClasses: ["standard"],
      maxOpenTasks: 200_000,
    },
  });
  return results[0]?.entry?.id ?? "";
}

async function onServer(site: Site, admin: Channel, node: BenchNode): Promise<void> {
  const server = site.server as Measured;
  const entryId = await register(admin, "/ai/many", node.id, { type: "unix", value: "uid:1" });
  const tasks = node.channel.client(NodeTasksService);
  const ids: string[] = [];
  const open = async (i: number): Promise<void> => {
    const task = {
      taskClass: "standard",
      purpose: `ticket ${i}`,
      csr: csr(i),
      ttlSeconds: 8 * 3600,
      idempotencyKey: randomBytes(12).toString("hex"),
    };
    const binding = { pid: 1000 + i, uid: 1, startTime: 5, bootId: "bench" };
    const { task: opened } = await tasks.open({ entryIds: [entryId], task, binding });
    ids.push(opened?.id ?? "");
  };
  await each(500, open); // warm
  await sleep(2000);
  const memory = server.residentMegabytes();
  row(
    `open, ${ON_SERVER.toLocaleString("en")} on one server, ${AT_ONCE} at once`,
    ...(await measured(server, ON_SERVER, () => each(ON_SERVER, open))),
  );
  await sleep(20_000); // its memory is trimmed when it rests
  const now = server.residentMegabytes();
  row(
    "memory of the server",
    `${memory} MB before, ${now} MB with them`,
    `${(((now - memory) * 1024) / ON_SERVER).toFixed(1)} KB a task`,
  );
  row("on disk", `${megabytes(site.dir)} MB in all`);
  const control = admin.client(TaskControlService);
  const began = performance.now();
  await control.getTask({ id: ids[7] ?? "" });
  row("one shown among them", `${(performance.now() - began).toFixed(1)} ms`);

  node.channel.close();
  const stopping = performance.now();
  await server.stop();
  const stopped = performance.now();
  const again = await site.startServer(CONFIG);
  row(
    "restart of the server with them",
    `stops in ${((stopped - stopping) / 1000).toFixed(1)} s`,
    `serves after ${((performance.now() - stopped) / 1000).toFixed(1)} s`,
  );
  const { task } = await control.getTask({ id: ids[7] ?? "" });
  if (task?.state !== TaskState.ACTIVE) throw new Error("a restart ended a task");
  row(
    `revoke, ${ENDED.toLocaleString("en")} of them, ${AT_ONCE} at once`,
    ...(await measured(again, ENDED, () =>
      each(ENDED, (i) => control.revokeTask({ id: ids[i] ?? "", reason: "bench" })),
    )),
  );
}

async function onNode(site: Site, admin: Channel): Promise<void> {
  const agent = await site.startAgent();
  const uid = process.getuid?.() ?? 0;
  await register(admin, "/ai/here", site.agentId, { type: "unix", value: `uid:${uid}` });
  const channel = createChannel({
    address: { unix: site.agentSocket },
    metadata: { "workload.spiffe.io": "true" },
  });
  const api = channel.client(TaskAPIService);
  const ids: string[] = [];
  const open = async (i: number): Promise<void> => {
    const request = { taskClass: "standard", purpose: `ticket ${i}`, csr: csr(i) };
    const { task } = await api.openTask(request);
    ids.push(task?.id ?? "");
  };
  await eventually(() => open(0));
  await sleep(2000);
  const memory = agent.residentMegabytes();
  row(
    `open, ${ON_NODE.toLocaleString("en")} on one node agent, ${AT_ONCE} at once`,
    ...(await measured(agent, ON_NODE, () => each(ON_NODE, open))),
  );
  await sleep(20_000);
  const now = agent.residentMegabytes();
  row(
    "memory of the node agent",
    `${memory} MB before, ${now} MB with them`,
    `${(((now - memory) * 1024) / ON_NODE).toFixed(1)} KB a task`,
  );
  channel.close();
}

async function eventually(attempt: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

function megabytes(dir: string): number {
  let bytes = 0;
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const stat = statSync(join(dir, name), { throwIfNoEntry: false });
    if (stat?.isFile()) bytes += stat.size;
  }
  return Math.round(bytes / 1e6);
}

const site = new Site();
try {
  await site.startServer(CONFIG);
  const admin = createChannel({ address: { unix: site.adminSocket } });
  await onServer(site, admin, await attestNode(site));
  await onNode(site, admin);
  admin.close();
} finally {
  await site.stop();
}
const width = Math.max(...rows.map(([what = ""]) => what.length));
for (const [what = "", figures = ""] of rows) {
  process.stdout.write(`${what.padEnd(width)}  ${figures}\n`);
}
