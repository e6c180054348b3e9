// Time, passed in. Every part that looks at the time or waits gets a Clock in its options, so that
// tests move time by hand (test/support/clock.ts). Nothing else in the product calls Date.now or
// setTimeout for behaviour that depends on time.

/** A timer that has been set. Cancelling twice, or after it fired, does nothing. */
export interface Timer extends Disposable {
  cancel(): void;
}

export interface TimerOptions {
  /** Keep the process alive for this timer. Default no: daemons live by their listeners. */
  readonly keepAlive?: boolean;
}

/** What time it is, and a way to wait for a later one. */
export interface Clock {
  now(): Date;
  /**
   * Calls `fn` once: after a delay in milliseconds (number), or at a moment of the wall clock (Date).
   * Never synchronously, even when the moment has passed. Any length of time is fine.
   */
  setTimer(when: number | Date, fn: () => void, options?: TimerOptions): Timer;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. Keeps the process alive. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

// setTimeout turns anything above 2^31-1 ms into 1 ms, silently: long waits are cut into pieces.
const LONGEST_PIECE_MS = 2 ** 30;
// A moment of the wall clock is looked at again at least this often: Node's timers stand still while
// a machine sleeps and ignore a corrected clock, and a renewal that comes hours late is an outage.
const WALL_CLOCK_PIECE_MS = 60_000;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  setTimer: (when, fn, options = {}) =>
    when instanceof Date
      ? timerOf(() => when.getTime() - Date.now(), WALL_CLOCK_PIECE_MS, fn, options)
      : timerOf(remainingOf(when), LONGEST_PIECE_MS, fn, options),
  sleep: (ms, signal) => sleepOn(systemClock, ms, signal),
};

function remainingOf(delayMs: number): () => number {
  const end = performance.now() + delayMs;
  return () => end - performance.now();
}

function timerOf(
  remainingMs: () => number,
  pieceMs: number,
  fn: () => void,
  options: TimerOptions,
): Timer {
  let handle: NodeJS.Timeout;
  const arm = (): void => {
    const left = Math.max(0, remainingMs());
    const last = left <= pieceMs;
    // Rounded up, so that a timer never fires before its moment.
    handle = setTimeout(
      () => (last && remainingMs() <= 0 ? fn() : arm()),
      last ? Math.ceil(left) : pieceMs,
    );
    if (options.keepAlive !== true) handle.unref();
  };
  arm();
  const cancel = (): void => clearTimeout(handle);
  return { cancel, [Symbol.dispose]: cancel };
}

/** `sleep` for any clock, made of its `setTimer`. */
export function sleepOn(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = (): void => {
      timer.cancel();
      reject(signal?.reason);
    };
    const timer = clock.setTimer(
      ms,
      () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      },
      { keepAlive: true },
    );
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** How often the wall clock is compared: what is set back by less is within the backdating of certificates. */
const SET_BACK_LOOK_MS = 5000;

/**
 * Calls `fn` soon after the wall clock was set back by more than some seconds: what was made meanwhile
 * is not valid yet, and what waits for a moment waits longer than it should.
 */
export function onClockSetBack(clock: Clock, fn: () => void): Timer {
  let latestMs = clock.now().getTime();
  let timer: Timer;
  const look = (): void => {
    const nowMs = clock.now().getTime();
    const isSetBack = nowMs < latestMs;
    latestMs = nowMs;
    timer = clock.setTimer(SET_BACK_LOOK_MS, look);
    if (isSetBack) fn();
  };
  timer = clock.setTimer(SET_BACK_LOOK_MS, look);
  const cancel = (): void => timer.cancel();
  return { cancel, [Symbol.dispose]: cancel };
}
