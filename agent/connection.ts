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
    this.peer = new SteadyPeer(peer);
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

/** A peer whose executable is read once for several looks in a moment. */
class SteadyPeer implements Peer {
  readonly #peer: Peer;
  #last: ReturnType<Peer["executable"]>;
  #lastMs = Number.NEGATIVE_INFINITY;

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  get pid(): number {
    return this.#peer.pid;
  }

  get uid(): number {
    return this.#peer.uid;
  }

  get gid(): number {
    return this.#peer.gid;
  }

  get groups(): readonly number[] {
    return this.#peer.groups;
  }

  get startTime(): bigint | undefined {
    return this.#peer.startTime;
  }

  isAlive(): boolean {
    return this.#peer.isAlive();
  }

  onExit(fn: () => void): () => void {
    return this.#peer.onExit(fn);
  }

  executable(): ReturnType<Peer["executable"]> {
    if (performance.now() - this.#lastMs < FRESH_MS) return this.#last;
    this.#last = this.#peer.executable();
    this.#lastMs = performance.now();
    return this.#last;
  }

  parentPid(): number {
    return this.#peer.parentPid();
  }

  close(): void {
    this.#peer.close();
  }
}
