// A task as it is going to be: class, mandate, lifetime and the rest, from what was asked for and what the AI
// agent and the class allow. Attempts to get more are reported here. Who asks, and the commit: open.ts.
import { IdentityError } from "../../pki/errors.ts";
import { taskSpiffeId, type Ulids } from "../../pki/task-id.ts";
import type { Mandate } from "../../policy/mandate.ts";
import { grant } from "../../policy/mandate-request.ts";
import type { Clock } from "../../runtime/clock.ts";
import { serverError } from "../errors.ts";
import type { AiAgentRecord } from "../store/ai-agents.ts";
import type { TaskClassRecord } from "../store/task-classes.ts";
import type { Assurance, TaskRecord } from "../store/task-record.ts";
import type { EscalationReport } from "./escalation-event.ts";
import { grantHashOf } from "./grant-hash.ts";
import type { TaskTerms } from "./orders.ts";
import type { StatusIndexes } from "./status-index.ts";
import { termsDigest } from "./terms.ts";

export interface NewTasksOptions {
  readonly classes: { get(name: string): TaskClassRecord | undefined };
  readonly statusIndexes: StatusIndexes;
  readonly ulids: Ulids;
  readonly report: (report: EscalationReport) => Promise<unknown>;
  readonly clock: Clock;
}

/** Who opens a task, and where. */
export interface Origin {
  readonly agent: AiAgentRecord;
  /** The AI agent whose process it is, when that is another one. */
  readonly host: AiAgentRecord | undefined;
  readonly openedBy: string;
  /** "" for one that waits to be claimed. */
  readonly nodeAgent: string;
  readonly isOperator: boolean;
}

/** What is known of a caller that a node agent attested: that it is the AI agent, or its host. */
export function assuranceOf(host: AiAgentRecord | undefined): Assurance {
  return host === undefined ? "process-attested" : "host-asserted";
}

export class NewTasks {
  readonly #options: NewTasksOptions;
  /** By ceiling: what is granted below it, and a class, to those that ask for nothing by name. */
  readonly #inherited = new WeakMap<
    Mandate,
    { readonly maximum: Mandate; readonly granted: Mandate }
  >();

  constructor(options: NewTasksOptions) {
    this.#options = options;
  }

  /** The task that the terms make, PENDING and without a key. */
  async recordOf(terms: TaskTerms, origin: Origin): Promise<TaskRecord> {
    const { clock, ulids, statusIndexes } = this.#options;
    const { agent, host, openedBy, nodeAgent } = origin;
    const taskClass = await this.#classOf(terms, origin);
    const now = clock.now();
    const nowMs = now.getTime();
    const mandate = await this.#grant(terms, origin, taskClass);
    const ttlSeconds = ttlOf(terms, taskClass);
    const endMs = Math.min(
      nowMs + ttlSeconds * 1000,
      agent.validUntilUnixSeconds * 1000,
      (host?.validUntilUnixSeconds ?? Number.POSITIVE_INFINITY) * 1000,
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
      assurance: nodeAgent === "" ? "" : assuranceOf(host),
      host: host?.spiffeId ?? "",
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
      termsDigest: termsDigest(terms),
      summaryDigest: "",
    };
  }

  /** What a task of this class is bound to: nothing, where the class says so. A class that is gone binds. */
  bindingOf(taskClass: string, binding: TaskRecord["binding"]): TaskRecord["binding"] {
    return this.#options.classes.get(taskClass)?.bind === "none" ? undefined : binding;
  }

  /** Whether a process of this host, if any, may have a task of this class. @throws TASK_CLASS_NOT_ALLOWED */
  async requireAttested(
    name: string,
    agent: AiAgentRecord,
    host: AiAgentRecord | undefined,
  ): Promise<void> {
    // Of a class that is gone nobody knows what it asked for.
    const isRequired = this.#options.classes.get(name)?.requireAttested ?? true;
    if (host === undefined || !isRequired) return;
    await this.#refuseClass(
      name,
      { agent, host },
      `tasks of the class "${name}" are for processes that are attested as "${agent.spiffeId}" itself`,
      "give it a registration entry and a process of its own, or name a class for hosted AI agents",
    );
  }

  async #refuseClass(
    name: string,
    { agent, host }: Pick<Origin, "agent" | "host">,
    why: string,
    hint: string,
  ): Promise<never> {
    const { by, hosted } = attemptOf(agent, host);
    const detail = { task_class: name.slice(0, 100), why, ...hosted };
    await this.#options.report({ kind: "class-not-allowed", agent: by, detail });
    throw serverError("TASK_CLASS_NOT_ALLOWED", why, { hint });
  }

  async #classOf(terms: TaskTerms, origin: Origin): Promise<TaskClassRecord> {
    const { agent, isOperator } = origin;
    const only = agent.taskClasses.length === 1 ? agent.taskClasses[0] : undefined;
    const name = terms.taskClass === "" ? (only ?? "") : terms.taskClass;
    if (name === "") {
      throw serverError("TASK_REQUEST_INVALID", "the task cannot be: it has no class", {
        hint: `name one of ${agent.taskClasses.join(", ")}`,
      });
    }
    const taskClass = this.#options.classes.get(name);
    const refuse = (why: string, hint: string): Promise<never> =>
      this.#refuseClass(name, origin, why, hint);
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
    await this.requireAttested(name, agent, origin.host);
    return taskClass;
  }

  async #grant(
    { mandate, allowClip }: TaskTerms,
    { agent, host }: Pick<Origin, "agent" | "host">,
    taskClass: TaskClassRecord,
  ): Promise<Mandate> {
    const { maximum } = taskClass;
    const isInherited = Object.values(mandate).every((value) => value === undefined);
    const known = isInherited ? this.#inherited.get(agent.ceiling) : undefined;
    if (known?.maximum === maximum) return known.granted;
    const bounds = [
      { name: "the AI agent's ceiling", mandate: agent.ceiling },
      { name: `the class ${taskClass.name}`, mandate: maximum },
    ];
    try {
      const granted = grant(mandate, bounds, { clip: allowClip && taskClass.allowClip });
      if (isInherited) this.#inherited.set(agent.ceiling, { maximum, granted });
      return granted;
    } catch (error) {
      if (error instanceof IdentityError && error.reason === "MANDATE_EXCEEDED") {
        const { by, hosted } = attemptOf(agent, host);
        const detail = { task_class: taskClass.name, asked: error.message, ...hosted };
        await this.#options.report({ kind: "mandate-exceeded", agent: by, detail });
      }
      throw error;
    }
  }
}

/**
 * Whose attempt it was: that a process of the host was at work is known, the rest is its word, and other tasks of the
 * AI agent, which may be held elsewhere, are not to suffer for it.
 */
function attemptOf(
  agent: AiAgentRecord,
  host: AiAgentRecord | undefined,
): { readonly by: string; readonly hosted: Readonly<Record<string, string>> } {
  if (host === undefined) return { by: agent.spiffeId, hosted: {} };
  return { by: host.spiffeId, hosted: { ai_agent: agent.spiffeId } };
}

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
