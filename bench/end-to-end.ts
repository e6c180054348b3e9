// Everything that waits on Signet, measured from outside by the Go client of bench/load: issuing at the
// server, first answers at the agent, arrival of a new entry, creation of entries, memory, start-up. Figures
// that mean throughput are per CPU-second of the process that is measured, since client and server
// share the machine. It runs the built command: `npm run build && node bench/end-to-end.ts [--quick]`
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { WorkloadApi } from "../client/index.ts";
import { type Line, type Measured, SIGNET, Site, TRUST_DOMAIN } from "./site.ts";

const quick = process.argv.includes("--quick");
const seconds = quick ? 3 : 10;
/** Daemons give memory back when they have been quiet for 10 to 20 seconds. */
const QUIET_MS = quick ? 25_000 : 60_000;
const rows: string[][] = [];

function row(what: string, aim: string, ...figures: readonly string[]): void {
  rows.push([what, figures.join(", "), aim]);
  process.stderr.write(`${what}: ${figures.join(", ")}\n`);
}

function ms(line: Line, key: string): string {
  return `${key.slice(0, 3)} ${Number(line[key]).toFixed(2)} ms`;
}

async function issuing(site: Site, server: Measured): Promise<void> {
  for (const [what, aim, args] of [
    [
      "BatchNewX509SVID, 50 a call, 2 callers",
      ">= 4000 per CPU-s",
      ["-batch", "50", "-callers", "2"],
    ],
    [
      "BatchNewX509SVID, 1 a call, 8 callers",
      ">= 2000 per CPU-s",
      ["-batch", "1", "-callers", "8"],
    ],
    ["NewJWTSVID, 8 callers", ">= 2500 per CPU-s", ["-kind", "jwt", "-callers", "8"]],
  ] as const) {
    const token = await site.token();
    const parent = `spiffe://${TRUST_DOMAIN}/spire/agent/join_token/${token}`;
    const prefix = `spiffe://${TRUST_DOMAIN}/${token.slice(0, 8)}`;
    await site.run(
      "populate",
      "-admin",
      site.adminSocket,
      "-parent",
      parent,
      "-prefix",
      prefix,
      "-n",
      "100",
    );
    const before = server.cpuSeconds();
    const common = [
      "-addr",
      `127.0.0.1:${site.port}`,
      "-token",
      token,
      "-seconds",
      String(seconds),
    ];
    const line = await site.run("issue", ...common, ...args);
    const cpu = server.cpuSeconds() - before;
    const rate = Number(line["svids_per_s"] ?? line["per_s"]);
    const perCpu = (rate * seconds) / cpu;
    row(
      what,
      aim,
      `${perCpu.toFixed(0)} per CPU-s`,
      `${rate.toFixed(0)}/s`,
      ms(line, "p50_ms"),
      ms(line, "p99_ms"),
    );
  }
}

async function firstAnswers(site: Site, agent: Measured): Promise<void> {
  const n = quick ? 1000 : 5000;
  for (const [what, aim, args] of [
    [
      "FetchX509SVID, 1 caller, kept connection",
      "p50 <= 0.5 ms",
      ["-callers", "1", "-n", String(n)],
    ],
    [
      "FetchX509SVID, 1 caller, fresh connection",
      "p50 <= 1 ms",
      ["-callers", "1", "-n", String(n / 2), "-fresh"],
    ],
    ["FetchX509SVID, 50 callers, kept", ">= 5500/s", ["-callers", "50", "-n", String(n / 10)]],
    ["FetchX509SVID, 50 callers, fresh", "", ["-callers", "50", "-n", String(n / 25), "-fresh"]],
  ] as const) {
    const before = agent.cpuSeconds();
    const line = await site.run("fetch", "-socket", site.agentSocket, ...args);
    const perCpu = Number(line["n"]) / (agent.cpuSeconds() - before);
    const failed = Number(line["failed"]) > 0 ? [`${line["failed"]} FAILED`] : [];
    row(
      what,
      aim,
      ms(line, "p50_ms"),
      ms(line, "p99_ms"),
      `${Number(line["per_s"]).toFixed(0)}/s`,
      `${perCpu.toFixed(0)} per CPU-s of the agent`,
      ...failed,
    );
  }
  const jwt = await site.run(
    "jwt",
    "-socket",
    site.agentSocket,
    "-callers",
    "8",
    "-n",
    String(n / 10),
  );
  row(
    "FetchJWTSVID, 8 callers, new audience each time",
    "",
    ms(jwt, "p50_ms"),
    ms(jwt, "p99_ms"),
    `${Number(jwt["per_s"]).toFixed(0)}/s`,
  );
  const same = await site.run(
    "jwt",
    "-socket",
    site.agentSocket,
    "-callers",
    "8",
    "-n",
    String(n / 10),
    "-unique=false",
  );
  row(
    "FetchJWTSVID, 8 callers, same audience",
    "",
    ms(same, "p50_ms"),
    ms(same, "p99_ms"),
    `${Number(same["per_s"]).toFixed(0)}/s`,
  );
}

async function arrival(site: Site): Promise<void> {
  const rounds = quick ? 200 : 1000;
  const line = await site.run(
    "propagate",
    "-admin",
    site.adminSocket,
    "-socket",
    site.agentSocket,
    "-parent",
    site.agentId,
    "-prefix",
    `spiffe://${TRUST_DOMAIN}/arrival`,
    "-selector",
    `unix:uid:${process.getuid?.()}`,
    "-n",
    String(rounds),
  );
  row(
    `entry created -> SVID in a waiting client, ${rounds} entries`,
    "p99 <= 50 ms",
    ms(line, "p50_ms"),
    ms(line, "p99_ms"),
    ms(line, "max_ms"),
  );
}

async function creation(site: Site): Promise<void> {
  const n = quick ? 20_000 : 100_000;
  const line = await site.run(
    "populate",
    "-admin",
    site.adminSocket,
    "-parent",
    `spiffe://${TRUST_DOMAIN}/elsewhere`,
    "-prefix",
    `spiffe://${TRUST_DOMAIN}/many`,
    "-n",
    String(n),
  );
  const tenths = line["per_s_by_tenth"] as readonly number[];
  row(
    `entries created, 500 a call, ${n}`,
    ">= 5000/s, flat",
    `${line["per_s"]}/s`,
    `by tenth ${tenths.join(" ")}`,
  );
}

/** From typing `signet up` to holding an SVID: a new folder, and the same folder once more. */
async function startUp(): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), "signet-up-"));
  const figures: string[] = [];
  for (const which of ["new", "again"]) {
    const began = performance.now();
    const child = spawn(process.execPath, [SIGNET, "up", "--dir", dir], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
    });
    while (!output.includes("agent.sock")) await sleep(2);
    const readyMs = performance.now() - began;
    if (which === "new") await registerSelf(dir);
    using api = new WorkloadApi({ endpoint: `unix://${join(dir, "agent.sock")}` });
    for (;;) {
      const svid = await api.fetchX509Svid().catch(() => undefined);
      if (svid !== undefined) break;
      await sleep(5);
    }
    figures.push(
      `${which}: ready ${readyMs.toFixed(0)} ms, SVID ${(performance.now() - began).toFixed(0)} ms`,
    );
    const exited = once(child, "exit");
    child.kill("SIGTERM");
    await exited;
  }
  rmSync(dir, { recursive: true, force: true });
  row("`signet up` to the first SVID", "<= 1500 ms", ...figures);
}

async function registerSelf(dir: string): Promise<void> {
  const { createChannel } = await import("../proto/rpc/client.ts");
  const { AgentService, EntryService } = await import("../proto/schema.gen.ts");
  const channel = createChannel({ address: { unix: join(dir, "server.sock") } });
  const { agents } = await channel.client(AgentService).listAgents({});
  const id = agents[0]?.id;
  await channel.client(EntryService).batchCreateEntry({
    entries: [
      {
        spiffeId: { trustDomain: id?.trustDomain ?? "", path: "/me" },
        parentId: id,
        selectors: [{ type: "unix", value: `uid:${process.getuid?.()}` }],
      },
    ],
  });
  channel.close();
}

const site = new Site();
try {
  const server = await site.startServer();
  const agent = await site.startAgent();
  await site.register("/me", { type: "unix", value: `uid:${process.getuid?.()}` });
  await sleep(QUIET_MS);
  const idle = `server ${server.residentMegabytes()} MB, agent ${agent.residentMegabytes()} MB`;
  row("memory, idle", "agent <= 100 MB", idle);
  await firstAnswers(site, agent);
  const after = agent.residentMegabytes();
  await sleep(QUIET_MS);
  row(
    "memory of the agent after the fetches, and a while later",
    "<= 150 MB",
    `${after} MB`,
    `${agent.residentMegabytes()} MB`,
  );
  await arrival(site);
  await issuing(site, server);
  await creation(site);
  const full = server.residentMegabytes();
  await sleep(QUIET_MS);
  row(
    "memory of the server with these entries, and a while later",
    "",
    `${full} MB`,
    `${server.residentMegabytes()} MB`,
  );
} finally {
  await site.stop();
}
await startUp();

process.stdout.write("| what | figure | aim |\n|---|---|---|\n");
for (const cells of rows) process.stdout.write(`| ${cells.join(" | ")} |\n`);
