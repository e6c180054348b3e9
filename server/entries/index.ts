// The registration entries by parent ID, by SPIFFE ID, in order of their IDs, and the node aliases by
// selector: kept in memory in step with the store, answered without reading it. Which of them an agent
// may serve is authorized.ts.

import type { TrustDomain } from "../../pki/spiffe-id.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Selector } from "../../proto/types/selector.ts";
import { OrderedIds } from "../store/ordered-ids.ts";
import { aiAgentAbove } from "../store/task-paths.ts";
import { MultiIndex } from "./multi-index.ts";

/** An entry that changed: `before` is undefined when it is new, `after` when it is gone. */
export interface EntryChange {
  readonly id: string;
  readonly before: RegistrationEntry | undefined;
  readonly after: RegistrationEntry | undefined;
}

/** Called with what one commit changed, in the order of revisions, none left out. */
export type EntryChangeHandler = (changes: readonly EntryChange[], revision: number) => void;

/** Where the index gets its entries: the part of EntryStore it uses. */
export interface EntrySource {
  readonly size: number;
  readonly revision: number;
  get(id: string): RegistrationEntry | undefined;
  values(): Iterable<RegistrationEntry>;
  onChange(handler: EntryChangeHandler): () => void;
}

/** What to list. `parentId` and `spiffeId` are answered by an index, `where` is asked of each entry left. */
export interface EntryQuery {
  readonly parentId?: string;
  readonly spiffeId?: string;
  readonly where?: (entry: RegistrationEntry) => boolean;
}

/** A page of entries by ID. `next` goes into `after` of the next call. */
export interface EntryPage {
  readonly entries: readonly RegistrationEntry[];
  readonly next?: string;
}

/** Up to so many candidates are sorted for a page; more are found by walking all IDs in order. */
const SORT_LIMIT = 5000;

export class EntryIndex {
  readonly #source: EntrySource;
  readonly #serverId: string;
  readonly #ids = new OrderedIds();
  readonly #byParent = new MultiIndex();
  readonly #bySpiffeId = new MultiIndex();
  /** Aliases by one of their selectors, which an agent must have to match. */
  readonly #aliases = new MultiIndex();
  /** Those that would stand among the tasks of an AI agent, by its SPIFFE ID: hardly any. */
  readonly #belowTask = new MultiIndex();
  readonly #handlers = new Set<EntryChangeHandler>();
  readonly #detach: () => void;

  constructor(options: { readonly source: EntrySource; readonly trustDomain: TrustDomain }) {
    this.#source = options.source;
    this.#serverId = `${options.trustDomain.id}/spire/server`;
    for (const entry of options.source.values()) this.#add(entry);
    this.#detach = options.source.onChange((changes, revision) => {
      for (const { before, after } of changes) {
        if (before !== undefined) this.#remove(before);
        if (after !== undefined) this.#add(after);
      }
      for (const handler of this.#handlers) handler(changes, revision);
    });
  }

  get size(): number {
    return this.#source.size;
  }

  /** The revision of the store up to which the index is complete. */
  get revision(): number {
    return this.#source.revision;
  }

  get(id: string): RegistrationEntry | undefined {
    return this.#source.get(id);
  }

  /** The entries whose parent ID is `parentId`. */
  withParent(parentId: string): Generator<RegistrationEntry, void, undefined> {
    return this.#resolve(this.#byParent.of(parentId));
  }

  /** The entries that give the SPIFFE ID `spiffeId`. */
  withSpiffeId(spiffeId: string): Generator<RegistrationEntry, void, undefined> {
    return this.#resolve(this.#bySpiffeId.of(spiffeId));
  }

  /** The entries whose SPIFFE ID begins with `spiffeId` and a segment `task`. */
  belowTaskOf(spiffeId: string): Generator<RegistrationEntry, void, undefined> {
    return this.#resolve(this.#belowTask.of(spiffeId));
  }

  /** Whether any entry has this SPIFFE ID as its parent. */
  isParent(spiffeId: string): boolean {
    return this.#byParent.has(spiffeId);
  }

  /** Whether the entry names nodes by their selectors: its parent is the server itself. */
  isAlias(entry: RegistrationEntry): boolean {
    return entry.parentId === this.#serverId;
  }

  /** The node aliases all of whose selectors are among `selectors`. */
  *aliasesMatching(selectors: readonly Selector[]): Generator<RegistrationEntry, void, undefined> {
    const held = new Set(selectors.map(selectorKey));
    for (const key of held) {
      for (const entry of this.#resolve(this.#aliases.of(key))) {
        if (entry.selectors.every((selector) => held.has(selectorKey(selector)))) yield entry;
      }
    }
  }

  /** Entries by ID, those after `after`, at most `limit`. */
  list(query: EntryQuery, page: { readonly after?: string; readonly limit: number }): EntryPage {
    const entries: RegistrationEntry[] = [];
    for (const entry of this.#candidates(query, page.after)) {
      if (!matches(query, entry)) continue;
      const last = entries.at(-1);
      if (entries.length === page.limit && last !== undefined) return { entries, next: last.id };
      entries.push(entry);
    }
    return { entries };
  }

  count(query: EntryQuery): number {
    let count = 0;
    const candidates = this.#narrowed(query) ?? this.#source.values();
    for (const entry of candidates) if (matches(query, entry)) count++;
    return count;
  }

  /** Calls `handler` after each commit, once the index shows it; returns the function that ends it. */
  onChange(handler: EntryChangeHandler): () => void {
    this.#handlers.add(handler);
    return () => void this.#handlers.delete(handler);
  }

  stop(): void {
    this.#detach();
  }

  /** Candidates for a page, in the order of their IDs, those after `after`. */
  #candidates(query: EntryQuery, after: string | undefined): Iterable<RegistrationEntry> {
    const narrowed = this.#narrowed(query, SORT_LIMIT);
    if (narrowed === undefined) return this.#resolve(this.#ids.after(after));
    const later = [...narrowed].filter(({ id }) => after === undefined || id > after);
    return later.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The entries an index finds, unless there are more than `limit` or no index helps. */
  #narrowed(
    query: EntryQuery,
    limit = Number.POSITIVE_INFINITY,
  ): Iterable<RegistrationEntry> | undefined {
    const { parentId, spiffeId } = query;
    if (spiffeId !== undefined && this.#bySpiffeId.count(spiffeId) <= limit)
      return this.withSpiffeId(spiffeId);
    if (parentId !== undefined && this.#byParent.count(parentId) <= limit)
      return this.withParent(parentId);
    return undefined;
  }

  *#resolve(ids: Iterable<string>): Generator<RegistrationEntry, void, undefined> {
    for (const id of ids) {
      const entry = this.#source.get(id);
      if (entry !== undefined) yield entry;
    }
  }

  #add(entry: RegistrationEntry): void {
    this.#ids.add(entry.id);
    this.#byParent.add(entry.parentId, entry.id);
    this.#bySpiffeId.add(entry.spiffeId, entry.id);
    const above = aiAgentAbove(entry.spiffeId);
    if (above !== undefined) this.#belowTask.add(above, entry.id);
    const [first] = entry.selectors;
    if (first !== undefined && this.isAlias(entry)) this.#aliases.add(selectorKey(first), entry.id);
  }

  #remove(entry: RegistrationEntry): void {
    this.#ids.delete(entry.id);
    this.#byParent.delete(entry.parentId, entry.id);
    this.#bySpiffeId.delete(entry.spiffeId, entry.id);
    const above = aiAgentAbove(entry.spiffeId);
    if (above !== undefined) this.#belowTask.delete(above, entry.id);
    const [first] = entry.selectors;
    if (first !== undefined && this.isAlias(entry))
      this.#aliases.delete(selectorKey(first), entry.id);
  }
}

function matches(query: EntryQuery, entry: RegistrationEntry): boolean {
  if (query.parentId !== undefined && entry.parentId !== query.parentId) return false;
  if (query.spiffeId !== undefined && entry.spiffeId !== query.spiffeId) return false;
  return query.where?.(entry) !== false;
}

/** A type holds no colon, so that the two parts cannot be read in two ways. */
function selectorKey({ type, value }: Selector): string {
  return `${type}:${value}`;
}
