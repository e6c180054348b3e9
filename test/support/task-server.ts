// The server's tasks over a real store, ledger and authority, on a clock that a test moves. Node agents are
// names; the audit log is a list.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Test } from "tap";
import { type IdentityError, REASONS as PKI_REASONS, Status } from "../../pki/errors.ts";
import { generateP256KeyPair, type KeyPair } from "../../pki/keys.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { REASONS as POLICY_REASONS } from "../../policy/errors.ts";
import type { Mandate } from "../../policy/mandate.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { createLogger } from "../../runtime/log.ts";
import type { AuditEvent } from "../../server/audit/event.ts";
import { REASONS as SERVER_REASONS } from "../../server/errors.ts";
import { Ledger } from "../../server/ledger/ledger.ts";
import { recordIssued } from "../../server/ledger/record-issued.ts";
import { SHIPPED_CLASSES } from "../../server/registry/shipped-classes.ts";
import { type AiAgentRecord, AiAgentStore } from "../../server/store/ai-agents.ts";
import type { OrderedLog } from "../../server/store/log.ts";
import { type TaskClassRecord, TaskClassStore } from "../../server/store/task-classes.ts";
import { TaskStore } from "../../server/store/tasks.ts";
import type { EscalationReport } from "../../server/tasks/escalation-event.ts";
import type { OpenedTask, OpenOrder, TaskTerms } from "../../server/tasks/orders.ts";
import { Tasks, type TasksConfig } from "../../server/tasks/tasks.ts";
import type { TestClock } from "./clock.ts";
import { north, startTestCa, type TestCa } from "./test-ca.ts";

export const AGENT = "spiffe://north.test/ai/researcher";
export const OTHER_AGENT = "spiffe://north.test/ai/writer";
export const NODE = "spiffe://north.test/spire/agent/x/one";
export const OTHER_NODE = "spiffe://north.test/spire/agent/x/two";
export const TOOLS = "https://tools.test/mcp";
/** The entry of each AI agent on {@link NODE}, and of one that is none. */
export const ENTRY = "entry-researcher";
export const OTHER_ENTRY = "entry-writer";
export const PLAIN_ENTRY = "entry-plain";

export const CEILING: Mandate = {
  locations: [TOOLS, "https://files.test"],
  actions: ["tools/**", "resources/**"],
  datatypes: [],
  uses: undefined,
  depth: 1,
  maxSensitivity: 1,
  untilUnixSeconds: undefined,
  environment: "test",
};

export interface TaskServerOptions {
  readonly config?: Partial<TasksConfig>;
  /** Of a stopped one, to start it again. */
  readonly former?: TaskServer;
  /** Where the store is; by default in a folder of the test. */
  readonly folder?: string;
  readonly oauthIssuer?: string;
  readonly wrapLog?: (log: OrderedLog) => OrderedLog;
  /** Issues WIT-SVIDs too. */
  readonly wit?: boolean;
}

export class TaskServer {
  readonly tasks: Tasks;
  readonly store: TaskStore;
  readonly aiAgents: AiAgentStore;
  readonly classes: TaskClassStore;
  readonly ledger: Ledger;
  readonly ca: TestCa;
  readonly clock: TestClock;
  /** What the audit log took, in order. */
  readonly events: AuditEvent[];
  readonly reports: EscalationReport[];
  /** Thrown by the audit log instead of taking an event. */
  auditFailure: Error | undefined;
  /** AI agents without an entry any more. */
  readonly unserved = new Set<string>();
  /** AI agents that are held back by a revocation. */
  readonly held = new Map<string, IdentityError>();
  #stopped = false;

  private constructor(parts: {
    ca: TestCa;
    store: TaskStore;
    aiAgents: AiAgentStore;
    classes: TaskClassStore;
    ledger: Ledger;
    options: TaskServerOptions;
  }) {
    const { ca, store, aiAgents, classes, ledger, options } = parts;
    this.ca = ca;
    this.clock = ca.clock;
    this.store = store;
    this.aiAgents = aiAgents;
    this.classes = classes;
    this.ledger = ledger;
    this.events = options.former?.events ?? [];
    this.reports = options.former?.reports ?? [];
    const { clock } = ca;
    const held = {
      refusal: (spiffeId: string) => this.held.get(spiffeId),
      tokenRefusal: () => undefined,
    };
    const { oauthIssuer: issuer } = options;
    this.tasks = new Tasks({
      config: {
        maxOpenPerAiAgent: 100_000,
        openPerSecond: 100_000,
        keepEndedSeconds: 30 * 24 * 3600,
        ...options.config,
      },
      trustDomain: north,
      store,
      aiAgents,
      classes,
      entryFor: (node, id) => (node === NODE || node === OTHER_NODE ? ENTRIES.get(id) : undefined),
      isServed: (node, agent) =>
        !this.unserved.has(agent) &&
        WITH_ENTRY.has(agent) &&
        (node === NODE || node === OTHER_NODE),
      issuer: recordIssued({
        issuer: ca.issuer,
        ledger,
        held,
        clock,
      }),
      ledger,
      held,
      audit: {
        append: async (event) => {
          if (this.auditFailure !== undefined) throw this.auditFailure;
          this.events.push(event);
        },
      },
      report: async (report) => {
        this.reports.push(report);
      },
      addresses: issuer === undefined ? undefined : addressesOf(issuer),
      clock,
      log: createLogger({ level: "silent" }),
    });
  }

  static async start(t: Test, options: TaskServerOptions = {}): Promise<TaskServer> {
    const { former, wrapLog } = options;
    await former?.stop();
    const ca = await startTestCa(t, {
      ...(options.wit === true && { ca: { witKeyType: "ec-p256" } }),
      ...(former !== undefined && {
        folder: former.ca.folder,
        keys: former.ca.keys,
        clock: former.clock,
      }),
      ...(options.folder !== undefined && { folder: options.folder }),
      ...(wrapLog !== undefined && { wrapLog }),
    });
    const store = await TaskStore.start(ca.log);
    const aiAgents = await AiAgentStore.start(ca.log);
    const classes = await TaskClassStore.start(ca.log, SHIPPED_CLASSES);
    const ledger = await Ledger.open({
      folder: join(ca.folder, "../ledger"),
      clock: ca.clock,
      log: createLogger({ level: "silent" }),
    });
    const server = new TaskServer({ ca, store, aiAgents, classes, ledger, options });
    t.teardown(() => server.stop());
    if (former === undefined) {
      await server.setAgent({ spiffeId: AGENT });
      await server.setAgent({ spiffeId: OTHER_AGENT });
    }
    return server;
  }

  /** Makes an AI agent, or changes one. */
  async setAgent(agent: Partial<AiAgentRecord> & { readonly spiffeId: string }): Promise<void> {
    const { clock, aiAgents } = this;
    const nowSeconds = clock.now().getTime() / 1000;
    await aiAgents.change(async (all) => {
      const before = await all.get(agent.spiffeId);
      all.put({
        owner: "team:test",
        purpose: "tests",
        environment: "test",
        validUntilUnixSeconds: nowSeconds + 365 * 86_400,
        ceiling: CEILING,
        taskClasses: ["standard", "read-only", "sensitive", "break-glass"],
        manifestHash: "",
        modelId: "",
        labels: {},
        maxOpenTasks: 0,
        mayHost: [],
        end: undefined,
        createdAtUnixSeconds: nowSeconds,
        updatedAtUnixSeconds: nowSeconds,
        managedBy: "",
        version: 1,
        ...before,
        ...agent,
      });
    });
  }

  /** Disables an AI agent, as far as the store goes. */
  disable(spiffeId: string): Promise<void> {
    const end = {
      cause: "disabled",
      reason: "over budget",
      by: "test",
      atUnixSeconds: 0,
      isSettled: false,
    };
    return this.setAgent({ spiffeId, end: { ...end, cause: "disabled" } });
  }

  async setClass(name: string, change: Partial<TaskClassRecord>): Promise<void> {
    const base = this.classes.get(name) ?? SHIPPED_CLASSES.find((one) => one.name === "standard");
    if (base === undefined) throw new Error("no class");
    await this.classes.change(async (all) => all.put({ ...base, name, ...change }));
  }

  /** Opens a task of the AI agent of {@link ENTRY}, with a new key. */
  open(
    terms: Partial<TaskTerms> = {},
    order: Partial<Omit<OpenOrder, "terms">> & { readonly pair?: KeyPair } = {},
  ): Promise<OpenedTask> {
    const { pair = generateP256KeyPair(), ...rest } = order;
    return this.tasks.open({
      nodeAgent: NODE,
      entryIds: [ENTRY],
      agentId: "",
      csr: createCsr(pair),
      binding: undefined,
      ...rest,
      terms: { ...TERMS, ...terms },
    });
  }

  /** The types of the events of a task, in order. */
  eventsOf(id: string): string[] {
    return this.events.filter(({ task }) => task?.endsWith(id)).map(({ type }) => type);
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    await this.tasks.stop();
    await this.store.stop();
    await this.aiAgents.stop();
    await this.classes.stop();
    // The folder of the test may be gone by now.
    await this.ledger.close().catch(() => undefined);
    await this.ca.stop();
  }
}

/** What is enough of a task. */
export const TERMS: TaskTerms = {
  taskClass: "standard",
  purpose: "a test",
  intent: "",
  mandate: {},
  ttlSeconds: 0,
  idleTimeoutSeconds: 0,
  principal: "",
  idempotencyKey: "",
  externalRefs: {},
  labels: {},
  allowClip: false,
};

const REASONS = { ...PKI_REASONS, ...POLICY_REASONS, ...SERVER_REASONS };

/** What a call that is refused for this reason rejects with. */
export function refusal(reason: keyof typeof REASONS): { reason: string; code: number } {
  return { reason, code: Status[REASONS[reason]] };
}

export function newKey(): string {
  return randomUUID();
}

function entry(id: string, spiffeId: string): [string, RegistrationEntry] {
  return [id, { id, spiffeId } as RegistrationEntry];
}

const ENTRIES = new Map([
  entry(ENTRY, AGENT),
  entry(OTHER_ENTRY, OTHER_AGENT),
  entry(PLAIN_ENTRY, "spiffe://north.test/web"),
]);

const WITH_ENTRY = new Set([...ENTRIES.values()].map(({ spiffeId }) => spiffeId));

function addressesOf(issuer: string) {
  const status = { path: "/status/", url: `${issuer}/status/` };
  return { issuer, status, taskClaim: `${issuer}/task` };
}
