// Attempts of AI agents to get more than was granted: each becomes an event of the audit log's stream
// "escalation", and may have its task suspended or ended. What counts as one: escalation-kinds.ts.
//
// The reaction comes first: an event that cannot be written must not keep a task alive.
import { IdentityError } from "../../pki/errors.ts";
import { ulidIn } from "../../pki/task-id.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Counter, Metrics } from "../../runtime/metrics.ts";
import { type AuditEvent, withoutSecrets } from "../audit/event.ts";
import type { ReplicaChange } from "../store/replica.ts";
import { isOpen, type KnownTask } from "../store/task-record.ts";
import { Denials, type ProbingRule } from "./denials.ts";
import {
  type About,
  aboutOf,
  type EscalationReport,
  eventOf,
  TYPE_PREFIX,
} from "./escalation-event.ts";
import {
  ESCALATION_KINDS,
  type EscalationKind,
  isEscalationKind,
  isReaction,
  type Reaction,
} from "./escalation-kinds.ts";
import { EventAllowance, type LeftOut, MINUTE_MS } from "./event-allowance.ts";
import { Places } from "./places.ts";

export type { EscalationReport } from "./escalation-event.ts";
export type { EscalationKind, Reaction } from "./escalation-kinds.ts";

/** The settings `tasks.escalations`. */
export interface EscalationsConfig {
  /** In place of the defaults; a task class's own stand over these. */
  readonly reactions: Readonly<Partial<Record<EscalationKind, Reaction>>>;
  readonly probing: ProbingRule;
  /** Node agents on which one AI agent may have open tasks. */
  readonly maxNodes: number;
  /** SPIFFE IDs of guards whose word alone is enough to suspend or end a task. */
  readonly trustedGuards: ReadonlySet<string>;
}

/** What escalations ask of the tasks: the slice of server/tasks/tasks.ts they need. */
export interface EscalationTasks {
  get(id: string): KnownTask | undefined;
  /** IDs of the open tasks of an AI agent. */
  ofAgent(agentId: string): Iterable<string>;
  /** IDs of the open tasks of others that it hosts. */
  hostedBy(agentId: string): Iterable<string>;
  suspend(id: string, actor: { readonly by: string }, reason: string): Promise<unknown>;
  end(
    id: string,
    actor: { readonly by: string },
    ending: { readonly state: "REVOKED"; readonly reason: string },
  ): Promise<unknown>;
}

export interface EscalationsOptions {
  readonly config: EscalationsConfig;
  readonly audit: {
    append(event: AuditEvent, options?: { readonly durable?: boolean }): Promise<void>;
  };
  readonly tasks: EscalationTasks;
  /** Reactions of a task class, by kind. */
  readonly reactionsOf: (taskClass: string) => Readonly<Record<string, string>> | undefined;
  /** Whether a node agent may serve an entry with this SPIFFE ID now. */
  readonly isServed: (nodeAgent: string, spiffeId: string) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

type Outcome = "changed" | "over" | "failed";

/** Name of who suspends and ends tasks here. */
const ACTOR = { by: "escalation" };
/** Tasks of one AI agent that are changed at once. */
const AT_ONCE = 100;

export class Escalations {
  readonly #options: EscalationsOptions;
  readonly #counter: Counter<"kind" | "reaction">;
  readonly #allowance = new EventAllowance();
  readonly #denials: Denials;
  readonly #places = new Places();
  readonly #pending = new Set<Promise<unknown>>();
  #timer: Timer | undefined;

  constructor(options: EscalationsOptions) {
    this.#options = options;
    this.#denials = new Denials(options.config.probing);
    this.#counter = options.metrics.counter({
      name: "escalations_total",
      help: "Attempts to get more than was granted, by kind and by what was done",
      labels: ["kind", "reaction"],
    });
  }

  /**
   * Writes an attempt down and reacts to it; resolves with what was done once both are on the disk. Never
   * rejects, so that whoever refuses an attempt can answer as it would have: what fails here is logged.
   */
  async report(report: EscalationReport): Promise<Reaction> {
    return this.#tracked(this.#handle(report, false));
  }

  /** An event that a node agent passed on, and that is in the log already. An agent's own word is no evidence. */
  async heard(event: AuditEvent): Promise<void> {
    if (event.outcome !== "denied" || event.observedBy === "agent") return;
    const { agent, task, observedBy: by = "agent", observer: spiffeId = "" } = event;
    const node = by === "node" ? undefined : event.detail?.["node"];
    const observer: EscalationReport["observer"] = { by, spiffeId, node };
    const kind = event.type.slice(TYPE_PREFIX.length);
    if (event.stream === "escalation" && isEscalationKind(kind)) {
      await this.#tracked(this.#handle({ kind, agent, task, observer }, true));
    } else await this.#tracked(this.#denied({ agent, task, observer }));
  }

  /** One refusal of an AI agent that is no attempt by itself, such as a tool that its task may not call. */
  async denied(denial: Omit<EscalationReport, "kind">): Promise<void> {
    await this.#tracked(this.#denied(denial));
  }

  /** Hears of every change of the tasks. Those that are there at the start come without a word: `load`. */
  readonly changed = (changes: readonly ReplicaChange<KnownTask>[]): void => {
    const { maxNodes } = this.#options.config;
    for (const change of changes) {
      const agent = this.#places.note(change);
      if (agent === undefined || this.#places.of(agent) <= maxNodes) continue;
      const detail = { nodes: String(this.#places.of(agent)), at_most: String(maxNodes) };
      // Waited for by close(); report never rejects.
      void this.report({ kind: "too-many-places", agent, task: change.after?.id, detail });
    }
  };

  /** Takes in the tasks as they are at the start. */
  load(tasks: Iterable<KnownTask>): void {
    for (const after of tasks) this.#places.note({ before: undefined, after });
  }

  /** Waits for what is under way, and writes down what was left out. */
  async close(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#tellLeftOut(this.#allowance.turn());
  }

  async #tracked<T>(done: Promise<T>): Promise<T> {
    this.#pending.add(done);
    try {
      return await done;
    } finally {
      this.#pending.delete(done);
    }
  }

  async #handle(report: EscalationReport, isLogged: boolean): Promise<Reaction> {
    const { kind } = report;
    const about = this.#aboutOf(report);
    const isTrusted = this.#isTrusted(report.observer, about.known);
    const wanted = isTrusted ? this.#reactionTo(kind, about.known) : "log";
    const { changed, failed } = await this.#react(wanted, kind, about);
    const reaction = changed > 0 ? wanted : "log";
    this.#counter.inc({ kind, reaction });
    // What was suspended or ended is always written down: there are no more of them than tasks.
    if (changed > 0 || (!isLogged && this.#take(about.agent, kind))) {
      await this.#write(eventOf(report, about, { reaction, changed, failed }));
    }
    if (kind !== "probing" && kind !== "too-many-places") {
      await this.#denied({ ...report, agent: about.agent });
    }
    return reaction;
  }

  /**
   * Whose word is enough to suspend or end a task: the server's own, that of the node agent that holds the
   * task, and that of guards trusted by name, of those nodes that may serve them. Any workload with an
   * identity can send events, and a node agent that is not what it was can report anything, in any name:
   * that is written down, and no more.
   */
  #isTrusted(observer: EscalationReport["observer"], task: KnownTask | undefined): boolean {
    if (observer === undefined || observer.by === "issuer") return true;
    const { config, isServed } = this.#options;
    const { by, spiffeId, node } = observer;
    if (by === "node") return task !== undefined && task.nodeAgent === spiffeId;
    if (by !== "guard" || !config.trustedGuards.has(spiffeId)) return false;
    return node === undefined || isServed(node, spiffeId);
  }

  async #denied(denial: Omit<EscalationReport, "kind">): Promise<void> {
    const { agent } = this.#aboutOf(denial);
    if (agent === "" || !this.#denials.note(agent, this.#options.clock.now())) return;
    const { denials, windowSeconds } = this.#options.config.probing;
    const detail = { denials: String(denials), window_seconds: String(windowSeconds) };
    const report = { ...denial, kind: "probing", agent, detail } as const;
    await this.#handle(report, false);
  }

  #aboutOf(report: Omit<EscalationReport, "kind"> & { readonly kind?: EscalationKind }): About {
    const { task = "" } = report;
    return aboutOf(report, task === "" ? undefined : this.#options.tasks.get(ulidIn(task)));
  }

  #reactionTo(kind: EscalationKind, task: KnownTask | undefined): Reaction {
    const { config, reactionsOf } = this.#options;
    const ofClass = task && reactionsOf(task.taskClass)?.[kind];
    if (ofClass !== undefined && isReaction(ofClass)) return ofClass;
    return config.reactions[kind] ?? ESCALATION_KINDS[kind].reaction;
  }

  /**
   * Reacts on the task, or where the attempt is about none, every open task that the AI agent holds. An attempt on
   * somebody else's task is answered on who made it: its victim keeps working.
   */
  async #react(
    reaction: Reaction,
    kind: EscalationKind,
    { agent, task, known }: About,
  ): Promise<{ readonly changed: number; readonly failed: number }> {
    if (reaction === "log") return { changed: 0, failed: 0 };
    const isOwn = task !== "" && (known === undefined || known.agentId === agent);
    const { tasks } = this.#options;
    const ids = isOwn ? [ulidIn(task)] : [...tasks.ofAgent(agent), ...tasks.hostedBy(agent)];
    let changed = 0;
    let failed = 0;
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      const some = ids.slice(at, at + AT_ONCE).filter((id) => this.#isToChange(id, reaction));
      const ends = some.map((id) => this.#change(id, reaction, `escalation: ${kind}`));
      for (const outcome of await Promise.all(ends)) {
        if (outcome === "changed") changed++;
        if (outcome === "failed") failed++;
      }
    }
    return { changed, failed };
  }

  #isToChange(id: string, reaction: Reaction): boolean {
    const task = this.#options.tasks.get(id);
    return task !== undefined && isOpen(task) && !(reaction === "suspend" && isSuspended(task));
  }

  async #change(id: string, reaction: Reaction, reason: string): Promise<Outcome> {
    const { tasks, log } = this.#options;
    try {
      if (reaction === "suspend") await tasks.suspend(id, ACTOR, reason);
      else await tasks.end(id, ACTOR, { state: "REVOKED", reason });
      return "changed";
    } catch (error) {
      // Ended by somebody else in the meantime: nothing is left to be done.
      const task = tasks.get(id);
      if (task === undefined || !isOpen(task)) return "over";
      log.error({ task_id: id, error, reaction }, "an escalation attempt met no reaction");
      return "failed";
    }
  }

  #take(agent: string, kind: EscalationKind): boolean {
    this.#timer ??= this.#options.clock.setTimer(MINUTE_MS, () => {
      this.#timer = undefined;
      const told = this.#tellLeftOut(this.#allowance.turn());
      this.#pending.add(told);
      void told.finally(() => this.#pending.delete(told)); // never rejects: see #write
    });
    return this.#allowance.take(agent, kind);
  }

  async #tellLeftOut(all: readonly LeftOut[]): Promise<void> {
    await Promise.all(
      all.map(({ agent, kind, count }) =>
        this.#write({
          stream: "escalation",
          type: "escalation.left-out",
          outcome: "denied",
          agent: agent === "" ? undefined : agent,
          reason: kind,
          detail: { kind, count: String(count) },
        }),
      ),
    );
  }

  async #write(event: AuditEvent): Promise<void> {
    try {
      await this.#options.audit.append(withoutSecrets(event), { durable: true });
    } catch (error) {
      const reason = error instanceof IdentityError ? error.reason : "INTERNAL";
      this.#options.log.error(
        { spiffe_id: event.agent, kind: event.detail?.["kind"], reason, error },
        "an escalation attempt could not be written into the audit log",
      );
    }
  }
}

function isSuspended({ state }: KnownTask): boolean {
  return state === "SUSPENDED";
}
