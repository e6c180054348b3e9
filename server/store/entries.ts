// The registration entries: written to the log in as few commits as possible, held in memory whole.
// (parent ID, SPIFFE ID, set of selectors) is unique, which the store itself enforces, across batches
// and servers. What makes an entry valid is server/entries/validate.ts; the indexes that answer
// questions about entries are server/entries/index.ts.

import { randomUUID } from "node:crypto";
import type { IdentityError } from "../../pki/errors.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import {
  type CreatedEntry,
  createEntries,
  deleteEntries,
  type EntryDraft,
  type EntryUpdate,
  updateEntries,
} from "./entry-changes.ts";
import {
  decodeEntryRecord,
  ENTRY_PREFIX,
  entryKey,
  peekEntry,
  removeEntry,
} from "./entry-records.ts";
import type { OrderedLog } from "./log.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import { type Transaction, transact } from "./transaction.ts";

/** Entries removed in one commit when they have expired. */
const PRUNE_BATCH = 500;

export type { CreatedEntry, EntryDraft, EntryUpdate } from "./entry-changes.ts";

export class EntryStore {
  readonly #log: OrderedLog;
  readonly #now: () => Date;
  readonly #replica: Replica<RegistrationEntry>;
  /** Of the newest entry. */
  #lastOrder: number;

  private constructor(log: OrderedLog, now: () => Date, replica: Replica<RegistrationEntry>) {
    this.#log = log;
    this.#now = now;
    this.#replica = replica;
    this.#lastOrder = 0;
    for (const { creationOrder = 0 } of replica.values()) {
      this.#lastOrder = Math.max(this.#lastOrder, creationOrder);
    }
  }

  /** Reads every entry into memory and follows the log. */
  static async start(options: {
    readonly log: OrderedLog;
    readonly now: () => Date;
  }): Promise<EntryStore> {
    const replica = await Replica.start<RegistrationEntry>({
      log: options.log,
      prefix: ENTRY_PREFIX,
      decode: decodeEntryRecord,
      idOf: (entry) => entry.id,
    });
    return new EntryStore(options.log, options.now, replica);
  }

  get size(): number {
    return this.#replica.size;
  }

  /** The revision of the log up to which the entries in memory are complete. */
  get revision(): number {
    return this.#replica.revision;
  }

  /** Why the entries in memory no longer follow the store, if they do not. */
  get failure(): unknown {
    return this.#replica.failure;
  }

  get(id: string): RegistrationEntry | undefined {
    return this.#replica.get(id);
  }

  values(): Iterable<RegistrationEntry> {
    return this.#replica.values();
  }

  /** Calls `handler` after each commit that changed entries, in order, none left out; returns its end. */
  onChange(handler: ReplicaHandler<RegistrationEntry>): () => void {
    return this.#replica.onChange(handler);
  }

  /** Resolves once the entries in memory include the commit `revision`. */
  reached(revision: number): Promise<void> {
    return this.#replica.reached(revision);
  }

  /** Creates entries in one commit; answers in their order. An item repeated in the batch meets the first one. */
  async create(drafts: readonly EntryDraft[]): Promise<CreatedEntry[]> {
    const wanted = this.drawUp(drafts);
    return this.#commit((transaction) => createEntries(transaction, wanted));
  }

  /** The entries that drafts become, for a transaction that does more than create them. */
  drawUp(drafts: readonly EntryDraft[]): RegistrationEntry[] {
    const createdAtUnixSeconds = Math.floor(this.#now().getTime() / 1000);
    return drafts.map((draft): RegistrationEntry => {
      const id = draft.id === "" ? randomUUID() : draft.id;
      this.#lastOrder += 1;
      const creationOrder = this.#lastOrder;
      return { ...draft, id, revisionNumber: 0, createdAtUnixSeconds, creationOrder };
    });
  }

  /** Changes entries in one commit; answers, in their order, the new state or why it was refused. */
  update(updates: readonly EntryUpdate[]): Promise<(RegistrationEntry | IdentityError)[]> {
    return this.#commit((transaction) => updateEntries(transaction, updates));
  }

  /** Deletes entries in one commit; answers, in their order, what was deleted or ENTRY_NOT_FOUND. */
  delete(ids: readonly string[]): Promise<(RegistrationEntry | IdentityError)[]> {
    return this.#commit((transaction) => deleteEntries(transaction, ids));
  }

  /** Deletes every entry whose time has passed and returns them. Tidiness, not security: issuing checks the time itself. */
  async pruneExpired(): Promise<RegistrationEntry[]> {
    const now = Math.floor(this.#now().getTime() / 1000);
    const expired: string[] = [];
    for (const entry of this.#replica.values()) if (isExpired(entry, now)) expired.push(entry.id);
    const pruned: RegistrationEntry[] = [];
    for (let i = 0; i < expired.length; i += PRUNE_BATCH) {
      const ids = expired.slice(i, i + PRUNE_BATCH);
      const removed = await this.#commit(async (transaction) => {
        await transaction.load(ids.map(entryKey));
        const entries = ids
          .map((id) => peekEntry(transaction, id))
          .filter((entry) => entry !== undefined);
        const still = entries.filter((entry) => isExpired(entry, now));
        for (const entry of still) removeEntry(transaction, entry);
        return still;
      });
      pruned.push(...removed);
    }
    return pruned;
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }

  async #commit<T>(decide: (transaction: Transaction) => Promise<T>): Promise<T> {
    const { result, revision } = await transact(this.#log, decide);
    await this.#replica.reached(revision);
    return result;
  }
}

function isExpired(entry: RegistrationEntry, nowUnixSeconds: number): boolean {
  return entry.expiresAtUnixSeconds !== 0 && entry.expiresAtUnixSeconds <= nowUnixSeconds;
}
