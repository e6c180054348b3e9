// Ends the idle: tasks that gave no sign of life for as long as their class says. Time is counted in
// seconds that passed, not read off the wall clock: a clock that is set forward, or a machine that slept,
// makes no task idle. After a restart every task starts anew.
import type { Clock, Timer } from "../../runtime/clock.ts";

const TICK_MS = 1000;

interface Watched {
  readonly id: string;
  /** Ticks without a sign of life. */
  readonly after: number;
  /** The tick of the last one. */
  last: number;
}

export class IdleWatch {
  readonly #clock: Clock;
  readonly #due: (ids: readonly string[]) => void;
  readonly #watched = new Map<string, Watched>();
  /** Who has to be looked at in which tick. */
  readonly #rounds = new Map<number, Watched[]>();
  #tick = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, due: (ids: readonly string[]) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** Watches from now on. */
  add(id: string, timeoutSeconds: number): void {
    if (this.#watched.has(id)) return;
    // One more: the tick under way has begun already.
    const after = timeoutSeconds + 1;
    const watched = { id, after, last: this.#tick };
    this.#watched.set(id, watched);
    this.#look(watched, this.#tick + after);
    this.#timer ??= this.#clock.setTimer(TICK_MS, () => this.#onTick());
  }

  /** A sign of life. */
  touch(id: string): void {
    const watched = this.#watched.get(id);
    if (watched !== undefined) watched.last = this.#tick;
  }

  delete(id: string): void {
    this.#watched.delete(id);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#watched.clear();
  }

  #onTick(): void {
    this.#timer = undefined;
    this.#tick++;
    const round = this.#rounds.get(this.#tick) ?? [];
    this.#rounds.delete(this.#tick);
    const idle: string[] = [];
    for (const watched of round) {
      const { id, last, after } = watched;
      // Another one of this ID: watched anew after it was let go.
      if (this.#watched.get(id) !== watched) continue;
      if (last + after > this.#tick) this.#look(watched, last + after);
      else {
        this.#watched.delete(id);
        idle.push(id);
      }
    }
    if (idle.length > 0) this.#due(idle);
    if (this.#watched.size > 0) this.#timer = this.#clock.setTimer(TICK_MS, () => this.#onTick());
    else this.#rounds.clear();
  }

  #look(watched: Watched, tick: number): void {
    const round = this.#rounds.get(tick);
    if (round === undefined) this.#rounds.set(tick, [watched]);
    else round.push(watched);
  }
}
