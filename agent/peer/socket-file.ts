// The file of a listening unix socket: its path checked, a stale one removed, a live one left alone.

import { lstatSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { agentError } from "../errors.ts";

/** sun_path has 108 bytes, the last one is zero. */
export const MAX_SOCKET_PATH_BYTES = 107;

/** @throws SOCKET_PATH_INVALID */
export function checkSocketPath(path: string): void {
  const bytes = Buffer.byteLength(path);
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw agentError(
      "SOCKET_PATH_INVALID",
      `the socket path "${path}" has ${bytes} bytes, the system allows ${MAX_SOCKET_PATH_BYTES}`,
      { hint: "choose a shorter path, such as one below /run or /tmp" },
    );
  }
  // No path at all, or an abstract socket, which has no permissions.
  if (path === "" || path.includes("\0")) {
    throw agentError("SOCKET_PATH_INVALID", "the socket path is empty or has a zero byte");
  }
}

/**
 * Makes way for a new socket at `path`: removes one that nobody listens on.
 * @throws SOCKET_IN_USE when somebody does, SOCKET_PATH_INVALID when something else is there
 */
export async function clearSocketPath(path: string): Promise<void> {
  const before = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (before === undefined) return;
  if (!before.isSocket()) {
    throw agentError("SOCKET_PATH_INVALID", `"${path}" exists and is not a socket`, {
      hint: "move it away or choose another socket path",
    });
  }
  if (await isServed(path)) {
    throw agentError("SOCKET_IN_USE", `another process is serving the socket "${path}"`, {
      hint: "stop it first, or choose another socket path",
    });
  }
  const after = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  if (after?.ino === before.ino && after.dev === before.dev) unlinkSync(path);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED" || error.code === "ENOENT") resolve(false);
      // EAGAIN: its queue is full, so somebody listens.
      else if (error.code === "EAGAIN") resolve(true);
      else
        reject(
          agentError("SOCKET_LISTEN_FAILED", `cannot look at "${path}": ${error.message}`, {
            cause: error,
          }),
        );
    });
  });
}
