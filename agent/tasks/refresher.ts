// Asks the server how tasks stand that this node agent holds: after a restart, when the link is back, and when
// something about one has changed. What is asked within one turn goes in one call.

import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { HeldTask } from "./held-task.ts";
import type { Task, TaskServer } from "./server.ts";

export interface RefresherOptions {
  readonly server: Pick<TaskServer, "held">;
  readonly get: (taskId: string) => HeldTask | undefined;
  readonly learn: (held: HeldTask, task: Task) => void;
  /** The server does not know it as one of ours that goes on. */
  readonly lost: (held: HeldTask) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

const BATCH_SIZE = 500;
const RETRY_MS = 5000;
/** A task this young may not have reached the server that was asked. */
const YOUNG_MS = 10_000;
/** How often that is believed: by a clock that is behind, a task stays young for long. */
const MAX_MISSES = 3;

export class Refresher {
  readonly #options: RefresherOptions;
  readonly #wanted = new Set<string>();
  /** To be asked for again after a while. */
  readonly #waiting = new Set<string>();
  /** Of young tasks, how often the server did not know them. */
  readonly #misses = new Map<string, number>();
  #isAsking = false;
  #timer: Timer | undefined;
  #stopped = false;

  constructor(options: RefresherOptions) {
    this.#options = options;
  }

  /** Asks for these soon. */
  readonly refresh = (taskIds: Iterable<string>): void => {
    for (const taskId of taskIds) this.#wanted.add(taskId);
    if (this.#isAsking || this.#wanted.size === 0 || this.#stopped) return;
    this.#isAsking = true;
    setImmediate(() => void this.#ask()); // never rejects
  };

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#wanted.clear();
  }

  async #ask(): Promise<void> {
    const { server, get, learn, log } = this.#options;
    while (this.#wanted.size > 0 && !this.#stopped) {
      const taskIds = [...this.#wanted].slice(0, BATCH_SIZE);
      for (const taskId of taskIds) this.#wanted.delete(taskId);
      try {
        const tasks = new Map((await server.held(taskIds)).map((task) => [task.id, task]));
        for (const taskId of taskIds) {
          const held = get(taskId);
          const task = tasks.get(taskId);
          const misses = (this.#misses.get(taskId) ?? 0) + 1;
          this.#misses.delete(taskId);
          if (held === undefined || this.#stopped) continue;
          if (task !== undefined) learn(held, task);
          else if (this.#isYoung(held) && misses < MAX_MISSES) {
            this.#misses.set(taskId, misses);
            this.#later([taskId]);
          } else this.#lose(held);
        }
      } catch (error) {
        log.debug({ error }, "could not ask the server for tasks");
        this.#later(taskIds);
        break;
      }
    }
    this.#isAsking = false;
  }

  #lose(held: HeldTask): void {
    this.#options.log.warn({ task_id: held.id }, "the server knows a task as ended");
    this.#options.lost(held);
  }

  #isYoung({ task }: HeldTask): boolean {
    const openedMs = task?.openedAtMs ?? 0;
    return this.#options.clock.now().getTime() - openedMs < YOUNG_MS;
  }

  #later(taskIds: readonly string[]): void {
    for (const taskId of taskIds) this.#waiting.add(taskId);
    this.#timer ??= this.#options.clock.setTimer(RETRY_MS, () => {
      this.#timer = undefined;
      const again = [...this.#waiting];
      this.#waiting.clear();
      this.refresh(again);
    });
  }
}
