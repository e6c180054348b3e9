// A trust domain with an AI agent whose processes are this test's, and what tests of tasks on a node do: open,
// prove, watch. Real processes are started by test/support/task-holder.ts.

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { KeyPair } from "../../pki/keys.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { issueTaskProof } from "../../pki/task-proof.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import type { Init } from "../../proto/codec.ts";
import { type Channel, type ClientOf, createChannel } from "../../proto/rpc/client.ts";
import {
  AuditLogService,
  RegistryService,
  type signet,
  TaskAPIService,
  TaskControlService,
} from "../../proto/schema.gen.ts";
import { parseSelector } from "../../proto/types/selector.ts";
import { HEADER } from "./test-agent.ts";
import { eventually, OWN_UID, TestTrustDomain, type TrustDomainOptions } from "./trust-domain.ts";

interface Teardown {
  teardown(fn: () => unknown): void;
}

export const AI_AGENT = "spiffe://north.test/ai/researcher";
export const TOOLS = "https://tools.test/mcp";

const ANY = { any: true };
/** A class whose tasks are of no process. */
const UNBOUND = {
  name: "unbound",
  bind: "none",
  maximum: { locations: ANY, actions: ANY, datatypes: ANY, environment: ANY },
};

export class TestTasks {
  readonly domain: TestTrustDomain;
  readonly #channels = new Set<Channel>();

  private constructor(t: Teardown, options: TrustDomainOptions) {
    this.domain = new TestTrustDomain(t, options);
    t.teardown(() => {
      for (const channel of this.#channels) channel.close();
    });
  }

  /** Server and agent, linked, with an AI agent that processes of `selectors` are. */
  static async start(
    t: Teardown,
    options: TrustDomainOptions & { readonly selectors?: readonly string[] } = {},
  ): Promise<TestTasks> {
    const tasks = new TestTasks(t, options);
    await tasks.domain.start();
    await tasks.createAiAgent("/ai/researcher", options.selectors ?? [OWN_UID]);
    return tasks;
  }

  async createAiAgent(path: string, selectors: readonly string[]): Promise<void> {
    const parent = await this.domain.agentId();
    const registry = this.#admin.client(RegistryService);
    await registry.setTaskClass({ taskClass: UNBOUND });
    await registry.createAiAgent({
      aiAgent: {
        spiffeId: `spiffe://north.test${path}`,
        owner: "team:test",
        purpose: "tests",
        environment: "test",
        validUntil: Math.floor(Date.now() / 1000) + 86_400,
        ceiling: {
          locations: { values: [TOOLS] },
          actions: { any: true },
          datatypes: { any: true },
          environment: { values: ["test"] },
        },
        taskClasses: ["standard", "read-only", "sensitive", "unbound"],
        maxOpenTasks: 10_000,
      },
      entry: {
        spiffeId: { trustDomain: "north.test", path },
        parentId: {
          trustDomain: "north.test",
          path: parent.slice("spiffe://north.test".length),
        },
        selectors: selectors.map(parseSelector),
      },
    });
    // Until the agent has the entry.
    const workload = this.domain.workload();
    if (selectors.includes(OWN_UID)) {
      await eventually(async () => {
        for await (const { svids } of workload.fetchX509SVID({})) {
          if (svids.some(({ spiffeId }) => spiffeId.endsWith(path))) return;
          break;
        }
        throw new Error("no entry yet");
      });
    }
  }

  get socket(): string {
    return join(this.domain.folder, "agent.sock");
  }

  /** As a process of this one: tasks over it are bound to the test's own process. */
  client(): ClientOf<typeof TaskAPIService> {
    const address = { unix: this.socket };
    const backoff = { initialMs: 20, maxMs: 20 };
    return this.#keep(createChannel({ address, metadata: HEADER, backoff })).client(TaskAPIService);
  }

  get control(): ClientOf<typeof TaskControlService> {
    return this.#admin.client(TaskControlService);
  }

  /** What the server's audit log has of attempts to get more than was granted. */
  async attempts(): Promise<Readonly<Record<string, string>>[]> {
    const lines: Record<string, string>[] = [];
    const log = this.#admin.client(AuditLogService).tail({ streams: ["escalation"] });
    for await (const { events } of log) {
      for (const { line } of events) lines.push(JSON.parse(Buffer.from(line).toString()));
    }
    return lines;
  }

  /** The task as the server has it. */
  async get(id: string): Promise<signet.task.v1.Task> {
    const { task } = await this.control.getTask({ id });
    if (task === undefined) throw new Error("no such task");
    return task;
  }

  async open(
    client: ClientOf<typeof TaskAPIService>,
    request: Init<signet.task.v1.OpenTaskRequest> = {},
  ): Promise<TestTask> {
    const pair = generateP256KeyPair();
    const answer = await client.openTask({ ...openRequest(pair), ...request });
    if (answer.task === undefined) throw new Error("no task");
    return new TestTask(answer.task, pair, answer.svid);
  }

  get #admin(): Channel {
    const path = this.domain.server?.adminSocket ?? join(this.domain.folder, "server/server.sock");
    return this.#keep(createChannel({ address: { unix: path } }));
  }

  #keep(channel: Channel): Channel {
    this.#channels.add(channel);
    return channel;
  }
}

/** What is enough to open a task with this key. */
export function openRequest(pair: KeyPair): Init<signet.task.v1.OpenTaskRequest> {
  return {
    taskClass: "standard",
    purpose: "a test",
    csr: createCsr(pair),
    idempotencyKey: randomUUID(),
  };
}

/** A task of the test, with its key. */
export class TestTask {
  readonly id: string;
  readonly spiffeId: string;
  readonly task: signet.task.v1.Task;
  readonly pair: KeyPair;
  readonly svid: signet.task.v1.TaskX509SVID | undefined;

  constructor(
    task: signet.task.v1.Task,
    pair: KeyPair,
    svid?: signet.task.v1.TaskX509SVID | undefined,
  ) {
    this.id = task.id;
    this.spiffeId = task.spiffeId;
    this.task = task;
    this.pair = pair;
    this.svid = svid;
  }

  /** A proof for one call. */
  proof(method: string, jti?: string): { taskId: string; jws: string } {
    const request = { method, taskId: this.id, now: new Date(), ...(jti !== undefined && { jti }) };
    return { taskId: this.id, jws: issueTaskProof(this.pair.privateKey, request) };
  }

  get csr(): Uint8Array {
    return createCsr(this.pair);
  }
}
