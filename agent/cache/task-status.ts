// Which tasks are to be refused, of all that there are: what the link brought, and what this node agent
// ended itself and the server may not know yet. A deny list: a task that is not in it goes on. Listeners
// are told in the same turn of the event loop in which a change arrives: what is refused is refused now.

import type { Clock } from "../../runtime/clock.ts";
import { Freshness } from "./freshness.ts";

/** As in signet.link.v1.TaskVerdict: it goes on, not now, never again. */
export type TaskVerdict = "good" | "refused" | "ended";

/** What verifiers must know of a task. */
export interface TaskStatus {
  /** A ULID. */
  readonly taskId: string;
  /** Whole. */
  readonly spiffeId: string;
  readonly verdict: TaskVerdict;
  /** Grows with every change of the task. */
  readonly version: number;
  /** By then each of its credentials has expired. */
  readonly forgetAt: Date;
  /** For people: the state's name. */
  readonly state: string;
  /** The words of whoever brought it into this state; "" when there are none. */
  readonly reason: string;
}

/** What a guard must know of a task class. */
export interface TaskClassRules {
  readonly name: string;
  /** What verifiers do without a fresh status: refuse, or rely on short lifetimes. */
  readonly failMode: "closed" | "ttl";
  readonly requirePop: boolean;
}

/** What is new. */
export interface TaskStatusChange {
  /** Each in its new state; "good" ones are refused no more. */
  readonly tasks: readonly TaskStatus[];
  readonly classes: readonly TaskClassRules[];
  readonly removedClasses: readonly string[];
}

export interface TaskStatusCacheOptions {
  readonly clock: Clock;
  /** Asks the server for a sign of life: see freshness.ts. */
  readonly ask: () => void;
}

type Listener = (change: TaskStatusChange) => void;

const SWEEP_EVERY_MS = 60_000;

/** The deny list of tasks, and the rules of their classes. */
export class TaskStatusCache {
  readonly #options: TaskStatusCacheOptions;
  readonly #freshness: Freshness;
  readonly #refused = new Map<string, TaskStatus>();
  readonly #classes = new Map<string, TaskClassRules>();
  readonly #listeners = new Set<Listener>();
  #sweptMs = 0;

  constructor(options: TaskStatusCacheOptions) {
    this.#options = options;
    this.#freshness = new Freshness(options);
  }

  /** How many tasks are refused. */
  get size(): number {
    return this.#refused.size;
  }

  /** Of every class, by name. */
  get classes(): ReadonlyMap<string, TaskClassRules> {
    return this.#classes;
  }

  /** Why a task is refused; undefined when nothing is known against it. */
  get(taskId: string): TaskStatus | undefined {
    const held = this.#refused.get(taskId);
    return held === undefined || this.#isForgotten(held) ? undefined : held;
  }

  /** All that are refused. */
  *refused(): IterableIterator<TaskStatus> {
    for (const status of this.#refused.values()) if (!this.#isForgotten(status)) yield status;
  }

  /** Whether what is known is current: see freshness.ts. */
  isFresh(): boolean {
    return this.#freshness.isFresh();
  }

  /** Keeps what is known current and calls `fn` when it begins or ceases to be, until what is returned is called. */
  onFreshness(fn: (isFresh: boolean) => void): () => void {
    return this.#freshness.watch(fn);
  }

  /** Calls `fn` at each change, at once, until what is returned is called. */
  onChange(fn: Listener): () => void {
    const listener: Listener = (change) => fn(change);
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The server was heard, after everything that had happened before. */
  heard(): void {
    this.#freshness.heard();
  }

  /** Takes over everything that the server refuses. Who is not in it any more goes on, unless it has ended. */
  replaceAll({ tasks, classes }: Omit<TaskStatusChange, "removedClasses">): void {
    const named = new Set(tasks.map(({ taskId }) => taskId));
    const freed = [...this.#refused.values()]
      .filter(({ taskId, verdict }) => verdict === "refused" && !named.has(taskId))
      .map((status): TaskStatus => ({ ...status, verdict: "good" }));
    const names = new Set(classes.map(({ name }) => name));
    const removedClasses = [...this.#classes.keys()].filter((name) => !names.has(name));
    this.apply({ tasks: [...freed, ...tasks], classes, removedClasses });
  }

  /** Takes over a change. An older state of a task does not take the place of a newer one, and none that of its end. */
  apply({ tasks, classes, removedClasses }: TaskStatusChange): void {
    const news = tasks.filter((status) => this.#take(status));
    for (const rules of classes) this.#classes.set(rules.name, rules);
    for (const name of removedClasses) this.#classes.delete(name);
    this.#sweep();
    if (news.length + classes.length + removedClasses.length === 0) return;
    for (const listener of [...this.#listeners]) listener({ tasks: news, classes, removedClasses });
  }

  #take(status: TaskStatus): boolean {
    const { taskId, verdict, version } = status;
    const held = this.#refused.get(taskId);
    if (held?.verdict === "ended") {
      // The server's word says how long it matters.
      if (verdict === "ended" && version > held.version) this.#refused.set(taskId, status);
      return false;
    }
    // An end is the last there is, whoever noticed it and whatever version it knew.
    if (held !== undefined && verdict !== "ended" && version < held.version) return false;
    if (verdict === "good") this.#refused.delete(taskId);
    // By a clock that is ahead it is over already: not worth keeping, and an end all the same.
    else if (this.#isForgotten(status)) return verdict === "ended";
    else this.#refused.set(taskId, status);
    return true;
  }

  #isForgotten({ forgetAt }: TaskStatus): boolean {
    return forgetAt.getTime() <= this.#nowMs();
  }

  #sweep(): void {
    const nowMs = this.#nowMs();
    if (Math.abs(nowMs - this.#sweptMs) < SWEEP_EVERY_MS) return;
    this.#sweptMs = nowMs;
    for (const [taskId, status] of this.#refused) {
      if (this.#isForgotten(status)) this.#refused.delete(taskId);
    }
  }

  #nowMs(): number {
    return this.#options.clock.now().getTime();
  }
}
