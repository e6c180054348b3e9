// All records under one prefix, decoded and held in memory, kept in step with the log by its watch.
// What the hot path reads is here; the store itself is read at the start and after falling behind only.

import { IdentityError } from "../../pki/errors.ts";
import type { Change, OrderedLog, StoredRecord } from "./log.ts";

/** One record that changed: `before` is undefined when it is new, `after` when it is gone. */
export interface ReplicaChange<T> {
  readonly id: string;
  readonly before: T | undefined;
  readonly after: T | undefined;
}

/** What one commit changed under the prefix. Handlers are called in the order of revisions, none left out. */
export type ReplicaHandler<T> = (changes: readonly ReplicaChange<T>[], revision: number) => void;

/** How to read the records of one prefix; a record's ID is its key without the prefix. */
export interface ReplicaOptions<T> {
  readonly log: OrderedLog;
  readonly prefix: string;
  /** Throws when the bytes make no sense, which is a damaged store. */
  readonly decode: (record: StoredRecord) => T;
  /** The ID within the value: kept as the map's key, so that keys do not hold the longer stored key. */
  readonly idOf: (value: T) => string;
}

interface Held<T> {
  readonly value: T;
  readonly revision: number;
}

interface Waiter {
  readonly revision: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

const LOAD_PAGE = 5000;

export class Replica<T> {
  readonly #options: ReplicaOptions<T>;
  readonly #held = new Map<string, Held<T>>();
  readonly #handlers = new Set<ReplicaHandler<T>>();
  readonly #stop = new AbortController();
  #waiting: Waiter[] = [];
  #revision = 0;
  #failure: unknown;
  #following: Promise<void> = Promise.resolve();

  private constructor(options: ReplicaOptions<T>) {
    this.#options = options;
  }

  /** Reads every record under the prefix and follows the log from there. @throws STORE_CORRUPT, STORE_FAILED */
  static async start<T>(options: ReplicaOptions<T>): Promise<Replica<T>> {
    const replica = new Replica<T>(options);
    await replica.#load();
    replica.#following = replica.#follow();
    await replica.reached(options.log.revision);
    return replica;
  }

  get size(): number {
    return this.#held.size;
  }

  /** The revision up to which the replica has followed the log. */
  get revision(): number {
    return this.#revision;
  }

  /** Why the replica no longer follows the log, if it does not. What it holds may then be out of date. */
  get failure(): unknown {
    return this.#failure;
  }

  get(id: string): T | undefined {
    return this.#held.get(id)?.value;
  }

  /** The revision of the commit that last put a record; 0 when there is none. */
  revisionOf(id: string): number {
    return this.#held.get(id)?.revision ?? 0;
  }

  *values(): Generator<T, void, undefined> {
    for (const held of this.#held.values()) yield held.value;
  }

  /** Calls `handler` after each commit that changed something here; returns the function that ends it. */
  onChange(handler: ReplicaHandler<T>): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  /** Resolves once the replica, and every handler, has seen the commit `revision`. */
  reached(revision: number): Promise<void> {
    if (this.#revision >= revision) return Promise.resolve();
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => this.#waiting.push({ revision, resolve, reject }));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#following;
  }

  /** Reads all records; answers the difference to what was held, and remembers from where to follow. */
  async #load(): Promise<ReplicaChange<T>[]> {
    const { log, prefix } = this.#options;
    const from = log.revision;
    const changes: ReplicaChange<T>[] = [];
    const found = new Set<string>();
    const first = this.#held.size === 0;
    for (let after: string | undefined; ; ) {
      const page = await log.list(prefix, {
        limit: LOAD_PAGE,
        ...(after === undefined ? {} : { after }),
      });
      for (const record of page.records) {
        const change = this.#put(record);
        if (change !== undefined && !first) changes.push(change);
        if (!first) found.add(record.key.slice(prefix.length));
      }
      if (page.next === undefined) break;
      after = page.next;
    }
    if (!first) {
      for (const [id, held] of this.#held) {
        if (found.has(id)) continue;
        this.#held.delete(id);
        changes.push({ id, before: held.value, after: undefined });
      }
    }
    this.#revision = from;
    return changes;
  }

  /** Holds a record unless a newer state of it is held already: changes during a load are seen twice. */
  #put(record: StoredRecord): ReplicaChange<T> | undefined {
    const { prefix, decode, idOf } = this.#options;
    const held = this.#held.get(record.key.slice(prefix.length));
    if (held !== undefined && held.revision >= record.revision) return undefined;
    const value = decode(record);
    const id = idOf(value);
    this.#held.set(id, { value, revision: record.revision });
    return { id, before: held?.value, after: value };
  }

  #apply(change: Change): void {
    const { prefix } = this.#options;
    const changes: ReplicaChange<T>[] = [];
    for (const record of change.puts) {
      if (!record.key.startsWith(prefix)) continue;
      const done = this.#put(record);
      if (done !== undefined) changes.push(done);
    }
    for (const key of change.deletes) {
      if (!key.startsWith(prefix)) continue;
      const id = key.slice(prefix.length);
      const held = this.#held.get(id);
      if (held === undefined || held.revision > change.revision) continue;
      this.#held.delete(id);
      changes.push({ id, before: held.value, after: undefined });
    }
    this.#publish(changes, change.revision);
  }

  #publish(changes: readonly ReplicaChange<T>[], revision: number): void {
    this.#revision = revision;
    if (changes.length > 0) for (const handler of this.#handlers) handler(changes, revision);
    if (this.#waiting.length === 0) return;
    const still: Waiter[] = [];
    for (const waiter of this.#waiting) {
      if (waiter.revision <= revision) waiter.resolve();
      else still.push(waiter);
    }
    this.#waiting = still;
  }

  /** Follows the log until it is stopped or the log fails; fallen behind what is kept, it reads all again. */
  async #follow(): Promise<void> {
    try {
      while (!this.#stop.signal.aborted) {
        try {
          for await (const change of this.#options.log.watch(this.#revision, this.#stop.signal)) {
            this.#apply(change);
          }
        } catch (error) {
          if (!(error instanceof IdentityError) || error.reason !== "STORE_COMPACTED") throw error;
          const changes = await this.#load();
          this.#publish(changes, this.#revision);
        }
      }
    } catch (error) {
      this.#failure = error;
      for (const waiter of this.#waiting) waiter.reject(error);
      this.#waiting = [];
    }
  }
}
