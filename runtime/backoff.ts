// How long to wait before the next try: exponential, with jitter, so that a thousand agents that lost
// one server do not come back in the same millisecond.

import type { Clock } from "./clock.ts";

export interface BackoffOptions {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Each delay is this many times the one before. Default 2. */
  readonly factor?: number;
  /** Share of the delay that is random, 0..1: 0.5 gives between 50 % and 100 % of it. Default 0.5. */
  readonly jitter?: number;
}

export interface Backoff {
  /** How many delays have been given since the last reset. */
  readonly attempts: number;
  /** The next delay in milliseconds. */
  next(): number;
  /** To call after a success: the next delay is the first one again. */
  reset(): void;
}

/** Makes a sequence of growing delays. `random` answers 0..1 and is a parameter for tests. */
export function backoff(options: BackoffOptions, random: () => number = Math.random): Backoff {
  const factor = options.factor ?? 2;
  const jitter = options.jitter ?? 0.5;
  if (!(options.initialMs > 0 && options.maxMs >= options.initialMs && factor >= 1)) {
    throw new TypeError("backoff needs 0 < initialMs <= maxMs and factor >= 1");
  }
  if (!(jitter >= 0 && jitter <= 1)) throw new TypeError("jitter is a share, 0..1");
  let attempts = 0;
  return {
    get attempts() {
      return attempts;
    },
    next() {
      const full = Math.min(options.maxMs, options.initialMs * factor ** Math.min(attempts, 1000));
      attempts++;
      return full * (1 - jitter * random());
    },
    reset() {
      attempts = 0;
    },
  };
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly backoff: Backoff;
  /** Whether this failure may pass with time. What may not is thrown on at once. Default: all may. */
  readonly isRetryable?: (error: unknown) => boolean;
  /** Told before each wait, for a log line. */
  readonly onRetry?: (error: unknown, delayMs: number) => void;
}

/** Calls `fn` until it succeeds, fails for good, or the signal aborts (rejects with its reason). */
export async function retry<T>(fn: () => Promise<T>, options: RetryOptions): Promise<T> {
  for (;;) {
    options.signal.throwIfAborted();
    try {
      const value = await fn();
      options.backoff.reset();
      return value;
    } catch (error) {
      if (options.isRetryable?.(error) === false) throw error;
      options.signal.throwIfAborted();
      const delayMs = options.backoff.next();
      options.onRetry?.(error, delayMs);
      await options.clock.sleep(delayMs, options.signal);
    }
  }
}
