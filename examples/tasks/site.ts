// The daemons of this example, what is registered, and its workloads.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { CLI, type Participant, selectorOf, separation, start } from "../processes.ts";
import type { Report } from "./report.ts";

export const TRUST_DOMAIN = "tasks.test";
/** What tokens for the ticket server name; where it listens is another matter. */
export const RESOURCE = "https://mcp.tasks.test/tickets";
const NAMES = ["researcher", "tickets"] as const;

export class Site {
  readonly dir: string = mkdtempSync(join(tmpdir(), "signet-"));
  readonly serverDir: string = join(this.dir, "server");
  readonly adminSocket: string = join(this.serverDir, "server.sock");
  readonly agentSocket: string = join(this.dir, "agent.sock");
  /** What `signet apply` printed. */
  applied = "";
  /** Where access tokens come from. */
  issuer = "";
  /** Where the ticket server listens. */
  ticketsUrl = "";
  readonly #how = separation(NAMES);
  readonly #daemons: ChildProcess[] = [];
  readonly #participants: Participant<Report>[] = [];

  constructor() {
    chmodSync(this.dir, 0o711);
  }

  /** Runs `signet ARGS` against the server. */
  signet(...args: string[]): { readonly status: number | null; readonly text: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
      encoding: "utf8",
      env: { ...process.env, SIGNET_ADMIN_SOCKET: this.adminSocket, NO_COLOR: "1" },
    });
    return { status, text: status === 0 ? stdout : `${stdout}${stderr}` };
  }

  /** The same, which must succeed. */
  must(...args: string[]): string {
    const { status, text } = this.signet(...args);
    if (status !== 0) throw new Error(`signet ${args.join(" ")}: ${text}`);
    return text;
  }

  /** Starts server and node agent, and registers who there is. */
  async start(): Promise<void> {
    const [port, issuerPort] = [await freePort(), await freePort()];
    this.issuer = `http://127.0.0.1:${issuerPort}`;
    const server = this.#write(
      "server.yaml",
      `trust_domain: ${TRUST_DOMAIN}
data_dir: ${this.serverDir}
admin_socket: ${this.adminSocket}
listen: { address: 127.0.0.1, port: ${port} }
oauth: { issuer: "${this.issuer}", address: 127.0.0.1, port: ${issuerPort}, http: true }
`,
    );
    await this.#daemon(["server", "run", "--config", server], this.adminSocket);
    const { value: token } = JSON.parse(
      this.must("token", "generate", "--ttl", "10m", "--output", "json"),
    ) as { value: string };
    const agent = this.#write(
      "agent.yaml",
      `trust_domain: ${TRUST_DOMAIN}
data_dir: ${join(this.dir, "agent")}
server: { address: 127.0.0.1, port: ${port} }
socket: ${this.agentSocket}
trust_bundle_file: ${this.#write("bundle.pem", this.must("bundle", "show"))}
join_token_file: ${this.#write("token", token)}
`,
    );
    await this.#daemon(["agent", "run", "--config", agent], this.agentSocket);
    const declared = readFileSync(new URL("registry.yaml", import.meta.url), "utf8")
      .replaceAll("NODE", `spiffe://${TRUST_DOMAIN}/spire/agent/join_token/${token}`)
      .replaceAll("RESEARCHER", selectorOf("researcher", this.#how))
      .replaceAll("TICKETS", selectorOf("tickets", this.#how));
    this.applied = this.must("apply", "--file", this.#write("registry.yaml", declared));
  }

  /** Starts the ticket server, then the AI agent. */
  async startWorkloads(): Promise<{
    readonly tickets: Participant<Report>;
    readonly researcher: Participant<Report>;
  }> {
    const [how, socket] = [this.#how, this.agentSocket];
    const env = { RESOURCE, ISSUER: this.issuer };
    const tickets = start<Report>("tickets", "tasks/ticket-server.ts", how, { socket, env });
    this.#participants.push(tickets);
    const { port } = await tickets.next("listening");
    this.ticketsUrl = `https://127.0.0.1:${port}/tickets`;
    const researcher = start<Report>("researcher", "tasks/researcher.ts", how, {
      socket,
      env: { ...env, TICKETS: this.ticketsUrl },
    });
    this.#participants.push(researcher);
    return { tickets, researcher };
  }

  async stop(): Promise<void> {
    for (const one of this.#participants) if (one.running) one.kill("SIGKILL");
    for (const child of this.#daemons.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, "exit");
      child.kill("SIGTERM");
      await exited;
    }
  }

  #write(name: string, text: string): string {
    const path = join(this.dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  async #daemon(args: readonly string[], socket: string): Promise<void> {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "ignore", "pipe"] });
    let log = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      log = `${log}${text}`.slice(-8000);
    });
    this.#daemons.push(child);
    while (!existsSync(socket)) {
      if (child.exitCode !== null) throw new Error(`signet ${args.join(" ")} ended:\n${log}`);
      await sleep(10);
    }
  }
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}
