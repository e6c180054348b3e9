// The door of this folder: unix sockets whose connections come with the process that made them.

import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";
import { ExitWatcher } from "./exit-watcher.ts";
import { listenWithPeers, type PeerListener, type PeerListenerOptions } from "./listener.ts";
import { PinnedProcess } from "./pinned-process.ts";

export type { ConnectionLimits } from "./connection-counter.ts";
export { type Executable, isContentForgeable, isPathShared } from "./executable.ts";
export type { PeerListener } from "./listener.ts";
export { identifyFile } from "./native.ts";
export type { Peer } from "./peer.ts";
export type { PinnedProcess } from "./pinned-process.ts";
export { checkSocketPath } from "./socket-file.ts";

/** Processes of this machine as callers: listens with peers, and holds other processes by their pid. */
export interface Callers {
  /** @throws SOCKET_PATH_INVALID, SOCKET_IN_USE, SOCKET_LISTEN_FAILED */
  listen(options: Omit<PeerListenerOptions, "watcher" | "log">): Promise<PeerListener>;
  /** Holds the process that has this pid now. To be closed by the caller. @throws CALLER_GONE */
  pin(pid: number): PinnedProcess;
  /** To be called after every listener has stopped. */
  stop(): Promise<void>;
}

export interface CallersOptions {
  readonly log: Logger;
  /** Told when ends of processes are not noticed any more: the agent must stop. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Starts the thread that watches processes. One for a whole agent.
 * @throws CALLERS_UNSUPPORTED on anything but Linux
 */
export function startCallers({ log, onFailure }: CallersOptions): Callers {
  if (process.platform !== "linux") {
    throw agentError(
      "CALLERS_UNSUPPORTED",
      `the agent needs Linux to know who calls it; this is ${process.platform}`,
      { hint: "run the agent in a Linux machine, virtual or real" },
    );
  }
  const watcher = new ExitWatcher((error) => {
    log.fatal({ error }, "ends of processes are not noticed any more");
    onFailure(error);
  });
  return {
    listen: (options) => listenWithPeers({ ...options, watcher, log }),
    pin: (pid) => PinnedProcess.open(watcher, pid),
    stop: () => watcher.stop(),
  };
}
