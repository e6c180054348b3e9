// Who is at the other end of a connection on a unix socket: uid, gid and groups as the kernel recorded
// them at connect, and the process, pinned. uid and gid never come from /proc, which a process changes
// by executing another program.

import type { Executable } from "./executable.ts";
import type { ExitWatcher } from "./exit-watcher.ts";
import { peerCredentials, peerGroups, peerPidfd, SystemCallError } from "./native.ts";
import { gone, PinnedProcess } from "./pinned-process.ts";

/** The process that made a connection. Valid until `close`, which the listener calls. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** Clock ticks since boot; undefined when /proc hides it. */
  readonly startTime: bigint | undefined;
  /** Whether the process still runs: one system call. */
  isAlive(): boolean;
  /** Calls `fn` once when the process ends; the function that is returned takes that back. */
  onExit(fn: () => void): () => void;
  /**
   * What it executes now, some 15 µs; compare `key` with an earlier reading to notice an exec.
   * undefined when the kernel does not tell (another user's process, and the agent is not root).
   * @throws CALLER_GONE
   */
  executable(): Executable | undefined;
  /** The pid of its parent now. @throws CALLER_GONE */
  parentPid(): number;
  close(): void;
}

/**
 * Reads who connected the socket with this descriptor.
 * @throws CALLER_GONE when that process has ended already, or is of a pid namespace that this one
 * does not see; SystemCallError such as EMFILE when the agent has no descriptor left
 */
export function readPeer(watcher: ExitWatcher, socketFd: number): Peer {
  const { pid, uid, gid } = peerCredentials(socketFd);
  if (pid <= 0) throw gone(pid);
  const groups = peerGroups(socketFd);
  const pinned = pin(watcher, socketFd, pid);
  return new PinnedPeer(pinned, uid, gid, groups);
}

class PinnedPeer implements Peer {
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  readonly #pinned: PinnedProcess;

  constructor(pinned: PinnedProcess, uid: number, gid: number, groups: readonly number[]) {
    this.#pinned = pinned;
    this.uid = uid;
    this.gid = gid;
    this.groups = groups;
  }

  get pid(): number {
    return this.#pinned.pid;
  }

  get startTime(): bigint | undefined {
    return this.#pinned.startTime;
  }

  isAlive(): boolean {
    return this.#pinned.isAlive();
  }

  onExit(fn: () => void): () => void {
    return this.#pinned.onExit(fn);
  }

  executable(): Executable | undefined {
    return this.#pinned.executable();
  }

  parentPid(): number {
    return this.#pinned.parentPid();
  }

  close(): void {
    this.#pinned.close();
  }
}

function pin(watcher: ExitWatcher, socketFd: number, pid: number): PinnedProcess {
  let pidfd: number;
  try {
    pidfd = peerPidfd(socketFd);
  } catch (error) {
    if (!(error instanceof SystemCallError)) throw error;
    // Before Linux 6.5: the process is looked up by its pid, which it could have lost to another
    // process between connect and accept. The window is as short as the agent's event loop is quick.
    if (error.code === "ENOPROTOOPT") return PinnedProcess.open(watcher, pid);
    if (error.code === "ESRCH" || error.code === "EINVAL" || error.code === "ENODATA") {
      throw gone(pid, error);
    }
    throw error;
  }
  return new PinnedProcess(watcher, pid, pidfd);
}
