// Refusals of each AI agent within a sliding window: many of them mean that somebody is trying doors.

export interface ProbingRule {
  /** So many refusals within the window. */
  readonly denials: number;
  readonly windowSeconds: number;
}

/** AI agents that are watched at once: the one whose last refusal is oldest makes room. */
const MAX_AGENTS = 10_000;

export class Denials {
  readonly #rule: ProbingRule;
  /** Moments of refusals, the oldest first; never more than the rule needs. */
  readonly #moments = new Map<string, number[]>();

  constructor(rule: ProbingRule) {
    this.#rule = rule;
  }

  /** Counts one refusal; whether it is the one that makes it probing. Counting then begins anew. */
  note(agent: string, now: Date): boolean {
    const nowMs = now.getTime();
    const sinceMs = nowMs - this.#rule.windowSeconds * 1000;
    // A clock that was set back leaves moments that lie ahead: they are of no use.
    const moments = (this.#moments.get(agent) ?? []).filter((ms) => ms > sinceMs && ms <= nowMs);
    moments.push(nowMs);
    this.#moments.delete(agent);
    if (moments.length >= this.#rule.denials) return true;
    this.#moments.set(agent, moments);
    const [oldest] = this.#moments.keys();
    if (this.#moments.size > MAX_AGENTS && oldest !== undefined) this.#moments.delete(oldest);
    return false;
  }
}
