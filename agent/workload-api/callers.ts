// Who is calling: from a connection to a process, from the process to its selectors, checked again while
// a stream lives. A process that ended, or turned into another program, gets nothing more. How many calls
// a caller may have open: agent/socket.ts.

import type { CallContext } from "../../proto/rpc/service.ts";
import type { Selector } from "../../proto/types/selector.ts";
import { agentError } from "../errors.ts";
import type { Peer } from "../peer/index.ts";

export interface CallersOptions {
  /** The process behind a connection, from the connection's tag. */
  readonly peerOf: (tag: unknown) => Peer;
  /** Finds out the selectors of the process behind a connection, from the connection's tag. */
  readonly attest: (tag: unknown, signal: AbortSignal) => Promise<readonly Selector[]>;
}

/** A caller that has been attested. */
export interface Caller {
  readonly pid: number;
  readonly uid: number;
  readonly selectors: readonly Selector[];
  /** Aborts when the call ends; agent/peer closes the connection when the process does. */
  readonly signal: AbortSignal;
  /** @throws CALLER_GONE, CALLER_CHANGED: to call before anything is handed out */
  assertUnchanged(): void;
}

/** A look at the process this fresh need not be repeated: nothing was waited for since. */
const FRESH_MS = 2;

/** Attests callers. */
export class Callers {
  readonly #options: CallersOptions;
  /** What the process behind a connection was seen to execute last. */
  readonly #executables = new WeakMap<Peer, string | undefined>();

  constructor(options: CallersOptions) {
    this.#options = options;
  }

  /**
   * Attests the process behind the connection of a call.
   * @throws CALLER_GONE, CALLER_CHANGED, ATTESTATION_FAILED
   */
  async admit(context: CallContext): Promise<Caller> {
    const peer = this.#options.peerOf(context.peer);
    if (!this.#executables.has(peer)) this.#executables.set(peer, peer.executable()?.key);
    const before = this.#executables.get(peer);
    const selectors = await this.#options.attest(context.peer, context.signal);
    // What was read under /proc belongs to one program only if that is what ran all along.
    const after = peer.executable()?.key;
    this.#executables.set(peer, after);
    if (after !== before) throw changed(peer);
    return callerOf(peer, selectors, after, context.signal);
  }
}

function callerOf(
  peer: Peer,
  selectors: readonly Selector[],
  executable: string | undefined,
  signal: AbortSignal,
): Caller {
  const seenAtMs = performance.now();
  return {
    pid: peer.pid,
    uid: peer.uid,
    selectors,
    signal,
    assertUnchanged: () => {
      if (performance.now() - seenAtMs < FRESH_MS) return;
      if (peer.executable()?.key !== executable) throw changed(peer);
    },
  };
}

// An exec keeps the process and its connections, and would keep the identity of the former program.
function changed(peer: Peer): Error {
  return agentError("CALLER_CHANGED", `process ${peer.pid} now runs another program`, {
    hint: "call again: the process is attested anew",
  });
}
