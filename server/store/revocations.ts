// The revocations, in memory and in the log. What is found to revoke, and who is held back, is
// server/revocation; the signed lists are crls.ts.

import { serverError } from "../errors.ts";
import type { OrderedLog } from "./log.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import {
  decodeRevocation,
  encodeRevocation,
  REVOCATION_PREFIX,
  type RevocationRecord,
  revocationKey,
} from "./revocation-record.ts";
import { type Transaction, transact } from "./transaction.ts";

/** Revocations that are deleted in one commit. */
const PRUNE_AT_ONCE = 100;

export class RevocationStore {
  readonly #log: OrderedLog;
  readonly #replica: Replica<RevocationRecord>;

  private constructor(log: OrderedLog, replica: Replica<RevocationRecord>) {
    this.#log = log;
    this.#replica = replica;
  }

  /** Reads every revocation into memory and follows the log. */
  static async start(log: OrderedLog): Promise<RevocationStore> {
    const replica = await Replica.start<RevocationRecord>({
      log,
      prefix: REVOCATION_PREFIX,
      decode: decodeRevocation,
      idOf: ({ id }) => id,
    });
    return new RevocationStore(log, replica);
  }

  get size(): number {
    return this.#replica.size;
  }

  get revision(): number {
    return this.#replica.revision;
  }

  /** Why the revocations in memory no longer follow the store, if they do not. */
  get failure(): unknown {
    return this.#replica.failure;
  }

  get(id: string): RevocationRecord | undefined {
    return this.#replica.get(id);
  }

  values(): Iterable<RevocationRecord> {
    return this.#replica.values();
  }

  /** Resolves once the revocations in memory include the commit `revision`. */
  reached(revision: number): Promise<void> {
    return this.#replica.reached(revision);
  }

  /** Calls `handler` after each commit that changed revocations, in order, none left out; returns its end. */
  onChange(handler: ReplicaHandler<RevocationRecord>): () => void {
    return this.#replica.onChange(handler);
  }

  /** Commits a new revocation; it is in memory when this resolves. */
  async add(record: RevocationRecord): Promise<void> {
    const { revision } = await transact(this.#log, async (transaction) => {
      await transaction.assumeAbsent([revocationKey(record.id)]);
      this.addWithin(transaction, record);
    });
    await this.#replica.reached(revision);
  }

  /** Adds a new revocation to a commit that does more; {@link reached} says when it is in memory. */
  addWithin(transaction: Transaction, record: RevocationRecord): void {
    transaction.put(revocationKey(record.id), encodeRevocation(record));
  }

  /**
   * Ends the hold of a revocation. Does nothing when it has ended, or there was none.
   * @throws REVOCATION_NOT_FOUND
   */
  async release(id: string, nowUnixSeconds: number, by: string): Promise<RevocationRecord> {
    const key = revocationKey(id);
    const { result, revision } = await transact(this.#log, async (transaction) => {
      const value = await transaction.get(key);
      if (value === undefined) throw revocationNotFound(id);
      const record = decodeRevocation({ key, value, revision: 0 });
      const { hold } = record;
      if (hold === undefined || hold.releasedAtUnixSeconds !== undefined) return record;
      const released = { ...hold, releasedAtUnixSeconds: nowUnixSeconds, releasedBy: by };
      const after = { ...record, hold: released };
      transaction.put(key, encodeRevocation(after));
      return after;
    });
    await this.#replica.reached(revision);
    return result;
  }

  /** Deletes the revocations of which everything expired before this second, and that hold nobody back. */
  async prune(beforeUnixSeconds: number): Promise<number> {
    const isOver = ({ hold, expiresAtUnixSeconds }: RevocationRecord): boolean =>
      expiresAtUnixSeconds < beforeUnixSeconds &&
      (hold === undefined || hold.releasedAtUnixSeconds !== undefined);
    const over = [...this.#replica.values()].filter(isOver).map(({ id }) => revocationKey(id));
    for (let at = 0; at < over.length; at += PRUNE_AT_ONCE) {
      const revision = await this.#log.commit({ deletes: over.slice(at, at + PRUNE_AT_ONCE) });
      await this.#replica.reached(revision);
    }
    return over.length;
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }
}

/** The answer to an ID of no revocation. */
function revocationNotFound(id: string): Error {
  return serverError("REVOCATION_NOT_FOUND", `no revocation has the ID ${JSON.stringify(id)}`, {
    hint: "list them with 'signet svid revocations'",
  });
}
