// How many events of one kind about one AI agent are written in a minute. Whoever makes attempts in a loop
// must fill no disk; and since each kind has its own allowance, many attempts of a harmless kind hide none of
// a grave one. What is left out is counted and told when the minute is over.

/** What was left out within one minute. */
export interface LeftOut {
  readonly agent: string;
  readonly kind: string;
  readonly count: number;
}

export const EVENTS_PER_MINUTE = 10;
export const MINUTE_MS = 60_000;
/** Pairs of AI agent and kind that are told apart within one minute; all others share an allowance a kind. */
const MAX_PAIRS = 20_000;
const OTHERS = "";

interface Count {
  readonly agent: string;
  readonly kind: string;
  taken: number;
}

export class EventAllowance {
  #counts = new Map<string, Count>();

  /** Whether one more may be written in this minute. */
  take(agent: string, kind: string): boolean {
    const count = this.#counts.get(nameOf(agent, kind)) ?? this.#begin(agent, kind);
    count.taken++;
    return count.taken <= EVENTS_PER_MINUTE;
  }

  /** Begins the next minute; what was left out in the last one. */
  turn(): readonly LeftOut[] {
    const over = [...this.#counts.values()].filter(({ taken }) => taken > EVENTS_PER_MINUTE);
    this.#counts = new Map();
    return over.map(({ agent, kind, taken }) => ({
      agent,
      kind,
      count: taken - EVENTS_PER_MINUTE,
    }));
  }

  #begin(agent: string, kind: string): Count {
    if (this.#counts.size < MAX_PAIRS) return this.#set({ agent, kind, taken: 0 });
    return this.#counts.get(nameOf(OTHERS, kind)) ?? this.#set({ agent: OTHERS, kind, taken: 0 });
  }

  #set(count: Count): Count {
    this.#counts.set(nameOf(count.agent, count.kind), count);
    return count;
  }
}

function nameOf(agent: string, kind: string): string {
  return `${kind} ${agent}`;
}
