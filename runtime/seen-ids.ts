// Remembers which IDs came, so that none is taken twice while it could be. Bounded in time by the moment
// after which an ID is refused anyway, in size by a limit; at the limit new ones are refused, because
// forgetting one early would let it be played again.

import { type Clock, systemClock } from "./clock.ts";

/** An ID counts within its sender, whom nobody else can speak for. */
export interface SeenId {
  readonly sender: string;
  readonly id: string;
  /** After this moment it is refused anyway. */
  readonly until: Date;
}

export interface SeenIdsOptions {
  /** Most IDs remembered at a time; each takes about 200 bytes. */
  readonly limit: number;
  /** Most of them of one sender: default a quarter, so that no sender shuts the others out. */
  readonly limitPerSender?: number;
  readonly clock?: Clock;
}

/** IDs are filed by the second they end in, rounded up to this. */
const SLOT_MS = 1000;

/** The IDs that came. */
export class SeenIds {
  readonly #limit: number;
  readonly #limitPerSender: number;
  readonly #clock: Clock;
  /** IDs of each sender, under the slot in which they end. */
  readonly #slots: Map<number, Map<string, Set<string>>> = new Map();
  readonly #known: Map<string, Set<string>> = new Map();
  #size = 0;
  #swept = 0;

  constructor(options: SeenIdsOptions) {
    this.#limit = options.limit;
    this.#limitPerSender = options.limitPerSender ?? Math.max(1, Math.floor(this.#limit / 4));
    this.#clock = options.clock ?? systemClock;
  }

  /** IDs remembered now. */
  get size(): number {
    return this.#size;
  }

  /** Remembers an ID: it is new, known already, or cannot be remembered because too many came. */
  remember({ sender, id, until }: SeenId): "new" | "known" | "full" {
    this.#sweep();
    const known = this.#known.get(sender);
    if (known?.has(id)) return "known";
    if (this.#size >= this.#limit || (known?.size ?? 0) >= this.#limitPerSender) return "full";
    const slot = Math.ceil(until.getTime() / SLOT_MS);
    const filed = getOrAdd(this.#slots, slot, () => new Map<string, Set<string>>());
    getOrAdd(filed, sender, newSet).add(id);
    getOrAdd(this.#known, sender, newSet).add(id);
    this.#size++;
    return "new";
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
