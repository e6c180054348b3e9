// FakeTaskNode: the task service and the guard's service of a node agent, as a real gRPC server on a unix
// socket. Tasks live in its memory, their SVIDs are signed by a TestAuthority; a test ends, suspends and
// renews them, and takes the whole thing away and back.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { IdentityError, pkiError, Status } from "../../pki/errors.ts";
import { importSpki } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { newUlid } from "../../pki/task-id.ts";
import { validateTaskProof } from "../../pki/task-proof.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import { issueX509Svid } from "../../pki/x509/issue.ts";
import type { Init } from "../../proto/codec.ts";
import { createRpcServer, type RpcServer } from "../../proto/rpc/server.ts";
import { withDetail } from "../../proto/rpc/status.ts";
import {
  GuardService,
  type signet,
  TaskAPIService,
  TaskState,
  TaskVerdict,
} from "../../proto/schema.gen.ts";
import { TestAuthority } from "./test-authority.ts";
import { proofKey, TestWit } from "./test-wit.ts";

type WireTask = Init<signet.task.v1.Task>;
/** What changes of a task. */
type Change = Omit<WireTask, "id" | "spiffeId">;
type Message = Init<signet.guard.v1.WatchStatusResponse>;

export const AI_AGENT = "spiffe://north.test/agent/researcher";

const NO_PROOF: signet.task.v1.TaskProof = { taskId: "", jws: "" };

interface Held {
  task: WireTask & { id: string; spiffeId: string };
  readonly spki: Uint8Array;
  readonly key: string;
  readonly watchers: Set<Watcher>;
}

/** Messages on their way to one stream. */
class Watcher {
  readonly #queue: (object | IdentityError)[] = [];
  #more = Promise.withResolvers<void>();

  push(message: object): void {
    this.#queue.push(message);
    this.#more.resolve();
  }

  async *stream<T>(signal: AbortSignal): AsyncGenerator<T> {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    while (!signal.aborted) {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        if (next instanceof Error) throw next;
        yield next as T;
      }
      this.#more = Promise.withResolvers();
      await Promise.race([this.#more.promise, aborted.promise]);
    }
  }
}

export class FakeTaskNode {
  readonly endpoint: string;
  readonly authority: TestAuthority;
  readonly tasks: Map<string, Held> = new Map();
  /** What each guard's stream begins with. */
  first: readonly Message[] = [{ reset: true, fresh: true, complete: true }];
  /** Every call so far, by its method. */
  readonly calls: string[] = [];
  /** Every OpenTask so far. */
  readonly opened: signet.task.v1.OpenTaskRequest[] = [];
  readonly tokensAsked: (
    | signet.task.v1.IssueTokenRequest
    | signet.task.v1.FetchTaskJWTSVIDRequest
  )[] = [];
  /** The first step of every RunTask so far, and how commands ended. */
  readonly runs: signet.task.v1.RunTaskRequest[] = [];
  readonly finished: signet.task.v1.FinishedStep[] = [];
  /** Thrown in place of the next answers. */
  readonly failures: IdentityError[] = [];
  svidLifeMs = 300_000;
  /** What its SVIDs are for, in place of their tasks and, for WIT-SVIDs, of their keys. */
  wrongId: string | undefined;
  wrongKey: Uint8Array | undefined;
  readonly wits: TestWit = new TestWit();
  readonly #folder: string;
  readonly #guards: Set<Watcher> = new Set();
  readonly #sockets: Set<Socket> = new Set();
  readonly #proofs: Set<string> = new Set();
  #rpc: RpcServer | undefined;
  #listener: Server | undefined;

  private constructor(authority: TestAuthority) {
    this.authority = authority;
    this.#folder = mkdtempSync(join(tmpdir(), "node-"));
    this.endpoint = `unix://${join(this.#folder, "api.sock")}`;
  }

  /** Starts one that ends with the test. */
  static async start(t: Test, authority?: TestAuthority): Promise<FakeTaskNode> {
    const node = new FakeTaskNode(authority ?? (await TestAuthority.create()));
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
        this.calls.push(context.method.split("/").at(-1) ?? "");
        const failure = this.failures.shift();
        if (failure !== undefined) throw failure;
        await next();
      },
    });
    rpc.add(GuardService, {
      watchStatus: (_, { signal }) => this.#watchStatus(signal),
      describeTask: async ({ id }) => ({ task: this.tasks.get(id)?.task }),
      spendUses: async () => ({ granted: true }),
      record: async () => ({}),
    });
    rpc.add(TaskAPIService, {
      openTask: (request) => this.#open(request),
      runTask: (requests, { signal }) => this.#runTask(requests, signal),
      watchTask: ({ proof }, { signal }) => this.#watchTask(proof, signal),
      fetchTaskJWTSVID: async (request) => {
        const held = this.#prove(request.proof, "FetchTaskJWTSVID");
        this.tokensAsked.push(request);
        return { token: `${held.task.id}.jwt.${this.tokensAsked.length}`, ...this.#tokenLife(60) };
      },
      fetchTaskWITSVID: async ({ proof }) => {
        const { task, spki } = this.#prove(proof, "FetchTaskWITSVID");
        const key = { ...proofKey(), spki: this.wrongKey ?? spki, alg: "ES256" };
        const path = SpiffeId.parse(this.wrongId ?? task.spiffeId).path;
        const ttlSeconds = 60;
        const { token } = this.wits.issue(path, { key, ttlSeconds });
        return { token, ...this.#tokenLife(ttlSeconds) };
      },
      issueToken: async (request) => {
        const held = this.#prove(request.proof, "IssueToken");
        this.tokensAsked.push(request);
        const tokenType = request.unbound ? "Bearer" : "DPoP";
        const accessToken = `${held.task.id}.at.${this.tokensAsked.length}`;
        return { accessToken, tokenType, ...this.#tokenLife(120) };
      },
      narrow: async ({ proof, mandate }) => this.#change(proof, "Narrow", { mandate }),
      park: async ({ proof }) => this.#change(proof, "Park", { state: TaskState.PARKED }),
      resume: async ({ proof, mandate }) => {
        const held = this.#prove(proof, "Resume");
        const narrower = mandate === undefined ? {} : { mandate };
        this.set(held.task.id, { state: TaskState.ACTIVE, ...narrower });
        return { task: held.task, svid: await this.#svid(held) };
      },
      complete: async ({ proof, outcome, summaryDigest, detail }) =>
        this.#change(proof, "Complete", { state: outcome, stateReason: detail || summaryDigest }),
    });
    const listener = createServer((socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
      rpc.inject(socket, undefined);
    });
    await new Promise<void>((resolve) => {
      listener.listen(this.endpoint.slice("unix://".length), resolve);
    });
    this.#rpc = rpc;
    this.#listener = listener;
  }

  /** Goes away like an agent that was killed; what it holds stays for the next start. */
  async stop(): Promise<void> {
    this.#listener?.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#rpc?.close(0);
    this.#rpc = this.#listener = undefined;
  }

  /** Sends a message to the guards that watch now. */
  say(message: Message): void {
    for (const guard of this.#guards) guard.push({ complete: true, fresh: true, ...message });
  }

  /** Says a task's verdict to the guards, and remembers it for those that come. */
  refuse(
    spiffeId: string,
    verdict: keyof typeof TaskVerdict,
    version = 2,
    state: string = verdict,
  ): void {
    const tasks = [statusOf(spiffeId, verdict, version, state)];
    this.first = [...this.first, { tasks, fresh: true, complete: true }];
    this.say({ tasks });
  }

  /** Changes a task, as the server does, and tells who watches it. */
  set(id: string, change: Change): void {
    const held = this.tasks.get(id);
    if (held === undefined) throw new TypeError(`no task ${id}`);
    held.task = { ...held.task, ...change, version: Number(held.task.version ?? 0) + 1 };
    for (const watcher of held.watchers) watcher.push({ task: held.task });
    if (isOver(held)) for (const watcher of held.watchers) watcher.push(overOf(held));
  }

  /** Sends whatever the test wants to who watches the task. */
  sayOf(id: string, task: WireTask): void {
    for (const watcher of this.tasks.get(id)?.watchers ?? []) watcher.push({ task });
  }

  /** Sends a new SVID to who watches the task. */
  async renew(id: string): Promise<void> {
    const held = this.tasks.get(id);
    if (held === undefined) throw new TypeError(`no task ${id}`);
    const svid = await this.#svid(held);
    for (const watcher of held.watchers) watcher.push({ task: held.task, svid });
  }

  count(method: string): number {
    return this.calls.filter((call) => call === method).length;
  }

  async #open(
    request: signet.task.v1.OpenTaskRequest,
  ): Promise<Init<signet.task.v1.OpenTaskResponse>> {
    this.opened.push(request);
    const { idempotencyKey: key } = request;
    const again = [...this.tasks.values()].find((held) => key !== "" && held.key === key);
    const held = again ?? this.#add(request);
    return { task: held.task, svid: await this.#svid(held) };
  }

  #add(request: signet.task.v1.OpenTaskRequest): Held {
    const { spki } = parseCsr(request.csr);
    const now = Date.now();
    const random = crypto.getRandomValues(new Uint8Array(10));
    const id = request.claimTaskId || newUlid(new Date(now), random);
    const aiAgent = request.aiAgent || AI_AGENT;
    const { taskClass, purpose, principal, labels, externalRefs } = request;
    // What is left out is what may be had at most: here, one environment.
    const environment = request.mandate?.environment ?? { any: false, values: ["test"] };
    const mandate = { ...request.mandate, environment };
    const task = {
      ...{ id, spiffeId: `${aiAgent}/task/${id}`, aiAgent, taskClass, purpose, mandate, labels },
      ...{ externalRefs, principal: principal || aiAgent, root: id, owner: "team:test" },
      ...{ openedAtMs: now, expiresAtMs: now + (request.ttlSeconds || 900) * 1000 },
      ...{ state: TaskState.ACTIVE, version: 1 },
    };
    const held: Held = { task, spki, key: request.idempotencyKey, watchers: new Set() };
    this.tasks.set(id, held);
    return held;
  }

  async *#watchStatus(signal: AbortSignal): AsyncGenerator<Message> {
    const watcher = new Watcher();
    this.#guards.add(watcher);
    try {
      yield* this.first;
      yield* watcher.stream<Message>(signal);
    } finally {
      this.#guards.delete(watcher);
    }
  }

  async *#watchTask(
    proof: signet.task.v1.TaskProof,
    signal: AbortSignal,
  ): AsyncGenerator<Init<signet.task.v1.TaskEvent>> {
    const held = this.#prove(proof, "WatchTask");
    const watcher = new Watcher();
    held.watchers.add(watcher);
    try {
      const svid = held.task.state === TaskState.ACTIVE ? await this.#svid(held) : undefined;
      yield { task: held.task, svid };
      yield* watcher.stream<Init<signet.task.v1.TaskEvent>>(signal);
    } finally {
      held.watchers.delete(watcher);
    }
  }

  async *#runTask(
    requests: AsyncIterable<signet.task.v1.RunTaskRequest>,
    signal: AbortSignal,
  ): AsyncGenerator<Init<signet.task.v1.RunTaskResponse>> {
    const steps = requests[Symbol.asyncIterator]();
    const { value: first } = (await steps.next()) as { value: signet.task.v1.RunTaskRequest };
    this.runs.push(first);
    const { open, attach } = first;
    const held = open ? this.#add(open) : this.#prove(attach?.proof ?? NO_PROOF, "RunTask");
    if (open !== undefined) this.opened.push(open);
    const socketPath = `${this.#folder}/${held.task.id}.sock`;
    yield { ready: { task: held.task, socketPath } };
    const watcher = new Watcher();
    held.watchers.add(watcher);
    let isOver = false;
    void (async () => {
      for (let step = await steps.next(); step.done !== true; step = await steps.next()) {
        const { started, finished } = step.value;
        if (started !== undefined) watcher.push({ admitted: {} });
        if (finished === undefined) continue;
        this.finished.push(finished);
        const state = finished.succeeded ? TaskState.COMPLETED : TaskState.FAILED;
        this.set(held.task.id, { state, stateReason: finished.detail });
      }
    })().catch(() => {}); // the launcher went away
    try {
      for await (const message of watcher.stream<{ task?: WireTask; admitted?: object }>(signal)) {
        const { task, admitted } = message;
        yield task === undefined ? { admitted } : { changed: task };
        isOver ||= (task?.state ?? 0) >= TaskState.COMPLETED;
        if (isOver) return;
      }
    } finally {
      held.watchers.delete(watcher);
    }
  }

  #change(
    proof: signet.task.v1.TaskProof,
    method: string,
    change: Change,
  ): Init<signet.task.v1.TaskResponse> {
    const held = this.#prove(proof, method);
    this.set(held.task.id, change);
    return { task: held.task };
  }

  #prove({ taskId, jws }: signet.task.v1.TaskProof, method: string): Held {
    const held = this.tasks.get(taskId);
    if (held === undefined) {
      throw new IdentityError("TEST_TASK_UNKNOWN", Status.notFound, `no task ${taskId}`);
    }
    const publicKey = importSpki(held.spki);
    const { jti } = validateTaskProof(jws, { method, taskId, publicKey, now: new Date() });
    if (this.#proofs.has(jti)) throw new IdentityError("TEST_REPLAY", Status.unauthenticated, jti);
    this.#proofs.add(jti);
    if (isOver(held)) throw overOf(held);
    return held;
  }

  async #svid({ task, spki }: Held): Promise<Init<signet.task.v1.TaskX509SVID>> {
    const notAfter = new Date(Date.now() + this.svidLifeMs);
    const leaf = await issueX509Svid(this.authority.asIssuer(), {
      spki,
      spiffeId: SpiffeId.parse(this.wrongId ?? task.spiffeId),
      notBefore: new Date(Date.now() - 10_000),
      notAfter,
    });
    const expiresAt = Math.floor(notAfter.getTime() / 1000);
    return { x509Svid: leaf, bundle: this.authority.root.der, expiresAt };
  }

  #tokenLife(seconds: number): { expiresAt: number } {
    return { expiresAt: Math.floor(Date.now() / 1000) + seconds };
  }
}

/** What the guards hear of a task. */
export function statusOf(
  spiffeId: string,
  verdict: keyof typeof TaskVerdict,
  version = 2,
  state: string = verdict,
): Init<signet.link.v1.TaskStatus> {
  const taskId = spiffeId.slice(-26);
  const forgetAt = Math.floor(Date.now() / 1000) + 3600;
  return { taskId, spiffeId, verdict: TaskVerdict[verdict], version, forgetAt, state };
}

function isOver({ task }: Held): boolean {
  return (task.state ?? 0) >= TaskState.COMPLETED;
}

function overOf({ task }: Held): IdentityError {
  const error = pkiError("TASK_ENDED", `the task ${task.id} has ended`);
  return withDetail(error, "signet.task.v1.Task", task);
}
