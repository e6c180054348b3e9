// Whether one process descends from another: parent links walked upwards, each process on the way held
// so that a pid that is used again in the middle of the walk cannot bend it.
// A process whose parent has ended is a child of init (or of a subreaper) from then on: its descent is
// lost, and it does not count as a descendant of those above its former parent.

import { IdentityError } from "../../pki/errors.ts";
import type { Callers, PinnedProcess } from "../peer/index.ts";

/** A process that is held: a Peer or a PinnedProcess. */
export interface Held {
  readonly pid: number;
  isAlive(): boolean;
  /** @throws CALLER_GONE */
  parentPid(): number;
}

const MAX_DEPTH = 128;
const MAX_TRIES = 3;
const INIT_PID = 1;

/**
 * Whether `process` is one of `ancestors` (by pid) or descends from one.
 * @throws CALLER_GONE when the process itself has ended
 */
export function descendsFrom(
  callers: Pick<Callers, "pin">,
  process: Held,
  ancestors: ReadonlyMap<number, Held>,
): boolean {
  // Both are held and alive, so equal pids mean the same process.
  if (process.isAlive() && ancestors.get(process.pid)?.isAlive()) return true;
  // A process in the middle may end during the walk: its children have a new parent then.
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const descends = walk(callers, process, ancestors);
    if (descends !== undefined) return descends;
  }
  return false;
}

// undefined: the links changed under the walk.
function walk(
  callers: Pick<Callers, "pin">,
  process: Held,
  ancestors: ReadonlyMap<number, Held>,
): boolean | undefined {
  const opened: PinnedProcess[] = [];
  try {
    let current: Held = process;
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const parentPid = current.parentPid();
      if (parentPid <= INIT_PID) return false;
      const ancestor = ancestors.get(parentPid);
      // Held since before the link was read, and alive after: the link meant this process.
      if (ancestor?.isAlive()) return true;
      const parent = callers.pin(parentPid);
      opened.push(parent);
      // The link still holds after the parent was, and the parent lives: it is the parent that is held.
      if (current.parentPid() !== parentPid || !parent.isAlive()) return undefined;
      current = parent;
    }
    return false;
  } catch (error) {
    const isGone = error instanceof IdentityError && error.reason === "CALLER_GONE";
    if (!isGone || !process.isAlive()) throw error;
    return undefined;
  } finally {
    for (const one of opened) one.close();
  }
}
