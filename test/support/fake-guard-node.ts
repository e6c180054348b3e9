// FakeGuardNode: what a guard meets on its node, as a real gRPC server on a unix socket: the Workload API with
// the guard's own identity, and the guard's service with tasks, budgets and states that a test sets. It also
// issues what tasks show: SVIDs, JWT-SVIDs, access tokens.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import type { TlsSource } from "../../client/tls/source.ts";
import type { WorkloadWitSvid } from "../../client/wit/wit-context.ts";
import { spkiToJwk } from "../../pki/bundle/jwk.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { signToken } from "../../pki/jwt/sign-token.ts";
import { validateJwtSvid } from "../../pki/jwt/svid.ts";
import { generateP256KeyPair, type KeyPair, signerOf } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { newUlid } from "../../pki/task-id.ts";
import { issueAccessToken } from "../../pki/token/issue-access-token.ts";
import { formatJwks } from "../../pki/token/jwks.ts";
import { formatAuthorizationDetails } from "../../policy/authorization-details.ts";
import type { Mandate } from "../../policy/mandate.ts";
import { mandateToWire } from "../../policy/mandate-wire.ts";
import type { Init } from "../../proto/codec.ts";
import { createRpcServer, type RpcServer } from "../../proto/rpc/server.ts";
import {
  GuardService,
  SpiffeWorkloadApi,
  type signet,
  TaskState,
  TaskVerdict,
} from "../../proto/schema.gen.ts";
import { structFromJson } from "../../proto/types/struct.ts";
import { x509SvidToWire } from "./fake-workload-api.ts";
import { TestAuthority } from "./test-authority.ts";
import { TestWit } from "./test-wit.ts";
import { TestTlsSource } from "./tls-source.ts";

type Event = signet.audit.v1.Event;
type Message = Init<signet.guard.v1.WatchStatusResponse>;
type Task = Init<signet.task.v1.Task> & { id: string; spiffeId: string };

export const AI_AGENT = "spiffe://north.test/agent/researcher";
export const ISSUER = "https://id.north.test";

export const MANDATE: Mandate = {
  locations: ["https://localhost/mcp"],
  actions: ["tools/**", "resources/**", "prompts/**", "http/**"],
  datatypes: [],
  uses: undefined,
  depth: 0,
  maxSensitivity: 0,
  untilUnixSeconds: undefined,
  environment: "test",
};

/** What an access token of a test says otherwise than usual. */
export type TokenChange = Partial<Parameters<typeof issueAccessToken>[0]> & {
  readonly mandate?: Mandate;
};

export class FakeGuardNode {
  readonly endpoint: string;
  readonly authority: TestAuthority;
  readonly tasks: Map<string, Task> = new Map();
  readonly events: Event[] = [];
  readonly jwtKeys: KeyPair = generateP256KeyPair();
  readonly wits: TestWit = new TestWit();
  /** As the flag of a node agent. */
  servesWit = true;
  readonly oauthKeys: KeyPair = generateP256KeyPair();
  classes: signet.link.v1.TaskClassRules[] = [
    { name: "standard", failMode: "ttl", requirePop: false },
    { name: "sensitive", failMode: "closed", requirePop: true },
  ];
  fresh = true;
  /** Thrown by the next calls of the guard's service, by method. */
  readonly failures: Map<string, IdentityError> = new Map();
  /** Called before an event is acknowledged. */
  onRecord: (events: readonly Event[]) => void | Promise<void> = () => {};
  spent = 0;
  /** What the guard has shown of tasks, in the order of its requests. */
  readonly shown: Buffer[] = [];
  readonly #folder: string;
  readonly #watchers: Set<(message: Message) => void> = new Set();
  readonly #sockets: Set<Socket> = new Set();
  readonly #refused: Map<string, Init<signet.link.v1.TaskStatus>> = new Map();
  #rpc: RpcServer | undefined;
  #listener: Server | undefined;
  #beat: NodeJS.Timeout | undefined;
  #own: Parameters<typeof x509SvidToWire>[0] | undefined;

  private constructor(authority: TestAuthority) {
    this.authority = authority;
    this.#folder = mkdtempSync(join(tmpdir(), "guard-"));
    this.endpoint = `unix://${join(this.#folder, "api.sock")}`;
  }

  /** `ownId`: who the guard is. */
  static async start(t: Test, ownId = "spiffe://north.test/tickets"): Promise<FakeGuardNode> {
    const node = new FakeGuardNode(await TestAuthority.create());
    node.#own = await node.authority.issueId(SpiffeId.parse(ownId));
    t.teardown(async () => {
      await node.stop();
      rmSync(node.#folder, { recursive: true, force: true });
    });
    await node.start();
    return node;
  }

  async start(): Promise<void> {
    const rpc = createRpcServer({
      onInternalError: (error) => {
        throw error;
      },
      intercept: async (context, next) => {
        const failure = this.failures.get(context.method.split("/").at(-1) ?? "");
        if (failure !== undefined) throw failure;
        await next();
      },
    });
    rpc.add(SpiffeWorkloadApi, {
      fetchX509SVID: (_, { signal }) => this.#ownSvid(signal),
      fetchJWTBundles: (_, { signal }) => this.#jwtBundles(signal),
      fetchWITBundles: (_, { signal }) => this.#witBundles(signal),
      validateJWTSVID: async ({ svid, audience }) => {
        const read = await validateJwtSvid(svid, {
          audience: [audience],
          authoritiesOf: () => [{ keyId: "jwt", spki: this.jwtKeys.spki } as never],
          now: new Date(),
        });
        return {
          spiffeId: read.id.toString(),
          claims: structFromJson({ sub: read.id.toString(), aud: [...read.audience] }),
        };
      },
    });
    rpc.add(GuardService, {
      watchStatus: (_, { signal }) => this.#watchStatus(signal),
      describeTask: async ({ id, shown }) => {
        this.shown.push(Buffer.from(shown));
        const task = this.tasks.get(id.slice(id.lastIndexOf("/") + 1));
        return task?.spiffeId === id ? { task } : {};
      },
      spendUses: async ({ taskId, shown }) => {
        this.shown.push(Buffer.from(shown));
        const task = this.tasks.get(taskId);
        const left = Number(task?.mandate?.uses?.value ?? 0) - Number(task?.usesTaken ?? 0);
        if (task === undefined || left < 1) return { granted: false };
        this.tasks.set(taskId, { ...task, usesTaken: Number(task.usesTaken ?? 0) + 1 });
        this.spent += 1;
        return { granted: true };
      },
      record: async ({ events }) => {
        await this.onRecord(events);
        this.events.push(...events);
        return {};
      },
    });
    this.#listener = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      rpc.inject(socket, undefined);
    });
    await new Promise<void>((resolve) => {
      this.#listener?.listen(this.endpoint.slice("unix://".length), resolve);
    });
    this.#rpc = rpc;
    this.#beat = setInterval(() => this.say({}), 500);
  }

  /** Goes away like an agent that was killed. */
  async stop(): Promise<void> {
    clearInterval(this.#beat);
    this.#listener?.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#rpc?.close(0);
    this.#rpc = this.#listener = undefined;
  }

  say(message: Message): void {
    for (const tell of this.#watchers) tell({ complete: true, fresh: this.fresh, ...message });
  }

  /** A task of the AI agent that goes on. */
  open(change: Partial<Omit<Task, "mandate">> & { mandate?: Partial<Mandate> } = {}): Task {
    const id = newUlid(new Date(), randomBytes(10));
    const { mandate, ...more } = change;
    const agent = more.aiAgent ?? AI_AGENT;
    const task: Task = {
      id,
      spiffeId: `${agent}/task/${id}`,
      aiAgent: agent,
      taskClass: "standard",
      root: `${agent}/task/${id}`,
      state: TaskState.ACTIVE,
      version: 1,
      mandate: mandateToWire({ ...MANDATE, ...mandate }),
      ...more,
    };
    this.tasks.set(id, task);
    return task;
  }

  /** The server's mind changes about what a task may do. */
  narrow(task: Task, mandate: Partial<Mandate>): void {
    const narrowed = mandateToWire({ ...MANDATE, ...mandate });
    this.tasks.set(task.id, { ...task, mandate: narrowed, version: 2 });
  }

  end(task: Task, verdict: "ENDED" | "REFUSED" = "ENDED"): void {
    const state = verdict === "ENDED" ? "REVOKED" : "SUSPENDED";
    this.tasks.set(task.id, { ...task, state: TaskState[state], version: 3 });
    this.#tell(task, verdict, 3, state);
  }

  letGoOn(task: Task): void {
    this.tasks.set(task.id, { ...task, version: 4 });
    this.#tell(task, "GOOD", 4, "ACTIVE");
  }

  /** What a task shows at a TLS handshake. */
  async tlsOf(spiffeId: string): Promise<TlsSource> {
    const svid = await this.authority.issueId(SpiffeId.parse(spiffeId));
    return new TestTlsSource(svid, TestAuthority.anchorsOf(this.authority));
  }

  /** The keys of access tokens, as the issuer publishes them. */
  get jwks(): string {
    return formatJwks([{ keyId: "at", spki: this.oauthKeys.spki }]);
  }

  async accessToken(task: Task, change: TokenChange = {}): Promise<string> {
    const { mandate = MANDATE, ...more } = change;
    const now = Date.now();
    return issueAccessToken({
      signer: signerOf("at", this.oauthKeys),
      keyId: "at",
      issuer: ISSUER,
      subject: AI_AGENT,
      clientId: task.aiAgent ?? AI_AGENT,
      audience: "https://localhost/mcp",
      jti: randomBytes(12).toString("hex"),
      issuedAt: new Date(now),
      expiresAt: new Date(now + 120_000),
      details: formatAuthorizationDetails({ mandate, task: task.spiffeId }),
      ...more,
    });
  }

  /** `claims` over the usual ones; `header` too. */
  async jwtSvid(
    spiffeId: string,
    claims: Readonly<Record<string, unknown>> = {},
    typ: "JWT" | "wit+jwt" | "at+jwt" = "JWT",
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const usual = { sub: spiffeId, aud: ["https://localhost/mcp"], iat: now, exp: now + 60 };
    return signToken(signerOf("jwt", this.jwtKeys), { keyId: "jwt", typ }, { ...usual, ...claims });
  }

  /** A WIT-SVID, with its key. */
  witSvid(spiffeId: string, more: Parameters<TestWit["issue"]>[1] = {}): WorkloadWitSvid {
    return this.wits.issue(SpiffeId.parse(spiffeId).path, more);
  }

  /** The events of a stream or of a type. */
  eventsOf(name: string): Event[] {
    return this.events.filter(({ stream, type }) => stream === name || type === name);
  }

  #tell(task: Task, verdict: keyof typeof TaskVerdict, version: number, state: string): void {
    const status = {
      taskId: task.id,
      spiffeId: task.spiffeId,
      verdict: TaskVerdict[verdict],
      version,
      forgetAt: Math.floor(Date.now() / 1000) + 600,
      state,
      reason: verdict === "GOOD" ? "" : "the operator said so",
    };
    if (verdict === "GOOD") this.#refused.delete(task.id);
    else this.#refused.set(task.id, status);
    this.say({ tasks: [status] });
  }

  async *#watchStatus(signal: AbortSignal): AsyncGenerator<Message> {
    const queue: Message[] = [
      {
        reset: true,
        complete: true,
        fresh: this.fresh,
        classes: this.classes,
        tasks: [...this.#refused.values()],
      },
    ];
    let wake = (): void => {};
    const tell = (message: Message): void => {
      queue.push(message);
      wake();
    };
    this.#watchers.add(tell);
    signal.addEventListener("abort", () => wake(), { once: true });
    try {
      while (!signal.aborted) {
        const next = queue.shift();
        if (next !== undefined) yield next;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.#watchers.delete(tell);
    }
  }

  async *#ownSvid(signal: AbortSignal): AsyncGenerator<object> {
    if (this.#own === undefined) throw noAnswer();
    yield { svids: [x509SvidToWire(this.#own, [this.authority])] };
    await aborted(signal);
  }

  async *#witBundles(signal: AbortSignal): AsyncGenerator<object> {
    if (!this.servesWit) throw notServed();
    yield this.wits.bundles();
    await aborted(signal);
  }

  async *#jwtBundles(signal: AbortSignal): AsyncGenerator<object> {
    const key = { kid: "jwt", use: "jwt-svid", ...spkiToJwk(this.jwtKeys.spki) };
    const bundle = Buffer.from(JSON.stringify({ keys: [key] }));
    yield { bundles: { "spiffe://north.test": bundle } };
    await aborted(signal);
  }
}

function notServed(): IdentityError {
  return new IdentityError("TEST_NOT_SERVED", Status.unimplemented, "the test serves no WIT");
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function noAnswer(): IdentityError {
  return new IdentityError("TEST_HAS_NO_ANSWER", Status.outOfRange, "the test has set no answer");
}
