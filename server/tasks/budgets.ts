// Lends uses of tasks' budgets to node agents. What is lent is in the store before the answer leaves, in the
// same commit as the task's own record: a task that ends or is narrowed meanwhile makes the decision anew.
// What counts as lent: policy/budgets.ts. How node agents spend blocks: agent/guard/use-blocks.ts.
import { EMPTY_BOOK, type Lease, lend, type UseBook } from "../../policy/budgets.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { serverError } from "../errors.ts";
import type { OrderedLog } from "../store/log.ts";
import type { ReplicaChange } from "../store/replica.ts";
import { isOpen, type KnownTask } from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import { requireStep } from "./states.ts";

export interface BudgetsOptions {
  readonly store: TaskStore;
  readonly log: OrderedLog;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Uses that were lent, and what can still be. */
export interface LentUses {
  readonly lent: number;
  readonly left: number;
}

/** As many at once as no tool needs. */
const MAX_USES_AT_ONCE = 10_000;
const PREFIX = "task-uses/";
const LEASE_ID = /^[A-Za-z0-9_-]{16,64}$/;
const PAGE = 1000;

export class Budgets {
  readonly #options: BudgetsOptions;
  readonly #pending = new Set<Promise<void>>();

  constructor(options: BudgetsOptions) {
    this.#options = options;
  }

  /**
   * Lends uses to a node agent, fewer than asked for when fewer are left. `leaseId` is random: a call that
   * is made again with it is answered as before.
   * @throws TASK_NOT_FOUND, TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, TASK_REQUEST_INVALID
   */
  async lease(
    taskId: string,
    count: number | bigint,
    leaseId: string,
    nodeAgent: string,
  ): Promise<LentUses> {
    if (!LEASE_ID.test(leaseId)) throw invalid("lease_id is not 16 to 64 letters, digits, - and _");
    if (!(count >= 1 && count <= MAX_USES_AT_ONCE)) {
      throw invalid(`count is not within 1 and ${MAX_USES_AT_ONCE}`);
    }
    const { store, clock } = this.#options;
    const asked = { id: leaseId, borrower: nodeAgent, count: Number(count) };
    return store.transact(async (tasks) => {
      const { transaction } = tasks;
      await transaction.load([keyOf(taskId)]);
      const found = await tasks.get(taskId);
      if (found === undefined) throw serverError("TASK_NOT_FOUND", `there is no task ${taskId}`);
      const now = clock.now();
      const task = requireStep(found, "use", now);
      const before = decode(taskId, transaction.peek(keyOf(taskId)), task.usesTaken);
      const { book, lent, left } = lend(before, asked, task.mandate.uses, now);
      if (book !== before) {
        transaction.put(keyOf(taskId), Buffer.from(JSON.stringify(book.leases)));
        tasks.put({ ...task, usesTaken: book.taken });
      }
      return { lent, left };
    });
  }

  /** Hears of every change of the tasks: leases of one that has ended are of no use. */
  readonly changed = (changes: readonly ReplicaChange<KnownTask>[]): void => {
    const over = changes.filter(
      ({ before, after }) =>
        before !== undefined &&
        isOpen(before) &&
        before.usesTaken > 0 &&
        !(after !== undefined && isOpen(after)),
    );
    if (over.length === 0) return;
    const dropped = this.#drop(over.map(({ id }) => keyOf(id)));
    this.#pending.add(dropped);
    void dropped.finally(() => this.#pending.delete(dropped)); // never rejects
  };

  /** Takes away what a crash left of tasks that ended. */
  async sweep(): Promise<void> {
    const { store, log } = this.#options;
    for (let after: string | undefined; ; ) {
      const page = await log.list(PREFIX, {
        limit: PAGE,
        ...(after === undefined ? {} : { after }),
      });
      const over = page.records.filter(({ key }) => {
        const task = store.get(key.slice(PREFIX.length));
        return task === undefined || !isOpen(task);
      });
      if (over.length > 0) await this.#drop(over.map(({ key }) => key));
      if (page.next === undefined) return;
      after = page.next;
    }
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled(this.#pending);
  }

  async #drop(keys: readonly string[]): Promise<void> {
    try {
      await this.#options.log.commit({ deletes: keys });
    } catch (error) {
      this.#options.logger.warn(
        { error },
        "leases of ended tasks stay in the store until a restart",
      );
    }
  }
}

function keyOf(taskId: string): string {
  return PREFIX + taskId;
}

/** What is taken stands in the task's record; without it leases are worth nothing. */
function decode(taskId: string, value: Uint8Array | undefined, taken: number): UseBook {
  if (value === undefined) return { ...EMPTY_BOOK, taken };
  try {
    return { taken, leases: JSON.parse(Buffer.from(value).toString("utf8")) as readonly Lease[] };
  } catch (cause) {
    throw serverError("STORE_CORRUPT", `the leases of task ${taskId} cannot be read`, {
      hint: "restore the store from a backup",
      cause,
    });
  }
}

function invalid(why: string): Error {
  return serverError("TASK_REQUEST_INVALID", `LeaseUses: ${why}`);
}
