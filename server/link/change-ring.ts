// The recent changes of registration entries, kept so that an agent that was away for a moment gets
// what changed and not everything again. A change remembers which agents it concerned when it was
// made: later changes may have cut the path from the entry to the agent.
import type { Effect } from "./reach.ts";

/** A change of an entry, and the revision of its commit. */
export interface RecentChange extends Effect {
  readonly revision: number;
}

/** What an agent missed: IDs of entries that changed; undefined when only everything again will do. */
export type Missed = ReadonlySet<string> | undefined;

export class ChangeRing {
  readonly #capacity: number;
  readonly #changes: RecentChange[] = [];
  /** The changes before this index of `#changes` are forgotten; it is cut off now and then. */
  #start = 0;
  #sinceStale = 0;
  /** Every change after this revision is remembered. */
  #floor: number;
  /** Per agent, the revision at which its selectors last changed, and with them its aliases. */
  readonly #reselected = new Map<string, number>();

  constructor(options: { readonly revision: number; readonly capacity: number }) {
    this.#floor = options.revision;
    this.#capacity = options.capacity;
  }

  add(change: RecentChange): void {
    this.#changes.push(change);
    this.#sinceStale++;
    if (this.#changes.length - this.#start <= this.#capacity) return;
    this.#floor = this.#changes[this.#start]?.revision ?? this.#floor;
    this.#start++;
    if (this.#start < this.#capacity) return;
    this.#changes.splice(0, this.#start);
    this.#start = 0;
  }

  /** Everything `agentId` may have learned before `revision` is in doubt. */
  addReselected(agentId: string, revision: number): void {
    this.#reselected.set(agentId, revision);
  }

  /**
   * Now and then a revision: agents whose cursor stands before it should be moved on, before what they
   * missed is forgotten. Undefined most of the time.
   */
  takeStaleBefore(): number | undefined {
    if (this.#sinceStale < this.#capacity / 2) return undefined;
    this.#sinceStale = 0;
    return this.#changes[this.#changes.length - Math.floor(this.#capacity / 2)]?.revision;
  }

  /** What an agent below `roots` that stopped at `revision` missed. */
  missed(agentId: string, roots: ReadonlySet<string>, revision: number): Missed {
    if (revision < this.#floor) return undefined;
    if ((this.#reselected.get(agentId) ?? 0) > revision) return undefined;
    const missed = new Set<string>();
    for (let i = this.#changes.length - 1; i >= this.#start; i--) {
      const change = this.#changes[i];
      if (change === undefined || change.revision <= revision) break;
      if (change.aliasOf?.(agentId)) return undefined;
      if (!change.roots.some((root) => roots.has(root))) continue;
      if (change.structural) return undefined;
      missed.add(change.entryId);
    }
    return missed;
  }
}
