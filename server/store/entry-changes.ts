// What can be done to registration entries within a transaction, alone or beside other things:
// create, update, delete, each item with its own answer. The store of them is entries.ts.

import { IdentityError } from "../../pki/errors.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { serverError } from "../errors.ts";
import {
  entryKey,
  identityKey,
  peekEntry,
  peekIdentity,
  removeEntry,
  writeEntry,
} from "./entry-records.ts";
import { claimTaskPaths } from "./task-paths.ts";
import type { Transaction } from "./transaction.ts";

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

/** Creates entries as they were drawn up; answers in their order. An item repeated among them meets the first one. */
export async function createEntries(
  transaction: Transaction,
  wanted: readonly RegistrationEntry[],
): Promise<CreatedEntry[]> {
  const identities = wanted.map(identityKey);
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
}

/** Changes entries; answers, in their order, the new state or why it was refused. */
export async function updateEntries(
  transaction: Transaction,
  updates: readonly EntryUpdate[],
): Promise<(RegistrationEntry | IdentityError)[]> {
  await transaction.load(updates.map(({ id }) => entryKey(id)));
  const results: (RegistrationEntry | IdentityError)[] = [];
  for (const update of updates) results.push(await updateOne(transaction, update));
  return results;
}

/** Deletes entries; answers, in their order, what was deleted or ENTRY_NOT_FOUND. */
export async function deleteEntries(
  transaction: Transaction,
  ids: readonly string[],
): Promise<(RegistrationEntry | IdentityError)[]> {
  await transaction.load(ids.map(entryKey));
  return ids.map((id) => {
    const entry = peekEntry(transaction, id);
    if (entry === undefined) return entryNotFound(id);
    removeEntry(transaction, entry);
    return entry;
  });
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
