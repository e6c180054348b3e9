// One process, held so that it cannot be mistaken for a later one with the same pid. Held by a pidfd;
// where the kernel has none, by pid and start time together. A pidfd takes one file descriptor.

import { closeSync } from "node:fs";
import { agentError } from "../errors.ts";
import { type Executable, readExecutable } from "./executable.ts";
import type { ExitWatcher } from "./exit-watcher.ts";
import { isRunning, openPidfd, SystemCallError } from "./native.ts";
import { readEffectiveUid, readProcessStat } from "./process-stat.ts";

export class PinnedProcess {
  readonly pid: number;
  readonly pidfd: number | undefined;
  /** Clock ticks since boot; undefined when /proc hides it. */
  readonly startTime: bigint | undefined;
  readonly #watcher: ExitWatcher;
  readonly #listeners = new Set<() => void>();
  #unwatch: (() => void) | undefined;
  #closed = false;
  #ended = false;

  /** Takes over `pidfd`. @throws CALLER_GONE when the process has ended */
  constructor(watcher: ExitWatcher, pid: number, pidfd: number | undefined) {
    this.#watcher = watcher;
    this.pid = pid;
    this.pidfd = pidfd;
    let stat: ReturnType<typeof readProcessStat>;
    try {
      stat = readProcessStat(pid);
    } catch (error) {
      this.close();
      throw error;
    }
    this.startTime = stat?.startTime;
    const unheld = pidfd === undefined && (stat === undefined || stat.hasEnded);
    // Asked after reading: as it still runs now, what was read is its own.
    if (unheld || !this.isAlive()) {
      this.close();
      throw gone(pid);
    }
  }

  /** Holds the process that has this pid now. @throws CALLER_GONE */
  static open(watcher: ExitWatcher, pid: number): PinnedProcess {
    return new PinnedProcess(watcher, pid, tryOpenPidfd(pid));
  }

  isAlive(): boolean {
    if (this.#ended || this.#closed) return false;
    if (this.pidfd !== undefined) {
      this.#ended = !isRunning(this.pidfd);
    } else {
      const stat = readProcessStat(this.pid);
      this.#ended = stat === undefined || stat.hasEnded || stat.startTime !== this.startTime;
    }
    return !this.#ended;
  }

  /** Calls `fn` once when the process ends. The function that is returned takes that back. */
  onExit(fn: () => void): () => void {
    if (this.#closed) throw new TypeError("the process is no longer held");
    // Each listener is an object of its own, so that one function can listen twice.
    const listener = (): void => fn();
    this.#listeners.add(listener);
    this.#unwatch ??= this.#watcher.watch(this, () => this.#onEnded());
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** The pid of its parent. @throws CALLER_GONE when the process has ended */
  parentPid(): number {
    const stat = readProcessStat(this.pid);
    if (stat === undefined || !this.isAlive()) throw gone(this.pid);
    return stat.parentPid;
  }

  /**
   * Its effective uid; undefined when /proc hides it. Of a connection, `Peer.uid` counts instead.
   * @throws CALLER_GONE
   */
  effectiveUid(): number | undefined {
    const uid = readEffectiveUid(this.pid);
    if (!this.isAlive()) throw gone(this.pid);
    return uid;
  }

  /**
   * What the process executes now; undefined when the kernel does not tell (another user's process,
   * and the agent is not root). @throws CALLER_GONE
   */
  executable(): Executable | undefined {
    const executable = readExecutable(this.pid);
    // Only now is it known that /proc/PID was this process while it was read.
    if (!this.isAlive()) throw gone(this.pid);
    return executable;
  }

  /** Lets go. Listeners are not called any more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    this.#unwatch?.();
    if (this.pidfd !== undefined) closeSync(this.pidfd);
  }

  #onEnded(): void {
    this.#ended = true;
    this.#unwatch = undefined;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}

// undefined where the kernel knows no pidfd, or a sandbox forbids it.
function tryOpenPidfd(pid: number): number | undefined {
  try {
    return openPidfd(pid);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    if (error.code === "ENOSYS" || error.code === "EPERM") return undefined;
    if (error.code === "ESRCH" || error.code === "EINVAL") throw gone(pid, error);
    throw error;
  }
}

/** The error for a process that has ended. */
export function gone(pid: number, cause?: unknown): Error {
  return agentError("CALLER_GONE", `process ${pid} has ended`, { cause });
}
