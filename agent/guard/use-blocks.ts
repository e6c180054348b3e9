// Spends uses of tasks' budgets from blocks that the server lent to this node: a use costs no round trip as
// long as the block lasts, and the next block is asked for before it is empty. Everything here is in memory: what a
// restart forgets is forfeited, so that a budget may end early and is never overspent. The books: the
// server's server/tasks/budgets.ts.

import { randomBytes } from "node:crypto";
import { IdentityError, Status } from "../../pki/errors.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { UseSpender } from "./index.ts";
import { SpendMemory } from "./spend-memory.ts";

export interface UseBlocksOptions {
  /** Asks the server, once. */
  readonly lease: (
    request: signet.nodetask.v1.LeaseUsesRequest,
  ) => Promise<signet.nodetask.v1.LeaseUsesResponse>;
  readonly clock: Clock;
}

/** The most that is asked for ahead of need. */
const MAX_BLOCK = 64;
/** Of what is left a node takes no greater part ahead of need: others spend of it too. */
const SHARE = 8;
/** A block that is not touched for so long is forfeited with what else is known of its task. */
const IDLE_MS = 600_000;
/** The server knows a lease for ten minutes: later the question is a new one. */
const LEASE_MS = 300_000;
const MAX_TASKS = 20_000;

/** A question to the server that may have been answered without our hearing of it. */
interface Question {
  readonly leaseId: string;
  readonly count: number;
  readonly askedAtMs: number;
}

/** What this node has of one task's budget. */
class Block {
  readonly taskId: string;
  unspent = 0;
  /** What those who wait need, beside the block. */
  wanted = 0;
  /** Nothing is left at the server: mandates are never widened, so that this is for good. */
  isDrained = false;
  /** How many are asked for ahead of need; grows while the task goes on spending. */
  ahead = 0;
  open: Question | undefined;
  asking: Promise<void> | undefined;
  touchedAtMs: number;

  constructor(taskId: string, touchedAtMs: number) {
    this.taskId = taskId;
    this.touchedAtMs = touchedAtMs;
  }
}

export class UseBlocks implements UseSpender {
  readonly #options: UseBlocksOptions;
  readonly #memory: SpendMemory;
  /** The one that was touched last stands last. */
  readonly #blocks = new Map<string, Block>();

  constructor(options: UseBlocksOptions) {
    this.#options = options;
    this.#memory = new SpendMemory(options.clock);
  }

  /**
   * Takes uses off the budget; false when there are not enough. Sent again with the same ID within ten
   * minutes, it is answered as before. @throws what the server says: nothing is spent then
   */
  spend(taskId: string, count: number, spendId: string): Promise<boolean> {
    // With the count in its name, an ID of one use buys no thousand.
    return this.#memory.once(`${taskId} ${count} ${spendId}`, () =>
      this.#take(this.#blockOf(taskId), count),
    );
  }

  /** The task has ended: what is left of its block is forfeited. */
  forget(taskId: string): void {
    this.#blocks.delete(taskId);
  }

  async #take(block: Block, count: number): Promise<boolean> {
    block.wanted += count;
    try {
      // Each turn adds to the block, or finds the budget drained, or throws.
      while (block.unspent < count) {
        if (block.isDrained) return false;
        await this.#ask(block);
      }
      block.unspent -= count;
    } finally {
      block.wanted -= count;
    }
    if (block.unspent * 2 < block.ahead && !block.isDrained && block.asking === undefined) {
      // Ahead of need: whoever needs it asks again, and hears what is wrong.
      this.#ask(block).catch(() => undefined);
    }
    return true;
  }

  #ask(block: Block): Promise<void> {
    block.asking ??= this.#lease(block).finally(() => {
      block.asking = undefined;
    });
    return block.asking;
  }

  async #lease(block: Block): Promise<void> {
    const { lease, clock } = this.#options;
    const nowMs = clock.now().getTime();
    const asked = this.#questionOf(block, nowMs);
    block.open = asked;
    try {
      const { leaseId, count } = asked;
      const answer = await lease({ taskId: block.taskId, count, leaseId });
      const [lent, left] = [Number(answer.lent), Number(answer.left)];
      block.open = undefined;
      block.unspent += lent;
      block.isDrained = left === 0 || lent === 0;
      block.ahead = Math.min(MAX_BLOCK, Math.max(1, block.ahead * 2), Math.floor(left / SHARE));
    } catch (error) {
      // What the server refused was not lent. Otherwise it may have been: the same question finds it again.
      if (!isUncertain(error)) block.open = undefined;
      throw error;
    }
  }

  #questionOf(block: Block, nowMs: number): Question {
    const { open } = block;
    if (open !== undefined && Math.abs(nowMs - open.askedAtMs) < LEASE_MS) return open;
    const needed = Math.max(0, block.wanted - block.unspent);
    return {
      leaseId: randomBytes(16).toString("base64url"),
      count: Math.max(1, needed + block.ahead),
      askedAtMs: nowMs,
    };
  }

  #blockOf(taskId: string): Block {
    const nowMs = this.#options.clock.now().getTime();
    const known = this.#blocks.get(taskId);
    this.#blocks.delete(taskId);
    for (const [id, block] of this.#blocks) {
      const isIdle = Math.abs(nowMs - block.touchedAtMs) >= IDLE_MS;
      if (!isIdle && this.#blocks.size < MAX_TASKS) break;
      this.#blocks.delete(id);
    }
    const block = known ?? new Block(taskId, nowMs);
    block.touchedAtMs = nowMs;
    this.#blocks.set(taskId, block);
    return block;
  }
}

function isUncertain(error: unknown): boolean {
  if (!(error instanceof IdentityError)) return true;
  const sure: readonly Status[] = [
    Status.invalidArgument,
    Status.notFound,
    Status.permissionDenied,
    Status.failedPrecondition,
    Status.resourceExhausted,
  ];
  return !sure.includes(error.code);
}
