// How tasks come to be: opened by a process that a node agent attested, made by an administrator or an
// orchestrator, and claimed. Everything that a node agent says is checked anew: its say is over the AI
// agents of its own entries alone. One commit, one signature and one event each, all shared with
// those that come at the same time.
import { createHash } from "node:crypto";
import { IdentityError } from "../../pki/errors.ts";
import { taskSpiffeId, type Ulids } from "../../pki/task-id.ts";
import { jwkThumbprint } from "../../pki/token/thumbprint.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import type { Mandate } from "../../policy/mandate.ts";
import { grant } from "../../policy/mandate-request.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AuditSink } from "../audit/log.ts";
import { serverError } from "../errors.ts";
import { type AiAgentRecord, AiAgentTransaction, endOf } from "../store/ai-agents.ts";
import type { TaskClassRecord } from "../store/task-classes.ts";
import { isOpen, type TaskRecord } from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import type { Transaction } from "../store/transaction.ts";
import { type Credentials, unknownTask } from "./credentials.ts";
import type { EscalationReport } from "./escalation-event.ts";
import { recordEvent } from "./events.ts";
import { grantHashOf } from "./grant-hash.ts";
import type { ClaimOrder, CreateOrder, OpenedTask, OpenOrder, TaskTerms } from "./orders.ts";
import type { Quota } from "./quota.ts";
import { changed, ended, requireOpen, requireStep } from "./states.ts";
import type { StatusIndexes } from "./status-index.ts";
import { checkTerms } from "./terms.ts";

export interface OpeningOptions {
  readonly store: TaskStore;
  readonly aiAgents: { get(spiffeId: string): AiAgentRecord | undefined };
  readonly classes: { get(name: string): TaskClassRecord | undefined };
  /** The entry, if this node agent may serve it now. */
  readonly entryFor: (nodeAgent: string, entryId: string) => RegistrationEntry | undefined;
  readonly credentials: Credentials;
  readonly quota: Quota;
  readonly statusIndexes: StatusIndexes;
  readonly ulids: Ulids;
  readonly audit: AuditSink;
  readonly report: (report: EscalationReport) => Promise<unknown>;
  /** Drops what is remembered of a task that never was. */
  readonly forget: (id: string) => void;
  /** Ends a task that must not have begun. Never rejects. */
  readonly abandon: (id: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Entries of one caller that are looked at. */
const MAX_ENTRIES = 500;

/** Who opens a task, and where. */
interface Origin {
  readonly agent: AiAgentRecord;
  readonly openedBy: string;
  /** "" for one that waits to be claimed. */
  readonly nodeAgent: string;
  readonly isOperator: boolean;
}

export class Opening {
  readonly #options: OpeningOptions;

  constructor(options: OpeningOptions) {
    this.#options = options;
  }

  async open(order: OpenOrder): Promise<OpenedTask> {
    const { store, credentials, statusIndexes, audit, quota, forget } = this.#options;
    const { terms, nodeAgent, csr, binding } = order;
    checkTerms(terms);
    const agent = this.#agentOf(order);
    const keyThumbprint = jwkThumbprint(parseCsr(csr).spki);
    const idempotency = idempotencyName(terms.idempotencyKey, nodeAgent, agent.spiffeId);
    const known = idempotency === "" ? undefined : await store.opened(idempotency);
    if (known !== undefined) return this.#again(known, order, agent, keyThumbprint);
    const leave = quota.enter(agent.spiffeId, agent.maxOpenTasks);
    let fresh: TaskRecord | undefined;
    try {
      const openedBy = agent.spiffeId;
      const origin: Origin = { agent, openedBy, nodeAgent, isOperator: false };
      const task = await this.#recordOf(terms, origin);
      fresh = { ...task, state: "ACTIVE", keyThumbprint, binding, idempotency };
      const svid = await credentials.first(fresh, nodeAgent, csr);
      const isNew = await this.#add(fresh);
      if (!isNew) {
        const id = await store.opened(idempotency);
        if (id === undefined) throw ended(fresh.id, "ABANDONED");
        return await this.#again(id, order, agent, keyThumbprint);
      }
      const opened = fresh;
      fresh = undefined;
      await this.#recorded(opened, () => recordEvent(audit, "opened", opened, nodeAgent));
      return { task: opened, svid };
    } finally {
      if (fresh !== undefined) {
        statusIndexes.release(fresh.status);
        forget(fresh.id);
      }
      leave();
    }
  }

  /** Takes up a task that was made for the AI agent: once. */
  async claim(order: ClaimOrder): Promise<OpenedTask> {
    const { store, credentials, audit, clock } = this.#options;
    const { id, nodeAgent, csr, binding } = order;
    const agent = this.#agentOf(order);
    const keyThumbprint = jwkThumbprint(parseCsr(csr).spki);
    const { claimed, isNew } = await store
      .transact(async (tasks) => {
        const task = await tasks.get(id);
        // Who may not have it learns nothing of it.
        if (task === undefined || task.agentId !== agent.spiffeId) throw unknownTask(id);
        if (!isOpen(task)) throw ended(id, task.state);
        const isAgain = task.nodeAgent === nodeAgent && task.keyThumbprint === keyThumbprint;
        if (isAgain) return { claimed: requireStep(task, "use", clock.now()), isNew: false };
        const pending = requireStep(task, "claim", clock.now());
        await this.#requireGoodAgent(tasks.transaction, agent.spiffeId);
        const lastActiveMs = clock.now().getTime();
        const assurance = ATTESTED;
        const claim = { nodeAgent, keyThumbprint, binding, lastActiveMs, assurance };
        const after = changed(pending, { ...claim, state: "ACTIVE", stateReason: "" });
        tasks.put(after);
        return { claimed: after, isNew: true };
      })
      .catch(async (error: unknown) => {
        await this.#reportForeign(error, order, agent);
        throw error;
      });
    if (isNew) {
      await this.#recorded(claimed, () => recordEvent(audit, "claimed", claimed, nodeAgent));
    }
    return { task: claimed, svid: await credentials.next(claimed, nodeAgent, csr) };
  }

  async create({ agentId, terms, by, isOperator }: CreateOrder): Promise<TaskRecord> {
    const { store, aiAgents, quota, audit, statusIndexes, clock } = this.#options;
    checkTerms(terms);
    const agent = aiAgents.get(agentId);
    if (agent === undefined) throw agentNotFound(agentId);
    requireGood(agent, clock.now());
    const idempotency = idempotencyName(terms.idempotencyKey, by, agentId);
    const known = idempotency === "" ? undefined : await store.opened(idempotency);
    const leave = quota.enter(agentId, agent.maxOpenTasks);
    let fresh: TaskRecord | undefined;
    try {
      if (known !== undefined) return await this.#createdBefore(known, terms);
      const origin: Origin = { agent, openedBy: by, nodeAgent: "", isOperator };
      fresh = { ...(await this.#recordOf(terms, origin)), idempotency };
      if (!(await this.#add(fresh))) {
        return await this.#createdBefore((await store.opened(idempotency)) ?? "", terms);
      }
      const created = fresh;
      fresh = undefined;
      await this.#recorded(created, () => recordEvent(audit, "created", created, by));
      return created;
    } finally {
      if (fresh !== undefined) statusIndexes.release(fresh.status);
      leave();
    }
  }

  /** The AI agent that the caller is, by the entries that it matches on this node agent. */
  #agentOf({ nodeAgent, entryIds, agentId }: Omit<OpenOrder, "terms">): AiAgentRecord {
    const { aiAgents, entryFor, clock } = this.#options;
    if (entryIds.length > MAX_ENTRIES) {
      throw serverError("TASK_REQUEST_INVALID", `${entryIds.length} entries of one caller`);
    }
    const found = new Map<string, AiAgentRecord>();
    for (const id of entryIds) {
      const entry = entryFor(nodeAgent, id);
      if (entry === undefined) {
        throw serverError("ENTRY_NOT_AUTHORIZED", "entry not found or not authorized");
      }
      const agent = aiAgents.get(entry.spiffeId);
      if (agent !== undefined) found.set(agent.spiffeId, agent);
    }
    const [first, ...others] = [...found.values()];
    const agent = agentId === "" ? first : found.get(agentId);
    if (agent === undefined) {
      const who = agentId === "" ? "the caller is no AI agent" : `the caller is not "${agentId}"`;
      throw serverError("NOT_AN_AI_AGENT", who, {
        hint: "register it with 'signet ai-agent create', for the SPIFFE ID of its registration entry",
      });
    }
    if (agentId === "" && others.length > 0) {
      const names = [...found.keys()].map((name) => `"${name}"`).join(", ");
      throw serverError("AI_AGENT_AMBIGUOUS", `the caller is several AI agents: ${names}`, {
        hint: "say which one opens the task, in ai_agent",
      });
    }
    requireGood(agent, clock.now());
    return agent;
  }

  /** The task that the terms make, PENDING and without a key. */
  async #recordOf(terms: TaskTerms, origin: Origin): Promise<TaskRecord> {
    const { clock, ulids, statusIndexes } = this.#options;
    const { agent, openedBy, nodeAgent } = origin;
    const taskClass = await this.#classOf(terms, origin);
    const now = clock.now();
    const nowMs = now.getTime();
    const mandate = await this.#grant(terms, agent, taskClass);
    const ttlSeconds = ttlOf(terms, taskClass);
    const endMs = Math.min(
      nowMs + ttlSeconds * 1000,
      agent.validUntilUnixSeconds * 1000,
      (mandate.untilUnixSeconds ?? Number.POSITIVE_INFINITY) * 1000,
    );
    if (endMs <= nowMs) {
      throw serverError("TASK_REQUEST_INVALID", "the task would have ended before it begins", {
        hint: "ask for a mandate with a later 'until'",
      });
    }
    const id = ulids.next(now);
    const spiffeId = taskSpiffeId(agent.spiffeId, id).toString();
    return {
      id,
      agentId: agent.spiffeId,
      taskClass: taskClass.name,
      purpose: terms.purpose,
      intent: terms.intent,
      mandate,
      principal: terms.principal === "" ? agent.spiffeId : terms.principal,
      parent: "",
      root: id,
      depth: 0,
      owner: agent.owner,
      openedAtMs: nowMs,
      expiresAtMs: endMs,
      idleTimeoutSeconds: idleOf(terms, taskClass),
      state: "PENDING",
      stateReason: "",
      endedAtMs: 0,
      openedBy,
      nodeAgent,
      externalRefs: terms.externalRefs,
      labels: terms.labels,
      assurance: nodeAgent === "" ? "" : ATTESTED,
      usesTaken: 0,
      grantHash: grantHashOf(spiffeId, agent.spiffeId, mandate, ""),
      keyThumbprint: "",
      version: 1,
      lastActiveMs: nowMs,
      binding: undefined,
      status: statusIndexes.allocate(now),
      maxCredentialSeconds: Math.max(
        taskClass.x509SvidTtlSeconds,
        taskClass.jwtSvidTtlSeconds,
        taskClass.accessTokenTtlSeconds,
      ),
      suspendedFrom: "",
      idempotency: "",
      summaryDigest: "",
    };
  }

  async #classOf(terms: TaskTerms, { agent, isOperator }: Origin): Promise<TaskClassRecord> {
    const only = agent.taskClasses.length === 1 ? agent.taskClasses[0] : undefined;
    const name = terms.taskClass === "" ? (only ?? "") : terms.taskClass;
    if (name === "") {
      throw serverError("TASK_REQUEST_INVALID", "the task cannot be: it has no class", {
        hint: `name one of ${agent.taskClasses.join(", ")}`,
      });
    }
    const taskClass = this.#options.classes.get(name);
    const refuse = async (why: string, hint: string): Promise<never> => {
      const detail = { task_class: name.slice(0, 100), why };
      await this.#options.report({ kind: "class-not-allowed", agent: agent.spiffeId, detail });
      throw serverError("TASK_CLASS_NOT_ALLOWED", why, { hint });
    };
    if (!agent.taskClasses.includes(name)) {
      return refuse(
        `"${agent.spiffeId}" may not open tasks of the class ${JSON.stringify(name.slice(0, 100))}`,
        `name one of ${agent.taskClasses.join(", ")}`,
      );
    }
    if (taskClass === undefined) {
      throw serverError("TASK_CLASS_NOT_FOUND", `there is no task class "${name}"`, {
        hint: "list them with 'signet task-class list'",
      });
    }
    if (taskClass.openedBy === "operator" && !isOperator) {
      return refuse(
        `tasks of the class "${name}" are opened by operators alone`,
        "let an administrator open it with 'signet task create', and claim it",
      );
    }
    return taskClass;
  }

  async #grant(
    { mandate, allowClip }: TaskTerms,
    agent: AiAgentRecord,
    taskClass: TaskClassRecord,
  ): Promise<Mandate> {
    const bounds = [
      { name: "the AI agent's ceiling", mandate: agent.ceiling },
      { name: `the class ${taskClass.name}`, mandate: taskClass.maximum },
    ];
    try {
      return grant(mandate, bounds, { clip: allowClip && taskClass.allowClip });
    } catch (error) {
      if (error instanceof IdentityError && error.reason === "MANDATE_EXCEEDED") {
        const detail = { task_class: taskClass.name, asked: error.message };
        await this.#options.report({ kind: "mandate-exceeded", agent: agent.spiffeId, detail });
      }
      throw error;
    }
  }

  /** One commit: the task is there if its AI agent is still good. False: its key was used before. */
  #add(task: TaskRecord): Promise<boolean> {
    return this.#options.store.transact(async (tasks) => {
      await this.#requireGoodAgent(tasks.transaction, task.agentId);
      return tasks.add(task);
    });
  }

  /** Read in the same commit: an AI agent that is disabled meanwhile has no task that nobody ends. */
  async #requireGoodAgent(transaction: Transaction, agentId: string): Promise<void> {
    const agent = await new AiAgentTransaction(transaction).get(agentId);
    if (agent === undefined) throw agentNotFound(agentId);
    requireGood(agent, this.#options.clock.now());
  }

  /** A call that was made before: it is answered with the task of then, if it is the same call. */
  async #again(
    id: string,
    { nodeAgent, csr, terms }: OpenOrder,
    agent: AiAgentRecord,
    keyThumbprint: string,
  ): Promise<OpenedTask> {
    const { store, credentials, audit, clock } = this.#options;
    const known = store.get(id);
    if (known === undefined) throw ended(id, "long ago");
    const task = requireOpen(known, clock.now());
    const isSame =
      task.agentId === agent.spiffeId &&
      task.nodeAgent === nodeAgent &&
      task.keyThumbprint === keyThumbprint &&
      task.purpose === terms.purpose &&
      (terms.taskClass === "" || task.taskClass === terms.taskClass);
    if (!isSame) throw keyReused();
    const svid = await credentials.next(requireStep(task, "use", clock.now()), nodeAgent, csr);
    // The first answer may have been lost with a process that had not written this yet.
    await recordEvent(audit, "opened", task, nodeAgent);
    return { task, svid };
  }

  async #createdBefore(id: string, terms: TaskTerms): Promise<TaskRecord> {
    const known = await this.#options.store.find(id);
    if (known === undefined) throw ended(id, "long ago");
    if (known.purpose !== terms.purpose) throw keyReused();
    return known;
  }

  /** What cannot be written into the audit log must not take effect: the task ends as it began. */
  async #recorded(task: TaskRecord, record: () => Promise<void>): Promise<void> {
    try {
      await record();
    } catch (error) {
      this.#options.log.error(
        { error, spiffe_id: task.agentId },
        "a task that could not be recorded is ended",
      );
      await this.#options.abandon(task.id);
      throw error;
    }
  }

  async #reportForeign(
    error: unknown,
    { id, nodeAgent }: ClaimOrder,
    agent: AiAgentRecord,
  ): Promise<void> {
    const task = this.#options.store.get(id);
    if (!(error instanceof IdentityError) || error.reason !== "TASK_NOT_FOUND") return;
    if (task === undefined) return;
    const detail = { method: "claim", node_agent: nodeAgent };
    await this.#options.report({ kind: "not-owner", task: id, agent: agent.spiffeId, detail });
  }
}

const ATTESTED = "process-attested";

function ttlOf(
  { ttlSeconds }: TaskTerms,
  { name, defaultTtlSeconds, maxTtlSeconds }: TaskClassRecord,
): number {
  if (ttlSeconds <= maxTtlSeconds) return ttlSeconds || defaultTtlSeconds;
  throw serverError(
    "TASK_REQUEST_INVALID",
    `a task of the class "${name}" lasts at most ${maxTtlSeconds} s, not ${ttlSeconds}`,
    { hint: "ask for a shorter ttl, and open another task when that one is done" },
  );
}

/** A class with an idle timeout has none that is longer. */
function idleOf({ idleTimeoutSeconds: wanted }: TaskTerms, taskClass: TaskClassRecord): number {
  const { idleTimeoutSeconds: most } = taskClass;
  return wanted === 0 || most === 0 ? wanted || most : Math.min(wanted, most);
}

/** Stands for a key of one caller: another one's call with the same key is another call. "" without a key. */
function idempotencyName(key: string, caller: string, agentId: string): string {
  if (key === "") return "";
  return createHash("sha256")
    .update(JSON.stringify([caller, agentId, key]))
    .digest("hex")
    .slice(0, 32);
}

function requireGood(agent: AiAgentRecord, now: Date): void {
  const cause = endOf(agent, now);
  if (cause === undefined) return;
  const reason = cause === "expired" ? "AI_AGENT_EXPIRED" : "AI_AGENT_DISABLED";
  throw serverError(reason, `the AI agent "${agent.spiffeId}" is ${cause}: it opens no tasks`, {
    hint: "ask its owner; see 'signet ai-agent show'",
  });
}

function agentNotFound(agentId: string): IdentityError {
  return serverError("AI_AGENT_NOT_FOUND", `"${agentId}" is no AI agent`, {
    hint: "list them with 'signet ai-agent list'",
  });
}

function keyReused(): IdentityError {
  return serverError("IDEMPOTENCY_KEY_REUSED", "the idempotency key was used for another task", {
    hint: "use a new random key for each task, and the same request and key pair to ask again",
  });
}
