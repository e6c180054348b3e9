// Server and node agent as processes of their own, for tests that abuse them: the ways in, what the
// processes hold as the kernel tells it, and innocent clients that must be served meanwhile.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { TLSSocket } from "node:tls";
import { authorizeId } from "../../client/tls/authorize.ts";
import { secureSocket } from "../../client/tls/connect.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import type { X509Svid } from "../../pki/x509/svid.ts";
import { type Channel, createChannel } from "../../proto/rpc/client.ts";
import {
  AgentService,
  BundleService,
  EntryService,
  HealthService,
  SpiffeWorkloadApi,
} from "../../proto/schema.gen.ts";
import { freePort } from "./listening.ts";
import { agentOf, attestOver, type TestAgent } from "./running-server.ts";
import { TestTlsSource } from "./tls-source.ts";
import { eventually, OWN_UID } from "./trust-domain.ts";
import { Watched } from "./watched.ts";

const HEADER = { "workload.spiffe.io": "true" } as const;
/** How long an innocent client waits: abuse may slow it down on a small machine, not stop it. */
const PATIENCE_MS = 8000;

interface Teardown {
  teardown(fn: () => unknown): void;
}

/** A way in: where HTTP/2 in plain text begins. */
export interface Door {
  readonly name: string;
  readonly process: Watched;
  dial(): Promise<Duplex>;
  /** A call that this door serves to whoever has come through it. */
  readonly path: string;
}

export class Abused {
  readonly folder: string = mkdtempSync(join(tmpdir(), "sg-"));
  readonly adminSocket: string = join(this.folder, "server.sock");
  readonly workloadSocket: string = join(this.folder, "agent.sock");
  readonly agentAdminSocket: string = join(this.folder, "agent-admin.sock");
  readonly address: { readonly host: string; readonly port: number };
  readonly server: Watched;
  readonly admin: Channel;
  /** The SPIFFE ID of the node, below which its entries are. */
  readonly node = "/node";
  #agent: Watched | undefined;
  readonly #channels: Channel[] = [];

  private constructor(port: number, listen: object, more: object) {
    this.address = { host: "127.0.0.1", port };
    this.server = new Watched([
      "server",
      "run",
      "--config",
      this.#config("server", {
        trust_domain: "north.test",
        data_dir: join(this.folder, "server"),
        admin_socket: this.adminSocket,
        listen: { address: "127.0.0.1", port, ...listen },
        ...more,
        rate_limit: { attestation: false, signing: false },
        log: { level: "warn" },
      }),
    ]);
    this.admin = this.#keep(createChannel({ address: { unix: this.adminSocket } }));
  }

  /**
   * Starts both; this process is a workload of the agent. `listen` is that section of the server's
   * configuration, `more` are others.
   */
  static async start(t: Teardown, listen: object = {}, more: object = {}): Promise<Abused> {
    const abused = new Abused(await freePort(), listen, more);
    t.teardown(() => abused.#stop());
    await abused.server.accepts(abused.adminSocket);
    const agentId = { trustDomain: "north.test", path: abused.node };
    const token = await abused.admin
      .client(AgentService)
      .createJoinToken({ ttl: 600, agentId }, { timeoutMs: PATIENCE_MS });
    abused.#agent = new Watched([
      "agent",
      "run",
      "--config",
      abused.#config("agent", {
        trust_domain: "north.test",
        data_dir: join(abused.folder, "agent"),
        server: { address: abused.address.host, port: abused.address.port },
        socket: abused.workloadSocket,
        admin_socket: abused.agentAdminSocket,
        insecure_bootstrap: true,
        join_token_file: abused.#file("token", token.value),
        log: { level: "warn" },
      }),
    ]);
    await abused.agent.accepts(abused.workloadSocket);
    await abused.register("/web");
    await eventually(() => abused.#fetchX509(abused.workload));
    return abused;
  }

  get agent(): Watched {
    if (this.#agent === undefined) throw new Error("there is no agent yet");
    return this.#agent;
  }

  /** Gives this process's user a SPIFFE ID with this path. */
  async register(path: string): Promise<void> {
    const { results } = await this.admin.client(EntryService).batchCreateEntry({
      entries: [
        {
          spiffeId: { trustDomain: "north.test", path },
          parentId: { trustDomain: "north.test", path: this.node },
          selectors: [{ type: "unix", value: OWN_UID.slice("unix:".length) }],
        },
      ],
    });
    if (results[0]?.status?.code !== 0) throw new Error(results[0]?.status?.message);
  }

  /** A new channel to the Workload API. */
  get workload(): Channel {
    return this.#keep(createChannel({ address: { unix: this.workloadSocket }, metadata: HEADER }));
  }

  /** A bare connection to the server's port. */
  async dial(): Promise<Socket> {
    const socket = connect(this.address);
    socket.on("error", () => undefined);
    await once(socket, "connect");
    return socket;
  }

  /** A TLS connection to the server that shows this SVID, or nothing. */
  async secure(svid?: X509Svid): Promise<TLSSocket> {
    const socket = await this.#secured(await this.source(svid), await this.dial());
    return socket.on("error", () => undefined);
  }

  /** A channel whose calls show this SVID, or nothing. */
  async channel(svid?: X509Svid): Promise<Channel> {
    const source = await this.source(svid);
    const secure = (socket: Socket): Promise<TLSSocket> => this.#secured(source, socket);
    return this.#keep(createChannel({ address: this.address, secure }));
  }

  /** What a client of the server shows and trusts. */
  async source(svid?: X509Svid): Promise<TestTlsSource> {
    const bundle = await this.admin.client(BundleService).getBundle({}, { timeoutMs: PATIENCE_MS });
    const anchors = bundle.x509Authorities.map(({ asn1 }) =>
      parseCertificate(new Uint8Array(asn1)),
    );
    return new TestTlsSource(svid, () => anchors);
  }

  /** Attests another node agent, which is nothing but a key and an SVID. */
  async attest(): Promise<TestAgent> {
    const { value } = await this.admin.client(AgentService).createJoinToken({ ttl: 600 });
    const keyPair = generateP256KeyPair();
    const { svid } = await attestOver(await this.channel(), {
      data: { type: "join_token", payload: Buffer.from(value) },
      params: { csr: createCsr(keyPair) },
    });
    return agentOf(svid, keyPair);
  }

  /** Every way in. */
  async doors(): Promise<readonly Door[]> {
    const { svid } = await this.attest();
    const unix = async (path: string): Promise<Duplex> => {
      const socket = connect(path);
      socket.on("error", () => undefined);
      await once(socket, "connect");
      return socket;
    };
    const bundle = "/spire.api.server.bundle.v1.Bundle/GetBundle";
    const health = "/grpc.health.v1.Health/Check";
    const [server, agent] = [this.server, this.agent];
    return [
      {
        name: "the Workload API",
        process: agent,
        dial: () => unix(this.workloadSocket),
        path: "/SpiffeWorkloadAPI/FetchX509SVID",
      },
      {
        name: "the agent's admin socket",
        process: agent,
        dial: () => unix(this.agentAdminSocket),
        path: health,
      },
      {
        name: "the server's admin socket",
        process: server,
        dial: () => unix(this.adminSocket),
        path: bundle,
      },
      {
        name: "the port, as a stranger",
        process: server,
        dial: () => this.secure(),
        path: bundle,
      },
      {
        name: "the port, as an agent",
        process: server,
        dial: () => this.secure(svid),
        path: bundle,
      },
    ];
  }

  /** Runs `abuse` while innocent clients call at every door, over new connections and old ones. Rejects when one is not served. */
  async whileServing<T>(abuse: () => Promise<T>): Promise<T> {
    const agent = await this.attest();
    const admin = this.#keep(createChannel({ address: { unix: this.agentAdminSocket } }));
    const [workload, stranger] = [this.workload, await this.channel()];
    const own = await this.channel(agent.svid);
    const options = { timeoutMs: PATIENCE_MS };
    const once = async (): Promise<void> => {
      await this.#fetchX509(workload);
      const fresh = createChannel({ address: { unix: this.workloadSocket }, metadata: HEADER });
      await this.#fetchX509(fresh).finally(() => fresh.close());
      await admin.client(HealthService).check({}, options);
      await this.admin.client(EntryService).countEntries({}, options);
      await again(() => stranger.client(BundleService).getBundle({}, options));
      await again(async () => {
        const another = await this.channel(agent.svid);
        await another
          .client(BundleService)
          .getBundle({}, options)
          .finally(() => another.close());
      });
      await own.client(EntryService).getAuthorizedEntries({}, options);
    };
    let over = false;
    let rounds = 0;
    const serving = (async () => {
      while (!over || rounds < 2) {
        await once();
        rounds++;
        await sleep(20);
      }
    })();
    serving.catch(() => undefined); // awaited below
    try {
      return await abuse();
    } finally {
      over = true;
      await serving;
      for (const channel of [admin, workload, stranger, own]) channel.close();
    }
  }

  async #fetchX509(channel: Channel): Promise<void> {
    const options = { timeoutMs: PATIENCE_MS };
    for await (const _ of channel.client(SpiffeWorkloadApi).fetchX509SVID({}, options)) return;
  }

  #secured(source: TestTlsSource, socket: Socket): Promise<TLSSocket> {
    return secureSocket(socket, {
      source,
      authorize: authorizeId("spiffe://north.test/spire/server"),
      alpnProtocols: ["h2"],
    });
  }

  #keep(channel: Channel): Channel {
    this.#channels.push(channel);
    return channel;
  }

  #config(name: string, config: object): string {
    return this.#file(`${name}.yaml`, JSON.stringify(config)); // JSON is YAML
  }

  #file(name: string, text: string): string {
    const path = join(this.folder, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  }

  async #stop(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.#agent?.stop();
    await this.server.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/**
 * Tries again when the connection was lost, as clients do: where one address holds all the connections it
 * can get, the oldest that has shown no certificate makes room, and that may be this one.
 */
async function again<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      const lost = error instanceof IdentityError && error.code === Status.unavailable;
      if (!lost || tries === 5) throw error;
    }
  }
}
