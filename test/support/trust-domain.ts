// A whole trust domain in one process: a real server and a real node agent in a temporary folder, with
// clients of the server's admin socket and of the agent's Workload API.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AgentConfig, agentConfigSchema } from "../../agent/config.ts";
import { type RunningAgent, start as startAgent } from "../../agent/main.ts";
import type { Init } from "../../proto/codec.ts";
import { type Channel, type ClientOf, createChannel } from "../../proto/rpc/client.ts";
import {
  AgentService,
  EntryService,
  LocalAuthorityService,
  SpiffeWorkloadApi,
  type spire,
} from "../../proto/schema.gen.ts";
import { entryFromWire, entryToWire, type RegistrationEntry } from "../../proto/types/entry.ts";
import { parseSelector } from "../../proto/types/selector.ts";
import { createLogger, type Logger, silentLogger } from "../../runtime/log.ts";
import { type ServerConfig, serverConfigSchema } from "../../server/config.ts";
import { type RunningServer, start as startServer } from "../../server/main.ts";

interface Teardown {
  teardown(fn: () => unknown): void;
}

export interface TrustDomainOptions {
  readonly name?: string;
  /** Of the server's configuration file. */
  readonly server?: Record<string, unknown>;
  /** Of the agent's configuration file. */
  readonly agent?: Record<string, unknown>;
  readonly verbose?: boolean;
}

/** What an entry needs; the rest is empty. */
export interface EntrySpec {
  readonly path: string;
  readonly selectors?: readonly string[];
  readonly hint?: string;
  readonly ttlSeconds?: number;
  readonly more?: Partial<RegistrationEntry>;
}

/** The selector of this process, which plays the workload in most tests. */
export const OWN_UID = `unix:uid:${process.getuid?.() ?? 0}`;

export class TestTrustDomain {
  readonly folder: string = mkdtempSync(join(tmpdir(), "sg-"));
  readonly name: string;
  readonly log: Logger;
  readonly #options: TrustDomainOptions;
  readonly #channels: Channel[] = [];
  #port = 0;
  server: RunningServer | undefined;
  agent: RunningAgent | undefined;

  constructor(t: Teardown, options: TrustDomainOptions = {}) {
    this.#options = options;
    this.name = options.name ?? "north.test";
    this.log = options.verbose === true ? createLogger({ level: "debug" }) : silentLogger;
    t.teardown(async () => {
      for (const channel of this.#channels) channel.close();
      await this.agent?.stop();
      await this.server?.stop();
      rmSync(this.folder, { recursive: true, force: true });
    });
  }

  get serverConfig(): ServerConfig {
    return serverConfigSchema.parse({
      trust_domain: this.name,
      data_dir: join(this.folder, "server"),
      listen: { address: "127.0.0.1", port: this.#port },
      rate_limit: { attestation: false, signing: false },
      ...this.#options.server,
    });
  }

  get agentConfig(): AgentConfig {
    return agentConfigSchema.parse({
      trust_domain: this.name,
      data_dir: join(this.folder, "agent"),
      server: { address: "127.0.0.1", port: this.#port },
      socket: join(this.folder, "agent.sock"),
      insecure_bootstrap: true,
      ...this.#options.agent,
    });
  }

  async startServer(): Promise<RunningServer> {
    this.server = await startServer(this.serverConfig, { log: this.log.child({ part: "server" }) });
    this.#port = this.server.address.port;
    return this.server;
  }

  /** Starts an agent, with a new join token unless it has attested before. */
  async startAgent(options: { joinToken?: string | undefined } = {}): Promise<RunningAgent> {
    const joinToken = "joinToken" in options ? options.joinToken : await this.joinToken();
    this.agent = await startAgent(this.agentConfig, {
      log: this.log.child({ part: "agent" }),
      version: "0.1.0",
      ...(joinToken !== undefined && { joinToken }),
    });
    return this.agent;
  }

  /** Server and agent, linked. */
  async start(): Promise<void> {
    await this.startServer();
    const agent = await this.startAgent();
    await agent.ready;
  }

  get #admin(): Channel {
    const channel = createChannel({
      address: { unix: this.server?.adminSocket ?? join(this.folder, "server", "server.sock") },
    });
    this.#channels.push(channel);
    return channel;
  }

  get agents(): ClientOf<typeof AgentService> {
    return this.#admin.client(AgentService);
  }

  get entries(): ClientOf<typeof EntryService> {
    return this.#admin.client(EntryService);
  }

  get authorities(): ClientOf<typeof LocalAuthorityService> {
    return this.#admin.client(LocalAuthorityService);
  }

  async joinToken(): Promise<string> {
    return (await this.agents.createJoinToken({ ttl: 600 })).value;
  }

  /** The SPIFFE ID of the one agent there is. */
  async agentId(): Promise<string> {
    const { agents } = await this.agents.listAgents({ pageSize: 10 });
    const id = agents[0]?.id;
    if (id === undefined) throw new Error("no agent has attested");
    return `spiffe://${id.trustDomain}${id.path}`;
  }

  async createEntry(spec: EntrySpec): Promise<RegistrationEntry> {
    const entry = entryToWire({
      id: "",
      spiffeId: `spiffe://${this.name}${spec.path}`,
      parentId: await this.agentId(),
      selectors: (spec.selectors ?? [OWN_UID]).map(parseSelector),
      x509SvidTtlSeconds: spec.ttlSeconds ?? 0,
      jwtSvidTtlSeconds: 0,
      federatesWith: [],
      admin: false,
      downstream: false,
      expiresAtUnixSeconds: 0,
      dnsNames: [],
      revisionNumber: 0,
      storeSvid: false,
      hint: spec.hint ?? "",
      createdAtUnixSeconds: 0,
      disableX509SvidPrefetch: false,
      jwtSvidIncludeJti: false,
      ...spec.more,
    }) as Init<spire.api.types.Entry>;
    const { results } = await this.entries.batchCreateEntry({ entries: [entry] });
    const [result] = results;
    if (result?.status.code !== 0) throw new Error(result?.status.message ?? "no result");
    return entryFromWire(result.entry);
  }

  async deleteEntry(id: string): Promise<void> {
    await this.entries.batchDeleteEntry({ ids: [id] });
  }

  /** A connection of this process to the agent's socket. */
  workload(socket = join(this.folder, "agent.sock")): ClientOf<typeof SpiffeWorkloadApi> {
    const channel = createChannel({
      address: { unix: socket },
      metadata: { "workload.spiffe.io": "true" },
    });
    this.#channels.push(channel);
    return channel.client(SpiffeWorkloadApi);
  }
}

/** Tries again until it works or ten seconds have passed: for what happens soon, by itself. */
export async function eventually<T>(attempt: () => Promise<T> | T, timeoutMs = 10_000): Promise<T> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
