// Reads /proc/PID: a process's parent, start time and effective uid. What is read belongs to whoever has
// that pid at that instant; pinned-process.ts makes sure that it is the process that was meant.

import { readProcFile } from "./proc-file.ts";

/** The part of /proc/PID/stat that identifies a process. */
export interface ProcessStat {
  readonly parentPid: number;
  /** Clock ticks since boot. With the pid it names one process, but for a reuse within one tick. */
  readonly startTime: bigint;
  /** It has ended and waits for its parent to notice. */
  readonly hasEnded: boolean;
}

/** undefined when there is no such process, or /proc hides it. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readProcFile(pid, "stat");
  if (text === undefined) return undefined;
  // The second field is the program's name in parentheses: chosen by the program, and it may hold
  // spaces, parentheses and line feeds. What follows the last ")" is the kernel's.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, parentPid] = fields;
  const startTime = fields[19];
  if (state === undefined || parentPid === undefined || startTime === undefined) return undefined;
  return {
    parentPid: Number(parentPid),
    startTime: BigInt(startTime),
    hasEnded: state === "Z" || state === "X" || state === "x",
  };
}

/** The effective uid of a process; undefined when there is no such process, or /proc hides it. */
export function readEffectiveUid(pid: number): number | undefined {
  const text = readProcFile(pid, "status");
  if (text === undefined) return undefined;
  // real, effective, saved, file system. The kernel escapes line feeds of the program's name, which
  // stands before it.
  const uid = /^Uid:\t\d+\t(\d+)\t/m.exec(text)?.[1];
  return uid === undefined ? undefined : Number(uid);
}
