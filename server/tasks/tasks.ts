// The tasks of AI agents: opened, changed, ended, and what they are issued. Every change is a commit with
// preconditions, an event of the audit log on the disk, and only then an answer. The parts: open.ts,
// change.ts, credentials.ts, upkeep.ts; here they are put together.
import { randomFillSync } from "node:crypto";
import type { IdentityError } from "../../pki/errors.ts";
import { SpiffeId, type TrustDomain } from "../../pki/spiffe-id.ts";
import { parseTaskId, Ulids, ulidIn } from "../../pki/task-id.ts";
import type { MandateRequest } from "../../policy/mandate-request.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AuditSink } from "../audit/log.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { HeldBack, RecordedIssuing } from "../ledger/record-issued.ts";
import type { OAuthAddresses } from "../oauth/addresses.ts";
import type { AiAgentStore } from "../store/ai-agents.ts";
import type { ReplicaChange, ReplicaHandler } from "../store/replica.ts";
import type { TaskClassRecord } from "../store/task-classes.ts";
import {
  type EndState,
  isOpen,
  type KnownTask,
  type TaskBinding,
  type TaskRecord,
} from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import { Changes } from "./change.ts";
import { Credentials, unknownTask } from "./credentials.ts";
import type { EscalationReport } from "./escalation-event.ts";
import { listTasks, type TaskPage } from "./listing.ts";
import { NewTasks } from "./new-task.ts";
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
  WitKey,
} from "./orders.ts";
import { Orphans, type OrphansLeft } from "./orphans.ts";
import { Quota } from "./quota.ts";
import { TaskSerials } from "./serials.ts";
import type { OpenTask } from "./states.ts";
import { StatusIndexes } from "./status-index.ts";
import { Upkeep } from "./upkeep.ts";
import { WhoOpens } from "./who-opens.ts";

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
  readonly aiAgents: Pick<AiAgentStore, "get" | "getIn">;
  readonly classes: { get(name: string): TaskClassRecord | undefined };
  /** The entry, if this node agent may serve it now: entries/authorized.ts. */
  readonly entryFor: (nodeAgent: string, entryId: string) => RegistrationEntry | undefined;
  /** Whether this node agent may serve an entry of the AI agent now. */
  readonly isServed: (nodeAgent: string, agentId: string) => boolean;
  readonly issuer: Pick<RecordedIssuing, "issueX509" | "issueX509Batch" | "issueJwt" | "issueWit">;
  readonly ledger: Pick<Ledger, "find">;
  readonly held: HeldBack;
  readonly audit: AuditSink;
  /** Of the store: server/store/epoch.ts. */
  readonly epoch?: number;
  /** Whether an event of a task is not in the audit log so far: owed-events.ts. */
  readonly isOwed?: (spiffeId: string) => boolean;
  /** Told of attempts to get more than was granted: escalations.ts. */
  readonly report: (report: EscalationReport) => Promise<unknown>;
  /** Of the token issuer, if there is one: it serves the status lists, and its name is in claims. */
  readonly addresses: Pick<OAuthAddresses, "issuer" | "status" | "taskClaim"> | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Tasks {
  readonly #options: TasksOptions;
  readonly #store: TaskStore;
  readonly #opening: Opening;
  readonly #changes: Changes;
  readonly #credentials: Credentials;
  readonly #serials = new TaskSerials();
  readonly #statusIndexes: StatusIndexes;
  readonly #upkeep: Upkeep;
  readonly #orphans: Orphans;
  /** Signs of life since the last write of the record. */
  readonly #active = new Map<string, number>();
  readonly #unsubscribe: () => void;

  constructor(options: TasksOptions) {
    this.#options = options;
    const { store, config, trustDomain, addresses, clock } = options;
    this.#store = store;
    const serials = this.#serials;
    const statusIndexes = new StatusIndexes(options.epoch);
    this.#statusIndexes = statusIndexes;
    const credentials = new Credentials({
      ...options,
      tasks: store,
      serials,
      touch: (id) => this.touch(id),
      statusUriOf: addresses && ((list) => addresses.status.url + list),
      tokenIssuer: addresses?.issuer,
      claim: addresses?.taskClaim ?? `${trustDomain.id}/task`,
    });
    this.#credentials = credentials;
    const quota = new Quota({
      clock,
      maxOpen: config.maxOpenPerAiAgent,
      openPerSecond: config.openPerSecond,
      countOf: (agentId) => store.ofAgent(agentId).size,
    });
    const ulids = new Ulids((bytes) => randomFillSync(bytes));
    const newTasks = new NewTasks({ ...options, statusIndexes, ulids });
    this.#changes = new Changes(options);
    const { keepEndedSeconds } = config;
    this.#upkeep = new Upkeep({ ...options, changes: this.#changes, keepEndedSeconds });
    const withActivity = (task: TaskRecord): TaskRecord => this.withActivity(task);
    this.#orphans = new Orphans({ ...options, changes: this.#changes, withActivity });
    this.#opening = new Opening({
      ...options,
      ...{ credentials, newTasks, quota, statusIndexes, whoOpens: new WhoOpens(options) },
      abandon: (id) => this.#upkeep.abandon(id),
      note: (id) => this.#orphans.note(id),
      touch: (id) => this.touch(id),
      forget: (id) => {
        serials.delete(id);
        this.#active.delete(id);
        this.#orphans.forget(id);
      },
    });
    serials.load(options.ledger, (spiffeId) =>
      spiffeId.includes("/task/") ? parseTaskId(SpiffeId.parse(spiffeId))?.ulid : undefined,
    );
    for (const task of store.values()) statusIndexes.add(task.status);
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
    const task = await this.#store.find(ulidIn(id));
    if (task === undefined) throw unknownTask(id);
    return this.withActivity(task);
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
   * @throws TASK_NOT_FOUND, TASK_HELD_ELSEWHERE, TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, TASK_NOT_CLAIMED,
   * ENTRY_NOT_AUTHORIZED
   */
  held(id: string, nodeAgent: string): OpenTask {
    return this.#credentials.held(id, nodeAgent);
  }

  /** How many tasks an AI agent has open. */
  countOf(agentId: string): number {
    return this.#store.ofAgent(agentId).size;
  }

  /** How many tasks of others an AI agent hosts. */
  countHostedBy(host: string): number {
    return this.#store.hostedBy(host).size;
  }

  /** All that memory has: open tasks, and those that ended a short while ago. */
  values(): Iterable<KnownTask> {
    return this.#store.values();
  }

  /** IDs of the open tasks of an AI agent. */
  ofAgent(agentId: string): ReadonlySet<string> {
    return this.#store.ofAgent(agentId);
  }

  /** IDs of the open tasks of others that an AI agent hosts. */
  hostedBy(host: string): ReadonlySet<string> {
    return this.#store.hostedBy(host);
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
   * @throws TASK_ENDED when it has ended otherwise, TASK_NOT_FOUND, TASK_HELD_ELSEWHERE, TASK_REQUEST_INVALID
   */
  end(id: string, actor: Actor, ending: Ending): Promise<readonly TaskRecord[]> {
    return this.#changes.end(id, actor, ending);
  }

  /** Ends every open task of an AI agent; answers how many. */
  endAllOf(agentId: string, state: EndState, reason: string, by: string): Promise<number> {
    return this.#upkeep.endUntilNone(() => this.#store.ofAgent(agentId), state, reason, by);
  }

  /** Ends every open task of others that an AI agent hosts; answers how many. */
  endHostedBy(host: string, state: EndState, reason: string, by: string): Promise<number> {
    return this.#upkeep.endUntilNone(() => this.#store.hostedBy(host), state, reason, by);
  }

  /** Ends every open task; answers how many. */
  endAll(state: EndState, reason: string, by: string): Promise<number> {
    return this.#upkeep.endUntilNone(() => this.#store.openIds(), state, reason, by);
  }

  /** Ends every open task that a node agent holds; answers how many. */
  endAllOn(nodeAgent: string, state: EndState, reason: string, by: string): Promise<number> {
    return this.#upkeep.endUntilNone(() => this.#store.ofNode(nodeAgent), state, reason, by);
  }

  /** Ends what a node agent is said to hold and does not: orphans.ts. @throws TASK_REQUEST_INVALID */
  endOrphans(nodeAgent: string, mark: string, heldIds: Iterable<string>): Promise<OrphansLeft> {
    return this.#orphans.end(nodeAgent, mark, heldIds);
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

  /** A WIT-SVID of a task for this key. @throws NOT_SUPPORTED when none are issued, as {@link held} */
  newWitSvid(nodeAgent: string, id: string, key: WitKey): Promise<TaskToken> {
    return this.#credentials.wit(nodeAgent, id, key);
  }

  /**
   * A credential of the task is made elsewhere (access tokens): a sign of life.
   * @throws TASK_NOT_FOUND, TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, ENTRY_NOT_AUTHORIZED, SVID_HELD,
   * AI_AGENT_DISABLED, AI_AGENT_EXPIRED when there must be none
   */
  noteUse(id: string): OpenTask {
    const task = this.#store.get(id);
    if (task === undefined) throw unknownTask(id);
    const open = this.#credentials.assertGood(task);
    this.touch(id);
    return open;
  }

  /** A sign of life of a task that goes on. */
  touch(id: string): void {
    this.#active.set(id, this.#options.clock.now().getTime());
    this.#upkeep.touch(id);
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

  /** Forgets what is over, until the signal aborts. */
  run(signal: AbortSignal): Promise<void> {
    return this.#upkeep.run(signal);
  }

  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#upkeep.stop();
  }

  #onChange(changes: readonly ReplicaChange<KnownTask>[]): void {
    for (const { id, before, after } of changes) {
      if (after !== undefined && before === undefined) this.#statusIndexes.add(after.status);
      if (after === undefined || !isOpen(after)) {
        this.#active.delete(id);
        this.#orphans.forget(id);
      }
      if (after !== undefined || before === undefined) continue;
      this.#serials.delete(id);
      this.#statusIndexes.release(before.status);
    }
    this.#upkeep.changed(changes);
  }

  /** What the node agent of a task changes is a sign of its life. */
  async #alive(id: string, actor: Actor, change: Promise<TaskRecord>): Promise<TaskRecord> {
    const task = await change;
    if (actor.nodeAgent !== undefined) this.touch(id);
    return task;
  }
}
