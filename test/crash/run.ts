// `npm run crash -- --rounds N`: kills server and agent with SIGKILL at random instants, each time with at
// least 50 writes in flight, starts them again on the same folders, and compares what is there with
// what was acknowledged; the audit log is verified, too. Exits 1 when anything acknowledged is gone, anything is there that nobody asked
// for, a spent token works again, or the agent comes back without its identity.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createChannel } from "../../proto/rpc/client.ts";
import { AgentService, EntryService } from "../../proto/schema.gen.ts";
import { freePort } from "../support/listening.ts";
import { fetchFirstId } from "./agent-check.ts";
import { checkAudit } from "./audit-check.ts";
import { Daemon } from "./daemon.ts";
import { compare, type Found, Ledger } from "./ledger.ts";
import { attest, PARENT_PATH, TRUST_DOMAIN, unverified, Writers } from "./writers.ts";

const WRITERS = 64;
const MIN_IN_FLIGHT = 50;
/** A folder is used for this many rounds, so that late rounds do not only measure loading. */
const ROUNDS_PER_FOLDER = 40;
const WORKLOAD = `spiffe://${TRUST_DOMAIN}/workload`;

interface Totals {
  rounds: number;
  acknowledged: number;
  inDoubt: number;
  foundInDoubt: number;
  lost: string[];
  phantoms: string[];
  tokensTried: number;
  tokensReused: number;
  agentKills: number;
  agentFailures: string[];
  inFlight: number[];
  auditEvents: number;
  auditProblems: string[];
}

class Site {
  readonly dir = mkdtempSync(join(tmpdir(), "signet-crash-"));
  readonly adminSocket = join(this.dir, "server", "server.sock");
  readonly agentSocket = join(this.dir, "agent.sock");
  readonly port: number;
  readonly ledger = new Ledger();
  readonly server: Daemon;
  readonly agent: Daemon;

  constructor(port: number) {
    this.port = port;
    const serverConfig = join(this.dir, "server.yaml");
    const agentConfig = join(this.dir, "agent.yaml");
    writeFileSync(
      serverConfig,
      `trust_domain: ${TRUST_DOMAIN}
data_dir: ${join(this.dir, "server")}
admin_socket: ${this.adminSocket}
listen: { address: 127.0.0.1, port: ${port} }
rate_limit: { attestation: false, signing: false }
log: { level: warn }
`,
    );
    writeFileSync(
      agentConfig,
      `trust_domain: ${TRUST_DOMAIN}
data_dir: ${join(this.dir, "agent")}
server: { address: 127.0.0.1, port: ${port} }
socket: ${this.agentSocket}
insecure_bootstrap: true
join_token_file: ${join(this.dir, "token")}
log: { level: warn }
`,
    );
    this.server = new Daemon(["server", "run", "--config", serverConfig]);
    this.agent = new Daemon(["agent", "run", "--config", agentConfig]);
  }

  /** Gives the agent a token of its own and the workload's entry, once. */
  async enroll(): Promise<void> {
    const channel = createChannel({ address: { unix: this.adminSocket } });
    try {
      const { value } = await channel.client(AgentService).createJoinToken({ ttl: 3600 });
      writeFileSync(join(this.dir, "token"), value, { mode: 0o600 });
      const agentPath = `/spire/agent/join_token/${value}`;
      this.ledger.agents.set(`spiffe://${TRUST_DOMAIN}${agentPath}`, "acknowledged");
      this.ledger.kept.add(`spiffe://${TRUST_DOMAIN}${agentPath}`);
      await channel.client(EntryService).batchCreateEntry({
        entries: [
          {
            id: "workload",
            spiffeId: { trustDomain: TRUST_DOMAIN, path: "/workload" },
            parentId: { trustDomain: TRUST_DOMAIN, path: agentPath },
            selectors: [{ type: "unix", value: `uid:${process.getuid?.()}` }],
          },
        ],
      });
      this.ledger.entries.set("workload", "acknowledged");
      this.ledger.kept.add("workload");
    } finally {
      channel.close();
    }
    await this.agent.start(this.agentSocket);
    await fetchFirstId(this.agentSocket);
    rmSync(join(this.dir, "token"));
  }

  async found(): Promise<Found> {
    const channel = createChannel({ address: { unix: this.adminSocket } });
    try {
      const entries = new Set<string>();
      for (let pageToken = ""; ; ) {
        const page = await channel.client(EntryService).listEntries({ pageSize: 500, pageToken });
        for (const entry of page.entries) {
          if (entry.parentId?.path === PARENT_PATH || entry.id === "workload")
            entries.add(entry.id);
        }
        pageToken = page.nextPageToken;
        if (pageToken === "") break;
      }
      const agents = new Map<string, boolean>();
      for (let pageToken = ""; ; ) {
        const page = await channel.client(AgentService).listAgents({ pageSize: 500, pageToken });
        for (const agent of page.agents) {
          agents.set(`spiffe://${agent.id?.trustDomain}${agent.id?.path}`, agent.banned);
        }
        pageToken = page.nextPageToken;
        if (pageToken === "") break;
      }
      return { entries, agents };
    } finally {
      channel.close();
    }
  }

  /** Tries the tokens that were spent last once more; resolves with how many were taken again. */
  async respend(limit: number): Promise<{ tried: number; reused: number }> {
    const spent = [...this.ledger.agents].flatMap(([id, outcome]) =>
      outcome === "acknowledged" ? [id.slice(id.lastIndexOf("/") + 1)] : [],
    );
    const address = { host: "127.0.0.1", port: this.port };
    const channel = createChannel({ address, secure: unverified });
    let reused = 0;
    const tokens = spent.slice(-limit);
    for (const token of tokens) {
      const taken = await attest(channel, token).then(
        () => true,
        () => false,
      );
      if (taken) reused++;
    }
    channel.close();
    return { tried: tokens.length, reused };
  }

  async remove(): Promise<void> {
    await this.agent.kill();
    await this.server.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** One round: write, kill, start again, compare. */
async function round(site: Site, number: number, totals: Totals): Promise<void> {
  const { adminSocket, port, ledger } = site;
  const options = { adminSocket, port, ledger, count: WRITERS, tag: `r${number}` };
  const writers = new Writers(options);
  writers.start();
  const killAfter = Date.now() + 20 + Math.random() * 300;
  const deadline = Date.now() + 30_000;
  while (writers.inFlight < MIN_IN_FLIGHT || Date.now() < killAfter) {
    if (Date.now() > deadline) {
      throw new Error(`never ${MIN_IN_FLIGHT} writes in flight:\n${site.server.errors}`);
    }
    await sleep(1);
  }
  totals.inFlight.push(writers.inFlight);
  const killsAgent = Math.random() < 0.5;
  await Promise.all([site.server.kill(), killsAgent ? site.agent.kill() : undefined]);
  await writers.stop();

  await site.server.start(adminSocket);
  const comparison = compare(ledger, await site.found());
  totals.rounds++;
  totals.lost.push(...comparison.lost);
  totals.phantoms.push(...comparison.phantoms);
  totals.acknowledged += comparison.acknowledged;
  totals.inDoubt += comparison.inDoubt;
  totals.foundInDoubt += comparison.foundInDoubt;
  const audit = await checkAudit(join(site.dir, "server", "audit"), ledger, `r${number}-`);
  totals.auditEvents += audit.events;
  totals.auditProblems.push(...audit.problems.map((problem) => `round ${number}: ${problem}`));
  const { tried, reused } = await site.respend(5);
  totals.tokensTried += tried;
  totals.tokensReused += reused;
  if (killsAgent) {
    totals.agentKills++;
    await site.agent.start(site.agentSocket);
  }
  const id = await fetchFirstId(site.agentSocket).catch((error: Error) => error.message);
  if (id !== WORKLOAD) totals.agentFailures.push(`round ${number}: ${id}\n${site.agent.errors}`);
  settle(ledger, await site.found());
}

/** What was in doubt is decided now: the next crash must not change it. */
function settle(ledger: Ledger, found: Found): void {
  const decide = (map: Map<string, unknown>, tookEffect: (key: string) => boolean): void => {
    for (const [key, outcome] of map) {
      if (outcome !== "in doubt") continue;
      if (tookEffect(key)) map.set(key, "acknowledged");
      else map.delete(key);
    }
  };
  decide(ledger.deletions, (id) => ledger.entries.has(id) && !found.entries.has(id));
  decide(ledger.entries, (id) => found.entries.has(id));
  decide(ledger.agents, (id) => found.agents.has(id));
  decide(ledger.bans, (id) => found.agents.get(id) === true);
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: "string", default: "20" } } });
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error("--rounds takes a whole number");
  const totals: Totals = {
    rounds: 0,
    acknowledged: 0,
    inDoubt: 0,
    foundInDoubt: 0,
    lost: [],
    phantoms: [],
    tokensTried: 0,
    tokensReused: 0,
    agentKills: 0,
    agentFailures: [],
    inFlight: [],
    auditEvents: 0,
    auditProblems: [],
  };
  const started = Date.now();
  let site: Site | undefined;
  try {
    for (let number = 0; number < rounds; number++) {
      if (number % ROUNDS_PER_FOLDER === 0) {
        await site?.remove();
        site = new Site(await freePort());
        await site.server.start(site.adminSocket);
        await site.enroll();
      }
      if (site !== undefined) await round(site, number, totals);
      if ((number + 1) % 10 === 0) {
        process.stderr.write(
          `${number + 1} rounds, ${Math.round((Date.now() - started) / 1000)} s\n`,
        );
      }
    }
  } finally {
    await site?.remove();
  }
  report(totals, (Date.now() - started) / 1000);
}

function report(totals: Totals, seconds: number): void {
  const sorted = totals.inFlight.toSorted((a, b) => a - b);
  const rows: readonly [string, string | number][] = [
    ["rounds (kill -9 of the server)", totals.rounds],
    ["kill -9 of the agent", totals.agentKills],
    [
      "writes in flight at the kill, least / median",
      `${sorted[0]} / ${sorted[sorted.length >> 1]}`,
    ],
    ["acknowledged writes checked, all rounds", totals.acknowledged],
    ["in doubt", totals.inDoubt],
    ["in doubt and found", totals.foundInDoubt],
    ["acknowledged and lost", totals.lost.length],
    ["found and never asked for", totals.phantoms.length],
    ["spent tokens tried again / taken again", `${totals.tokensTried} / ${totals.tokensReused}`],
    ["restarts after which the agent did not serve", totals.agentFailures.length],
    ["events of the audit log verified, all rounds", totals.auditEvents],
    ["audit logs damaged, or without what was acknowledged", totals.auditProblems.length],
    ["seconds", Math.round(seconds)],
  ];
  for (const [name, value] of rows) process.stdout.write(`${name.padEnd(54)} ${value}\n`);
  const { lost, phantoms, agentFailures, auditProblems } = totals;
  for (const line of [...lost, ...phantoms, ...agentFailures, ...auditProblems].slice(0, 20)) {
    process.stdout.write(`${line}\n`);
  }
  const wrong =
    lost.length +
    phantoms.length +
    totals.tokensReused +
    agentFailures.length +
    auditProblems.length;
  process.exitCode = wrong > 0 ? 1 : 0;
}

await main();
