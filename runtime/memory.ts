// Takes little memory in a burst, and gives it back after one. V8 keeps the heap that a load made it grow,
// and an idle process never collects: an agent that served ten thousand calls would hold a quarter of a
// gigabyte on every node for good, and so would a server that was filled with entries. So when the
// process has been quiet for a while and its heap has grown, everything is collected once, in the pause
// between calls.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock, Timer } from "./clock.ts";
import type { Logger } from "./log.ts";

/** What is looked at: the heap, and how busy the process was since the last look. */
export interface MemorySample {
  readonly heapTotalBytes: number;
  readonly heapUsedBytes: number;
  /** CPU time by time passed, 0..1 and more. */
  readonly busyShare: number;
}

export interface MemoryTrimOptions {
  readonly clock: Clock;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 10_000;
const QUIET_SHARE = 0.05;
const MIB = 1024 * 1024;
const SPARE_BYTES = 16 * MIB;
/** Collecting a heap larger than this takes longer than a caller should ever wait. */
const MAX_HEAP_BYTES = 256 * MIB;

/** Whether now is a good moment, given how large the heap was after the last time. */
export function isWorthTrimming(sample: MemorySample, trimmedBytes: number): boolean {
  if (sample.busyShare > QUIET_SHARE || sample.heapUsedBytes > MAX_HEAP_BYTES) return false;
  return sample.heapTotalBytes > trimmedBytes * 1.25 + SPARE_BYTES;
}

/**
 * Keeps V8's young generation as small as it is at the start, some 2 MiB, for the whole process. It would
 * grow to 64 MiB under a load and stay there; calls leave so little behind that they run no slower.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** Looks from time to time, until stopped. */
export function trimMemoryWhenIdle({ clock, log }: MemoryTrimOptions): { stop(): void } {
  const collect = collector();
  if (collect === undefined) return { stop: () => undefined };
  let trimmedBytes = 0;
  let cpu = process.cpuUsage();
  let timer: Timer;
  const look = (): void => {
    const spent = process.cpuUsage(cpu);
    cpu = process.cpuUsage();
    const busyShare = (spent.user + spent.system) / 1000 / LOOK_EVERY_MS;
    const { heapTotal, heapUsed } = process.memoryUsage();
    const sample = { heapTotalBytes: heapTotal, heapUsedBytes: heapUsed, busyShare };
    if (isWorthTrimming(sample, trimmedBytes)) {
      collect();
      trimmedBytes = process.memoryUsage().heapTotal;
      log.debug({ before: heapTotal, after: trimmedBytes }, "gave memory back");
    }
    timer = clock.setTimer(LOOK_EVERY_MS, look);
  };
  timer = clock.setTimer(LOOK_EVERY_MS, look);
  return { stop: () => timer.cancel() };
}

type Collect = (options: { type: string; execution: string; flavor: string }) => void;

/** V8's own collector, which only a flag uncovers; undefined should a later version have none. */
function collector(): (() => void) | undefined {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("typeof gc === 'function' ? gc : undefined") as Collect | undefined;
  setFlagsFromString("--no-expose-gc");
  if (gc === undefined) return undefined;
  return () => gc({ type: "major", execution: "sync", flavor: "last-resort" });
}
