// A server and a node agent as processes of their own, for the benchmarks that measure them from
// outside: their CPU time and memory from /proc, the load from the Go client of bench/load. The
// processes run what users run, the built command: `npm run bench` builds it first.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createChannel } from "../proto/rpc/client.ts";
import { AgentService, EntryService } from "../proto/schema.gen.ts";

/** The built command. */
export const SIGNET: string = new URL("../dist/cli/index.js", import.meta.url).pathname;
export const TRUST_DOMAIN = "bench.test";

/** One line that the load client printed. */
export type Line = Readonly<Record<string, number | string | boolean | readonly number[]>>;

/** Builds the load client into `dir` and gives its path. */
export function buildLoad(dir: string): string {
  const binary = join(dir, "load");
  const source = new URL("load", import.meta.url).pathname;
  const { status, stderr } = spawnSync("go", ["build", "-o", binary, "."], {
    cwd: source,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the load client needs Go 1.26 or later: ${stderr}`);
  return binary;
}

/** A process whose cost is read from /proc. */
export class Measured {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** CPU seconds so far, user and system, all threads. */
  cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  residentMegabytes(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
  }

  /** Open files, sockets and processes that it holds. */
  descriptors(): number {
    return readdirSync(`/proc/${this.#child.pid}/fd`).length;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
  }
}

export class Site {
  readonly dir: string = mkdtempSync(join(tmpdir(), "signet-bench-"));
  readonly adminSocket: string = join(this.dir, "server", "server.sock");
  readonly agentSocket: string = join(this.dir, "agent.sock");
  readonly load: string = buildLoad(this.dir);
  port = 0;
  /** SPIFFE ID of the node agent, once it runs. */
  agentId = "";
  server: Measured | undefined;
  agent: Measured | undefined;

  /** Starts the server, with more lines of configuration; again, on the same folder and port. */
  async startServer(more = ""): Promise<Measured> {
    this.port ||= await freePort();
    const config = join(this.dir, "server.yaml");
    writeFileSync(
      config,
      `trust_domain: ${TRUST_DOMAIN}
data_dir: ${join(this.dir, "server")}
admin_socket: ${this.adminSocket}
listen: { address: 127.0.0.1, port: ${this.port} }
rate_limit: { attestation: false, signing: false }
log: { level: warn }
${more}`,
    );
    this.server = await start(["server", "run", "--config", config], this.adminSocket);
    return this.server;
  }

  async startAgent(): Promise<Measured> {
    const token = await this.token();
    const config = join(this.dir, "agent.yaml");
    const tokenFile = join(this.dir, "token");
    writeFileSync(tokenFile, token, { mode: 0o600 });
    writeFileSync(
      config,
      `trust_domain: ${TRUST_DOMAIN}
data_dir: ${join(this.dir, "agent")}
server: { address: 127.0.0.1, port: ${this.port} }
socket: ${this.agentSocket}
insecure_bootstrap: true
join_token_file: ${tokenFile}
log: { level: warn }
`,
    );
    this.agent = await start(["agent", "run", "--config", config], this.agentSocket);
    this.agentId = `spiffe://${TRUST_DOMAIN}/spire/agent/join_token/${token}`;
    return this.agent;
  }

  async token(): Promise<string> {
    const channel = createChannel({ address: { unix: this.adminSocket } });
    try {
      return (await channel.client(AgentService).createJoinToken({ ttl: 3600 })).value;
    } finally {
      channel.close();
    }
  }

  /** Registers `path` for a selector, below the agent. */
  async register(path: string, selector: { type: string; value: string }): Promise<void> {
    const channel = createChannel({ address: { unix: this.adminSocket } });
    try {
      const parentPath = this.agentId.slice(`spiffe://${TRUST_DOMAIN}`.length);
      const { results } = await channel.client(EntryService).batchCreateEntry({
        entries: [
          {
            spiffeId: { trustDomain: TRUST_DOMAIN, path },
            parentId: { trustDomain: TRUST_DOMAIN, path: parentPath },
            selectors: [selector],
          },
        ],
      });
      if (results[0]?.status?.code !== 0) throw new Error(results[0]?.status?.message);
    } finally {
      channel.close();
    }
  }

  /** Runs the load client; resolves with its last line. */
  async run(...args: readonly string[]): Promise<Line> {
    const child = spawn(this.load, args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    for await (const chunk of child.stdout) output += chunk;
    const last = output.trim().split("\n").at(-1) ?? "";
    if (!last.startsWith("{")) throw new Error(`load ${args.join(" ")}: ${output}`);
    return JSON.parse(last) as Line;
  }

  async stop(): Promise<void> {
    await this.agent?.stop();
    await this.server?.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

async function start(args: readonly string[], socket: string): Promise<Measured> {
  const child = spawn(process.execPath, [SIGNET, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const { connect } = await import("node:net");
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const probe = connect(socket, () => {
        probe.destroy();
        resolve(true);
      }).once("error", () => resolve(false));
    });
    if (open) return new Measured(child);
    if (child.exitCode !== null) throw new Error(`signet ${args.join(" ")} ended`);
    await sleep(10);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
