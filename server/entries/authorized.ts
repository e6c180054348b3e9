// Which registration entries a node agent may serve: those whose chain of parents leads to the agent,
// or to a node alias that the agent's selectors match. The one place that decides it, for lists that
// agents read, for the link that feeds them, and for each document that is signed.

import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Selector } from "../../proto/types/selector.ts";
import type { EntryIndex } from "./index.ts";

export interface AuthorizedEntriesOptions {
  readonly index: EntryIndex;
  /** The attested agents; one without a record may serve nothing. */
  readonly nodes: { get(id: string): { readonly selectors: readonly Selector[] } | undefined };
  readonly now: () => Date;
}

/** What an agent may serve, and every ID that was looked at as a parent on the way. */
export interface ReachableEntries {
  readonly entries: readonly RegistrationEntry[];
  /** The agent, its aliases, and each entry's SPIFFE ID: a new entry under one of these concerns the agent. */
  readonly parentIds: ReadonlySet<string>;
}

export class AuthorizedEntries {
  readonly #index: EntryIndex;
  readonly #nodes: AuthorizedEntriesOptions["nodes"];
  readonly #now: () => Date;

  constructor(options: AuthorizedEntriesOptions) {
    this.#index = options.index;
    this.#nodes = options.nodes;
    this.#now = options.now;
  }

  /** Every entry the agent may serve, once each, in no order. */
  entriesOf(agentId: string): readonly RegistrationEntry[] {
    return this.reach(agentId).entries;
  }

  /** As `entriesOf`, with the IDs whose children were visited. Expired entries, and what hangs on them, are left out. */
  reach(agentId: string): ReachableEntries {
    const node = this.#nodes.get(agentId);
    if (node === undefined) return { entries: [], parentIds: new Set() };
    const now = this.#nowUnixSeconds();
    const entries: RegistrationEntry[] = [];
    const found = new Set<string>();
    const parentIds = new Set([agentId]);
    const take = (entry: RegistrationEntry): void => {
      if (found.has(entry.id) || isExpired(entry, now)) return;
      found.add(entry.id);
      entries.push(entry);
      parentIds.add(entry.spiffeId);
    };
    for (const alias of this.#index.aliasesMatching(selectorsOf(agentId, node))) take(alias);
    // A Set yields what is added to it while it is walked, and each value once: parents that form a
    // circle end the walk.
    for (const parentId of parentIds) {
      for (const entry of this.#index.withParent(parentId)) take(entry);
    }
    return { entries, parentIds };
  }

  /** The entry, if the agent may serve it now. Walks from the entry up, so it costs the depth and no more. */
  find(agentId: string, entryId: string): RegistrationEntry | undefined {
    const entry = this.#index.get(entryId);
    const node = this.#nodes.get(agentId);
    if (entry === undefined || node === undefined) return undefined;
    const now = this.#nowUnixSeconds();
    if (isExpired(entry, now)) return undefined;
    let held: ReadonlySet<string> | undefined;
    const isAliasOfAgent = (candidate: RegistrationEntry): boolean => {
      if (!this.#index.isAlias(candidate) || candidate.selectors.length === 0) return false;
      held ??= new Set(selectorsOf(agentId, node).map(({ type, value }) => `${type}:${value}`));
      return candidate.selectors.every(({ type, value }) => held?.has(`${type}:${value}`));
    };
    if (isAliasOfAgent(entry)) return entry;
    const parentIds = new Set([entry.parentId]);
    for (const parentId of parentIds) {
      if (parentId === agentId) return entry;
      for (const parent of this.#index.withSpiffeId(parentId)) {
        if (isExpired(parent, now)) continue;
        if (isAliasOfAgent(parent)) return entry;
        parentIds.add(parent.parentId);
      }
    }
    return undefined;
  }

  isAuthorized(agentId: string, entryId: string): boolean {
    return this.find(agentId, entryId) !== undefined;
  }

  /** Whether the agent may serve some entry with this SPIFFE ID now. */
  serves(agentId: string, spiffeId: string): boolean {
    for (const { id } of this.#index.withSpiffeId(spiffeId)) {
      if (this.isAuthorized(agentId, id)) return true;
    }
    return false;
  }

  #nowUnixSeconds(): number {
    return Math.floor(this.#now().getTime() / 1000);
  }
}

/** What was proven of the node, and its own SPIFFE ID, which an alias may name too. */
function selectorsOf(
  agentId: string,
  node: { readonly selectors: readonly Selector[] },
): Selector[] {
  return [...node.selectors, { type: "spiffe_id", value: agentId }];
}

function isExpired(entry: RegistrationEntry, nowUnixSeconds: number): boolean {
  return entry.expiresAtUnixSeconds !== 0 && entry.expiresAtUnixSeconds <= nowUnixSeconds;
}
