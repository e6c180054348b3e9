// The tasks of this node agent, and what ends them: the death of their process, their holder's word, or the
// server's. An end takes effect here in the turn in which it is noticed (guards on this node refuse the
// task, its socket closes), whether or not the server can be told; ends.ts tells it.

import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { Quota } from "../../runtime/quota.ts";
import type { TaskStatus, TaskStatusCache, TaskStatusChange } from "../cache/task-status.ts";
import { agentError } from "../errors.ts";
import type { Ends } from "./ends.ts";
import type { HeldTask } from "./held-task.ts";
import type { HeldRecord, SpooledEnd, TaskJournal } from "./journal.ts";
import type { BoundProcess } from "./processes.ts";
import type { Task } from "./server.ts";
import { ended, stateName } from "./state.ts";

export interface TasksOptions {
  readonly journal: TaskJournal;
  readonly ends: Ends;
  readonly status: TaskStatusCache;
  readonly limits: { readonly open: number; readonly openPerUid: number };
  readonly clock: Clock;
  readonly log: Logger;
  /** Of these tasks is to be known how they stand: asks the server. */
  readonly refresh: (taskIds: Iterable<string>) => void;
  readonly onEnded: (state: string) => void;
}

/** A task that ended a short while ago: who still calls for it is told so. */
export interface EndedTask {
  readonly spki: Uint8Array;
  /** Of the AI agent whose processes may call for it. */
  readonly holder: string;
  /** Of who opened it. */
  readonly uid: number;
  readonly state: string;
  readonly reason: string;
}

export interface Ending {
  readonly state: SpooledEnd["state"];
  readonly reason: string;
  readonly summaryDigest?: string;
}

/** How long credentials of a task may be good whose end is not known. */
const UNKNOWN_LIFE_MS = 24 * 3_600_000;
/** Clocks differ. */
const LEEWAY_MS = 300_000;
const MAX_ENDED = 4096;

export class Tasks {
  readonly #options: TasksOptions;
  readonly #held = new Map<string, HeldTask>();
  readonly #ended = new Map<string, EndedTask>();
  readonly #ofUsers: Quota<number>;
  /** Their command has ended, and how is being waited for. */
  readonly #ending = new Set<string>();
  readonly #closing = new Set<Promise<void>>();
  readonly #unlisten: () => void;
  #entering = 0;

  constructor(options: TasksOptions) {
    this.#options = options;
    this.#ofUsers = new Quota(options.limits.openPerUid);
    this.#unlisten = options.status.onChange((change) => this.#follow(change));
  }

  get size(): number {
    return this.#held.size;
  }

  get(taskId: string): HeldTask | undefined {
    return this.#held.get(taskId);
  }

  ids(): IterableIterator<string> {
    return this.#held.keys();
  }

  values(): IterableIterator<HeldTask> {
    return this.#held.values();
  }

  /** A task that was held here and has ended. */
  getEnded(taskId: string): EndedTask | undefined {
    return this.#ended.get(taskId);
  }

  /** Counts one more of a user; what it returns takes that back. @throws TOO_MANY_TASKS */
  enter(uid: number): () => void {
    const { open } = this.#options.limits;
    const leaveUser = this.#entering < open ? this.#ofUsers.enter(uid) : undefined;
    if (leaveUser === undefined) {
      const own = this.#ofUsers.countOf(uid);
      throw agentError("TOO_MANY_TASKS", `user ${uid} has ${own} open tasks on this node`, {
        hint: "end some of them, or have tasks.open or tasks.open_per_uid raised in the agent's configuration",
      });
    }
    return this.#counted(leaveUser);
  }

  /** The same for a task that was held before a restart: it is counted, and not refused. */
  enterAgain(uid: number): () => void {
    return this.#counted(this.#ofUsers.enter(uid) ?? (() => undefined));
  }

  /** Holds a task from now on, and ends it with its process. */
  add(held: HeldTask): void {
    this.#held.set(held.id, held);
    held.process?.onExit(() => this.abandon(held, `process ${held.process?.pid ?? 0} has ended`));
    // What the link brought while the task was on its way here.
    const status = this.#options.status.get(held.id);
    if (status !== undefined) this.#take(held, status);
  }

  /** Writes down what is held of a task. @throws TASKS_UNSAVED */
  async save(held: HeldTask, record: HeldRecord): Promise<void> {
    held.record = record;
    if (held.endState === undefined) await this.#options.journal.hold(record);
  }

  /** The server has said how a task is: it counts at once, here and for guards on this node. */
  learn(held: HeldTask, task: Task): void {
    held.learn(task);
    const state = stateName(task.state);
    const isGood = state === "ACTIVE" || state === "PENDING";
    if (isGood && held.refusal === undefined) return;
    const isRefused = state === "PARKED" || state === "SUSPENDED";
    const verdict = isGood ? "good" : isRefused ? "refused" : "ended";
    const status = this.#statusOf(held, state, task.stateReason);
    this.#tell({ ...status, version: Number(task.version), verdict });
  }

  /** The server does not know it as a task of this node agent that goes on. */
  lost(held: HeldTask): void {
    const { state = "REVOKED", reason = "" } = this.#options.status.get(held.id) ?? {};
    this.#tell({ ...this.#statusOf(held, state, reason), verdict: "ended" });
    if (held.endState === undefined) this.#close(held, state, reason);
    this.#forget(held.id);
  }

  /** Ends a task, here at once. Answers it as the server has it, if that could be told. @throws TASK_ENDED */
  async end(
    held: HeldTask,
    { state, reason, summaryDigest = "" }: Ending,
  ): Promise<Task | undefined> {
    if (held.endState !== undefined) throw ended(held.id, held.endState, held.endReason);
    const status = this.#statusOf(held, state, reason);
    this.#close(held, state, reason);
    this.#tell({ ...status, verdict: "ended" });
    const { id: taskId, spiffeId } = held;
    const forgetAtMs = status.forgetAt.getTime();
    const end = { taskId, spiffeId, state, reason, summaryDigest, forgetAtMs };
    return (await this.#options.ends.send(end)) ?? held.task;
  }

  /** Ends a task whose process has ended, or whom nobody holds any more. */
  abandon(held: HeldTask, reason: string): void {
    if (held.endState !== undefined) return;
    this.#options.log.info({ task_id: held.id, why: reason }, "a task was abandoned");
    const end = this.end(held, { state: "ABANDONED", reason });
    this.#own(end.then(() => undefined));
  }

  /** Its command has ended. Nobody uses it any more, whatever there is to say of how it ended. */
  commandEnded(held: HeldTask): void {
    if (held.endState !== undefined) return;
    this.#ending.add(held.id);
    held.socket?.lapse();
    this.#tell({ ...this.#statusOf(held, "ENDED", ""), verdict: "ended" });
  }

  /** Ends of an earlier run that the server does not know: they hold all the same. */
  refuseSpooled(): void {
    const tasks = [...this.#options.journal.ends.values()].map(
      ({ taskId, spiffeId, state, reason, forgetAtMs }): TaskStatus => ({
        taskId,
        spiffeId,
        verdict: "ended",
        version: 0,
        forgetAt: new Date(forgetAtMs),
        state,
        reason,
      }),
    );
    this.#options.status.apply({ tasks, classes: [], removedClasses: [] });
  }

  /** Lets go of everything without ending anything: the agent comes back. */
  async stop(): Promise<void> {
    this.#unlisten();
    const sockets = [...this.#held.values()].map(({ socket }) => socket?.leave());
    for (const held of this.#held.values()) held.release();
    await Promise.all([...sockets, ...this.#closing]);
  }

  #counted(leaveUser: () => void): () => void {
    this.#entering += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#entering -= 1;
      leaveUser();
    };
  }

  #follow({ tasks }: TaskStatusChange): void {
    for (const status of tasks) {
      const held = this.#held.get(status.taskId);
      if (held !== undefined) this.#take(held, status);
    }
  }

  #take(held: HeldTask, status: TaskStatus): void {
    const { verdict, state, reason, version } = status;
    if (verdict === "ended") {
      if (this.#ending.has(held.id)) return;
      this.#close(held, state, reason);
      this.#forget(held.id);
      return;
    }
    const isKnown = held.task !== undefined && version <= Number(held.task.version);
    if (verdict === "refused") {
      held.refusal = status;
      held.svid = undefined;
      held.socket?.lapse();
      held.guess(state, reason);
    } else if (held.refusal !== undefined) {
      held.refusal = undefined;
      held.socket?.serve();
      held.guess("ACTIVE", reason);
    }
    if (!isKnown) this.#options.refresh([held.id]);
  }

  #close(held: HeldTask, state: string, reason: string): void {
    this.#held.delete(held.id);
    this.#ending.delete(held.id);
    const { holder, record } = held;
    this.#ended.set(held.id, { spki: held.spki, holder, uid: record.uid, state, reason });
    for (const oldest of this.#ended.keys()) {
      if (this.#ended.size <= MAX_ENDED) break;
      this.#ended.delete(oldest);
    }
    held.end(state, reason, this.#options.clock.now());
    if (held.socket !== undefined) this.#own(held.socket.close());
    this.#options.onEnded(state);
  }

  #statusOf(held: HeldTask, state: string, reason: string): TaskStatus {
    const nowMs = this.#options.clock.now().getTime();
    const { expiresAtMs } = held.record;
    const endMs = expiresAtMs > 0 ? expiresAtMs : nowMs + UNKNOWN_LIFE_MS;
    return {
      taskId: held.id,
      spiffeId: held.spiffeId,
      verdict: "refused",
      version: Number(held.task?.version ?? 0),
      forgetAt: new Date(endMs + LEEWAY_MS),
      state,
      reason,
    };
  }

  #tell(status: TaskStatus): void {
    this.#options.status.apply({ tasks: [status], classes: [], removedClasses: [] });
  }

  #forget(taskId: string): void {
    this.#own(this.#options.journal.drop(taskId));
  }

  #own(work: Promise<void>): void {
    const owned = work
      .catch((error: unknown) => this.#options.log.error({ error }, "could not put a task away"))
      .finally(() => this.#closing.delete(owned));
    this.#closing.add(owned);
  }
}

/** Who a proof may come from: the processes that a task is bound to, by pid. */
export function processesOf(
  held: HeldTask,
): ReadonlyMap<number, Pick<BoundProcess, "pid" | "isAlive" | "parentPid">> {
  const root = held.socket?.launch.root;
  const found = [held.process, held.socket?.launcher, root].filter((one) => one !== undefined);
  return new Map(found.map((one) => [one.pid, one]));
}
