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
  /** Of each of them as many may come at once. A connection costs us a signature. */
  readonly connectionsPerSecond: number;
  readonly requestsPerSecond: number;
}

export const VISITOR_LIMITS: VisitorLimits = {
  maxConnections: 1000,
  maxConnectionsPerAddress: 50,
  connectionsPerSecond: 50,
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
  readonly #connecting: Buckets;
  readonly #asking: Buckets;

  constructor(options: VisitorsOptions) {
    this.#options = options;
    this.#connecting = new Buckets(options.connectionsPerSecond, options.clock);
    this.#asking = new Buckets(options.requestsPerSecond, options.clock);
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
    const address = subnetOf(socket.remoteAddress ?? "");
    if (!this.#connecting.take(address)) return false;
    const leave = this.#connections.enter(address);
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
    return this.#asking.take(subnetOf(remoteAddress ?? ""));
  }

  #forget(socket: Socket): void {
    this.#open.delete(socket);
    this.#idle.delete(socket);
  }
}

/** A bucket of tokens for each address. */
class Buckets {
  readonly #perSecond: number;
  readonly #clock: Clock;
  /** By address, when (ms) its bucket will be full again: all there is to know of a bucket. */
  readonly #fullAtMs = new Map<string, number>();

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Takes a token; false when there is none. */
  take(address: string): boolean {
    const nowMs = this.#clock.now().getTime();
    const knownMs = this.#fullAtMs.get(address) ?? 0;
    // Further ahead than a bucket is deep: noted before the clock was set back.
    const fromMs = knownMs > nowMs + 1000 ? nowMs : Math.max(knownMs, nowMs);
    const fullAtMs = fromMs + 1000 / this.#perSecond;
    if (fullAtMs - nowMs > 1000) return false;
    this.#makeRoom(nowMs);
    this.#fullAtMs.set(address, fullAtMs);
    return true;
  }

  #makeRoom(nowMs: number): void {
    if (this.#fullAtMs.size < MAX_BUCKETS) return;
    for (const [key, fullAtMs] of this.#fullAtMs) {
      if (fullAtMs <= nowMs) this.#fullAtMs.delete(key);
    }
    if (this.#fullAtMs.size >= MAX_BUCKETS) this.#fullAtMs.clear();
  }
}
