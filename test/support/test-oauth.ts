// A whole server with a token issuer behind TLS, an AI agent, and a node agent that opens tasks for it: what
// tests of the token issuer need. Requests go over real connections, with or without a certificate.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { request as httpsRequest, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { exportPkcs8, generateP256KeyPair, type KeyPair } from "../../pki/keys.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { formatPem } from "../../pki/x509/pem.ts";
import { parseX509Svid, type X509Svid } from "../../pki/x509/svid.ts";
import type { Init } from "../../proto/codec.ts";
import type { ClientOf } from "../../proto/rpc/client.ts";
import {
  NodeTasksService,
  RegistryService,
  type signet,
  TaskControlService,
} from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";
import { TestServer } from "./running-server.ts";
import { WebAuthority } from "./web-certificate.ts";

export const ISSUER = "https://id.north.test";
export const TOOL = "https://mcp.north.test/tickets";
export const OTHER_TOOL = "https://mcp.north.test/mail";
export const AGENT = "spiffe://north.test/agent/researcher";
export const JWT_SPIFFE = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe";
export const JWT_BEARER_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

export interface OAuthAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  /** Parsed, if it is JSON. */
  readonly body: Record<string, unknown>;
}

export interface OAuthTask {
  readonly id: string;
  readonly spiffeId: string;
  readonly key: KeyPair;
  readonly svid: X509Svid;
  readonly task: signet.task.v1.Task;
}

export interface PostOptions {
  readonly svid?: X509Svid | undefined;
  readonly headers?: Record<string, string>;
  readonly method?: string;
}

export class TestOAuth {
  readonly server: TestServer;
  readonly authority: WebAuthority;
  readonly nodeTasks: ClientOf<typeof NodeTasksService>;
  readonly nodeAgent: { readonly id: string; readonly svid: X509Svid };
  readonly #entryIds: readonly string[];

  private constructor(
    parts: Pick<TestOAuth, "server" | "authority" | "nodeTasks" | "nodeAgent">,
    entryIds: readonly string[],
  ) {
    this.server = parts.server;
    this.authority = parts.authority;
    this.nodeTasks = parts.nodeTasks;
    this.nodeAgent = parts.nodeAgent;
    this.#entryIds = entryIds;
  }

  /** `config`: more lines of YAML. */
  static async start(
    t: Test,
    options: { config?: string; clock?: Clock } = {},
  ): Promise<TestOAuth> {
    const authority = new WebAuthority();
    // Each its own: a second one must not exchange the certificate of the first.
    const folder = mkdtempSync(join(tmpdir(), "signet-web-"));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const { certFile, keyFile } = authority.write(folder, { dnsNames: ["id.north.test"] });
    const { config = "", ...rest } = options;
    const server = await TestServer.start({
      config: `oauth: { issuer: "${ISSUER}", address: 127.0.0.1, port: 0, cert_file: ${certFile}, key_file: ${keyFile} }\n${config}`,
      ...rest,
    });
    t.teardown(() => server.stop());
    const agent = await server.attest();
    const parent = agent.id.slice("spiffe://north.test".length);
    const { aiAgent } = await server.admin.client(RegistryService).createAiAgent({
      aiAgent: {
        spiffeId: AGENT,
        owner: "team:test",
        purpose: "tests",
        environment: "test",
        validUntil: Math.floor((options.clock?.now() ?? new Date()).getTime() / 1000) + 86_400,
        ceiling: {
          locations: { values: [TOOL, OTHER_TOOL] },
          actions: { values: ["tools/**"] },
          datatypes: { any: true },
          environment: { values: ["test"] },
          maxSensitivity: { value: 5 },
        },
        taskClasses: ["standard", "sensitive"],
      },
      entry: {
        spiffeId: { trustDomain: "north.test", path: "/agent/researcher" },
        parentId: { trustDomain: "north.test", path: parent },
        selectors: [{ type: "test", value: "a" }],
      },
    });
    const channel = await server.channel(agent.svid);
    const nodeTasks = channel.client(NodeTasksService);
    const parts = { server, authority, nodeTasks, nodeAgent: agent };
    return new TestOAuth(parts, aiAgent?.entryIds ?? []);
  }

  /** Opens a task for the AI agent. */
  async open(task: Init<signet.task.v1.OpenTaskRequest> = {}): Promise<OAuthTask> {
    const key = generateP256KeyPair();
    const answer = await this.nodeTasks.open({
      entryIds: [...this.#entryIds],
      task: { taskClass: "standard", purpose: "a test", csr: createCsr(key), ...task },
    });
    if (answer.task === undefined || answer.svid === undefined) throw new Error("no task");
    const chain = [new Uint8Array(answer.svid.x509Svid)];
    const svid = parseX509Svid(chain, exportPkcs8(key.privateKey));
    const { id, spiffeId } = answer.task;
    return { id, spiffeId, key, svid, task: answer.task };
  }

  /** A JWT-SVID of a task. */
  async jwt({ id }: OAuthTask, audience = ISSUER): Promise<string> {
    return (await this.nodeTasks.newJWTSVID({ taskId: id, audience: [audience] })).token;
  }

  /** A WIT-SVID of a task, for its key. */
  async wit({ id, key }: OAuthTask): Promise<string> {
    return (await this.nodeTasks.newWITSVID({ taskId: id, publicKey: key.spki })).token;
  }

  /** Administrators' way to suspend, revoke and so on. */
  get control(): ClientOf<typeof TaskControlService> {
    return this.server.admin.client(TaskControlService);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<OAuthAnswer> {
    return this.send(path, undefined, { method: "GET", headers });
  }

  /** Posts a form. */
  post(
    path: string,
    form: Record<string, string>,
    options: PostOptions = {},
  ): Promise<OAuthAnswer> {
    return this.send(path, new URLSearchParams(form).toString(), options);
  }

  /** Asks for a token with a JWT-SVID as client assertion. */
  async token(
    task: OAuthTask,
    form: Record<string, string> = {},
    options: PostOptions = {},
  ): Promise<OAuthAnswer> {
    const assertion =
      options.svid === undefined
        ? { client_assertion_type: JWT_SPIFFE, client_assertion: await this.jwt(task) }
        : {};
    const fields = { grant_type: "client_credentials", resource: TOOL, ...assertion, ...form };
    return this.post("/token", fields, options);
  }

  async introspect(token: string): Promise<OAuthAnswer> {
    return this.post("/introspect", { token }, { svid: this.nodeAgent.svid });
  }

  async send(
    path: string,
    body: string | Uint8Array | undefined,
    options: PostOptions = {},
  ): Promise<OAuthAnswer> {
    const asked = httpsRequest(this.#requestOptions(path, options, body));
    asked.end(body);
    const [response] = (await once(asked, "response")) as [IncomingMessage];
    const chunks: Uint8Array[] = [];
    for await (const chunk of response) chunks.push(chunk as Uint8Array);
    const text = Buffer.concat(chunks).toString();
    const isJson = response.headers["content-type"]?.includes("json") === true;
    const parsed = isJson ? JSON.parse(text) : {};
    return { status: response.statusCode ?? 0, headers: response.headers, text, body: parsed };
  }

  /** For libraries that take a fetch: the issuer's host is this listener. */
  fetchAs(svid?: X509Svid): (url: string, init?: RequestInit) => Promise<Response> {
    return async (url, init = {}) => {
      const { pathname, search } = new URL(url);
      const headers = Object.fromEntries(new Headers(init.headers ?? {}));
      const body = init.body === undefined || init.body === null ? undefined : String(init.body);
      const method = init.method ?? "GET";
      const answer = await this.send(pathname + search, body, { svid, headers, method });
      const answered = Object.entries(answer.headers).map(([k, v]) => [k, String(v)]);
      return new Response(answer.text, {
        status: answer.status,
        headers: answered as [string, string][],
      });
    };
  }

  get port(): number {
    return this.server.running.documents.oauth?.port ?? 0;
  }

  #requestOptions(
    path: string,
    { svid, headers, method = "POST" }: PostOptions,
    body: unknown,
  ): RequestOptions {
    return {
      host: "127.0.0.1",
      port: this.port,
      servername: "id.north.test",
      ca: this.authority.pem,
      path,
      method,
      agent: false,
      headers: {
        ...(body !== undefined && { "content-type": "application/x-www-form-urlencoded" }),
        ...headers,
      },
      ...(svid !== undefined && {
        cert: svid.chain.map((der) => formatPem("CERTIFICATE", der)).join(""),
        key: formatPem("PRIVATE KEY", exportPkcs8(svid.privateKey)),
      }),
    };
  }
}
