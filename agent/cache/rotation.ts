// Renews SVIDs of one kind before they expire: at half their lifetime, spread by 10 % (pki/lifetime.ts); at once
// when the authority above them has been tainted or revoked, or when the clock was set back to before they
// begin. One timer stands for all of them. The old
// SVID is served until its successor is there; when none comes until it expires, its subscribers are told.

import { type Clock, onClockSetBack, type Timer } from "../../runtime/clock.ts";
import type { HeldDocument } from "./holdings.ts";
import type { HeldSvid } from "./mint.ts";
import type { SvidCache } from "./svids.ts";

export interface RotationOptions<T extends HeldDocument> {
  readonly svids: SvidCache<T>;
  /** Whether an authority above the SVID has been tainted or revoked. */
  readonly isWithdrawn: (svid: T) => boolean;
  readonly clock: Clock;
  /** SVIDs of these entries have expired without a successor. */
  readonly onExpired: (entryIds: ReadonlySet<string>) => void;
}

/** What falls due within this time is renewed together, in one batch. */
const GATHER_MS = 1000;
/** An SVID whose authority was withdrawn is asked for again this often, should the new one be no better. */
const WITHDRAWN_RETRY_MS = 10_000;

/** Watches over the lifetimes of the SVIDs that are held. */
export class Rotation<T extends HeldDocument = HeldSvid> {
  readonly #options: RotationOptions<T>;
  readonly #setBack: Timer;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #scheduled = false;
  #stopped = false;
  readonly #reported = new WeakSet<T>();
  /** When an SVID was first seen below a withdrawn authority. */
  readonly #seenMs = new WeakMap<T, number>();

  constructor(options: RotationOptions<T>) {
    this.#options = options;
    this.#setBack = onClockSetBack(options.clock, () => this.#replaceFuture());
  }

  /** To call when SVIDs have come or gone. Cheap: many calls in one turn count as one. */
  changed(): void {
    if (this.#scheduled || this.#stopped) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#plan();
    });
  }

  /** To call when an authority has been withdrawn: replaces what it signed, in batches, without a gap. */
  replaceWithdrawn(): void {
    const due = [...this.#options.svids.held()].filter((svid) => this.#isWithdrawn(svid));
    this.#options.svids.replace(due.map((svid) => svid.entryId));
    this.changed();
  }

  stop(): void {
    this.#stopped = true;
    this.#setBack.cancel();
    this.#timer?.cancel();
  }

  /** Peers refuse an SVID that is not valid yet. Once for each step of the clock, not for ever where two differ. */
  #replaceFuture(): void {
    const nowMs = this.#now();
    const future = [...this.#options.svids.held()].filter(
      (svid) => svid.notBefore.getTime() > nowMs,
    );
    this.#options.svids.renew(future.map((svid) => svid.entryId));
    this.changed();
  }

  #isWithdrawn(svid: T): boolean {
    return this.#options.isWithdrawn(svid);
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }

  /** When something is to be done for an SVID: renewal, or the report of its expiry. */
  #dueMs(svid: T): number {
    const { svids } = this.#options;
    const expiryMs = this.#reported.has(svid) ? Number.POSITIVE_INFINITY : svid.notAfter.getTime();
    const due = svids.dueAt(svid.entryId)?.getTime() ?? Number.POSITIVE_INFINITY;
    if (due === Number.POSITIVE_INFINITY || !this.#isWithdrawn(svid))
      return Math.min(due, expiryMs);
    return Math.min(due, this.#retryWithdrawnMs(svid), expiryMs);
  }

  #retryWithdrawnMs(svid: T): number {
    const seenMs = this.#seenMs.get(svid) ?? this.#now();
    this.#seenMs.set(svid, seenMs);
    return seenMs + WITHDRAWN_RETRY_MS;
  }

  #plan(): void {
    if (this.#stopped) return;
    let nextMs = Number.POSITIVE_INFINITY;
    for (const svid of this.#options.svids.held()) nextMs = Math.min(nextMs, this.#dueMs(svid));
    for (const id of this.#options.svids.refused()) {
      nextMs = Math.min(nextMs, this.#options.svids.dueAt(id)?.getTime() ?? nextMs);
    }
    if (nextMs === this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = nextMs;
    if (nextMs === Number.POSITIVE_INFINITY) return;
    this.#timer = this.#options.clock.setTimer(new Date(nextMs), () => this.#fire());
  }

  #fire(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const { svids } = this.#options;
    const nowMs = this.#now();
    const due = new Set<string>();
    const expired = new Set<string>();
    for (const svid of svids.held()) {
      if (svid.notAfter.getTime() <= nowMs && !this.#reported.has(svid)) {
        this.#reported.add(svid);
        expired.add(svid.entryId);
      }
      const dueAt = svids.dueAt(svid.entryId);
      if (dueAt === undefined) continue;
      const shortMs = Math.min(GATHER_MS, (svid.notAfter.getTime() - nowMs) / 4);
      const isLate = this.#isWithdrawn(svid) && this.#retryWithdrawnMs(svid) <= nowMs;
      if (isLate || dueAt.getTime() <= nowMs + Math.max(shortMs, 0)) due.add(svid.entryId);
    }
    for (const id of svids.refused()) {
      if ((svids.dueAt(id)?.getTime() ?? Number.POSITIVE_INFINITY) <= nowMs) due.add(id);
    }
    svids.renew(due);
    if (expired.size > 0) this.#options.onExpired(expired);
    this.changed();
  }
}
