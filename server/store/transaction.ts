// Read, decide, write as one step over the ordered log: every record that a decision read becomes a
// precondition of its commit, and the decision is taken again when another commit came in between.

import { IdentityError } from "../../pki/errors.ts";
import type { Expectation, OrderedLog, StoredRecord } from "./log.ts";

/** Conflicts in a row before a decision is given up. Each one means that another commit succeeded. */
const MAX_ATTEMPTS = 1000;

/** The view of one attempt: what it read, with its own writes over it. */
export class Transaction {
  readonly #log: OrderedLog;
  readonly #read = new Map<string, StoredRecord | undefined>();
  readonly #assumed = new Map<string, number>();
  readonly #written = new Map<string, Uint8Array | undefined>();
  /** 0 at first; greater when an earlier attempt met a conflict. */
  readonly attempt: number;

  constructor(log: OrderedLog, attempt: number) {
    this.#log = log;
    this.attempt = attempt;
  }

  /** The value under `key`, this transaction's own writes included. */
  async get(key: string): Promise<Uint8Array | undefined> {
    await this.load([key]);
    return this.peek(key);
  }

  /** Reads many records in one step, so that `peek` answers for them. */
  async load(keys: readonly string[]): Promise<void> {
    const missing = keys.filter((key) => !this.#read.has(key));
    if (missing.length === 0) return;
    const records = await this.#log.getMany(missing);
    for (const [i, key] of missing.entries()) this.#read.set(key, records[i]);
  }

  /**
   * Takes it that there is nothing under these keys, without reading: right nearly always for new
   * random IDs, and the commit fails with a conflict where it is not. Later attempts read.
   */
  async assumeAbsent(keys: readonly string[]): Promise<void> {
    if (this.attempt > 0) return this.load(keys);
    for (const key of keys) if (!this.#read.has(key)) this.#read.set(key, undefined);
  }

  /**
   * Takes it that the record under this key was last put by the commit `revision`, as memory has it, without
   * reading: the commit fails with a conflict where that is out of date. False: read it, for an earlier
   * attempt failed, or this one has read or written something: what it decides by is of one moment.
   */
  assume(key: string, revision: number): boolean {
    if (this.attempt > 0 || this.#read.size > 0 || this.#written.size > 0) return false;
    this.#assumed.set(key, revision);
    return true;
  }

  /** The value under a key that was loaded before. */
  peek(key: string): Uint8Array | undefined {
    if (this.#written.has(key)) return this.#written.get(key);
    if (!this.#read.has(key)) throw new TypeError(`peek of a key that was not loaded: ${key}`);
    return this.#read.get(key)?.value;
  }

  put(key: string, value: Uint8Array): void {
    this.#written.set(key, value);
  }

  delete(key: string): void {
    this.#written.set(key, undefined);
  }

  /** Commits what was written. Without writes nothing is committed, and the answer is the log's revision. */
  async commit(): Promise<number> {
    const puts: { key: string; value: Uint8Array }[] = [];
    const deletes: string[] = [];
    for (const [key, value] of this.#written) {
      if (value !== undefined) puts.push({ key, value });
      else if (this.#read.get(key) !== undefined || !this.#read.has(key)) deletes.push(key);
    }
    if (puts.length === 0 && deletes.length === 0) return this.#log.revision;
    const expect: Expectation[] = [];
    for (const [key, record] of this.#read) expect.push({ key, revision: record?.revision ?? 0 });
    for (const [key, revision] of this.#assumed) expect.push({ key, revision });
    return this.#log.commit({ expect, puts, deletes });
  }
}

/**
 * Runs `decide` on a transaction and commits what it wrote; starts over when another commit changed
 * what it had read. `decide` may run several times and must have no other effect than its return value.
 * Returns what `decide` returned and the revision at which it holds.
 * @throws STORE_CONFLICT when it lost too often in a row, and whatever `decide` throws
 */
export async function transact<T>(
  log: OrderedLog,
  decide: (transaction: Transaction) => Promise<T>,
): Promise<{ result: T; revision: number }> {
  for (let attempt = 0; ; attempt++) {
    const transaction = new Transaction(log, attempt);
    const result = await decide(transaction);
    try {
      return { result, revision: await transaction.commit() };
    } catch (error) {
      const lost = error instanceof IdentityError && error.reason === "STORE_CONFLICT";
      if (!lost || attempt + 1 >= MAX_ATTEMPTS) throw error;
    }
  }
}
