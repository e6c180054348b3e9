// The tag of a connection to the Workload API: the process behind it, and what the socket itself says of
// whoever is on it. Handlers find it as `context.peer`.

import type { Selector } from "../proto/types/selector.ts";
import type { Peer } from "./peer/index.ts";

/** What was read of a process this short a time ago is not read again: one call looks several times. */
const FRESH_MS = 1;

export class WorkloadConnection {
  readonly peer: Peer;
  /** Such as the name that a process was launched under. */
  readonly selectors: readonly Selector[];
  #found: readonly Selector[] = [];
  #all: readonly Selector[] = [];

  constructor(peer: Peer, selectors: readonly Selector[]) {
    this.peer = steady(peer);
    this.selectors = selectors;
    this.#all = selectors;
  }

  /**
   * What attestation found together with what the socket says. The same array as before when nothing
   * has changed, by which later steps know the caller at once.
   */
  withFound(found: readonly Selector[]): readonly Selector[] {
    const held = this.#found;
    if (found.length !== held.length || found.some((one, i) => one !== held[i])) {
      this.#found = found;
      this.#all = [...found, ...this.selectors];
    }
    return this.#all;
  }
}

/** The connection behind a call. */
export function connectionOf(tag: unknown): WorkloadConnection {
  if (tag instanceof WorkloadConnection) return tag;
  throw new TypeError("a call reached the Workload API over a connection without a peer");
}

function steady(peer: Peer): Peer {
  let last: ReturnType<Peer["executable"]>;
  let lastMs = Number.NEGATIVE_INFINITY;
  const executable = (): ReturnType<Peer["executable"]> => {
    if (performance.now() - lastMs < FRESH_MS) return last;
    last = peer.executable();
    lastMs = performance.now();
    return last;
  };
  const { pid, uid, gid, groups, startTime } = peer;
  return {
    pid,
    uid,
    gid,
    groups,
    startTime,
    isAlive: () => peer.isAlive(),
    onExit: (fn) => peer.onExit(fn),
    executable,
    parentPid: () => peer.parentPid(),
    close: () => peer.close(),
  };
}
