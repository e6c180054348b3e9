// How many connections a socket may have, in all, per uid and per process, so that one user cannot take
// the descriptors that everyone else's connections need, nor one process those of its user.

import type { Logger } from "../../runtime/log.ts";
import { Quota } from "../../runtime/quota.ts";

export interface ConnectionLimits {
  /** Default 8192. Each connection takes two file descriptors. */
  readonly total?: number;
  /** Default 4096. */
  readonly perUid?: number;
  /** Default: as many as its user. */
  readonly perProcess?: number;
}

const REPORT_EVERY_MS = 10_000;

export class ConnectionCounter {
  readonly #total: number;
  readonly #log: Logger;
  readonly #byUid: Quota<number>;
  readonly #byPid: Quota<number>;
  #count = 0;
  #refused = 0;
  #reportedAtMs = Number.NEGATIVE_INFINITY;

  constructor(limits: ConnectionLimits, log: Logger) {
    this.#total = limits.total ?? 8192;
    const perUid = limits.perUid ?? 4096;
    this.#byUid = new Quota(perUid);
    this.#byPid = new Quota(limits.perProcess ?? perUid);
    this.#log = log;
  }

  /** Counts a connection until what it returns is called; undefined, and a line in the log, when it is one too many. */
  enter({ uid, pid }: { readonly uid: number; readonly pid: number }): (() => void) | undefined {
    if (this.#count >= this.#total) return this.#full("too many connections");
    const leaveUser = this.#byUid.enter(uid);
    if (leaveUser === undefined) return this.#full(`too many of uid ${uid}`);
    const leaveProcess = this.#byPid.enter(pid);
    if (leaveProcess === undefined) {
      leaveUser();
      return this.#full(`too many of process ${pid}`);
    }
    this.#count++;
    return () => {
      this.#count--;
      leaveProcess();
      leaveUser();
    };
  }

  #full(why: string): undefined {
    this.refused(why);
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
