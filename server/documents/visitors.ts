// How much of a public listener one address may take: connections at a time, and requests a second. An
// address is an IPv4 address or an IPv6 /64 network.

import type { Socket } from "node:net";
import type { Clock } from "../../runtime/clock.ts";
import { Quota } from "../../runtime/quota.ts";
import { subnetOf } from "../api/rate-limit.ts";

/** What everybody together, and one address, may take. */
export interface VisitorLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** As many may come at once. */
  readonly requestsPerSecond: number;
}

export const VISITOR_LIMITS: VisitorLimits = {
  maxConnections: 1000,
  maxConnectionsPerAddress: 50,
  requestsPerSecond: 50,
};

const MAX_BUCKETS = 20_000;

export interface VisitorsOptions extends VisitorLimits {
  readonly clock: Clock;
}

export class Visitors {
  readonly #options: VisitorsOptions;
  readonly #connections: Quota<string>;
  /** Oldest first. */
  readonly #idle = new Set<Socket>();
  readonly #open = new Set<Socket>();
  /** By address, when (ms) its bucket of requests will be full again. */
  readonly #fullAtMs = new Map<string, number>();

  constructor(options: VisitorsOptions) {
    this.#options = options;
    this.#connections = new Quota(options.maxConnectionsPerAddress);
  }

  /** How many connections are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Counts a connection until it closes; false when there are too many. When there are too many of all
   * addresses, the one that has had nothing to ask for longest makes room.
   */
  admit(socket: Socket): boolean {
    const leave = this.#connections.enter(subnetOf(socket.remoteAddress ?? ""));
    if (leave === undefined) return false;
    if (this.#open.size >= this.#options.maxConnections) {
      const [oldest] = this.#idle;
      if (oldest === undefined) {
        leave();
        return false;
      }
      this.#forget(oldest);
      oldest.destroy();
    }
    this.#open.add(socket);
    this.#idle.add(socket);
    socket.once("close", () => {
      this.#forget(socket);
      leave();
    });
    return true;
  }

  /** Whether this connection waits for its next request; those that do are the first to make room. */
  mark(socket: Socket, isIdle: boolean): void {
    this.#idle.delete(socket);
    if (isIdle && this.#open.has(socket)) this.#idle.add(socket);
  }

  /** Closes the connections that wait for a request. */
  closeIdle(): void {
    for (const socket of [...this.#idle]) socket.destroy();
  }

  /** Closes all connections. */
  closeAll(): void {
    for (const socket of [...this.#open]) socket.destroy();
  }

  /** Counts a request; false when this address makes too many. */
  ask(remoteAddress: string | undefined): boolean {
    const { clock, requestsPerSecond } = this.#options;
    const nowMs = clock.now().getTime();
    const key = subnetOf(remoteAddress ?? "");
    const knownMs = this.#fullAtMs.get(key) ?? 0;
    // Further ahead than a bucket is deep: noted before the clock was set back.
    const fromMs = knownMs > nowMs + 1000 ? nowMs : Math.max(knownMs, nowMs);
    const fullAtMs = fromMs + 1000 / requestsPerSecond;
    if (fullAtMs - nowMs > 1000) return false;
    this.#makeRoom(nowMs);
    this.#fullAtMs.set(key, fullAtMs);
    return true;
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    this.#idle.delete(socket);
  }

  #makeRoom(nowMs: number): void {
    if (this.#fullAtMs.size < MAX_BUCKETS) return;
    for (const [key, fullAtMs] of this.#fullAtMs) {
      if (fullAtMs <= nowMs) this.#fullAtMs.delete(key);
    }
    if (this.#fullAtMs.size >= MAX_BUCKETS) this.#fullAtMs.clear();
  }
}
