// Following a stream of the Workload API for as long as the workload lives (Workload Endpoint s6,
// Workload API s4.2): reconnects with backoff, and knows which errors end it.

import { IdentityError, Status } from "../pki/errors.ts";
import { backoff } from "../runtime/backoff.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";

export interface WatchOptions {
  /** Ends the watch without an error. */
  readonly signal?: AbortSignal;
  /** Told of each failure that the watch lives through: lost streams, refusals, unreadable messages. */
  readonly onError?: (error: IdentityError) => void;
  readonly clock?: Clock;
}

/** A stream to follow. */
export interface Watched<Message, State> {
  readonly open: (signal: AbortSignal) => AsyncIterable<Message>;
  readonly read: (message: Message) => State;
  /** The state of somebody from whom everything was withdrawn. */
  readonly nothing: State;
  /** Longest wait before a lost stream is opened again. Default 5 s. */
  readonly maxDelayMs?: number;
}

const INITIAL_DELAY_MS = 200;
const MAX_DELAY_MS = 5_000;

/** What no repetition makes right: a wrong request, and a service that is not there. */
const FINAL_CODES: readonly Status[] = [Status.invalidArgument, Status.unimplemented];

/**
 * Yields the state of each message. A message that cannot be read is reported and changes nothing. A refusal
 * (PERMISSION_DENIED) after a state yields `nothing` once, since what was held is withdrawn, and the watch
 * goes on: an identity may come back.
 * @throws errors with code INVALID_ARGUMENT or UNIMPLEMENTED, which end the watch
 */
export async function* watch<Message, State>(
  { open, read, nothing, maxDelayMs = MAX_DELAY_MS }: Watched<Message, State>,
  options: WatchOptions = {},
): AsyncGenerator<State, void, undefined> {
  const { onError = () => {}, clock = systemClock } = options;
  const ended = new AbortController();
  const signal =
    options.signal === undefined ? ended.signal : AbortSignal.any([ended.signal, options.signal]);
  const delays = backoff({ initialMs: INITIAL_DELAY_MS, maxMs: maxDelayMs });
  let holds = false;
  try {
    while (!signal.aborted) {
      try {
        for await (const message of open(signal)) {
          const state = readOrReport(() => read(message), onError);
          if (state === undefined) continue;
          delays.reset();
          holds = true;
          yield state;
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof IdentityError) || FINAL_CODES.includes(error.code)) throw error;
        onError(error);
        if (error.code === Status.permissionDenied && holds) {
          holds = false;
          yield nothing;
        }
      }
      await clock.sleep(delays.next(), signal).catch(() => {}); // aborted: the loop ends
    }
  } finally {
    ended.abort();
  }
}

function readOrReport<State>(
  read: () => State,
  onError: (error: IdentityError) => void,
): State | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error;
    onError(error);
    return undefined;
  }
}
