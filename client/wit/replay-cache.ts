// Remembers which proofs were accepted, so that none is accepted twice while it could be. Bounded in time by
// the longest life of a proof, in size by a limit; when that is reached new proofs are refused, because
// forgetting one early would let it be played again.

import { type Clock, systemClock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";

/** A proof as it is remembered: the ID counts within its sender, whom nobody else can speak for. */
export interface SeenProof {
  readonly sender: string;
  readonly id: string;
  /** After this moment the proof is refused anyway. */
  readonly until: Date;
}

/** Where proofs are remembered. Several processes of one service need one in common. */
export interface ReplayGuard {
  /** Remembers a proof. @throws WIT_PROOF_REPLAYED when it is known already, WIT_REPLAY_CACHE_FULL */
  remember(proof: SeenProof): void | Promise<void>;
}

export interface ReplayCacheOptions {
  /** Most proofs remembered at a time; each takes about 200 bytes. Default 100,000. */
  readonly limit?: number;
  /** Most of them of one sender: default a quarter, so that no sender shuts the others out. */
  readonly limitPerSender?: number;
  readonly clock?: Clock;
}

const DEFAULT_LIMIT = 100_000;
/** Proofs are filed by the second they end in, rounded up to this. */
const SLOT_MS = 1000;

/** The replay guard of a service that runs as one process. */
export class ReplayCache implements ReplayGuard {
  readonly #limit: number;
  readonly #limitPerSender: number;
  readonly #clock: Clock;
  /** Proofs of each sender, under the slot in which they end. */
  readonly #slots: Map<number, Map<string, Set<string>>> = new Map();
  readonly #known: Map<string, Set<string>> = new Map();
  #size = 0;
  #swept = 0;

  constructor(options: ReplayCacheOptions = {}) {
    this.#limit = options.limit ?? DEFAULT_LIMIT;
    this.#limitPerSender = options.limitPerSender ?? Math.max(1, Math.floor(this.#limit / 4));
    this.#clock = options.clock ?? systemClock;
  }

  /** Proofs remembered now. */
  get size(): number {
    return this.#size;
  }

  remember({ sender, id, until }: SeenProof): void {
    this.#sweep();
    const known = this.#known.get(sender);
    if (known?.has(id)) {
      throw clientError("WIT_PROOF_REPLAYED", `a proof of ${sender} came a second time`, {
        hint: "make a new proof for each request",
      });
    }
    if (this.#size >= this.#limit || (known?.size ?? 0) >= this.#limitPerSender) {
      throw clientError("WIT_REPLAY_CACHE_FULL", "too many proofs came to tell replays from them", {
        hint: "try again when earlier proofs have expired, or make the cache larger",
      });
    }
    const slot = Math.ceil(until.getTime() / SLOT_MS);
    const filed = getOrAdd(this.#slots, slot, () => new Map<string, Set<string>>());
    getOrAdd(filed, sender, newSet).add(id);
    getOrAdd(this.#known, sender, newSet).add(id);
    this.#size++;
  }

  /** Forgets what has ended, at most once a second. */
  #sweep(): void {
    const now = Math.floor(this.#clock.now().getTime() / SLOT_MS);
    if (now === this.#swept) return;
    this.#swept = now;
    for (const [slot, filed] of this.#slots) {
      if (slot > now) continue;
      this.#slots.delete(slot);
      for (const [sender, ids] of filed) this.#forget(sender, ids);
    }
  }

  #forget(sender: string, ids: ReadonlySet<string>): void {
    const known = this.#known.get(sender);
    for (const id of ids) known?.delete(id);
    if (known?.size === 0) this.#known.delete(sender);
    this.#size -= ids.size;
  }
}

const newSet = (): Set<string> => new Set();

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
