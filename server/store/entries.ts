// The registration entries: written to the log in as few commits as possible, held in memory whole.
// (parent ID, SPIFFE ID, set of selectors) is unique, which the store itself enforces, across batches
// and servers. What makes an entry valid is server/entries/validate.ts; the indexes that answer
// questions about entries are server/entries/index.ts.

import { randomUUID } from "node:crypto";
import { IdentityError } from "../../pki/errors.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { serverError } from "../errors.ts";
import {
  decodeEntryRecord,
  ENTRY_PREFIX,
  entryKey,
  identityKey,
  peekEntry,
  peekIdentity,
  removeEntry,
  writeEntry,
} from "./entry-records.ts";
import type { OrderedLog } from "./log.ts";
import { Replica, type ReplicaHandler } from "./replica.ts";
import { claimTaskPaths } from "./task-paths.ts";
import { type Transaction, transact } from "./transaction.ts";

/** An entry to create. An empty `id` asks for a random one; revision and creation time are the store's. */
export type EntryDraft = Omit<
  RegistrationEntry,
  "revisionNumber" | "createdAtUnixSeconds" | "creationOrder"
>;

/**
 * The new entry; or, with `conflict`, the one that is there already (ENTRY_ALREADY_EXISTS) or that was
 * refused (ENTRY_PATH_RESERVED).
 */
export interface CreatedEntry {
  readonly entry: RegistrationEntry;
  readonly conflict?: IdentityError;
}

/** A change to the entry `id`. `change` gets its current state; what it throws becomes the item's error. */
export interface EntryUpdate {
  readonly id: string;
  readonly change: (current: RegistrationEntry) => RegistrationEntry;
}

/** Entries removed in one commit when they have expired. */
const PRUNE_BATCH = 500;

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
    const createdAtUnixSeconds = Math.floor(this.#now().getTime() / 1000);
    const wanted = drafts.map((draft): RegistrationEntry => {
      const id = draft.id === "" ? randomUUID() : draft.id;
      this.#lastOrder += 1;
      const creationOrder = this.#lastOrder;
      return { ...draft, id, revisionNumber: 0, createdAtUnixSeconds, creationOrder };
    });
    const identities = wanted.map(identityKey);
    return this.#commit(async (transaction) => {
      await transaction.assumeAbsent(identities);
      await transaction.assumeAbsent(wanted.map(({ id }) => entryKey(id)));
      await loadOwners(transaction, identities);
      const spiffeIds = wanted.map(({ spiffeId }) => spiffeId);
      const reserved = await claimTaskPaths(transaction, spiffeIds);
      return wanted.map((entry, i): CreatedEntry => {
        const conflict = reserved.get(entry.spiffeId);
        if (conflict !== undefined) return { entry, conflict };
        const owner = peekIdentity(transaction, identities[i] as string);
        const similar = owner === undefined ? undefined : peekEntry(transaction, owner);
        if (similar !== undefined) return { entry: similar, conflict: similarExists(similar) };
        const namesake = peekEntry(transaction, entry.id);
        if (namesake !== undefined) return { entry: namesake, conflict: idTaken(namesake) };
        writeEntry(transaction, entry);
        return { entry };
      });
    });
  }

  /** Changes entries in one commit; answers, in their order, the new state or why it was refused. */
  async update(updates: readonly EntryUpdate[]): Promise<(RegistrationEntry | IdentityError)[]> {
    return this.#commit(async (transaction) => {
      await transaction.load(updates.map(({ id }) => entryKey(id)));
      const results: (RegistrationEntry | IdentityError)[] = [];
      for (const update of updates) results.push(await updateOne(transaction, update));
      return results;
    });
  }

  /** Deletes entries in one commit; answers, in their order, what was deleted or ENTRY_NOT_FOUND. */
  async delete(ids: readonly string[]): Promise<(RegistrationEntry | IdentityError)[]> {
    return this.#commit(async (transaction) => {
      await transaction.load(ids.map(entryKey));
      return ids.map((id) => {
        const entry = peekEntry(transaction, id);
        if (entry === undefined) return entryNotFound(id);
        removeEntry(transaction, entry);
        return entry;
      });
    });
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

/** Loads the entries that hold these identities: a holder that is gone again leaves no record. */
async function loadOwners(transaction: Transaction, identities: readonly string[]): Promise<void> {
  const owners: string[] = [];
  for (const identity of identities) {
    const owner = peekIdentity(transaction, identity);
    if (owner !== undefined) owners.push(entryKey(owner));
  }
  await transaction.load(owners);
}

async function updateOne(
  transaction: Transaction,
  { id, change }: EntryUpdate,
): Promise<RegistrationEntry | IdentityError> {
  const current = peekEntry(transaction, id);
  if (current === undefined) return entryNotFound(id);
  const changed = refusable(() => change(current));
  if (changed instanceof IdentityError) return changed;
  const revisionNumber = current.revisionNumber + 1;
  const { createdAtUnixSeconds, creationOrder } = current;
  const next: RegistrationEntry = {
    ...changed,
    id,
    revisionNumber,
    createdAtUnixSeconds,
    ...(creationOrder !== undefined && { creationOrder }),
  };
  if (next.spiffeId !== current.spiffeId) {
    const [reserved] = (await claimTaskPaths(transaction, [next.spiffeId])).values();
    if (reserved !== undefined) return reserved;
  }
  const identity = identityKey(next);
  await transaction.load([identity, identityKey(current)]);
  const owner = peekIdentity(transaction, identity);
  if (owner !== undefined && owner !== id) {
    const message = `entry "${owner}" has this parent ID, SPIFFE ID and selectors already`;
    return serverError("ENTRY_ALREADY_EXISTS", message);
  }
  writeEntry(transaction, next, current);
  return next;
}

/** Turns a refusal of one item into its answer; anything else fails the batch. */
function refusable<T>(run: () => T): T | IdentityError {
  try {
    return run();
  } catch (error) {
    if (error instanceof IdentityError) return error;
    throw error;
  }
}

function entryNotFound(id: string): IdentityError {
  return serverError(
    "ENTRY_NOT_FOUND",
    `no registration entry has ID ${JSON.stringify(id.slice(0, 255))}`,
    {
      hint: "list the entries with 'signet entry show'",
    },
  );
}

function similarExists(entry: RegistrationEntry): IdentityError {
  return serverError("ENTRY_ALREADY_EXISTS", "similar entry already exists", {
    hint: `update entry "${entry.id}" instead, or choose other selectors`,
  });
}

function idTaken(entry: RegistrationEntry): IdentityError {
  return serverError("ENTRY_ALREADY_EXISTS", `an entry with ID "${entry.id}" already exists`, {
    hint: "leave the entry ID out, or choose another one",
  });
}
