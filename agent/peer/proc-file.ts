// Reads files of /proc: a missing process is an ordinary answer, a missing descriptor is not.

import { readFileSync } from "node:fs";

const ABSENT: ReadonlySet<unknown> = new Set(["ENOENT", "ESRCH", "EACCES", "EPERM"]);

/**
 * The text of /proc/PROCESS/NAME, a character a byte; undefined when there is no such process, or /proc
 * hides it. Anything else, such as EMFILE, is thrown: taken for an absence, it would pass for a fact.
 */
export function readProcFile(process: number | "self", name: string): string | undefined {
  try {
    return readFileSync(`/proc/${process}/${name}`, "latin1");
  } catch (error) {
    if (ABSENT.has((error as { code?: unknown }).code)) return undefined;
    throw error;
  }
}
