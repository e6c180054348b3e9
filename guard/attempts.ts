// Errors that are attempts to get more than was granted: what is known of the attempt is kept beside the error,
// until the guard writes it down.

import type { taskNamesOf } from "./presented.ts";

/** A credential that was refused, for the record. */
export interface Refusal {
  /** Of the table of escalations. */
  readonly kind: string;
  /** Undefined where nobody knows whose it was, or where naming a task would let others have it suspended. */
  readonly task: ReturnType<typeof taskNamesOf>;
}

const refusals = new WeakMap<Error, Refusal>();

/** What an error of `authenticate` says about an attempt to get more than was granted. */
export function refusalOf(error: unknown): Refusal | undefined {
  return error instanceof Error ? refusals.get(error) : undefined;
}

/** The error, as one that is an attempt. */
export function noted(error: Error, refusal: Refusal): Error {
  refusals.set(error, refusal);
  return error;
}
