// Tokens of a task, kept until half of their life is over. Callers who want the same one at the same time
// share one question.

import { IdentityError, Status } from "../../pki/errors.ts";
import type { Clock } from "../../runtime/clock.ts";

interface Token {
  readonly expiresAt: Date;
}

interface Kept<T> {
  readonly token: T;
  readonly freshUntilMs: number;
}

const MAX_KEPT = 256;
const SHORT_WAIT_MS = 1_000;
const LONG_WAIT_MS = 15_000;

export class KeptTokens<T extends Token> {
  readonly #clock: Clock;
  readonly #kept: Map<string, Kept<T>> = new Map();
  #pending: Map<string, Promise<T>> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The kept token, or a new one; if nobody answers, the kept one until it expires. `fetch` is told how long
   * to wait for an answer: not long, when there is a kept one.
   */
  async get(key: string, fetch: (timeoutMs: number) => Promise<T>): Promise<T> {
    const nowMs = this.#clock.now().getTime();
    const kept = this.#kept.get(key);
    if (kept !== undefined && nowMs < kept.freshUntilMs) return kept.token;
    const isGood = kept !== undefined && nowMs < kept.token.expiresAt.getTime();
    try {
      return await this.#fetch(key, () => fetch(isGood ? SHORT_WAIT_MS : LONG_WAIT_MS));
    } catch (error) {
      const isForgotten = this.#kept.get(key) !== kept;
      if (isAway(error) && isGood && !isForgotten) return kept.token;
      throw error;
    }
  }

  /** Forgets all, those too that are on their way. */
  clear(): void {
    this.#kept.clear();
    this.#pending = new Map();
  }

  #fetch(key: string, fetch: () => Promise<T>): Promise<T> {
    const pending = this.#pending;
    let one = pending.get(key);
    if (one === undefined) {
      const askedMs = this.#clock.now().getTime();
      one = fetch()
        .then((token) => {
          if (pending === this.#pending) this.#keep(key, token, askedMs);
          return token;
        })
        .finally(() => pending.delete(key));
      pending.set(key, one);
    }
    return one;
  }

  #keep(key: string, token: T, askedMs: number): void {
    this.#kept.delete(key);
    this.#kept.set(key, { token, freshUntilMs: (askedMs + token.expiresAt.getTime()) / 2 });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

function isAway(error: unknown): boolean {
  if (!(error instanceof IdentityError)) return false;
  return error.code === Status.unavailable || error.code === Status.deadlineExceeded;
}
