// The part of a plan that is about registration entries. They are known by SPIFFE ID, parent ID and
// selectors; one that is there is taken up whatever its ID.

import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { serverError } from "../errors.ts";
import type { EntryDraft } from "../store/entries.ts";
import {
  type EntryOwner,
  type EntryOwnerStore,
  loadEntryOwners,
  peekEntryOwner,
  putEntryOwner,
} from "../store/entry-owners.ts";
import {
  entryKey,
  peekEntry,
  peekIdentity,
  removeEntry,
  writeEntry,
} from "../store/entry-records.ts";
import { aiAgentAbove, claimTaskPaths, pathReserved } from "../store/task-paths.ts";
import type { AiAgents } from "./ai-agents.ts";
import { BESIDE_ENTRY, entryFields, type FieldChange } from "./apply-fields.ts";
import { admit, type Declared, type DeclaredEntry } from "./declared.ts";
import type { Plan } from "./plan.ts";

/** `drawnUp` are the entries that the declared ones become where there is none, in their order. */
export async function planEntries(
  plan: Plan,
  drawnUp: readonly RegistrationEntry[],
  store: EntryOwnerStore,
): Promise<ReadonlySet<string>> {
  const { terms, declared, transaction } = plan;
  await transaction.load(declared.entries.map(({ key }) => key));
  const ids = declared.entries.map(({ key }) => peekIdentity(transaction, key));
  const there = ids.filter((id) => id !== undefined);
  const managed = [...store.values()].filter(({ managedBy }) => managedBy === terms.set);
  const all = [...new Set([...there, ...managed.map(({ entryId }) => entryId)])];
  await transaction.load(all.map(entryKey));
  await loadEntryOwners(transaction, all);
  await loadReserving(plan);
  for (const [i, one] of declared.entries.entries()) {
    const id = ids[i];
    const before = id === undefined ? undefined : peekEntry(transaction, id);
    const isFree = await admit(plan.problems, "entry", one.index, () => checkPath(plan, one));
    if (isFree) considerEntry(plan, one, before, drawnUp[i]);
    await plan.step();
  }
  return prune(plan, managed, new Set(there));
}

function considerEntry(
  plan: Plan,
  { index, draft: { entry, ownership } }: Declared<DeclaredEntry>,
  before: RegistrationEntry | undefined,
  drawnUp: RegistrationEntry | undefined,
): void {
  const { terms, transaction } = plan;
  const beside = before && peekEntryOwner(transaction, before.id);
  const managedBy = beside?.managedBy ?? "";
  plan.consider({
    ...{ kind: "entry", index, name: entry.spiffeId, beside: BESIDE_ENTRY },
    ...(before !== undefined && { entryId: before.id }),
    before: before && entryFields(before, beside, managedBy),
    managedBy: before && managedBy,
    after: entryFields(entry, ownership, terms.set),
    write: (fields) => {
      const entryId = writeDeclared(plan, entry, before ?? drawnUp, before, fields);
      putEntryOwner(transaction, { entryId, ...ownership, managedBy: terms.set });
    },
  });
}

/** Node agents are told of an entry only when something in it has changed. */
function writeDeclared(
  { transaction }: Plan,
  entry: EntryDraft,
  base: RegistrationEntry | undefined,
  before: RegistrationEntry | undefined,
  fields: readonly FieldChange[],
): string {
  if (base === undefined) throw new TypeError("an entry that was not drawn up");
  if (fields.every(({ field }) => BESIDE_ENTRY.has(field))) return base.id;
  const { id, createdAtUnixSeconds, creationOrder } = base;
  const revisionNumber = before === undefined ? 0 : before.revisionNumber + 1;
  const order = creationOrder === undefined ? {} : { creationOrder };
  const next = { ...entry, id, createdAtUnixSeconds, revisionNumber, ...order };
  writeEntry(transaction, next, before);
  return id;
}

/** The AI agents that declared entries would be tasks of: hardly any. */
async function loadReserving({ declared, agents }: Plan): Promise<void> {
  const above = declared.entries.map(({ draft }) => aiAgentAbove(draft.entry.spiffeId));
  await agents.load(above.filter((id) => id !== undefined));
}

function checkPath({ agents, coming }: Plan, { draft: { entry } }: Declared<DeclaredEntry>): void {
  const above = aiAgentAbove(entry.spiffeId);
  if (above === undefined) return;
  if (agents.peek(above) !== undefined || coming.has(above))
    throw pathReserved(entry.spiffeId, above);
}

/** Marks the paths of new entries, so that no AI agent is made above them meanwhile. */
export async function claimPaths({ declared, transaction }: Plan): Promise<void> {
  const ids = declared.entries.map(({ draft }) => draft.entry.spiffeId);
  const [refused] = (await claimTaskPaths(transaction, ids)).values();
  if (refused !== undefined) throw refused;
}

function prune(
  { terms, transaction, deletions }: Plan,
  managed: readonly EntryOwner[],
  kept: ReadonlySet<string>,
): ReadonlySet<string> {
  const pruned = new Set<string>();
  if (!terms.prune) return pruned;
  for (const { entryId } of managed) {
    const entry = peekEntry(transaction, entryId);
    const isOurs = peekEntryOwner(transaction, entryId)?.managedBy === terms.set;
    if (entry === undefined || !isOurs || kept.has(entryId)) continue;
    pruned.add(entryId);
    deletions.push({
      ...{ kind: "entry", name: entry.spiffeId, action: "delete", fields: [], entryId },
      write: () => removeEntry(transaction, entry),
    });
  }
  return pruned;
}

/** Checks new AI agents against the entries that stay, and those that go against their own. */
export async function checkAiAgentEntries(
  plan: Plan,
  registry: AiAgents,
  pruned: ReadonlySet<string>,
): Promise<void> {
  const { agents, coming, going, places, problems } = plan;
  for (const spiffeId of coming) {
    const index = places.get(spiffeId) ?? -1;
    await admit(problems, "ai-agent", index, () => registry.checkPaths(agents, [spiffeId], pruned));
  }
  for (const spiffeId of going) {
    const record = agents.peek(spiffeId);
    if (record === undefined) throw new TypeError("an AI agent that goes and is not there");
    const left = await registry.entriesOf(agents, spiffeId);
    await admit(problems, "ai-agent", -1, () =>
      registry.checkFreed(
        record,
        left.filter(({ id }) => !pruned.has(id)),
      ),
    );
  }
}

/** @throws APPLY_PLAN_CHANGED */
export function planChanged(): Error {
  return serverError("APPLY_PLAN_CHANGED", "what would change is not what was shown any more", {
    hint: "something was changed meanwhile: look at the changes again, then repeat",
  });
}
