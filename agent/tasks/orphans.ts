// Has the server end the tasks that it opened for this node and that never arrived here: its answer was lost, or
// the agent was killed before it wrote the task down. Asked when the link is there, and after an opening of which
// nobody knows how it ended. No task that is being opened is lost by it: what is held is told once every opening
// that was under way at the mark has ended here (the server's server/tasks/orphans.ts).

import { IdentityError, Status } from "../../pki/errors.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { TaskServer } from "./server.ts";

export interface OrphansOptions {
  readonly server: Pick<TaskServer, "endOrphans">;
  /** Tasks that are held here, and those whose end the server has yet to hear of. */
  readonly heldIds: () => Iterable<string>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** Not at once: when a server comes back, all its node agents do. */
const SOON_MS = 2000;
/** What is left may still be asked for, by whoever did not get the answer. */
const LEFT_MS = 65_000;
const RETRY_MS = 30_000;

export class Orphans {
  readonly #options: OrphansOptions;
  readonly #openings = new Set<Promise<void>>();
  #timer: Timer | undefined;
  #isAsking = false;
  #isWanted = false;
  #stopped = false;

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  /** An opening begins; to be told when its task is held, or none came. */
  opening(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#openings.add(promise);
    return () => {
      this.#openings.delete(promise);
      resolve();
    };
  }

  /** An opening failed. */
  failed(error: unknown): void {
    if (isUncertain(error)) this.look();
  }

  /** Asks soon. */
  look(): void {
    if (this.#isAsking) this.#isWanted = true;
    else this.#later(SOON_MS * (1 + this.#options.random()));
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #later(ms: number): void {
    if (this.#stopped) return;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.setTimer(ms, () => void this.#ask()); // never rejects
  }

  async #ask(): Promise<void> {
    const { server, heldIds, log } = this.#options;
    this.#timer = undefined;
    this.#isAsking = true;
    this.#isWanted = false;
    let againMs: number | undefined;
    try {
      const { mark, open } = await server.endOrphans({});
      // In the turn in which the mark is here: later ones began behind it.
      const underWay = [...this.#openings];
      if (open > 0) {
        await Promise.all(underWay);
        const { left } = await server.endOrphans({ mark, heldIds: [...heldIds()] });
        if (left > 0) againMs = LEFT_MS;
      }
    } catch (error) {
      log.debug({ error }, "could not ask the server for tasks that nobody holds");
      // An older server has no such call.
      const isServed = !(error instanceof IdentityError) || error.code !== Status.unimplemented;
      if (isServed) againMs = RETRY_MS;
    }
    this.#isAsking = false;
    if (this.#isWanted) this.look();
    else if (againMs !== undefined) this.#later(againMs);
  }
}

/** Whether a task may have come to be all the same. */
function isUncertain(error: unknown): boolean {
  if (!(error instanceof IdentityError)) return true;
  const unsure: readonly Status[] = [
    Status.unavailable,
    Status.deadlineExceeded,
    Status.cancelled,
    Status.internal,
    Status.unknown,
  ];
  return unsure.includes(error.code);
}
