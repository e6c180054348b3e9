// What the writers were told, and what must therefore be there after a crash.

/** How a write ended for who made it: told that it is done, or cut off before an answer. */
export type Outcome = "acknowledged" | "in doubt";

/** The writes of one data folder, by what they made. */
export class Ledger {
  readonly entries = new Map<string, Outcome>();
  readonly deletions = new Map<string, Outcome>();
  /** SPIFFE IDs of agents that attested; the token is the last segment. */
  readonly agents = new Map<string, Outcome>();
  readonly bans = new Map<string, Outcome>();
  /** Entries and agents that no writer may delete or ban. */
  readonly kept = new Set<string>();

  /** Agents that surely exist and that nobody tried to ban. */
  bannable(): string[] {
    return [...this.agents].flatMap(([id, outcome]) =>
      outcome === "acknowledged" && !this.bans.has(id) && !this.kept.has(id) ? [id] : [],
    );
  }

  /** Entries that surely exist and that nobody tried to delete. */
  deletable(): string[] {
    return [...this.entries].flatMap(([id, outcome]) =>
      outcome === "acknowledged" && !this.deletions.has(id) && !this.kept.has(id) ? [id] : [],
    );
  }
}

/** What a server holds. */
export interface Found {
  readonly entries: ReadonlySet<string>;
  /** SPIFFE ID to whether the agent is banned. */
  readonly agents: ReadonlyMap<string, boolean>;
}

/** How the ledger and what was found compare. */
export interface Comparison {
  readonly acknowledged: number;
  readonly inDoubt: number;
  /** Of those in doubt, how many took effect. */
  readonly foundInDoubt: number;
  /** Acknowledged, and not there: must be empty. */
  readonly lost: readonly string[];
  /** There, and never asked for: must be empty. */
  readonly phantoms: readonly string[];
}

export function compare(ledger: Ledger, found: Found): Comparison {
  const lost: string[] = [];
  let acknowledged = 0;
  let inDoubt = 0;
  let foundInDoubt = 0;
  const check = (what: string, outcome: Outcome, tookEffect: boolean): void => {
    if (outcome === "acknowledged") {
      acknowledged++;
      if (!tookEffect) lost.push(what);
      return;
    }
    inDoubt++;
    if (tookEffect) foundInDoubt++;
  };
  for (const [id, outcome] of ledger.entries) {
    if (!ledger.deletions.has(id)) check(`entry ${id}`, outcome, found.entries.has(id));
  }
  for (const [id, outcome] of ledger.deletions) {
    check(`deletion of entry ${id}`, outcome, !found.entries.has(id));
  }
  for (const [id, outcome] of ledger.agents) check(`agent ${id}`, outcome, found.agents.has(id));
  for (const [id, outcome] of ledger.bans) {
    check(`ban of ${id}`, outcome, found.agents.get(id) === true);
  }
  const phantoms = [...found.entries].filter((id) => !ledger.entries.has(id));
  phantoms.push(...[...found.agents.keys()].filter((id) => !ledger.agents.has(id)));
  return { acknowledged, inDoubt, foundInDoubt, lost, phantoms };
}
