// Beside a registration entry: who owns it, its labels, and the set that declared it. A record of its own,
// since an entry's message is SPIRE's and stays as it is. It goes with its entry (entry-records.ts).

import { serverError } from "../errors.ts";
import { ENTRY_OWNER_PREFIX } from "./entry-records.ts";
import type { OrderedLog } from "./log.ts";
import { Replica } from "./replica.ts";
import type { Transaction } from "./transaction.ts";

export interface EntryOwner {
  readonly entryId: string;
  /** "" when nobody is named. */
  readonly owner: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The set that declared it, "" when it was made by hand. */
  readonly managedBy: string;
}

/** The records of entries that have one, in memory. */
export class EntryOwnerStore {
  readonly #replica: Replica<EntryOwner>;

  private constructor(replica: Replica<EntryOwner>) {
    this.#replica = replica;
  }

  /** Reads every record into memory and follows the log. */
  static async start(log: OrderedLog): Promise<EntryOwnerStore> {
    const replica = await Replica.start<EntryOwner>({
      log,
      prefix: ENTRY_OWNER_PREFIX,
      decode: ({ key, value }) => decode(key, value),
      idOf: ({ entryId }) => entryId,
    });
    return new EntryOwnerStore(replica);
  }

  /** Why those in memory no longer follow the store, if they do not. */
  get failure(): unknown {
    return this.#replica.failure;
  }

  get(entryId: string): EntryOwner | undefined {
    return this.#replica.get(entryId);
  }

  values(): Iterable<EntryOwner> {
    return this.#replica.values();
  }

  /** Resolves once those in memory include the commit `revision`. */
  reached(revision: number): Promise<void> {
    return this.#replica.reached(revision);
  }

  async stop(): Promise<void> {
    await this.#replica.stop();
  }
}

/** Reads those of these entries, so that `peekEntryOwner` answers. */
export function loadEntryOwners(
  transaction: Transaction,
  entryIds: readonly string[],
): Promise<void> {
  return transaction.load(entryIds.map(keyOf));
}

/** As a transaction that loaded it sees it. */
export function peekEntryOwner(transaction: Transaction, entryId: string): EntryOwner | undefined {
  const key = keyOf(entryId);
  const value = transaction.peek(key);
  return value && decode(key, value);
}

export function putEntryOwner(transaction: Transaction, owner: EntryOwner): void {
  transaction.put(keyOf(owner.entryId), Buffer.from(JSON.stringify(owner)));
}

function keyOf(entryId: string): string {
  return ENTRY_OWNER_PREFIX + entryId;
}

function decode(key: string, value: Uint8Array): EntryOwner {
  try {
    return JSON.parse(Buffer.from(value).toString("utf8")) as EntryOwner;
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the record ${key} does not say whose an entry is`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}
