// The processes that tasks are bound to, each held once however many tasks it has, and found again after a
// restart of the agent: by pid, start time and boot together, since a pid alone is anybody's.

import { readFileSync } from "node:fs";
import { IdentityError } from "../../pki/errors.ts";
import { agentError } from "../errors.ts";
import type { Callers, Peer, PinnedProcess } from "../peer/index.ts";

/** Names one process of one boot of this machine. */
export interface Binding {
  readonly pid: number;
  readonly uid: number;
  /** Clock ticks since boot; 0 when /proc hides it: then it is not found again. */
  readonly startTime: number;
  readonly bootId: string;
}

/** A process that is held, for one holder. */
export interface BoundProcess extends Binding {
  isAlive(): boolean;
  /** @throws CALLER_GONE */
  parentPid(): number;
  /** Calls `fn` once when it ends, unless it was let go of before. */
  onExit(fn: () => void): void;
  /** Lets go. */
  close(): void;
}

interface Shared {
  readonly pinned: PinnedProcess;
  holders: number;
}

/** Of the running kernel. */
export function readBootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
}

/** Holds processes for tasks. */
export class Processes {
  readonly #callers: Pick<Callers, "pin">;
  readonly #bootId: string;
  readonly #shared = new Map<string, Shared>();

  constructor(callers: Pick<Callers, "pin">, bootId: string) {
    this.#callers = callers;
    this.#bootId = bootId;
  }

  /** Processes held. */
  get size(): number {
    return this.#shared.size;
  }

  /** The process behind a connection. @throws CALLER_GONE */
  holdPeer(peer: Peer): BoundProcess {
    const held = this.hold(peer.pid, peer.uid);
    // It lives after its pid was held: it is the one that is held.
    if (peer.isAlive()) return held;
    held.close();
    throw agentError("CALLER_GONE", `process ${peer.pid} has ended`);
  }

  /** The process that has this pid now. @throws CALLER_GONE */
  hold(pid: number, uid: number): BoundProcess {
    const pinned = this.#callers.pin(pid);
    const binding = this.bindingOf(pinned, uid);
    const { startTime } = binding;
    const key = `${pid} ${startTime}`;
    const known = startTime === 0 ? undefined : this.#shared.get(key);
    const isKnown = known?.pinned.isAlive() === true;
    if (isKnown) pinned.close();
    const shared = isKnown ? known : { pinned, holders: 0 };
    if (!isKnown) this.#shared.set(key, shared);
    shared.holders++;
    return this.#holderOf(shared, key, binding);
  }

  /** What names a process that is held already. */
  bindingOf({ pid, startTime }: Pick<PinnedProcess, "pid" | "startTime">, uid: number): Binding {
    return { pid, uid, startTime: Number(startTime ?? 0n), bootId: this.#bootId };
  }

  /** The process that a binding of an earlier run of this agent meant; undefined when it has ended. */
  holdAgain(binding: Binding): BoundProcess | undefined {
    const { pid, uid, startTime, bootId } = binding;
    if (bootId !== this.#bootId || startTime === 0) return undefined;
    let held: BoundProcess;
    try {
      held = this.hold(pid, uid);
    } catch (error) {
      if (error instanceof IdentityError && error.reason === "CALLER_GONE") return undefined;
      throw error;
    }
    if (held.startTime === startTime) return held;
    held.close();
    return undefined;
  }

  #holderOf(shared: Shared, key: string, binding: Binding): BoundProcess {
    let isClosed = false;
    const unlisten: (() => void)[] = [];
    return {
      ...binding,
      isAlive: () => !isClosed && shared.pinned.isAlive(),
      parentPid: () => shared.pinned.parentPid(),
      onExit: (fn) => void unlisten.push(shared.pinned.onExit(fn)),
      close: () => {
        if (isClosed) return;
        isClosed = true;
        for (const stop of unlisten) stop();
        if (--shared.holders > 0) return;
        if (this.#shared.get(key) === shared) this.#shared.delete(key);
        shared.pinned.close();
      },
    };
  }
}
