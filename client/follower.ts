// Holds the newest state of a watch in the background: what X509Source and JwtSource have in common.
// The promise of the watch is owned here; `close` ends it.

import type { IdentityError } from "../pki/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { clientError } from "./errors.ts";
import { FirstAnswer, finalError } from "./first-answer.ts";
import { Listeners } from "./listeners.ts";
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

export class Follower<State> {
  readonly #options: FollowerOptions<State>;
  readonly #clock: Clock;
  readonly #closed: AbortController = new AbortController();
  readonly #first: FirstAnswer = new FirstAnswer();
  readonly #listeners: Listeners<void> = new Listeners();
  #state: State | undefined;
  /** Why there is no state. */
  #failure: IdentityError;

  constructor(options: FollowerOptions<State>) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#failure = clientError("SOURCE_NOT_READY", `the agent has sent no ${options.what} yet`);
    this.#run().catch((error: unknown) => this.#fail(this.#final(error)));
  }

  /** Resolves once there is a state. @throws SOURCE_NOT_READY, or what ended the watch */
  ready(): Promise<void> {
    const { what, signal, timeoutMs } = this.#options;
    const hint = "check that the agent runs and that an entry matches this workload";
    return this.#first.wait({ what, hint, signal, timeoutMs, clock: this.#clock });
  }

  /** @throws SOURCE_NOT_READY, IDENTITY_WITHDRAWN, SOURCE_CLOSED, or what ended the watch */
  state(): State {
    if (this.#state === undefined) throw this.#failure;
    return this.#state;
  }

  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
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
        this.#first.note(error);
        onError?.(error);
      },
    });
    for await (const state of states) {
      if (this.#closed.signal.aborted) return;
      if (holds(state)) {
        this.#state = state;
        this.#first.arrived();
      } else {
        this.#state = undefined;
        this.#failure = clientError("IDENTITY_WITHDRAWN", `the agent withdrew this ${what}`, {
          cause: this.#first.lastError,
          hint: "check the registration entries of this workload",
        });
      }
      this.#listeners.tell();
    }
  }

  #fail(error: IdentityError): void {
    this.#state = undefined;
    this.#failure = error;
    this.#first.fail(error);
    this.#listeners.tell();
  }

  /** What ended the watch, as an error that getters can throw. */
  #final(error: unknown): IdentityError {
    const final = finalError(error, this.#options.what);
    this.#options.onError?.(final);
    return final;
  }
}
