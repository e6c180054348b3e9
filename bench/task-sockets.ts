// Many commands in tasks on one node agent, each with a private socket of its own, as 2,000 `signet task run`
// would have them (here one program launches them all): how fast they start and end, and what memory and
// descriptors each takes. It runs the built command: `npm run build && node bench/task-sockets.ts [--quick]`
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { generateP256KeyPair } from "../pki/keys.ts";
import { createCsr } from "../pki/x509/csr.ts";
import { type BidiCall, type Channel, createChannel } from "../proto/rpc/client.ts";
import { EntryService, RegistryService, type signet, TaskAPIService } from "../proto/schema.gen.ts";
import { type Measured, Site, TRUST_DOMAIN } from "./site.ts";

type Call = BidiCall<signet.task.v1.RunTaskRequest, signet.task.v1.RunTaskResponse>;

const COUNT = process.argv.includes("--quick") ? 200 : 2_000;
const AT_ONCE = 16;
/** The node agent takes 200 streams on one connection. */
const PER_CHANNEL = 100;
const rows: string[][] = [];

interface Run {
  readonly call: Call;
  readonly command: ChildProcess;
}

function row(what: string, ...figures: readonly string[]): void {
  rows.push([what, figures.join(", ")]);
  process.stderr.write(`${what}: ${figures.join(", ")}\n`);
}

async function each<T>(count: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) results.push(await work(next++));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return results;
}

async function measured<T>(
  agent: Measured,
  count: number,
  work: () => Promise<T>,
): Promise<[T, string[]]> {
  const [began, cpu] = [performance.now(), agent.cpuSeconds()];
  const result = await work();
  const seconds = (performance.now() - began) / 1000;
  const perCpu = Math.round(count / (agent.cpuSeconds() - cpu));
  return [result, [`${Math.round(count / seconds)}/s`, `${perCpu} per CPU-s of the node agent`]];
}

async function register(site: Site): Promise<void> {
  const admin = createChannel({ address: { unix: site.adminSocket } });
  const spiffeId = { trustDomain: TRUST_DOMAIN, path: "/ai/many" };
  const parentId = {
    trustDomain: TRUST_DOMAIN,
    path: site.agentId.slice(`spiffe://${TRUST_DOMAIN}`.length),
  };
  const selectors = [{ type: "unix", value: `uid:${process.getuid?.()}` }];
  await admin
    .client(EntryService)
    .batchCreateEntry({ entries: [{ spiffeId, parentId, selectors }] });
  const any = { any: true, values: [] };
  await admin.client(RegistryService).createAiAgent({
    aiAgent: {
      ...{ spiffeId: `spiffe://${TRUST_DOMAIN}/ai/many`, owner: "team:bench", purpose: "bench" },
      ...{ environment: "bench", validUntil: Math.floor(Date.now() / 1000) + 86_400 },
      ceiling: {
        locations: { values: ["https://tickets.test/"] },
        ...{
          actions: { values: ["tools/**"] },
          datatypes: any,
          environment: { values: ["bench"] },
        },
      },
      ...{ taskClasses: ["standard"], maxOpenTasks: 10_000 },
    },
  });
  admin.close();
}

async function launch(channel: Channel): Promise<Run> {
  const call = channel.client(TaskAPIService).runTask();
  const csr = createCsr(generateP256KeyPair());
  await call.send({ open: { taskClass: "standard", purpose: "bench", csr }, launchName: "" });
  const { value: first } = await call.responses.next();
  if (first?.ready === undefined) throw new Error("no socket");
  const command = spawn("sleep", ["3600"], { stdio: "ignore" });
  await call.send({ started: { pid: command.pid ?? 0 } });
  for (;;) {
    const { value, done } = await call.responses.next();
    if (done === true) throw new Error("not admitted");
    if (value.admitted !== undefined) return { call, command };
  }
}

async function finish({ call, command }: Run): Promise<void> {
  await call.send({ finished: { succeeded: true, detail: "" } });
  for await (const _ of call.responses); // to the end of the lease
  command.kill("SIGKILL");
}

async function eventually<T>(attempt: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + 20_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

const site = new Site();
const runs: Run[] = [];
try {
  await site.startServer("tasks: { max_open_per_ai_agent: 10000, open_rate: 100000 }\n");
  const agent = await site.startAgent();
  await register(site);
  const address = { unix: site.agentSocket };
  const metadata = { "workload.spiffe.io": "true" };
  const channels = Array.from({ length: Math.ceil(COUNT / PER_CHANNEL) }, () =>
    createChannel({ address, metadata }),
  );
  const channel = (i: number): Channel => channels[i % channels.length] as Channel;
  await finish(await eventually(() => launch(channel(0))));
  await sleep(2000);
  const before = { megabytes: agent.residentMegabytes(), descriptors: agent.descriptors() };
  const count = COUNT.toLocaleString("en");
  const [launched, rate] = await measured(agent, COUNT, () =>
    each(COUNT, (i) => launch(channel(i))),
  );
  runs.push(...launched);
  row(`${count} commands started in tasks of their own, ${AT_ONCE} at once`, ...rate);
  await sleep(20_000); // its memory is trimmed when it rests
  const megabytes = agent.residentMegabytes();
  const kilobytes = ((megabytes - before.megabytes) * 1024) / COUNT;
  row(
    "memory of the node agent",
    `${before.megabytes} MB before, ${megabytes} MB with them`,
    `${kilobytes.toFixed(1)} KB a task`,
  );
  const descriptors = (agent.descriptors() - before.descriptors) / COUNT;
  row("descriptors of the node agent", `${descriptors.toFixed(2)} a task`);
  const idle = agent.cpuSeconds();
  await sleep(10_000);
  row(
    "CPU of the node agent at rest",
    `${((agent.cpuSeconds() - idle) * 10).toFixed(1)} % of one core`,
  );
  const [, ends] = await measured(agent, COUNT, () =>
    each(COUNT, async () => finish(runs.pop() as Run)),
  );
  row("all of them end", ...ends);
  await sleep(20_000);
  const after = { megabytes: agent.residentMegabytes(), descriptors: agent.descriptors() };
  row(
    "afterwards",
    `${after.megabytes} MB`,
    `${after.descriptors - before.descriptors} descriptors more than before`,
  );
  for (const one of channels) one.close();
} finally {
  for (const { command } of runs) command.kill("SIGKILL");
  await site.stop();
}
const width = Math.max(...rows.map(([what = ""]) => what.length));
for (const [what = "", figures = ""] of rows) {
  process.stdout.write(`${what.padEnd(width)}  ${figures}\n`);
}
