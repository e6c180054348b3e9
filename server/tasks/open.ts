// How tasks come to be: opened by a process that a node agent attested, made by an administrator or an
// orchestrator, and claimed. Everything that a node agent says is checked anew: its say is over the AI
// agents of its own entries alone. One commit, one signature and one event each, all shared with
// those that come at the same time.
import { createHash } from "node:crypto";
import { IdentityError } from "../../pki/errors.ts";
import { jwkThumbprint } from "../../pki/token/thumbprint.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import { protoError } from "../../proto/errors.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AuditSink } from "../audit/log.ts";
import { serverError } from "../errors.ts";
import type { AiAgentRecord, AiAgentStore } from "../store/ai-agents.ts";
import { isOpen, type TaskRecord } from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import type { Transaction } from "../store/transaction.ts";
import { type Credentials, unknownTask, type VerifiedRequest } from "./credentials.ts";
import type { EscalationReport } from "./escalation-event.ts";
import { recordEvent } from "./events.ts";
import { assuranceOf, type NewTasks, type Origin } from "./new-task.ts";
import type { ClaimOrder, CreateOrder, OpenedTask, OpenOrder, TaskTerms } from "./orders.ts";
import type { Quota } from "./quota.ts";
import { requireGood, requireHost } from "./require-good.ts";
import { changed, ended, requireOpen, requireStep } from "./states.ts";
import type { StatusIndexes } from "./status-index.ts";
import { checkTerms, termsDigest } from "./terms.ts";
import type { Opener, WhoOpens } from "./who-opens.ts";

export interface OpeningOptions {
  readonly store: TaskStore;
  readonly aiAgents: Pick<AiAgentStore, "get" | "getIn">;
  readonly newTasks: NewTasks;
  readonly whoOpens: WhoOpens;
  readonly credentials: Credentials;
  readonly quota: Quota;
  readonly statusIndexes: StatusIndexes;
  readonly audit: AuditSink;
  readonly report: (report: EscalationReport) => Promise<unknown>;
  /** A task is about to be a node agent's, or answered to it once more. */
  readonly note: (id: string) => void;
  /** A sign of life. */
  readonly touch: (id: string) => void;
  /** Drops what is remembered of a task that never was. */
  readonly forget: (id: string) => void;
  /** Ends a task that must not have begun. Never rejects. */
  readonly abandon: (id: string) => Promise<void>;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Opening {
  readonly #options: OpeningOptions;

  constructor(options: OpeningOptions) {
    this.#options = options;
  }

  async open(order: OpenOrder): Promise<OpenedTask> {
    const { store, credentials, statusIndexes, audit, quota, forget, whoOpens } = this.#options;
    const { terms, nodeAgent, csr } = order;
    checkTerms(terms);
    const opener = await whoOpens.of(order);
    const { agent, host } = opener;
    // Before the signature of the request is verified, which costs more than all before it.
    quota.pace(agent.spiffeId);
    const request: VerifiedRequest = { csr, spki: parseCsr(csr).spki };
    const keyThumbprint = jwkThumbprint(request.spki);
    const idempotency = idempotencyName(terms.idempotencyKey, nodeAgent, agent.spiffeId);
    const known = idempotency === "" ? undefined : store.opened(idempotency);
    if (known !== undefined) return this.#again(known, order, opener, request);
    const leave = quota.enter(agent.spiffeId, agent.maxOpenTasks);
    let fresh: TaskRecord | undefined;
    try {
      const openedBy = (host ?? agent).spiffeId;
      const origin: Origin = { agent, host, openedBy, nodeAgent, isOperator: false };
      const task = await this.#options.newTasks.recordOf(terms, origin);
      const binding = this.#options.newTasks.bindingOf(task.taskClass, order.binding);
      fresh = { ...task, state: "ACTIVE", keyThumbprint, binding, idempotency };
      const svid = await credentials.first(fresh, nodeAgent, request);
      requireAwaited(order);
      this.#options.note(fresh.id);
      const isNew = await this.#add(fresh);
      if (!isNew) {
        const id = store.opened(idempotency);
        if (id === undefined) throw ended(fresh.id, "ABANDONED");
        return await this.#again(id, order, opener, request);
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
    const { store, credentials, audit, quota, clock, newTasks, whoOpens } = this.#options;
    const { id, nodeAgent, csr } = order;
    const opener = await whoOpens.of(order);
    const { agent, host } = opener;
    quota.pace(agent.spiffeId);
    const request: VerifiedRequest = { csr, spki: parseCsr(csr).spki };
    const keyThumbprint = jwkThumbprint(request.spki);
    const { claimed, isNew } = await store
      .transact(async (tasks) => {
        const task = await tasks.get(id);
        // Who may not have it learns nothing of it.
        if (task === undefined || task.agentId !== agent.spiffeId) throw unknownTask(id);
        if (!isOpen(task)) throw ended(id, task.state);
        const isAgain = isHeldBy(task, nodeAgent, keyThumbprint, opener);
        if (isAgain) {
          this.#asked(id);
          return { claimed: requireStep(task, "use", clock.now()), isNew: false };
        }
        const pending = requireStep(task, "claim", clock.now());
        requireAwaited(order);
        await newTasks.requireAttested(pending.taskClass, agent, host);
        await this.#requireGoodAgents(tasks.transaction, agent.spiffeId, host?.spiffeId ?? "");
        const claim = {
          nodeAgent,
          keyThumbprint,
          binding: newTasks.bindingOf(pending.taskClass, order.binding),
          lastActiveMs: clock.now().getTime(),
          assurance: assuranceOf(host),
          host: host?.spiffeId ?? "",
          expiresAtMs: endOf(pending, host),
        };
        const after = changed(pending, { ...claim, state: "ACTIVE", stateReason: "" });
        this.#options.note(id);
        tasks.put(after);
        return { claimed: after, isNew: true };
      })
      .catch(async (error: unknown) => {
        await this.#reportForeign(error, order, opener);
        throw error;
      });
    if (isNew) {
      await this.#recorded(claimed, () => recordEvent(audit, "claimed", claimed, nodeAgent));
    }
    return { task: claimed, svid: await credentials.next(claimed, nodeAgent, request) };
  }

  async create({ agentId, terms, by, isOperator }: CreateOrder): Promise<TaskRecord> {
    const { store, aiAgents, quota, audit, statusIndexes, clock } = this.#options;
    checkTerms(terms);
    const agent = aiAgents.get(agentId);
    if (agent === undefined) throw agentNotFound(agentId);
    requireGood(agent.spiffeId, agent, clock.now());
    const idempotency = idempotencyName(terms.idempotencyKey, by, agentId);
    const known = idempotency === "" ? undefined : store.opened(idempotency);
    quota.pace(agentId);
    const leave = quota.enter(agentId, agent.maxOpenTasks);
    let fresh: TaskRecord | undefined;
    try {
      if (known !== undefined) return await this.#createdBefore(known, terms);
      const origin: Origin = { agent, host: undefined, openedBy: by, nodeAgent: "", isOperator };
      fresh = { ...(await this.#options.newTasks.recordOf(terms, origin)), idempotency };
      if (!(await this.#add(fresh))) {
        return await this.#createdBefore(store.opened(idempotency) ?? "", terms);
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

  /** One commit: the task is there if its AI agent is still good. False: its key was used before. */
  #add(task: TaskRecord): Promise<boolean> {
    return this.#options.store.transact(async (tasks) => {
      await this.#requireGoodAgents(tasks.transaction, task.agentId, task.host);
      return tasks.add(task);
    });
  }

  /** Read in the same commit: an AI agent that is disabled meanwhile has no task that nobody ends. */
  async #requireGoodAgents(
    transaction: Transaction,
    agentId: string,
    hostId: string,
  ): Promise<void> {
    const { aiAgents, clock } = this.#options;
    requireGood(agentId, await aiAgents.getIn(transaction, agentId), clock.now());
    if (hostId === "") return;
    requireHost(hostId, await aiAgents.getIn(transaction, hostId), agentId, clock.now());
  }

  /** A call that was made before: it is answered with the task of then, if it is the same call. */
  async #again(
    id: string,
    { nodeAgent, terms }: OpenOrder,
    opener: Opener,
    request: VerifiedRequest,
  ): Promise<OpenedTask> {
    const { store, credentials, audit, clock } = this.#options;
    const known = store.get(id);
    if (known === undefined) throw ended(id, "long ago");
    const task = requireOpen(known, clock.now());
    const isSame =
      task.agentId === opener.agent.spiffeId &&
      isHeldBy(task, nodeAgent, jwkThumbprint(request.spki), opener) &&
      task.termsDigest === termsDigest(terms);
    if (!isSame) throw keyReused();
    this.#asked(id);
    const svid = await credentials.next(requireStep(task, "use", clock.now()), nodeAgent, request);
    // The first answer may have been lost with a process that had not written this yet.
    await recordEvent(audit, "opened", task, nodeAgent);
    return { task, svid };
  }

  /** An opening is answered once more: its task is not nobody's. */
  #asked(id: string): void {
    this.#options.note(id);
    this.#options.touch(id);
  }

  async #createdBefore(id: string, terms: TaskTerms): Promise<TaskRecord> {
    const known = await this.#options.store.find(id);
    if (known === undefined) throw ended(id, "long ago");
    if (known.termsDigest !== termsDigest(terms)) throw keyReused();
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
    { agent, host }: Opener,
  ): Promise<void> {
    const task = this.#options.store.get(id);
    if (!(error instanceof IdentityError) || error.reason !== "TASK_NOT_FOUND") return;
    if (task === undefined) return;
    const detail = { method: "claim", node_agent: nodeAgent };
    const by = (host ?? agent).spiffeId;
    await this.#options.report({ kind: "not-owner", task: id, agent: by, detail });
  }
}

/** Whether a task is this caller's. */
function isHeldBy(
  task: TaskRecord,
  nodeAgent: string,
  keyThumbprint: string,
  { host }: Opener,
): boolean {
  const isSameHost = task.host === (host?.spiffeId ?? "");
  return task.nodeAgent === nodeAgent && task.keyThumbprint === keyThumbprint && isSameHost;
}

/** A task ends with its host too. */
function endOf({ expiresAtMs }: TaskRecord, host: AiAgentRecord | undefined): number {
  return host === undefined
    ? expiresAtMs
    : Math.min(expiresAtMs, host.validUntilUnixSeconds * 1000);
}

/** Stands for a key of one caller: another one's call with the same key is another call. "" without a key. */
function idempotencyName(key: string, caller: string, agentId: string): string {
  if (key === "") return "";
  return createHash("sha256")
    .update(JSON.stringify([caller, agentId, key]))
    .digest("hex")
    .slice(0, 32);
}

/** What waited here for longer than its caller did opens nothing: nobody would know of it. */
function requireAwaited({ signal }: Pick<OpenOrder, "signal">): void {
  if (signal?.aborted !== true) return;
  throw protoError("CALL_CANCELLED", "the caller waits no longer: no task was opened");
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
