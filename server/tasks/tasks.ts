// The tasks of AI agents: opened, changed, ended, and what they are issued. Every change is a commit with
// preconditions, an event of the audit log on the disk, and only then an answer. Ends what has expired
// or is idle, what a disabled AI agent or a banned node agent had open; also what expired while the
// server was down. What the clock does to it: expiry is a moment of the wall clock, so that a clock
// that is set forward ends tasks early and one that is set back makes them last longer (no credential
// lasts longer for it); idleness is time that passed, and no change of the clock makes a task idle.
import { randomBytes } from "node:crypto";
import type { IdentityError } from "../../pki/errors.ts";
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import { parseTaskId, ULID_RANDOM_BYTES, Ulids } from "../../pki/task-id.ts";
import type { MandateRequest } from "../../policy/mandate-request.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AuditSink } from "../audit/log.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { HeldBack, RecordedIssuing } from "../ledger/record-issued.ts";
import type { AiAgentRecord } from "../store/ai-agents.ts";
import type { ReplicaChange, ReplicaHandler } from "../store/replica.ts";
import type { TaskClassRecord } from "../store/task-classes.ts";
import {
  type EndedTask,
  type EndState,
  isEnded,
  isOpen,
  type KnownTask,
  type TaskBinding,
  type TaskRecord,
} from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import { Changes } from "./change.ts";
import { Credentials, unknownTask } from "./credentials.ts";
import { Deadlines } from "./deadlines.ts";
import type { EscalationReport } from "./escalation-event.ts";
import { IdleWatch } from "./idle.ts";
import { listTasks, type TaskPage } from "./listing.ts";
import { Opening } from "./open.ts";
import type {
  Actor,
  ClaimOrder,
  CreateOrder,
  Ending,
  OpenedTask,
  OpenOrder,
  SignOrder,
  TaskFilter,
  TaskSerial,
  TaskSvid,
  TaskToken,
} from "./orders.ts";
import { Quota } from "./quota.ts";
import { TaskSerials } from "./serials.ts";
import { type OpenTask, requireStep } from "./states.ts";
import { StatusIndexes } from "./status-index.ts";

export interface TasksConfig {
  /** Open tasks of one AI agent, unless its record says otherwise. */
  readonly maxOpenPerAiAgent: number;
  /** Openings of one AI agent a second. */
  readonly openPerSecond: number;
  /** How long ended tasks can be listed. */
  readonly keepEndedSeconds: number;
}

export interface TasksOptions {
  readonly config: TasksConfig;
  readonly trustDomain: TrustDomain;
  readonly store: TaskStore;
  readonly aiAgents: { get(spiffeId: string): AiAgentRecord | undefined };
  readonly classes: { get(name: string): TaskClassRecord | undefined };
  /** The entry, if this node agent may serve it now: entries/authorized.ts. */
  readonly entryFor: (nodeAgent: string, entryId: string) => RegistrationEntry | undefined;
  readonly issuer: Pick<RecordedIssuing, "issueX509" | "issueX509Batch" | "issueJwt">;
  readonly ledger: Pick<Ledger, "find">;
  readonly held: HeldBack;
  readonly audit: AuditSink;
  /** Told of attempts to get more than was granted: escalations.ts. */
  readonly report: (report: EscalationReport) => Promise<unknown>;
  /** The token issuer, if there is one: it serves the status lists, and its name is in claims. */
  readonly tokenIssuer: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who is named in records when the server itself ends something. */
const SERVER: Actor = { by: "server" };
const HOUSEKEEPING_MS = 60_000;
const RETRY_MS = 5000;

export class Tasks {
  readonly #options: TasksOptions;
  readonly #store: TaskStore;
  readonly #opening: Opening;
  readonly #changes: Changes;
  readonly #credentials: Credentials;
  readonly #serials = new TaskSerials();
  readonly #statusIndexes = new StatusIndexes();
  readonly #expiry: Deadlines;
  readonly #idle: IdleWatch;
  /** Signs of life since the last write of the record. */
  readonly #active = new Map<string, number>();
  readonly #unsubscribe: () => void;
  readonly #pending = new Set<Promise<unknown>>();
  #isStopped = false;

  constructor(options: TasksOptions) {
    this.#options = options;
    const { store, config, trustDomain, tokenIssuer, clock } = options;
    this.#store = store;
    const serials = this.#serials;
    const statusIndexes = this.#statusIndexes;
    const statusUriOf = tokenIssuer && ((list: string) => `${tokenIssuer}/status/${list}`);
    const claim = `${tokenIssuer ?? trustDomain.id}/task`;
    const touch = (id: string): void => this.touch(id);
    this.#credentials = new Credentials({
      ...options,
      tasks: store,
      serials,
      touch,
      statusUriOf: statusUriOf || undefined,
      claim,
    });
    const quota = new Quota({
      clock,
      maxOpen: config.maxOpenPerAiAgent,
      openPerSecond: config.openPerSecond,
      countOf: (agentId) => store.ofAgent(agentId).size,
    });
    const ulids = new Ulids(() => randomBytes(ULID_RANDOM_BYTES));
    const abandon = (id: string): Promise<void> => this.#abandon(id);
    const credentials = this.#credentials;
    const forget = (id: string): void => serials.delete(id);
    const opening = { ...options, credentials, quota, statusIndexes, ulids, abandon, forget };
    this.#opening = new Opening(opening);
    this.#changes = new Changes(options);
    this.#expiry = new Deadlines(clock, (ids) => this.#own(this.#endExpired(ids)));
    this.#idle = new IdleWatch(clock, (ids) => this.#own(this.#endIdle(ids)));
    const ulidOf = (spiffeId: string): string | undefined =>
      spiffeId.includes("/task/") ? parseTaskId(SpiffeId.parse(spiffeId))?.ulid : undefined;
    serials.load(options.ledger, ulidOf);
    for (const task of store.values()) this.#take(task, true);
    this.#unsubscribe = store.onChange((changes) => this.#onChange(changes));
  }

  /** Open tasks. */
  get size(): number {
    return this.#store.size;
  }

  /** Opens a task for a process that a node agent attested, with its first X509-SVID. */
  open(order: OpenOrder): Promise<OpenedTask> {
    return this.#opening.open(order);
  }

  /** Takes up a task that was made for the AI agent. */
  claim(order: ClaimOrder): Promise<OpenedTask> {
    return this.#opening.claim(order);
  }

  /** Makes a task for an AI agent to claim. */
  create(order: CreateOrder): Promise<TaskRecord> {
    return this.#opening.create(order);
  }

  /** What memory has of a task: open, or ended a short while ago. */
  get(id: string): KnownTask | undefined {
    return this.#store.get(id);
  }

  /** A whole task, by ULID or SPIFFE ID, with its last sign of life. @throws TASK_NOT_FOUND */
  async find(id: string): Promise<TaskRecord> {
    const task = await this.#store.find(this.ulidOf(id));
    if (task === undefined) throw unknownTask(id);
    return this.withActivity(task);
  }

  /** The ULID in what names a task: itself, or the end of the SPIFFE ID. */
  ulidOf(id: string): string {
    return id.slice(id.lastIndexOf("/") + 1);
  }

  /** A task with its last sign of life, which is written with its next change. */
  withActivity(task: TaskRecord): TaskRecord {
    const lastActiveMs = this.#active.get(task.id) ?? 0;
    return lastActiveMs > task.lastActiveMs ? { ...task, lastActiveMs } : task;
  }

  /** A page of tasks, the newest first. @throws PAGE_TOKEN_INVALID */
  async list(
    filter: TaskFilter,
    page: { readonly size: number; readonly token: string },
  ): Promise<TaskPage> {
    const { tasks, next } = await listTasks(this.#store, filter, page);
    return { tasks: tasks.map((task) => this.withActivity(task)), next };
  }

  /**
   * The task, if this node agent holds it and it goes on.
   * @throws TASK_NOT_FOUND, TASK_NOT_HELD, TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, TASK_NOT_CLAIMED
   */
  held(id: string, nodeAgent: string): OpenTask {
    return this.#credentials.held(id, nodeAgent);
  }

  /** IDs of the open tasks of an AI agent. */
  ofAgent(agentId: string): ReadonlySet<string> {
    return this.#store.ofAgent(agentId);
  }

  narrow(id: string, actor: Actor, mandate: MandateRequest): Promise<TaskRecord> {
    return this.#alive(id, actor, this.#changes.narrow(id, actor, mandate));
  }

  park(id: string, actor: Actor, reason: string): Promise<TaskRecord> {
    return this.#alive(id, actor, this.#changes.park(id, actor, reason));
  }

  /** Lets a parked task go on, with what it had or less. */
  resume(id: string, actor: Actor, mandate?: MandateRequest): Promise<TaskRecord> {
    return this.#alive(id, actor, this.#changes.resume(id, actor, mandate));
  }

  suspend(id: string, actor: Actor, reason: string): Promise<TaskRecord> {
    return this.#changes.suspend(id, actor, reason);
  }

  unsuspend(id: string, actor: Actor, reason: string): Promise<TaskRecord> {
    return this.#changes.unsuspend(id, actor, reason);
  }

  /** Another process is bound to the task now, as its node agent says. */
  bind(id: string, actor: Actor, binding: TaskBinding): Promise<TaskRecord> {
    return this.#alive(id, actor, this.#changes.bind(id, actor, binding));
  }

  /**
   * Ends a task, and those that were handed on by it: the first of the answer is the task itself.
   * @throws TASK_ENDED when it has ended otherwise, TASK_NOT_FOUND, TASK_NOT_HELD, TASK_REQUEST_INVALID
   */
  end(id: string, actor: Actor, ending: Ending): Promise<readonly TaskRecord[]> {
    return this.#changes.end(id, actor, ending);
  }

  /** Ends every open task of an AI agent; answers how many. */
  endAllOf(agentId: string, state: EndState, reason: string, by: string): Promise<number> {
    return this.#endUntilNone(() => this.#store.ofAgent(agentId), state, reason, by);
  }

  /** Ends every open task that a node agent holds; answers how many. */
  endAllOn(nodeAgent: string, state: EndState, reason: string, by: string): Promise<number> {
    return this.#endUntilNone(() => this.#store.ofNode(nodeAgent), state, reason, by);
  }

  /** X509-SVIDs of tasks that this node agent holds; answers in the order of `orders`. */
  signX509(
    nodeAgent: string,
    orders: readonly SignOrder[],
  ): Promise<readonly (TaskSvid | IdentityError)[]> {
    return this.#credentials.batch(nodeAgent, orders);
  }

  /** A JWT-SVID of a task for one audience of its mandate. @throws TASK_AUDIENCE_REFUSED, as {@link held} */
  newJwtSvid(nodeAgent: string, id: string, audience: readonly string[]): Promise<TaskToken> {
    return this.#credentials.jwt(nodeAgent, id, audience);
  }

  /**
   * A credential of the task is made elsewhere (access tokens): a sign of life.
   * @throws TASK_NOT_FOUND, TASK_ENDED, TASK_SUSPENDED, TASK_PARKED when there must be none
   */
  noteUse(id: string): OpenTask {
    const task = this.#store.get(id);
    if (task === undefined) throw unknownTask(id);
    const open = requireStep(task, "use", this.#options.clock.now());
    this.touch(id);
    return open;
  }

  /** A sign of life of a task that goes on. */
  touch(id: string): void {
    this.#active.set(id, this.#options.clock.now().getTime());
    this.#idle.touch(id);
  }

  /** The certificates that a task was given and that have not expired. */
  serialsOf(id: string): readonly TaskSerial[] {
    return this.#serials.of(id, Math.floor(this.#options.clock.now().getTime() / 1000));
  }

  /** The tasks that verifiers have to refuse: parked, suspended, or ended and not forgotten. */
  refused(): Iterable<KnownTask> {
    return this.#store.refused();
  }

  /** Calls `handler` after each commit that changed tasks, in order, none left out; returns its end. */
  onChange(handler: ReplicaHandler<KnownTask>): () => void {
    return this.#store.onChange(handler);
  }

  /** Forgets what has expired, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#forgetExpired();
      } catch (error) {
        log.warn({ error }, "could not drop tasks that ended long ago; trying again");
      }
      await clock.sleep(HOUSEKEEPING_MS, signal).catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unsubscribe();
    this.#expiry.stop();
    this.#idle.stop();
    await Promise.allSettled(this.#pending);
  }

  #onChange(changes: readonly ReplicaChange<KnownTask>[]): void {
    for (const { id, before, after } of changes) {
      if (after !== undefined) this.#take(after, before === undefined);
      if (after === undefined || !isOpen(after)) {
        this.#active.delete(id);
        this.#idle.delete(id);
      }
      if (after === undefined) {
        this.#serials.delete(id);
        if (before !== undefined) this.#statusIndexes.release(before.status);
      }
    }
    // Those of tasks that ended early stay until their time has come, unless they become many.
    if (this.#expiry.size > 2 * this.#store.size + 10_000) {
      this.#expiry.keep((id) => {
        const task = this.#store.get(id);
        return task !== undefined && isOpen(task);
      });
    }
  }

  /** A task as it is now. */
  #take(task: KnownTask, isNew: boolean): void {
    if (isNew) this.#statusIndexes.add(task.status);
    if (!isOpen(task)) return;
    if (isNew) this.#expiry.add(task.id, task.expiresAtMs);
    // One that waits is no idle one: unclaimed, parked and suspended tasks expire alone.
    if (task.state === "ACTIVE" && task.idleTimeoutSeconds > 0) {
      this.#idle.add(task.id, task.idleTimeoutSeconds);
    } else this.#idle.delete(task.id);
  }

  /** What the node agent of a task changes is a sign of its life. */
  async #alive(id: string, actor: Actor, change: Promise<TaskRecord>): Promise<TaskRecord> {
    const task = await change;
    if (actor.nodeAgent !== undefined) this.touch(id);
    return task;
  }

  async #endExpired(ids: readonly string[]): Promise<void> {
    const nowMs = this.#options.clock.now().getTime();
    const due = ids.filter((id) => {
      const task = this.#store.get(id);
      return task !== undefined && isOpen(task) && task.expiresAtMs <= nowMs;
    });
    await this.#endOrRetry(due, "EXPIRED", "its time is over");
  }

  async #endIdle(ids: readonly string[]): Promise<void> {
    const due = ids.filter((id) => this.#store.get(id)?.state === "ACTIVE");
    await this.#endOrRetry(due, "ABANDONED", "it gave no sign of life");
  }

  async #endOrRetry(ids: readonly string[], state: EndState, reason: string): Promise<void> {
    const { clock, log } = this.#options;
    try {
      await this.#changes.endAll(ids, SERVER, state, reason);
    } catch (error) {
      if (this.#isStopped) return;
      log.error({ error, state }, "tasks that are over could not be ended; trying again");
      await clock.sleep(RETRY_MS).catch(() => undefined);
      const left = ids.filter((id) => this.#isOpen(id));
      if (left.length > 0 && !this.#isStopped) await this.#endOrRetry(left, state, reason);
    }
  }

  #isOpen(id: string): boolean {
    const task = this.#store.get(id);
    return task !== undefined && isOpen(task);
  }

  async #endUntilNone(
    ids: () => ReadonlySet<string>,
    state: EndState,
    reason: string,
    by: string,
  ): Promise<number> {
    let count = 0;
    // Openings that were under way may have come to an end meanwhile.
    while (ids().size > 0) count += await this.#changes.endAll(ids(), { by }, state, reason);
    return count;
  }

  async #abandon(id: string): Promise<void> {
    const ending = { state: "FAILED", reason: "it could not be recorded" } as const;
    await this.#changes.end(id, SERVER, ending).catch((error: unknown) => {
      this.#options.log.error({ error, task_id: id }, "an unrecorded task is still open");
    });
  }

  /** Nothing waits for it: stop() does. */
  #own(work: Promise<void>): void {
    const owned = work
      .catch((error: unknown) => this.#options.log.error({ error }, "tasks could not be ended"))
      .finally(() => this.#pending.delete(owned));
    this.#pending.add(owned);
  }

  async #forgetExpired(): Promise<void> {
    const { clock, config } = this.#options;
    const nowMs = clock.now().getTime();
    const over: EndedTask[] = [];
    for (const task of this.#store.values()) {
      if (isEnded(task) && task.forgetAtUnixSeconds * 1000 <= nowMs) over.push(task);
    }
    await this.#store.forget(over);
    await this.#store.prune(new Date(nowMs - config.keepEndedSeconds * 1000));
  }
}
