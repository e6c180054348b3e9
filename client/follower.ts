// Holds the newest state of a watch in the background: what X509Source and JwtSource have in common.
// The promise of the watch is owned here; `close` ends it.

import { IdentityError } from "../pki/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { clientError } from "./errors.ts";
import type { WatchOptions } from "./watch.ts";

export interface FollowerOptions<State> {
  /** What is held, for messages: "X.509 identity". */
  readonly what: string;
  readonly follow: (options: WatchOptions) => AsyncIterable<State>;
  /** Whether a state holds anything; one that does not is a withdrawal. */
  readonly holds: (state: State) => boolean;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly onError?: (error: IdentityError) => void;
  readonly clock?: Clock;
}

const DEFAULT_TIMEOUT_MS = 30_000;

export class Follower<State> {
  readonly #options: FollowerOptions<State>;
  readonly #clock: Clock;
  readonly #closed: AbortController = new AbortController();
  readonly #first: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #listeners: Set<() => void> = new Set();
  #state: State | undefined;
  /** Why there is no state. */
  #failure: IdentityError;
  /** The last failure that the watch lived through. */
  #lastError: IdentityError | undefined;

  constructor(options: FollowerOptions<State>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#failure = clientError("SOURCE_NOT_READY", `the agent has sent no ${options.what} yet`);
    this.#first.promise.catch(() => {}); // reported by ready(), if somebody waits
    this.#run().catch((error: unknown) => this.#fail(this.#final(error)));
  }

  /** Resolves once there is a state. @throws SOURCE_NOT_READY, or what ended the watch */
  async ready(): Promise<void> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = this.#options;
    const expire = (why: string): void =>
      this.#first.reject(
        clientError("SOURCE_NOT_READY", `the agent sent no ${this.#options.what}: ${why}`, {
          cause: this.#lastError,
          hint:
            this.#lastError?.hint ??
            "check that the agent runs and that an entry matches this workload",
        }),
      );
    const timer = this.#clock.setTimer(
      timeoutMs,
      () => expire(this.#lastError?.message ?? `no answer in ${timeoutMs} ms`),
      { keepAlive: true },
    );
    const onAbort = (): void => expire("the wait was aborted");
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await this.#first.promise;
    } finally {
      timer.cancel();
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /** @throws SOURCE_NOT_READY, IDENTITY_WITHDRAWN, SOURCE_CLOSED, or what ended the watch */
  state(): State {
    if (this.#state === undefined) throw this.#failure;
    return this.#state;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort();
    this.#fail(clientError("SOURCE_CLOSED", `the source of this ${this.#options.what} is closed`));
  }

  async #run(): Promise<void> {
    const { follow, holds, what, onError } = this.#options;
    const states = follow({
      signal: this.#closed.signal,
      clock: this.#clock,
      onError: (error) => {
        this.#lastError = error;
        onError?.(error);
      },
    });
    for await (const state of states) {
      if (this.#closed.signal.aborted) return;
      if (holds(state)) {
        this.#state = state;
        this.#first.resolve();
      } else {
        this.#state = undefined;
        this.#failure = clientError("IDENTITY_WITHDRAWN", `the agent withdrew this ${what}`, {
          cause: this.#lastError,
          hint: "check the registration entries of this workload",
        });
      }
      this.#notify();
    }
  }

  #fail(error: IdentityError): void {
    this.#state = undefined;
    this.#failure = error;
    this.#first.reject(error);
    this.#notify();
  }

  /** What ended the watch, as an error that getters can throw. */
  #final(error: unknown): IdentityError {
    const final =
      error instanceof IdentityError
        ? error
        : clientError("SOURCE_NOT_READY", `following the ${this.#options.what} failed`, {
            cause: error,
          });
    this.#options.onError?.(final);
    return final;
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) {
      try {
        listener();
      } catch (error) {
        // As with event targets: a listener's fault is not ours, and must not end the watch.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
