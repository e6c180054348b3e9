// Which agents a change of an entry concerns. An agent serves the entries below its roots: its own
// SPIFFE ID and those of its aliases (entries whose parent is the server and whose selectors the agent
// has). An entry stands below its parent ID, below the parents of the entries that bear that ID, and so
// on up: this is the walk up. What an agent may serve is decided in server/entries/authorized.ts.
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { formatSelector, type Selector } from "../../proto/types/selector.ts";
import type { EntryChange, EntryIndex } from "../entries/index.ts";

export interface ReachOptions {
  readonly index: EntryIndex;
  readonly nodes: { get(id: string): { readonly selectors: readonly Selector[] } | undefined };
}

/** What one change of an entry means for agents. */
export interface Effect {
  readonly entryId: string;
  /** The agents and aliases it stands or stood below, and the IDs on the way. */
  readonly roots: readonly string[];
  /** Other entries came or went with it for those agents. */
  readonly structural: boolean;
  /** Set for an alias: whether it is or was one of this agent, whose roots may have changed with it. */
  readonly aliasOf?: (agentId: string) => boolean;
}

export class Reach {
  readonly #options: ReachOptions;

  constructor(options: ReachOptions) {
    this.#options = options;
  }

  /** The SPIFFE IDs below which an agent serves everything. */
  rootsOf(agentId: string): ReadonlySet<string> {
    const roots = new Set([agentId]);
    for (const alias of this.#options.index.aliasesMatching(this.#selectorsOf(agentId))) {
      roots.add(alias.spiffeId);
    }
    return roots;
  }

  /** What the changes of one commit mean. To be asked right after it, before the next one. */
  effectsOf(changes: readonly EntryChange[]): Effect[] {
    // What the commit took away still led to those agents that have to be told.
    const formerParents = new Map<string, string[]>();
    const formerChildren = new Set<string>();
    for (const { before } of changes) {
      if (before === undefined) continue;
      formerChildren.add(before.parentId);
      const parents = formerParents.get(before.spiffeId);
      if (parents === undefined) formerParents.set(before.spiffeId, [before.parentId]);
      else parents.push(before.parentId);
    }
    const walked = new Map<string, ReadonlySet<string>>();
    const rootsAbove = (parentId: string): ReadonlySet<string> => {
      let roots = walked.get(parentId);
      if (roots === undefined) {
        roots = this.#walkUp(parentId, formerParents);
        walked.set(parentId, roots);
      }
      return roots;
    };
    const isParent = (id: string): boolean =>
      formerChildren.has(id) || this.#options.index.isParent(id);
    return changes.map(({ id, before, after }) => {
      const states = [before, after].filter((state) => state !== undefined);
      const roots = new Set<string>();
      for (const { parentId } of states) for (const root of rootsAbove(parentId)) roots.add(root);
      const isMoved = before?.spiffeId !== after?.spiffeId || before?.parentId !== after?.parentId;
      const structural = isMoved && states.some(({ spiffeId }) => isParent(spiffeId));
      const aliasOf = this.#aliasTest(states);
      return { entryId: id, roots: [...roots], structural, ...(aliasOf && { aliasOf }) };
    });
  }

  #aliasTest(states: readonly RegistrationEntry[]): ((agentId: string) => boolean) | undefined {
    const aliases = states.filter((state) => this.#options.index.isAlias(state));
    if (aliases.length === 0) return undefined;
    return (agentId) => {
      const held = new Set(this.#selectorsOf(agentId).map(formatSelector));
      return aliases.some(({ selectors }) =>
        selectors.every((one) => held.has(formatSelector(one))),
      );
    };
  }

  /** `id`, the parents of the entries that bear it, and so on up; cycles end. */
  #walkUp(id: string, former: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
    const seen = new Set([id]);
    // A set yields what is added to it while it is walked, and each value once.
    for (const one of seen) {
      for (const { parentId } of this.#options.index.withSpiffeId(one)) seen.add(parentId);
      for (const parentId of former.get(one) ?? []) seen.add(parentId);
    }
    return seen;
  }

  /** What was proven of the node, and its own SPIFFE ID, which an alias may name too. */
  #selectorsOf(agentId: string): Selector[] {
    const proven = this.#options.nodes.get(agentId)?.selectors;
    return proven === undefined ? [] : [...proven, { type: "spiffe_id", value: agentId }];
  }
}
