// Remembers which proofs were accepted, so that none is accepted twice while it could be: runtime/seen-ids.ts
// with the errors of a service that is proved to.

import { type Clock, systemClock } from "../../runtime/clock.ts";
import { type SeenId, SeenIds } from "../../runtime/seen-ids.ts";
import { clientError } from "../errors.ts";

/** A proof as it is remembered: the ID counts within its sender, whom nobody else can speak for. */
export type SeenProof = SeenId;

/** Where proofs are remembered. Several processes of one service need one in common. */
export interface ReplayGuard {
  /** Remembers a proof. @throws WIT_PROOF_REPLAYED when it is known already, WIT_REPLAY_CACHE_FULL */
  remember(proof: SeenProof): void | Promise<void>;
  /** What was proved before is not remembered: proofs that say they were made then are refused. */
  readonly since?: Date;
}

export interface ReplayCacheOptions {
  /** Most proofs remembered at a time; each takes about 200 bytes. Default 100,000. */
  readonly limit?: number;
  /** Most of them of one sender: default a quarter, so that no sender shuts the others out. */
  readonly limitPerSender?: number;
  readonly clock?: Clock;
}

const DEFAULT_LIMIT = 100_000;

/**
 * When a memory began that was made so long ago, in whole seconds as proofs have them. A former process of the same
 * service ended before this one was born: what it accepted was made in an earlier second than the first one here.
 */
function beginningOf(clock: Clock, agoMs: number): Date {
  const nowMs = clock.now().getTime();
  const bornMs = Math.ceil((nowMs - performance.now()) / 1000) * 1000;
  return new Date(Math.max(bornMs, Math.floor((nowMs - agoMs) / 1000) * 1000));
}

/** The replay guard of a service that runs as one process. */
export class ReplayCache implements ReplayGuard {
  readonly #seen: SeenIds;
  readonly #clock: Clock;
  readonly #since: Date;
  readonly #madeMs: number = performance.now();

  constructor(options: ReplayCacheOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#since = beginningOf(this.#clock, 0);
    this.#seen = new SeenIds({ limit: DEFAULT_LIMIT, ...options });
  }

  get since(): Date {
    // A clock that was ahead then, and is set right: until it is there again no proof would be new enough.
    const isSetBack = this.#clock.now().getTime() < this.#since.getTime() - 1000;
    return isSetBack ? beginningOf(this.#clock, performance.now() - this.#madeMs) : this.#since;
  }

  /** Proofs remembered now. */
  get size(): number {
    return this.#seen.size;
  }

  remember(proof: SeenProof): void {
    switch (this.#seen.remember(proof)) {
      case "new":
        return;
      case "known":
        throw clientError("WIT_PROOF_REPLAYED", `a proof of ${proof.sender} came a second time`, {
          hint: "make a new proof for each request",
        });
      case "full":
        throw clientError(
          "WIT_REPLAY_CACHE_FULL",
          "too many proofs came to tell replays from them",
          { hint: "try again when earlier proofs have expired, or make the cache larger" },
        );
    }
  }
}
