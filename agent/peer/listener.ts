// A listening unix socket whose connections come with the process that made them. Owns the socket's
// file, the limits on connections, and each Peer: a connection ends when its process ends, and its
// pidfd is closed with it.

import { chmodSync, chownSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";
import { ConnectionCounter, type ConnectionLimits } from "./connection-counter.ts";
import type { ExitWatcher } from "./exit-watcher.ts";
import { type Peer, readPeer } from "./peer.ts";
import { checkSocketPath, clearSocketPath } from "./socket-file.ts";

export interface PeerListenerOptions {
  /** At most 107 bytes. */
  readonly path: string;
  /** Mode of the socket's file: connecting needs write permission. */
  readonly mode: number;
  /** Owner of the socket's file, when the agent is root and it should not be root's. */
  readonly ownerUid?: number;
  /**
   * Called for each connection, synchronously at its accept. The peer is closed by the listener when
   * the socket closes.
   */
  readonly onConnection: (socket: Socket, peer: Peer) => void;
  /**
   * Nothing is read from a connection before somebody asks for it with `read` or `resume`. An HTTP/2
   * session does not ask: it needs a socket that is not paused.
   */
  readonly paused?: boolean;
  readonly watcher: ExitWatcher;
  readonly limits?: ConnectionLimits;
  readonly log: Logger;
}

export interface PeerListener {
  readonly path: string;
  /** Connections now. */
  readonly connections: number;
  /** Closes the socket and, unless they should drain by themselves, its connections. */
  stop(options?: { readonly drain?: boolean }): Promise<void>;
}

/**
 * Listens at `path`.
 * @throws SOCKET_PATH_INVALID, SOCKET_IN_USE, SOCKET_LISTEN_FAILED
 */
export async function listenWithPeers(options: PeerListenerOptions): Promise<PeerListener> {
  checkSocketPath(options.path);
  await clearSocketPath(options.path);
  // Before there is anyone to watch: a thread needs descriptors to start, and callers could take them.
  await options.watcher.ready;
  const counter = new ConnectionCounter(options.limits ?? {}, options.log);
  const open = new Set<Socket>();
  const server = createServer({ pauseOnConnect: options.paused === true });
  server.on("connection", (socket) => accept(socket, options, counter, open));
  await listen(server, options);
  server.on("error", (error) => options.log.error({ error, path: options.path }, "socket"));
  return {
    path: options.path,
    get connections() {
      return open.size;
    },
    stop: (how = {}) =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if (how.drain !== true) for (const socket of open) socket.destroy();
      }),
  };
}

function accept(
  socket: Socket,
  options: PeerListenerOptions,
  counter: ConnectionCounter,
  open: Set<Socket>,
): void {
  // A reset connection is the caller's business; without a listener it would end the process.
  socket.on("error", (error) => options.log.debug({ error }, "connection"));
  let peer: Peer;
  try {
    peer = readPeer(options.watcher, descriptorOf(socket));
  } catch (error) {
    counter.refused(error instanceof Error ? error.message : String(error));
    socket.destroy();
    return;
  }
  const leave = counter.enter(peer);
  if (leave === undefined) {
    peer.close();
    socket.destroy();
    return;
  }
  open.add(socket);
  socket.once("close", () => {
    open.delete(socket);
    leave();
    peer.close();
  });
  try {
    peer.onExit(() => socket.destroy());
    options.onConnection(socket, peer);
  } catch (error) {
    options.log.error({ error }, "could not serve a connection");
    socket.destroy();
  }
}

// Node has no public way to the descriptor of a socket.
function descriptorOf(socket: Socket): number {
  const fd = (socket as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd;
  if (fd === undefined || fd < 0) throw new Error("the connection has closed already");
  return fd;
}

function listen(server: Server, options: PeerListenerOptions): Promise<void> {
  const failed = (cause: unknown): Error =>
    agentError("SOCKET_LISTEN_FAILED", `cannot listen on "${options.path}": ${messageOf(cause)}`, {
      hint: "check that its folder exists and belongs to this user",
      cause,
    });
  return new Promise((resolve, reject) => {
    server.once("error", (error) => reject(failed(error)));
    server.once("listening", () => {
      server.removeAllListeners("error");
      try {
        if (options.ownerUid !== undefined) chownSync(options.path, options.ownerUid, -1);
        chmodSync(options.path, options.mode);
        resolve();
      } catch (error) {
        server.close();
        reject(failed(error));
      }
    });
    // The file is made within this call: for nobody but us, until its owner and mode are set.
    const before = process.umask(0o177);
    try {
      server.listen({ path: options.path, backlog: 4096 });
    } finally {
      process.umask(before);
    }
  });
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
