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
        await until(clock, new Date(clock.now().getTime() + 10 * SHORTEST_WAIT_MS), signal);
        continue;
      }
      await until(clock, this.#nextLook(), signal);
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
    // One that was prepared by hand and left: by the time it is needed it would have little life left.
    const isStale = prepared !== undefined && isDue(dateOf(prepareAt, prepared), nowMs);
    if (isDue(dateOf(prepareAt, active), nowMs) && (!prepared || isStale)) {
      prepared = await authorities.prepare(name);
    }
    const due = isDue(dateOf(activateAt, active), nowMs);
    if (prepared !== undefined && due && authorities.isPublished(prepared)) {
      await authorities.activate(name, prepared.authorityId, { forced: false });
    }
  }

  /** The next moment at which a step is due. */
  #nextLook(): Date {
    const { authorities, clock } = this.#options;
    const nowMs = clock.now().getTime();
    let nextMs = nowMs + LONGEST_WAIT_MS;
    for (const { name } of authorities.kinds) {
      const { active, prepared } = authorities.slots(name);
      if (active === undefined) continue;
      const step = prepared === undefined ? prepareAt : activateAt;
      nextMs = Math.min(nextMs, dateOf(step, active).getTime());
    }
    return new Date(Math.max(nextMs, nowMs + SHORTEST_WAIT_MS));
  }
}

/** Counted from when it was made, not from its backdated start: a tiny life would be half over at once. */
function dateOf(step: typeof prepareAt, { publishedAt, notAfter }: AuthorityRecord): Date {
  return step(publishedAt, notAfter);
}

function isDue(moment: Date, nowMs: number): boolean {
  return moment.getTime() <= nowMs;
}

/** Resolves at a moment of the wall clock, or when the signal aborts. */
function until(clock: Clock, moment: Date, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    let timer: Timer | undefined;
    const end = (): void => {
      timer?.cancel();
      signal.removeEventListener("abort", end);
      resolve();
    };
    timer = clock.setTimer(moment, end);
    signal.addEventListener("abort", end, { once: true });
  });
}
