// The steps of a launch as they come over its stream, each within a time: a launcher that hangs between two
// of them must not keep a socket for ever.

import type { Clock } from "../../runtime/clock.ts";

/** From the socket's path to the report of the process that was started with it. */
const STEP_WAIT_MS = 30_000;

export interface StepWait {
  readonly clock: Clock;
  /** Of the call. */
  readonly signal: AbortSignal;
  /** The error for a step that does not come. */
  readonly invalid: (why: string) => Error;
}

/** The next step; undefined when the caller has ended its side. */
export async function nextStep<Step>(
  steps: AsyncIterator<Step>,
  { clock, signal, invalid }: StepWait,
): Promise<Step | undefined> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = clock.setTimer(STEP_WAIT_MS, () => {
    reject(invalid(`no step within ${STEP_WAIT_MS / 1000} s`));
  });
  try {
    const next = await Promise.race([steps.next(), late, aborted(signal)]);
    signal.throwIfAborted();
    return next === undefined || next.done === true ? undefined : next.value;
  } finally {
    timer.cancel();
  }
}

/** Resolves when the signal has aborted. */
export function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((done) => {
    if (signal.aborted) done(undefined);
    else signal.addEventListener("abort", () => done(undefined), { once: true });
  });
}
