// A server and a node agent, processes of their own, with AI agents and a verifier registered for whoever
// runs the test: what journeys of tasks begin with.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createChannel } from "../../proto/rpc/client.ts";
import { AgentService, EntryService } from "../../proto/schema.gen.ts";
import { Daemon } from "../crash/daemon.ts";
import { freePort } from "./listening.ts";
import { signet } from "./signet.ts";

const NORTH = "north.test";

export class TaskSite {
  readonly dir: string = mkdtempSync(join(tmpdir(), "ts-"));
  readonly adminSocket: string = join(this.dir, "server.sock");
  readonly agentSocket: string = join(this.dir, "agent.sock");
  readonly endpoint: string = `unix://${this.agentSocket}`;
  readonly port: number;
  readonly #server: Daemon;
  readonly #agent: Daemon;
  #agentPath = "";

  private constructor(port: number, serverYaml: string) {
    this.port = port;
    const server = `trust_domain: ${NORTH}
data_dir: ${join(this.dir, "server")}
admin_socket: ${this.adminSocket}
listen: { address: 127.0.0.1, port: ${port} }
log: { level: warn }
${serverYaml}`;
    const agent = `trust_domain: ${NORTH}
data_dir: ${join(this.dir, "agent")}
server: { address: 127.0.0.1, port: ${port} }
socket: ${this.agentSocket}
insecure_bootstrap: true
join_token_file: ${join(this.dir, "token.yaml")}
log: { level: warn }
`;
    this.#server = new Daemon(["server", "run", "--config", this.#write("server", server)]);
    this.#agent = new Daemon(["agent", "run", "--config", this.#write("agent", agent)]);
  }

  /** Starts both; `serverYaml` goes into the server's configuration. */
  static async start(serverYaml = ""): Promise<TaskSite> {
    const site = new TaskSite(await freePort(), serverYaml);
    await site.startServer();
    const channel = createChannel({ address: { unix: site.adminSocket } });
    try {
      const { value } = await channel.client(AgentService).createJoinToken({ ttl: 600 });
      site.#write("token", value);
      site.#agentPath = `/spire/agent/join_token/${value}`;
    } finally {
      channel.close();
    }
    await site.startAgent();
    return site;
  }

  startServer(): Promise<void> {
    return this.#server.start(this.adminSocket);
  }

  startAgent(): Promise<void> {
    return this.#agent.start(this.agentSocket);
  }

  /** In order, as an operator does. */
  stopServer(): Promise<void> {
    return this.#server.stop();
  }

  stopAgent(): Promise<void> {
    return this.#agent.stop();
  }

  /** SIGSTOP: its connections stay, and nothing is answered. */
  freezeAgent(): void {
    this.#agent.freeze();
  }

  thawAgent(): void {
    this.#agent.thaw();
  }

  get agentId(): string {
    return `spiffe://${NORTH}${this.#agentPath}`;
  }

  /** Registers a workload for whoever runs the test; its hint is its path. */
  async register(path: string): Promise<void> {
    const channel = createChannel({ address: { unix: this.adminSocket } });
    try {
      const { results } = await channel.client(EntryService).batchCreateEntry({
        entries: [
          {
            spiffeId: { trustDomain: NORTH, path },
            parentId: { trustDomain: NORTH, path: this.#agentPath },
            selectors: [{ type: "unix", value: `uid:${process.getuid?.()}` }],
            hint: path.slice(1),
          },
        ],
      });
      if (results[0]?.status?.code !== 0) throw new Error(results[0]?.status?.message);
    } finally {
      channel.close();
    }
  }

  /** Registers an AI agent whose processes are those of whoever runs the test; answers its SPIFFE ID. */
  async registerAiAgent(path: string, ...more: string[]): Promise<string> {
    const id = `spiffe://${NORTH}${path}`;
    await this.admin(
      ...["ai-agent", "create", id, "--owner", "team:test", "--purpose", "tests"],
      ...["--environment", "test", "--until", "7d", "--task-class", "read-only"],
      ...["--task-class", "standard", "--location", "https://mcp.north.test/tickets"],
      ...["--action", "tools/**", "--parent-id", this.agentId],
      ...["--selector", `unix:uid:${process.getuid?.()}`, ...more],
    );
    return id;
  }

  /** `signet ARGS` as its administrator; fails the caller when the command fails. */
  async admin(...args: string[]): Promise<string> {
    const env = { ...process.env, SIGNET_ADMIN_SOCKET: this.adminSocket };
    const { status, stdout, stderr } = await signet(args, { env });
    if (status !== 0) throw new Error(`signet ${args.join(" ")}: ${stderr}`);
    return stdout;
  }

  async stop(): Promise<void> {
    await this.#agent.kill();
    await this.#server.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }

  #write(name: string, text: string): string {
    const path = join(this.dir, `${name}.yaml`);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }
}
