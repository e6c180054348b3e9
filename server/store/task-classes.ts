// The task classes: named templates of tasks. Those that come with the server stand in no store until
// they are changed; a stored class stands over the shipped one of its name. In memory, fed by the
// store's changes. Those that are shipped: server/registry/shipped-classes.ts.

import type { Mandate } from "../../policy/mandate.ts";
import { serverError } from "../errors.ts";
import type { OrderedLog } from "./log.ts";
import { type MandateJson, mandateFromJson, mandateToJson } from "./mandate-json.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import { type Transaction, transact } from "./transaction.ts";

/** What happens upon an attempt to get more than was granted. */
export type Reaction = "log" | "suspend" | "revoke";

export interface TaskClassRecord {
  readonly name: string;
  readonly description: string;
  /** The most that a task of the class may get. */
  readonly maximum: Mandate;
  readonly defaultTtlSeconds: number;
  readonly maxTtlSeconds: number;
  /** 0 is none. */
  readonly idleTimeoutSeconds: number;
  readonly x509SvidTtlSeconds: number;
  readonly jwtSvidTtlSeconds: number;
  readonly accessTokenTtlSeconds: number;
  readonly maxDepth: number;
  /** No bearer tokens. */
  readonly requirePop: boolean;
  /** What guards do while they hear nothing of the server: refuse, or go by the lifetime of what they see. */
  readonly failMode: "closed" | "ttl";
  /** What the `sub` of its SVIDs is. */
  readonly identity: "task" | "agent";
  /** Whether a task ends with the process that opened it. */
  readonly bind: "process" | "none";
  readonly allowClip: boolean;
  /** Who may open one. */
  readonly openedBy: "agent" | "operator";
  /** Only for processes that were attested as the AI agent itself. */
  readonly requireAttested: boolean;
  /** By kind of attempt; what is not here has the default of the kind. */
  readonly reactions: Readonly<Record<string, Reaction>>;
  /** One of those that come with the server, as it came or changed. */
  readonly isShipped: boolean;
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The set that declared it, "" when it was made by hand. */
  readonly managedBy: string;
  /** Grows with every change; 0 as it was shipped. */
  readonly version: number;
}

const PREFIX = "task-class/";

type Row = Omit<TaskClassRecord, "maximum" | "isShipped"> & { readonly maximum: MandateJson };

type Shipped = ReadonlyMap<string, TaskClassRecord>;

/** One decision over task classes, with whatever else `transaction` reads and writes in the same commit. */
export class TaskClassTransaction {
  readonly transaction: Transaction;
  readonly #shipped: Shipped;

  constructor(transaction: Transaction, shipped: Shipped) {
    this.transaction = transaction;
    this.#shipped = shipped;
  }

  async get(name: string): Promise<TaskClassRecord | undefined> {
    await this.load([name]);
    return this.peek(name);
  }

  /** Reads many in one step, so that `peek` answers for them. */
  load(names: readonly string[]): Promise<void> {
    return this.transaction.load(names.map((name) => PREFIX + name));
  }

  /** One that was loaded before. */
  peek(name: string): TaskClassRecord | undefined {
    const value = this.transaction.peek(PREFIX + name);
    return value === undefined
      ? this.#shipped.get(name)
      : decode(PREFIX + name, value, this.#shipped);
  }

  put({ maximum, isShipped: _, ...rest }: TaskClassRecord): void {
    const row: Row = { ...rest, maximum: mandateToJson(maximum) };
    this.transaction.put(PREFIX + row.name, Buffer.from(JSON.stringify(row)));
  }

  /** A shipped class is then again as it was. */
  delete(name: string): void {
    this.transaction.delete(PREFIX + name);
  }
}

/** The task classes, in memory, and the way to change them. */
export class TaskClassStore {
  readonly #log: OrderedLog;
  readonly #replica: Replica<TaskClassRecord>;
  readonly #shipped: Shipped;

  private constructor(log: OrderedLog, replica: Replica<TaskClassRecord>, shipped: Shipped) {
    this.#log = log;
    this.#replica = replica;
    this.#shipped = shipped;
  }

  /** Reads every stored class into memory and follows the log. */
  static async start(
    log: OrderedLog,
    shippedClasses: readonly TaskClassRecord[],
  ): Promise<TaskClassStore> {
    const shipped: Shipped = new Map(shippedClasses.map((one) => [one.name, one]));
    const replica = await Replica.start<TaskClassRecord>({
      log,
      prefix: PREFIX,
      decode: ({ key, value }) => decode(key, value, shipped),
      idOf: ({ name }) => name,
    });
    return new TaskClassStore(log, replica, shipped);
  }

  get revision(): number {
    return this.#replica.revision;
  }

  /** Why those in memory no longer follow the store, if they do not. */
  get failure(): unknown {
    return this.#replica.failure;
  }

  get(name: string): TaskClassRecord | undefined {
    return this.#replica.get(name) ?? this.#shipped.get(name);
  }

  /** Every class, ordered by name. */
  values(): readonly TaskClassRecord[] {
    const all = new Map(this.#shipped);
    for (const one of this.#replica.values()) all.set(one.name, one);
    return [...all.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Resolves once those in memory include the commit `revision`. */
  reached(revision: number): Promise<void> {
    return this.#replica.reached(revision);
  }

  /** Calls `handler` after each commit that changed stored classes, in order, none left out; returns its end. */
  onChange(handler: ReplicaHandler<TaskClassRecord>): () => void {
    return this.#replica.onChange(handler);
  }

  /** The classes as a transaction of somebody else's sees them. */
  within(transaction: Transaction): TaskClassTransaction {
    return new TaskClassTransaction(transaction, this.#shipped);
  }

  /** Decides and commits; `get` shows the outcome before this resolves. `decide` may run several times. */
  async change<T>(decide: (classes: TaskClassTransaction) => Promise<T>): Promise<T> {
    const { result, revision } = await transact(this.#log, (transaction) =>
      decide(this.within(transaction)),
    );
    await this.#replica.reached(revision);
    return result;
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }
}

function decode(key: string, value: Uint8Array, shipped: Shipped): TaskClassRecord {
  try {
    const row = JSON.parse(Buffer.from(value).toString("utf8")) as Row;
    return { ...row, maximum: mandateFromJson(row.maximum), isShipped: shipped.has(row.name) };
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the record ${key} is no task class`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}
