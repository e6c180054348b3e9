// One launched process and its private socket: who may use it, and when it closes.

import type { Socket } from "node:net";
import type { Selector } from "../../proto/types/selector.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";
import type { Callers, Peer, PeerListener, PinnedProcess } from "../peer/index.ts";
import { descendsFrom, type Held } from "./descent.ts";

// How long a connection waits for its process to be reported: between the start of a process and the
// report lie a few milliseconds.
const ADMISSION_WAIT_MS = 5000;
const MAX_CONNECTIONS = 1024;
const MAX_ADMITTED = 1024;

/** Serves a connection of an admitted process; its callers have these selectors too. */
export type ServeConnection = (
  socket: Socket,
  peer: Peer,
  extraSelectors: readonly Selector[],
) => void;

/** The process that was launched. */
export type LaunchedProcess = Held & { onExit(fn: () => void): unknown; close(): void };

/** Who launches: a Peer, or a process that is held. */
export type Launcher = Held & { readonly uid: number };

export interface LaunchOptions {
  /** In messages and the log. */
  readonly name: string;
  /** What the callers of the private socket have besides what is found out about them. */
  readonly selectors: readonly Selector[];
  /** The user that launches, and whose processes alone are let in. */
  readonly uid: number;
  readonly socketPath: string;
  readonly callers: Callers;
  readonly serveConnection: ServeConnection;
  readonly clock: Clock;
  readonly log: Logger;
}

export class Launch {
  readonly name: string;
  readonly socketPath: string;
  readonly selectors: readonly Selector[];
  /** Resolves when the launched process has ended, or the launch was closed. */
  readonly ended: Promise<void>;
  readonly #options: LaunchOptions;
  readonly #admitted = new Map<number, PinnedProcess>();
  readonly #waiting = new Set<() => void>();
  #listener: PeerListener | undefined;
  #root: LaunchedProcess | undefined;
  #end: () => void = () => undefined;
  #closing: Promise<void> | undefined;

  constructor(options: LaunchOptions) {
    this.#options = options;
    this.name = options.name;
    this.socketPath = options.socketPath;
    this.selectors = options.selectors;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** Opens the private socket. Connections wait until the process has been reported. */
  async listen(): Promise<void> {
    const { callers, uid, socketPath } = this.#options;
    const ownUid = process.geteuid?.();
    // Only the launching user may connect. An agent that is not root cannot give the file to another
    // user: then the file lets everyone in, and the check of the uid at each connection decides alone.
    const isOwn = uid === ownUid;
    this.#listener = await callers.listen({
      path: socketPath,
      mode: isOwn || ownUid === 0 ? 0o600 : 0o666,
      ...(ownUid === 0 && !isOwn ? { ownerUid: uid } : {}),
      limits: { total: MAX_CONNECTIONS, perUid: MAX_CONNECTIONS },
      onConnection: (socket, peer) => this.#onConnection(socket, peer),
    });
  }

  /** The launched process; undefined until it was reported. */
  get root(): LaunchedProcess | undefined {
    return this.#root;
  }

  /**
   * Takes the reported process as the one that was launched, and holds it.
   * @throws LAUNCH_PROCESS_REFUSED when it is not a descendant of the caller, or of another user;
   * CALLER_GONE when it has ended
   */
  admitProcess(pid: number, caller: Launcher): PinnedProcess {
    const { callers } = this.#options;
    const refuse = (why: string): Error =>
      agentError(
        "LAUNCH_PROCESS_REFUSED",
        `process ${pid} cannot be launched as "${this.name}": ${why}`,
        {
          hint: "report a process that the caller itself has started",
        },
      );
    if (this.#root !== undefined) throw refuse("another one has been reported already");
    if (!Number.isInteger(pid) || pid <= 1 || pid === caller.pid) throw refuse("it is no child");
    const root = callers.pin(pid);
    try {
      if (!descendsFrom(callers, root, new Map([[caller.pid, caller]]))) {
        throw refuse("the caller did not start it");
      }
      const uid = root.effectiveUid();
      if (uid !== caller.uid) throw refuse("it runs as another user");
    } catch (error) {
      root.close();
      throw error;
    }
    this.adopt(root);
    return root;
  }

  /** Takes a process that is known to have been launched. It is let go of at the close. */
  adopt(root: LaunchedProcess): void {
    root.onExit(() => this.#end());
    this.#root = root;
    for (const admit of this.#waiting) admit();
    this.#waiting.clear();
  }

  /** Closes the socket and every connection over it. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#end();
    this.#waiting.clear();
    await this.#listener?.stop();
    for (const process of this.#admitted.values()) process.close();
    this.#admitted.clear();
    this.#root?.close();
  }

  #onConnection(socket: Socket, peer: Peer): void {
    if (peer.uid !== this.#options.uid) {
      this.#refuse(socket, peer, "another user");
      return;
    }
    if (this.#root !== undefined) {
      this.#admit(socket, peer);
      return;
    }
    const timer = this.#options.clock.setTimer(ADMISSION_WAIT_MS, () => {
      this.#waiting.delete(admit);
      this.#refuse(socket, peer, "no process was reported");
    });
    const admit = (): void => {
      timer.cancel();
      if (!socket.destroyed) this.#admit(socket, peer);
    };
    this.#waiting.add(admit);
    socket.once("close", () => {
      timer.cancel();
      this.#waiting.delete(admit);
    });
  }

  #admit(socket: Socket, peer: Peer): void {
    try {
      if (!this.#isMember(peer)) {
        this.#refuse(socket, peer, "it does not descend from the launched process");
        return;
      }
      this.#remember(peer);
    } catch (error) {
      this.#refuse(socket, peer, error instanceof Error ? error.message : String(error));
      return;
    }
    this.#options.serveConnection(socket, peer, this.selectors);
  }

  #isMember(peer: Peer): boolean {
    const root = this.#root;
    if (root === undefined || !root.isAlive()) return false;
    const ancestors = new Map<number, Held>(this.#admitted);
    ancestors.set(root.pid, root);
    return descendsFrom(this.#options.callers, peer, ancestors);
  }

  // Once admitted, a process stays a member, and so do its children, when those between it and the
  // launched process have ended and it has become a child of init.
  #remember(peer: Peer): void {
    const { pid } = peer;
    if (pid === this.#root?.pid || this.#admitted.get(pid)?.isAlive()) return;
    if (this.#admitted.size >= MAX_ADMITTED) return;
    const held = this.#options.callers.pin(pid);
    // The peer lives after its pid was held: it is the peer that is held.
    if (!peer.isAlive()) {
      held.close();
      return;
    }
    this.#admitted.get(pid)?.close();
    this.#admitted.set(pid, held);
    held.onExit(() => {
      if (this.#admitted.get(pid) === held) this.#admitted.delete(pid);
      held.close();
    });
  }

  #refuse(socket: Socket, peer: Peer, why: string): void {
    const { log } = this.#options;
    log.warn(
      { launch: this.name, pid: peer.pid, uid: peer.uid, why },
      "refused at a private socket",
    );
    socket.destroy();
  }
}
