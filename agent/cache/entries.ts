// The registration entries this node agent may serve, and which of them a caller's selectors match.
// An entry matches when all of its selectors are among the caller's. To match one caller among tens of
// thousands of entries each entry is filed under one of its selectors, the rarest, so that a caller
// only looks at entries that share that selector with it. Who is told of changes: subscribers.ts.

import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { formatSelector, type Selector } from "../../proto/types/selector.ts";

/** What a change did: entries as they are now, and entries as they were before (removed ones included). */
export interface EntryChange {
  readonly current: readonly RegistrationEntry[];
  readonly former: readonly RegistrationEntry[];
}

interface Filed {
  readonly entry: RegistrationEntry;
  readonly selectors: readonly string[];
  /** The selector it is filed under; changes when a bucket is spread out again. */
  under: string;
}

// Buckets of these sizes are looked at again: what was the rarest selector when an entry was filed may
// have become common since.
const isSpreadSize = (size: number): boolean => size >= 64 && (size & (size - 1)) === 0;

/**
 * The oldest entry first, in the order in which the server made them: the order of identities, and so the
 * default one, never shuffles, and nothing that is added comes first. Entries whose order was not recorded
 * are older than the others, and stand by the second of their making, then by ID.
 */
function byAge(a: RegistrationEntry, b: RegistrationEntry): number {
  const order = (a.creationOrder ?? 0) - (b.creationOrder ?? 0);
  if (order !== 0) return order;
  if (a.createdAtUnixSeconds !== b.createdAtUnixSeconds) {
    return a.createdAtUnixSeconds - b.createdAtUnixSeconds;
  }
  if (a.id === b.id) return 0;
  return a.id < b.id ? -1 : 1;
}

/** Entries by ID and by selector. */
export class EntryCache {
  readonly #byId = new Map<string, Filed>();
  readonly #bySelector = new Map<string, Set<Filed>>();
  /** How many entries have a selector: what is rare. */
  readonly #uses = new Map<string, number>();
  /** How many selectors there are of a kind: type and first word of the value. */
  readonly #kinds = new Map<string, number>();

  get size(): number {
    return this.#byId.size;
  }

  /** Whether any entry has a selector of this kind, such as "unix:sha256". */
  hasKind(kind: string): boolean {
    return this.#kinds.has(kind);
  }

  get(id: string): RegistrationEntry | undefined {
    return this.#byId.get(id)?.entry;
  }

  *all(): IterableIterator<RegistrationEntry> {
    for (const filed of this.#byId.values()) yield filed.entry;
  }

  /** Takes over a whole new set. Entries that are as they were count as unchanged. */
  replaceAll(entries: readonly RegistrationEntry[]): EntryChange {
    const kept = new Set(entries.map((entry) => entry.id));
    const gone = [...this.#byId.keys()].filter((id) => !kept.has(id));
    return this.apply(entries, gone);
  }

  /** Adds or replaces entries and removes others. */
  apply(upserts: readonly RegistrationEntry[], removedIds: readonly string[]): EntryChange {
    const former: RegistrationEntry[] = [];
    const added: Filed[] = [];
    for (const id of removedIds) {
      const old = this.#remove(id);
      if (old !== undefined) former.push(old);
    }
    for (const entry of upserts) {
      const held = this.get(entry.id);
      if (held !== undefined && isSameVersion(held, entry)) continue;
      const old = this.#remove(entry.id);
      if (old !== undefined) former.push(old);
      added.push(this.#count(entry));
    }
    // Counted first and filed after, so that a first snapshot already knows what is rare.
    for (const filed of added) this.#file(filed);
    return { current: added.map((filed) => filed.entry), former };
  }

  /** The entries that a caller with these selectors matches, oldest first. */
  matching(selectors: ReadonlySet<string>): RegistrationEntry[] {
    const found: RegistrationEntry[] = [];
    for (const selector of selectors) {
      for (const filed of this.#bySelector.get(selector) ?? []) {
        if (filed.selectors.every((one) => selectors.has(one))) found.push(filed.entry);
      }
    }
    return found.sort(byAge);
  }

  #count(entry: RegistrationEntry): Filed {
    const selectors = [...new Set(entry.selectors.map(formatSelector))];
    const filed = { entry, selectors, under: "" };
    for (const one of selectors) {
      add(this.#uses, one, 1);
      add(this.#kinds, kindOf(one), 1);
    }
    this.#byId.set(entry.id, filed);
    return filed;
  }

  #file(filed: Filed): void {
    filed.under = this.#rarest(filed.selectors);
    // An entry without selectors would match every caller. The server refuses it, and so do we.
    if (filed.under === "") return;
    const bucket = this.#bySelector.get(filed.under);
    if (bucket === undefined) {
      this.#bySelector.set(filed.under, new Set([filed]));
      return;
    }
    bucket.add(filed);
    if (isSpreadSize(bucket.size)) this.#spread(bucket);
  }

  #spread(bucket: Set<Filed>): void {
    for (const filed of [...bucket]) {
      const better = this.#rarest(filed.selectors);
      if (better === filed.under) continue;
      bucket.delete(filed);
      filed.under = better;
      const other = this.#bySelector.get(better);
      if (other === undefined) this.#bySelector.set(better, new Set([filed]));
      else other.add(filed);
    }
  }

  #rarest(selectors: readonly string[]): string {
    let best = "";
    let fewest = Number.POSITIVE_INFINITY;
    for (const one of selectors) {
      const uses = this.#uses.get(one) ?? 0;
      if (uses >= fewest) continue;
      best = one;
      fewest = uses;
    }
    return best;
  }

  #remove(id: string): RegistrationEntry | undefined {
    const filed = this.#byId.get(id);
    if (filed === undefined) return undefined;
    this.#byId.delete(id);
    const bucket = this.#bySelector.get(filed.under);
    bucket?.delete(filed);
    if (bucket?.size === 0) this.#bySelector.delete(filed.under);
    for (const one of filed.selectors) {
      add(this.#uses, one, -1);
      add(this.#kinds, kindOf(one), -1);
    }
    return filed.entry;
  }
}

function add(counts: Map<string, number>, key: string, by: number): void {
  const sum = (counts.get(key) ?? 0) + by;
  if (sum === 0) counts.delete(key);
  else counts.set(key, sum);
}

/** "unix:sha256" of "unix:sha256:ab12". */
function kindOf(selector: string): string {
  const end = selector.indexOf(":", selector.indexOf(":") + 1);
  return end < 0 ? selector : selector.slice(0, end);
}

// Revision numbers start again when an entry is deleted and made anew with the same ID: the moment of
// creation tells the two apart. SPIFFE ID and hint are compared because a second is a coarse moment.
function isSameVersion(a: RegistrationEntry, b: RegistrationEntry): boolean {
  return (
    a.revisionNumber === b.revisionNumber &&
    a.createdAtUnixSeconds === b.createdAtUnixSeconds &&
    (a.creationOrder ?? 0) === (b.creationOrder ?? 0) &&
    a.spiffeId === b.spiffeId &&
    a.hint === b.hint &&
    sameSelectors(a.selectors, b.selectors)
  );
}

function sameSelectors(a: readonly Selector[], b: readonly Selector[]): boolean {
  if (a.length !== b.length) return false;
  return a.every((one, i) => one.type === b[i]?.type && one.value === b[i]?.value);
}
