// Waiting for the first answer of something that is followed in the background: what the `start` of every
// source does.

import { IdentityError } from "../pki/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import { clientError } from "./errors.ts";

export interface WaitOptions {
  /** What is waited for, for messages: "X.509 identity". */
  readonly what: string;
  /** What to do when nothing comes and no failure says it. */
  readonly hint: string;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock: Clock;
}

const DEFAULT_TIMEOUT_MS = 30_000;

export class FirstAnswer {
  readonly #first: PromiseWithResolvers<void> = Promise.withResolvers();
  #lastError: IdentityError | undefined;

  constructor() {
    this.#first.promise.catch(() => {}); // reported by wait(), if somebody waits
  }

  /** The last failure that whoever follows lived through. */
  get lastError(): IdentityError | undefined {
    return this.#lastError;
  }

  /** Takes note of a failure that may pass. */
  note(error: IdentityError): void {
    this.#lastError = error;
  }

  arrived(): void {
    this.#first.resolve();
  }

  fail(error: IdentityError): void {
    this.#first.reject(error);
  }

  /** Resolves once there is an answer. @throws SOURCE_NOT_READY, or what `fail` was called with */
  async wait({
    what,
    hint,
    timeoutMs = DEFAULT_TIMEOUT_MS,
    signal,
    clock,
  }: WaitOptions): Promise<void> {
    const expire = (why: string): void => {
      const cause = this.#lastError;
      const detail = { cause, hint: cause?.hint ?? hint };
      this.fail(clientError("SOURCE_NOT_READY", `the agent sent no ${what}: ${why}`, detail));
    };
    const timer = clock.setTimer(
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
}

/** What ended the following, as an error that getters can throw. */
export function finalError(error: unknown, what: string): IdentityError {
  if (error instanceof IdentityError) return error;
  return clientError("SOURCE_NOT_READY", `following the ${what} failed`, { cause: error });
}
