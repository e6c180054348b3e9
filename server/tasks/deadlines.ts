// Moments at which something is due, by the ID of what: a heap with one timer for the first of them. A
// moment that was set is not taken back; whoever is called asks whether it still holds.
import type { Clock, Timer } from "../../runtime/clock.ts";

interface Deadline {
  readonly atMs: number;
  readonly id: string;
}

/** Called at once; the rest after a turn of the event loop. */
const AT_ONCE = 1000;

export class Deadlines {
  readonly #clock: Clock;
  readonly #due: (ids: readonly string[]) => void;
  /** A binary heap: each is no later than the two below it. */
  #heap: Deadline[] = [];
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #isStopped = false;

  /** `due` is called with what is due: never before its moment. */
  constructor(clock: Clock, due: (ids: readonly string[]) => void) {
    this.#clock = clock;
    this.#due = due;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(id: string, atMs: number): void {
    const heap = this.#heap;
    heap.push({ atMs, id });
    for (let at = heap.length - 1; at > 0; ) {
      const above = (at - 1) >> 1;
      if (!this.#swapIfLess(at, above)) break;
      at = above;
    }
    this.#arm();
  }

  /** Takes out those that do not hold any more. */
  keep(holds: (id: string, atMs: number) => boolean): void {
    const kept = this.#heap.filter(({ id, atMs }) => holds(id, atMs));
    // Sorted, it is a heap.
    this.#heap = kept.sort((a, b) => a.atMs - b.atMs);
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    const first = this.#heap[0];
    if (this.#isStopped || first === undefined || first.atMs >= this.#timerAtMs) return;
    this.#timer?.cancel();
    this.#timerAtMs = first.atMs;
    this.#timer = this.#clock.setTimer(new Date(first.atMs), () => this.#fire());
  }

  #fire(): void {
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.now().getTime();
    const ids: string[] = [];
    while (ids.length < AT_ONCE && (this.#heap[0]?.atMs ?? Number.POSITIVE_INFINITY) <= nowMs) {
      ids.push(this.#take());
    }
    if (ids.length > 0) this.#due(ids);
    this.#arm();
  }

  #take(): string {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) throw new TypeError("nothing is due");
    if (heap.length > 0) {
      heap[0] = last;
      for (let at = 0; ; ) {
        const left = 2 * at + 1;
        const right = left + 1;
        const less = right < heap.length && this.#atMs(right) < this.#atMs(left) ? right : left;
        if (less >= heap.length || !this.#swapIfLess(less, at)) break;
        at = less;
      }
    }
    return first.id;
  }

  #atMs(index: number): number {
    return this.#heap[index]?.atMs ?? Number.POSITIVE_INFINITY;
  }

  #swapIfLess(below: number, above: number): boolean {
    const one = this.#heap[below];
    const other = this.#heap[above];
    if (one === undefined || other === undefined || one.atMs >= other.atMs) return false;
    this.#heap[below] = other;
    this.#heap[above] = one;
    return true;
  }
}
