// Brings the ends of tasks to the server. None is lost: an end is in the journal before it is on its way, and
// leaves it when the server has answered; what cannot be told now is told when the link is back.

import { IdentityError, Status } from "../../pki/errors.ts";
import { type Backoff, backoff } from "../../runtime/backoff.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { SpooledEnd, TaskJournal } from "./journal.ts";
import type { Task, TaskServer } from "./server.ts";
import { stateNumber } from "./state.ts";

export interface EndsOptions {
  readonly server: TaskServer;
  readonly journal: TaskJournal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

const IN_FLIGHT = 32;
/** A connection that is half open takes longer to be noticed than whoever ends a task should wait. */
const ANSWER_MS = 3000;

/** What the server will say again: nothing is gained by asking once more. */
const FINAL: ReadonlySet<Status> = new Set([
  Status.invalidArgument,
  Status.notFound,
  Status.permissionDenied,
  Status.failedPrecondition,
  Status.unimplemented,
]);

export class Ends {
  readonly #options: EndsOptions;
  /** To be told, oldest first; who waits for the outcome of the first try. */
  readonly #queue = new Map<string, (task: Task | undefined) => void>();
  readonly #backoff: Backoff;
  #inFlight = 0;
  #retry: Timer | undefined;
  #stopped = false;

  constructor(options: EndsOptions) {
    this.#options = options;
    this.#backoff = backoff({ initialMs: 500, maxMs: 30_000 }, options.random);
  }

  /** How many the server does not know of. */
  get waiting(): number {
    return this.#options.journal.ends.size;
  }

  /** Tells the server of an end. Answers the task as it ended; undefined when the server cannot be told soon, or knows of no such task. */
  async send(end: SpooledEnd): Promise<Task | undefined> {
    const saved = this.#options.journal.end(end).catch((error: unknown) => {
      // It is told all the same, as long as this process lives.
      this.#options.log.error({ error, task_id: end.taskId }, "could not save the end of a task");
    });
    const told = new Promise<Task | undefined>((resolve) => {
      const late = this.#options.clock.setTimer(ANSWER_MS, () => resolve(undefined));
      this.#queue.set(end.taskId, (task) => {
        late.cancel();
        resolve(task);
      });
      this.#pump();
    });
    const [task] = await Promise.all([told, saved]);
    return task;
  }

  /** The server can be reached: tells it everything that it does not know. */
  resume(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#backoff.reset();
    for (const taskId of this.#options.journal.ends.keys()) {
      if (!this.#queue.has(taskId)) this.#queue.set(taskId, () => undefined);
    }
    this.#pump();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    for (const done of this.#queue.values()) done(undefined);
    this.#queue.clear();
  }

  #pump(): void {
    for (const [taskId, done] of this.#queue) {
      if (this.#stopped || this.#inFlight >= IN_FLIGHT) return;
      this.#queue.delete(taskId);
      const end = this.#options.journal.ends.get(taskId);
      if (end === undefined) {
        done(undefined);
        continue;
      }
      this.#inFlight += 1;
      // Never rejects.
      void this.#tell(end).then((task) => {
        this.#inFlight -= 1;
        done(task);
        this.#pump();
      });
    }
  }

  async #tell(end: SpooledEnd): Promise<Task | undefined> {
    const { journal, log } = this.#options;
    const { taskId } = end;
    let task: Task | undefined;
    try {
      task = await this.#change(end);
    } catch (error) {
      if (!(error instanceof IdentityError) || !FINAL.has(error.code)) {
        log.debug({ error, task_id: taskId }, "could not tell the server of the end of a task");
        await journal.sync().catch(() => undefined); // said where it was written
        this.#later();
        return undefined;
      }
      // It has ended already, or is nobody's here: there is nothing to tell.
      log.debug({ error, task_id: taskId }, "the server knows of no such task that goes on");
    }
    // The agent that comes next asks once more, and hears that it has ended.
    if (this.#stopped) return task;
    await journal.drop(taskId).catch((error: unknown) => {
      log.error({ error, task_id: taskId }, "could not save that the server knows of an end");
    });
    return task;
  }

  /** Ends it at the server. What is said besides is left out where the server does not take it. */
  async #change({ taskId, state, reason, summaryDigest }: SpooledEnd): Promise<Task> {
    const { server, log } = this.#options;
    const to = stateNumber(state) ?? 0;
    try {
      return await server.change({ taskId, to, reason, summaryDigest });
    } catch (error) {
      const isRefused = error instanceof IdentityError && error.code === Status.invalidArgument;
      if (!isRefused || (reason === "" && summaryDigest === "")) throw error;
      log.warn({ error, task_id: taskId }, "the server does not take what is said of an end");
      return server.change({ taskId, to });
    }
  }

  #later(): void {
    if (this.#stopped) return;
    this.#retry ??= this.#options.clock.setTimer(this.#backoff.next(), () => {
      this.#retry = undefined;
      for (const taskId of this.#options.journal.ends.keys()) {
        if (!this.#queue.has(taskId)) this.#queue.set(taskId, () => undefined);
      }
      this.#pump();
    });
  }
}
