// Rotates the authorities by lifetime: looks at each kind when something is due, prepares the next
// authority, activates it once it is published, and drops what has expired. What each step does, and
// the laws it keeps, is authority.ts; when it is due, pki/lifetime.ts. Rotation by an operator goes
// through server/api/localauthority.ts to the same functions.

import { activateAt, prepareAt } from "../../pki/lifetime.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AuthorityRecord } from "../store/journal.ts";
import type { Authorities } from "./authority.ts";
import type { AuthorityKind } from "./kinds.ts";

/** Looked at this often at least: expired authorities of other servers and appended ones are dropped too. */
const LONGEST_WAIT_MS = 60_000;
/** How soon a step that could not be taken yet is tried again: a failure, an acknowledgement that is missing. */
const SHORTEST_WAIT_MS = 250;

export interface RotationOptions {
  readonly authorities: Authorities;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Owns the timer of the rotation. */
export class Rotation {
  readonly #options: RotationOptions;

  constructor(options: RotationOptions) {
    this.#options = options;
  }

  /** Rotates until the signal aborts. A step that fails is logged and tried again. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    while (!signal.aborted) {
      try {
        await this.check();
      } catch (error) {
        if (signal.aborted) return;
        logger.error({ error }, "cannot rotate the authorities; trying again");
        await pause(clock, 10 * SHORTEST_WAIT_MS, signal);
        continue;
      }
      await pause(clock, this.#nextLook(), signal);
    }
  }

  /** Takes every step that is due now. */
  async check(): Promise<void> {
    for (const kind of this.#options.authorities.kinds) await this.#checkKind(kind);
    await this.#options.authorities.dropExpired();
  }

  async #checkKind({ name }: AuthorityKind): Promise<void> {
    const { authorities, clock } = this.#options;
    const nowMs = clock.now().getTime();
    const { active } = authorities.slots(name);
    if (active === undefined) throw new TypeError(`no active ${name} authority`);
    let { prepared } = authorities.slots(name);
    const isUnusable = isFuture(active, nowMs);
    // One that was prepared by hand and left: by the time it is needed it would have little life left.
    const isStale =
      prepared !== undefined &&
      (isDue(dateOf(prepareAt, prepared), nowMs) || isFuture(prepared, nowMs));
    if ((isUnusable || isDue(dateOf(prepareAt, active), nowMs)) && (!prepared || isStale)) {
      prepared = await authorities.prepare(name);
    }
    const due = isUnusable || isDue(dateOf(activateAt, active), nowMs);
    const urgent = isUnusable || isDue(active.notAfter, nowMs);
    if (prepared !== undefined && due && authorities.isPublished(prepared, { urgent })) {
      await authorities.activate(name, prepared.authorityId, { forced: false, urgent });
    }
  }

  /**
   * How long until a step is due, in milliseconds: a delay and no moment, which would be days away once
   * the clock was set back by days.
   */
  #nextLook(): number {
    const { authorities, clock } = this.#options;
    const nowMs = clock.now().getTime();
    let nextMs = nowMs + LONGEST_WAIT_MS;
    for (const { name } of authorities.kinds) {
      const { active, prepared } = authorities.slots(name);
      if (active === undefined) continue;
      if (isFuture(active, nowMs)) return SHORTEST_WAIT_MS;
      const step = prepared === undefined ? prepareAt : activateAt;
      nextMs = Math.min(nextMs, dateOf(step, active).getTime());
    }
    return Math.max(nextMs - nowMs, SHORTEST_WAIT_MS);
  }
}

/** Counted from when it was made, not from its backdated start: a tiny life would be half over at once. */
function dateOf(step: typeof prepareAt, { publishedAt, notAfter }: AuthorityRecord): Date {
  return step(publishedAt, notAfter);
}

function isDue(moment: Date, nowMs: number): boolean {
  return moment.getTime() <= nowMs;
}

/** Made while the clock was ahead: nobody whose clock is right accepts what it signs. */
function isFuture({ notBefore }: AuthorityRecord, nowMs: number): boolean {
  return notBefore.getTime() > nowMs;
}

/** Resolves after a delay, or when the signal aborts. */
function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    let timer: Timer | undefined;
    const end = (): void => {
      timer?.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    timer = clock.setTimer(ms, end);
    signal.addEventListener("abort", end, { once: true });
  });
}
