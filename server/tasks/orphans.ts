// Tasks that were opened and whose answer never arrived: the server has them as held by a node agent that knows
// nothing of them. A node agent says which tasks it holds, and those ended that it does not hold; but for any that
// are being opened meanwhile. So it asks for a mark first, waits until each opening that was under way then is
// over, and names the mark with what it holds: what began here after the mark is left alone, whatever clocks
// say and however late the question arrives. What may be asked for once more with its idempotency key has a
// minute for that.
import { randomBytes } from "node:crypto";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { serverError } from "../errors.ts";
import { isOpen, type TaskRecord } from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import type { Changes } from "./change.ts";

export interface OrphansOptions {
  readonly store: Pick<TaskStore, "ofNode" | "get">;
  readonly changes: Pick<Changes, "endAll">;
  /** A task with its last sign of life. */
  readonly withActivity: (task: TaskRecord) => TaskRecord;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What became of the tasks of a node agent. */
export interface OrphansLeft {
  readonly mark: string;
  readonly open: number;
  readonly left: number;
}

/** Longer than callers try for. */
const GRACE_MS = 60_000;
const REASON = "its node agent does not hold it: its opening was not answered";

export class Orphans {
  readonly #options: OrphansOptions;
  /** Marks of another run of the server mean nothing. */
  readonly #run = randomBytes(9).toString("base64url");
  /** Openings so far; which of them was a task's last. Tasks of an earlier run have none. */
  #openings = 0;
  readonly #lastOf = new Map<string, number>();

  constructor(options: OrphansOptions) {
    this.#options = options;
  }

  /** A task is about to be opened, claimed, or answered once more: before anybody can see that. */
  note(id: string): void {
    this.#openings += 1;
    this.#lastOf.set(id, this.#openings);
  }

  /** A task is over, or never was. */
  forget(id: string): void {
    this.#lastOf.delete(id);
  }

  /** @throws TASK_REQUEST_INVALID for a mark of an earlier run */
  async end(nodeAgent: string, mark: string, heldIds: Iterable<string>): Promise<OrphansLeft> {
    const { store, changes, clock, log } = this.#options;
    const next = `${this.#run}.${this.#openings}`;
    const open = [...store.ofNode(nodeAgent)];
    if (mark === "") return { mark: next, open: open.length, left: 0 };
    const upTo = this.#numberOf(mark);
    const held = new Set(heldIds);
    const nowMs = clock.now().getTime();
    const over: string[] = [];
    let left = 0;
    for (const id of open) {
      const task = store.get(id);
      if (held.has(id) || task === undefined || !isOpen(task) || task.state !== "ACTIVE") continue;
      const { lastActiveMs } = this.#options.withActivity(task);
      const isYoung = Math.abs(nowMs - lastActiveMs) < GRACE_MS;
      if (isYoung || (this.#lastOf.get(id) ?? 0) > upTo) left += 1;
      else over.push(id);
    }
    if (over.length > 0) {
      const count = await changes.endAll(over, { by: "server", nodeAgent }, "ABANDONED", REASON);
      log.info({ agent_id: nodeAgent, count }, "tasks that nobody holds ended");
    }
    return { mark: next, open: open.length, left };
  }

  #numberOf(mark: string): number {
    const [run, number = ""] = mark.split(".");
    if (run === this.#run && /^\d{1,15}$/.test(number)) return Number(number);
    throw serverError("TASK_REQUEST_INVALID", "the mark is none of this run of the server", {
      hint: "ask for another",
    });
  }
}
