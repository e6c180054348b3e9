// How many connections a socket may have, in all and per uid, so that one user cannot take the
// descriptors that everyone else's connections need.

import type { Logger } from "../../runtime/log.ts";

export interface ConnectionLimits {
  /** Default 8192. Each connection takes two file descriptors. */
  readonly total?: number;
  /** Default 4096. */
  readonly perUid?: number;
}

const REPORT_EVERY_MS = 10_000;

export class ConnectionCounter {
  readonly #total: number;
  readonly #perUid: number;
  readonly #log: Logger;
  readonly #byUid = new Map<number, number>();
  #count = 0;
  #refused = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(limits: ConnectionLimits, log: Logger) {
    this.#total = limits.total ?? 8192;
    this.#perUid = limits.perUid ?? 4096;
    this.#log = log;
  }

  /** Counts a connection; false, and a line in the log, when it is one too many. */
  enter(uid: number): boolean {
    const own = this.#byUid.get(uid) ?? 0;
    if (this.#count >= this.#total || own >= this.#perUid) {
      this.refused(this.#count >= this.#total ? "too many connections" : `too many of uid ${uid}`);
      return false;
    }
    this.#count++;
    this.#byUid.set(uid, own + 1);
    return true;
  }

  leave(uid: number): void {
    this.#count--;
    const own = (this.#byUid.get(uid) ?? 1) - 1;
    if (own === 0) this.#byUid.delete(uid);
    else this.#byUid.set(uid, own);
  }

  /** Notes a connection that was closed unserved. One line in a while: a flood must not fill the log. */
  refused(why: string): void {
    this.#refused++;
    const now = performance.now();
    if (now - this.#reportedAtMs < REPORT_EVERY_MS) return;
    this.#log.warn({ why, refused: this.#refused }, "refused connections");
    this.#reportedAtMs = now;
    this.#refused = 0;
  }
}
