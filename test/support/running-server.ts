// A whole server on a free port of 127.0.0.1, and node agents that are nothing but a key and an SVID.
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { authorizeId } from "../../client/tls/authorize.ts";
import { secureSocket } from "../../client/tls/connect.ts";
import { exportPkcs8, generateP256KeyPair, type KeyPair } from "../../pki/keys.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { parseX509Svid, type X509Svid } from "../../pki/x509/svid.ts";
import type { Init } from "../../proto/codec.ts";
import { type Channel, createChannel } from "../../proto/rpc/client.ts";
import { AgentService, BundleService, SvidService, type spire } from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";
import { parseConfig } from "../../runtime/config.ts";
import { type Logger, silentLogger } from "../../runtime/log.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { type RunningServer, start } from "../../server/main.ts";
import { TestTlsSource } from "./tls-source.ts";

export interface TestServerOptions {
  /** Lines of YAML besides trust domain, folder and port. */
  readonly config?: string;
  /** The section `listen`, as YAML; by default a free port of 127.0.0.1. */
  readonly listen?: string;
  /** Off unless asked for. */
  readonly rateLimit?: boolean;
  readonly clock?: Clock;
  readonly log?: Logger;
  /** A folder that is kept; by default a temporary one, removed at the end. */
  readonly dir?: string;
}

/** An agent's side: its key, its SVID, and a way in. */
export interface TestAgent {
  readonly id: string;
  readonly keyPair: KeyPair;
  readonly svid: X509Svid;
}

export class TestServer {
  readonly running: RunningServer;
  readonly dir: string;
  readonly admin: Channel;
  readonly #temporary: boolean;
  readonly #clock: Clock | undefined;
  readonly #channels: Channel[] = [];

  private constructor(
    running: RunningServer,
    dir: string,
    temporary: boolean,
    clock: Clock | undefined,
  ) {
    this.#clock = clock;
    this.running = running;
    this.dir = dir;
    this.#temporary = temporary;
    this.admin = this.#keep(createChannel({ address: { unix: running.adminSocket } }));
  }

  static async start(options: TestServerOptions = {}): Promise<TestServer> {
    const dir = options.dir ?? mkdtempSync(join(tmpdir(), "signet-"));
    const limited = options.rateLimit === true;
    const yaml = [
      "trust_domain: north.test",
      `data_dir: ${dir}`,
      `listen: ${options.listen ?? "{ address: 127.0.0.1, port: 0 }"}`,
      `rate_limit: { attestation: ${limited}, signing: ${limited} }`,
      options.config ?? "",
    ].join("\n");
    const running = await start(parseConfig(yaml, serverConfigSchema), {
      log: options.log ?? silentLogger,
      version: "test",
      ...(options.clock && { clock: options.clock }),
    });
    return new TestServer(running, dir, options.dir === undefined, options.clock);
  }

  /** The anchors that the server publishes now. */
  async anchors(): Promise<ReturnType<typeof parseCertificate>[]> {
    const bundle = await this.admin.client(BundleService).getBundle({});
    return bundle.x509Authorities.map(({ asn1 }) => parseCertificate(new Uint8Array(asn1)));
  }

  /** A source that shows `svid` to this server, or nothing. */
  async source(svid: X509Svid | undefined): Promise<TestTlsSource> {
    const anchors = await this.anchors();
    return new TestTlsSource(svid, () => anchors);
  }

  /** A TLS connection to the server that shows this SVID. */
  async secure(svid: X509Svid | undefined): Promise<TLSSocket> {
    const source = await this.source(svid);
    return this.#secured(source, await this.dial());
  }

  /** A bare connection. */
  async dial(): Promise<Socket> {
    const socket = connect(this.running.address);
    await new Promise<void>((resolve, reject) =>
      socket.once("connect", resolve).once("error", reject),
    );
    return socket;
  }

  /** A channel whose calls show this SVID, or nothing. */
  async channel(svid?: X509Svid): Promise<Channel> {
    const source = await this.source(svid);
    return this.#keep(
      createChannel({
        address: this.running.address,
        secure: (socket) => this.#secured(source, socket),
        backoff: { initialMs: 20, maxMs: 20 },
      }),
    );
  }

  /** A join token that is good for ten minutes. */
  async token(request: { ttl?: number; agentPath?: string; token?: string } = {}): Promise<string> {
    const { agentPath, ttl = 600, token = "" } = request;
    const made = await this.admin.client(AgentService).createJoinToken({
      ttl,
      token,
      ...(agentPath !== undefined && {
        agentId: { trustDomain: "north.test", path: agentPath },
      }),
    });
    return made.value;
  }

  /** Attests a new agent with a join token. */
  async attest(token?: string): Promise<TestAgent> {
    const keyPair = generateP256KeyPair();
    const channel = await this.channel();
    const result = await attestOver(channel, {
      data: { type: "join_token", payload: Buffer.from(token ?? (await this.token())) },
      params: { csr: createCsr(keyPair) },
    });
    channel.close();
    return agentOf(result.svid, keyPair);
  }

  /** An SVID of this trust domain that an administrator has made, for a path such as "/web". */
  async mint(path: string): Promise<X509Svid> {
    const keyPair = generateP256KeyPair();
    const csr = createCsr(keyPair, { uris: [`spiffe://north.test${path}`] });
    const { svid } = await this.admin.client(SvidService).mintX509SVID({ csr });
    return agentOf(svid, keyPair).svid;
  }

  async stop(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.running.stop();
    if (this.#temporary) rmSync(this.dir, { recursive: true, force: true });
  }

  #keep(channel: Channel): Channel {
    this.#channels.push(channel);
    return channel;
  }

  #secured(source: TestTlsSource, socket: Socket): Promise<TLSSocket> {
    return secureSocket(socket, {
      source,
      authorize: authorizeId("spiffe://north.test/spire/server"),
      alpnProtocols: ["h2"],
      ...(this.#clock && { clock: this.#clock }),
    });
  }
}

/** Runs AttestAgent with these params; returns the result or throws what the server answers. */
export async function attestOver(
  channel: Channel,
  params: Init<spire.api.server.agent.v1.AttestAgentRequest.Params>,
): Promise<spire.api.server.agent.v1.AttestAgentResponse.Result> {
  const call = channel.client(AgentService).attestAgent();
  await call.send({ params });
  for await (const response of call.responses) {
    if (response.result !== undefined) {
      call.end();
      return response.result;
    }
  }
  throw new Error("the stream ended without a result");
}

/** The agent that holds this SVID. */
export function agentOf(svid: spire.api.types.X509SVID | undefined, keyPair: KeyPair): TestAgent {
  const chain = svid?.certChain.map((der) => new Uint8Array(der)) ?? [];
  const parsed = parseX509Svid(chain, exportPkcs8(keyPair.privateKey));
  return { id: parsed.id.toString(), keyPair, svid: parsed };
}
