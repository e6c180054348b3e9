// The tasks, in the log and in memory. Three kinds of records: "task/ID" is what memory holds, an open
// task or what verifiers need of an ended one until its credentials have expired; "task-ended/..." is
// a whole ended task, the newest first, read from the store alone; "task-key/NAME" is the task that was
// opened with an idempotency key. Which changes are possible: server/tasks/states.ts.
import { firstUlidOf, isUlid, ULID_ALPHABET } from "../../pki/task-id.ts";
import type { OrderedLog } from "./log.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import {
  decodeKnownTask,
  decodeTask,
  type EndedTask,
  encodeEnded,
  encodeTask,
  isOpen,
  type KnownTask,
  type TaskRecord,
} from "./task-record.ts";
import { type Transaction, transact } from "./transaction.ts";

const OPEN = "task/";
const ENDED = "task-ended/";
const KEY = "task-key/";
const DELETED_AT_ONCE = 500;
const NONE: ReadonlySet<string> = new Set();

const encoder = new TextEncoder();

/** One decision over tasks, with whatever else `transaction` reads and writes in the same commit. */
export class TaskTransaction {
  readonly transaction: Transaction;
  readonly #memory: Replica<KnownTask>;

  constructor(transaction: Transaction, memory: Replica<KnownTask>) {
    this.transaction = transaction;
    this.#memory = memory;
  }

  /** The task as the commit will find it; undefined when it is unknown, or ended long ago. */
  async get(id: string): Promise<KnownTask | undefined> {
    const key = OPEN + id;
    const held = this.#memory.get(id);
    // All that was answered to anybody is in memory.
    if (held !== undefined && this.transaction.assume(key, this.#memory.revisionOf(id)))
      return held;
    const value = await this.transaction.get(key);
    return value && decodeKnownTask({ key, value, revision: 0 });
  }

  /** A new task, or another state of one that stays open. */
  put(task: TaskRecord): void {
    this.transaction.put(OPEN + task.id, encodeTask(task));
  }

  /** A new one, whose ID is random. False: a task was opened with its idempotency key already. */
  async add(task: TaskRecord): Promise<boolean> {
    const key = KEY + task.idempotency;
    await this.transaction.assumeAbsent([OPEN + task.id]);
    if (task.idempotency !== "") {
      await this.transaction.assumeAbsent([key]);
      if (this.transaction.peek(key) !== undefined) return false;
      this.transaction.put(key, encoder.encode(task.id));
    }
    this.put(task);
    return true;
  }

  /** Moves a task to those that have ended. */
  end(task: TaskRecord, rest: EndedTask): void {
    this.transaction.put(OPEN + task.id, encodeEnded(rest));
    this.transaction.put(endedKey(task.id), encodeTask(task));
  }
}

export class TaskStore {
  readonly #log: OrderedLog;
  readonly #replica: Replica<KnownTask>;
  readonly #byAgent = new Map<string, Set<string>>();
  readonly #byNode = new Map<string, Set<string>>();
  readonly #byParent = new Map<string, Set<string>>();
  readonly #byHost = new Map<string, Set<string>>();
  /** By the name of an idempotency key: the task that was opened with it. */
  readonly #byKey = new Map<string, string>();
  /** Known to be refused: parked, suspended or ended. */
  readonly #refused = new Set<string>();
  #open = 0;

  private constructor(log: OrderedLog, replica: Replica<KnownTask>) {
    this.#log = log;
    this.#replica = replica;
    for (const task of replica.values()) {
      this.#index(task);
      this.#noteKey(task);
    }
    replica.onChange((changes) => {
      for (const { before, after } of changes) {
        if (before !== undefined) this.#unindex(before);
        if (after !== undefined) this.#index(after);
        if (before === undefined && after !== undefined) this.#noteKey(after);
        if (before !== undefined && after === undefined) this.#byKey.delete(before.idempotency);
      }
    });
  }

  /** Reads every open task into memory and follows the log. */
  static async start(log: OrderedLog): Promise<TaskStore> {
    const replica = await Replica.start<KnownTask>({
      log,
      prefix: OPEN,
      decode: decodeKnownTask,
      idOf: ({ id }) => id,
    });
    return new TaskStore(log, replica);
  }

  /** Open tasks. */
  get size(): number {
    return this.#open;
  }

  /** Ended tasks whose credentials may not have expired. */
  get ended(): number {
    return this.#replica.size - this.#open;
  }

  get revision(): number {
    return this.#replica.revision;
  }

  /** Why the tasks in memory no longer follow the store, if they do not. */
  get failure(): unknown {
    return this.#replica.failure;
  }

  /** What memory has of a task: all of an open one. */
  get(id: string): KnownTask | undefined {
    return this.#replica.get(id);
  }

  values(): Iterable<KnownTask> {
    return this.#replica.values();
  }

  /** Those that changed after the commit `revision`. */
  *changedAfter(revision: number): Generator<KnownTask, void, undefined> {
    for (const task of this.#replica.values()) {
      if (this.#replica.revisionOf(task.id) > revision) yield task;
    }
  }

  /** IDs of all open tasks. */
  openIds(): ReadonlySet<string> {
    const ids = new Set<string>();
    for (const task of this.#replica.values()) if (isOpen(task)) ids.add(task.id);
    return ids;
  }

  /** IDs of the open tasks of an AI agent. */
  ofAgent(agentId: string): ReadonlySet<string> {
    return this.#byAgent.get(agentId) ?? NONE;
  }

  /** IDs of the open tasks of others that processes of an AI agent hold. */
  hostedBy(host: string): ReadonlySet<string> {
    return this.#byHost.get(host) ?? NONE;
  }

  /** IDs of the open tasks that a node agent holds. */
  ofNode(nodeAgent: string): ReadonlySet<string> {
    return this.#byNode.get(nodeAgent) ?? NONE;
  }

  /** IDs of the open tasks that were handed on by this one. */
  childrenOf(id: string): ReadonlySet<string> {
    return this.#byParent.get(id) ?? NONE;
  }

  /** The tasks that verifiers have to refuse: parked, suspended, or ended and not forgotten. */
  *refused(): Generator<KnownTask, void, undefined> {
    for (const id of this.#refused) {
      const task = this.#replica.get(id);
      if (task !== undefined) yield task;
    }
  }

  /** A whole task, open or ended, if it is still kept. */
  async find(id: string): Promise<TaskRecord | undefined> {
    if (!isUlid(id)) return undefined;
    const known = this.#replica.get(id);
    if (known !== undefined && isOpen(known)) return known;
    const record = await this.#log.get(endedKey(id));
    return record && decodeTask(record);
  }

  /** The ID of the task that was opened with this key, if it is not forgotten. */
  opened(idempotency: string): string | undefined {
    return this.#byKey.get(idempotency);
  }

  /** Resolves once the tasks in memory include the commit `revision`. */
  reached(revision: number): Promise<void> {
    return this.#replica.reached(revision);
  }

  /** Calls `handler` after each commit that changed tasks, in order, none left out; returns its end. */
  onChange(handler: ReplicaHandler<KnownTask>): () => void {
    return this.#replica.onChange(handler);
  }

  /** Whether an ended task, which memory has forgotten, is among those that are kept. */
  async hasEnded(id: string): Promise<boolean> {
    return isUlid(id) && (await this.#log.get(endedKey(id))) !== undefined;
  }

  /** Runs `decide` as one step; what it wrote is in memory when this resolves. */
  async transact<T>(decide: (tasks: TaskTransaction) => Promise<T>): Promise<T> {
    const { result, revision } = await transact(this.#log, (transaction) =>
      decide(new TaskTransaction(transaction, this.#replica)),
    );
    await this.#replica.reached(revision);
    return result;
  }

  /** What is known of tasks that ended elsewhere: verifiers refuse them. */
  async addEnded(tasks: readonly EndedTask[]): Promise<void> {
    for (let at = 0; at < tasks.length; at += DELETED_AT_ONCE) {
      const puts = tasks
        .slice(at, at + DELETED_AT_ONCE)
        .map((task) => ({ key: OPEN + task.id, value: encodeEnded(task) }));
      await this.#replica.reached(await this.#log.commit({ puts }));
    }
  }

  /** A page of ended tasks, the newest (by ID) first: those with IDs less than `before`. */
  async listEnded(
    before: string | undefined,
    limit: number,
  ): Promise<{ readonly tasks: readonly TaskRecord[]; readonly isMore: boolean }> {
    const after = before === undefined ? {} : { after: endedKey(before) };
    const page = await this.#log.list(ENDED, { ...after, limit });
    return { tasks: page.records.map(decodeTask), isMore: page.next !== undefined };
  }

  /** Drops from memory what is known of ended tasks, with the keys they were opened with. */
  async forget(tasks: readonly EndedTask[]): Promise<void> {
    for (let at = 0; at < tasks.length; at += DELETED_AT_ONCE) {
      const some = tasks.slice(at, at + DELETED_AT_ONCE);
      const keys = some.filter(({ idempotency }) => idempotency !== "");
      const revision = await this.#log.commit({
        deletes: [
          ...some.map(({ id }) => OPEN + id),
          ...keys.map(({ idempotency }) => KEY + idempotency),
        ],
      });
      await this.#replica.reached(revision);
    }
  }

  /** Deletes whole ended tasks that ended before this moment; returns how many. */
  async prune(before: Date): Promise<number> {
    let count = 0;
    // A task that ended before was opened before: its ID says so.
    for (let after = endedKey(endOfMoment(before)); ; ) {
      const page = await this.#log.list(ENDED, { after, limit: DELETED_AT_ONCE });
      const over = page.records.filter(
        (record) =>
          decodeTask(record).endedAtMs < before.getTime() && this.#isForgotten(record.key),
      );
      if (over.length > 0) await this.#log.commit({ deletes: over.map(({ key }) => key) });
      count += over.length;
      if (page.next === undefined) return count;
      after = page.next;
    }
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }

  #isForgotten(key: string): boolean {
    return this.#replica.get(inverted(key.slice(ENDED.length))) === undefined;
  }

  #noteKey({ id, idempotency }: KnownTask): void {
    if (idempotency !== "") this.#byKey.set(idempotency, id);
  }

  #index(task: KnownTask): void {
    if (!isOpen(task)) {
      this.#refused.add(task.id);
      return;
    }
    this.#open++;
    add(this.#byAgent, task.agentId, task.id);
    if (task.nodeAgent !== "") add(this.#byNode, task.nodeAgent, task.id);
    if (task.parent !== "") add(this.#byParent, task.parent, task.id);
    if (task.host !== "") add(this.#byHost, task.host, task.id);
    if (task.state === "PARKED" || task.state === "SUSPENDED") this.#refused.add(task.id);
  }

  #unindex(task: KnownTask): void {
    this.#refused.delete(task.id);
    if (!isOpen(task)) return;
    this.#open--;
    remove(this.#byAgent, task.agentId, task.id);
    remove(this.#byNode, task.nodeAgent, task.id);
    remove(this.#byParent, task.parent, task.id);
    remove(this.#byHost, task.host, task.id);
  }
}

const INVERSE = new Map([...ULID_ALPHABET].map((one, i) => [one, ULID_ALPHABET[31 - i] ?? one]));

/** Keys are read upwards: those of newer tasks come first. */
function endedKey(id: string): string {
  return ENDED + inverted(id);
}

function inverted(id: string): string {
  let text = "";
  for (const character of id) text += INVERSE.get(character) ?? character;
  return text;
}

/** Every ID of this moment or before is less. */
function endOfMoment(moment: Date): string {
  return firstUlidOf(new Date(moment.getTime() + 1));
}

function add(index: Map<string, Set<string>>, name: string, id: string): void {
  const ids = index.get(name);
  if (ids === undefined) index.set(name, new Set([id]));
  else ids.add(id);
}

function remove(index: Map<string, Set<string>>, name: string, id: string): void {
  const ids = index.get(name);
  if (ids?.delete(id) && ids.size === 0) index.delete(name);
}
