// Changes of tasks: each reads the task, decides and writes in one commit with preconditions, so that
// of two changes that cross one sees the other's outcome, and what has ended stays ended.
import { IdentityError } from "../../pki/errors.ts";
import { taskSpiffeId } from "../../pki/task-id.ts";
import { grant, type MandateRequest } from "../../policy/mandate-request.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { AuditSink } from "../audit/log.ts";
import { type EndState, isOpen, type TaskBinding, type TaskRecord } from "../store/task-record.ts";
import type { TaskStore, TaskTransaction } from "../store/tasks.ts";
import { notHeld, unknownTask } from "./credentials.ts";
import type { EscalationReport } from "./escalation-event.ts";
import { recordEvent, type TaskEventType } from "./events.ts";
import { grantHashOf } from "./grant-hash.ts";
import type { Actor, Ending } from "./orders.ts";
import { changed, ended, endOfTask, type OpenTask, requireStep, type Step } from "./states.ts";
import { checkDigest, checkReason } from "./terms.ts";

export interface ChangesOptions {
  readonly store: TaskStore;
  readonly audit: AuditSink;
  readonly report: (report: EscalationReport) => Promise<unknown>;
  readonly clock: Clock;
}

/** Of one end, how many tasks below it are ended side by side. */
const AT_ONCE = 200;

interface Change {
  readonly step: Step;
  readonly event: TaskEventType;
  readonly to: (task: OpenTask) => OpenTask;
  /** It is so already: answered without a change. */
  readonly isDone?: (task: TaskRecord) => boolean;
}

export class Changes {
  readonly #options: ChangesOptions;

  constructor(options: ChangesOptions) {
    this.#options = options;
  }

  narrow(id: string, actor: Actor, mandate: MandateRequest): Promise<TaskRecord> {
    return this.#change(id, actor, {
      step: "use",
      event: "narrowed",
      to: (task) => changed(task, narrowed(task, mandate)),
    });
  }

  park(id: string, actor: Actor, reason: string): Promise<TaskRecord> {
    checkReason(reason);
    return this.#change(id, actor, {
      step: "park",
      event: "parked",
      to: (task) => changed(task, { state: "PARKED", stateReason: reason }),
      isDone: ({ state }) => state === "PARKED",
    });
  }

  /** Lets a parked task go on, with what it had or less. */
  resume(id: string, actor: Actor, mandate: MandateRequest | undefined): Promise<TaskRecord> {
    return this.#change(id, actor, {
      step: "resume",
      event: "resumed",
      to: (task) =>
        changed(task, {
          ...(mandate !== undefined && narrowed(task, mandate)),
          state: "ACTIVE",
          stateReason: "",
        }),
      isDone: ({ state }) => state === "ACTIVE" && mandate === undefined,
    });
  }

  suspend(id: string, actor: Actor, reason: string): Promise<TaskRecord> {
    checkReason(reason);
    return this.#change(id, actor, {
      step: "suspend",
      event: "suspended",
      to: (task) => {
        if (task.state === "SUSPENDED") throw new TypeError("a suspended task is not suspended");
        return changed(task, {
          suspendedFrom: task.state,
          state: "SUSPENDED",
          stateReason: reason,
        });
      },
      isDone: ({ state }) => state === "SUSPENDED",
    });
  }

  unsuspend(id: string, actor: Actor, reason: string): Promise<TaskRecord> {
    checkReason(reason);
    return this.#change(id, actor, {
      step: "unsuspend",
      event: "unsuspended",
      to: (task) =>
        changed(task, {
          state: task.suspendedFrom === "" ? "ACTIVE" : task.suspendedFrom,
          suspendedFrom: "",
          stateReason: reason,
        }),
    });
  }

  /** Another process is bound to the task now, as its node agent says. */
  bind(id: string, actor: Actor, binding: TaskBinding): Promise<TaskRecord> {
    return this.#change(id, actor, {
      step: "use",
      event: "bound",
      to: (task) => changed(task, { binding }),
    });
  }

  /**
   * Ends a task and those that were handed on by it; the task itself is the first of the answer. To end
   * it once more as what it is already changes nothing.
   */
  async end(id: string, actor: Actor, ending: Ending): Promise<readonly TaskRecord[]> {
    checkReason(ending.reason);
    checkDigest(ending.summaryDigest ?? "");
    const { store, audit } = this.#options;
    const { task, isNew } = await store.transact(async (tasks) => {
      const known = await this.#heldBy(tasks, id, actor);
      if (!isOpen(known)) {
        const before = await store.find(id);
        if (before === undefined || before.state !== ending.state) throw ended(id, known.state);
        return { task: before, isNew: false };
      }
      const { task: after, rest } = endOfTask(known, ending, this.#options.clock.now());
      tasks.end(after, rest);
      return { task: after, isNew: true };
    });
    if (!isNew) return [task];
    // Those below end before anything else is waited for.
    const below = this.#endBelow(task, actor);
    const [more] = await Promise.all([below, recordEvent(audit, "ended", task, actor.by)]);
    return [task, ...more];
  }

  /**
   * Ends many, side by side; answers how many did not end before. Each is tried once.
   * @throws what stood in the way of one, once all were tried
   */
  async endAll(
    ids: Iterable<string>,
    actor: Actor,
    state: EndState,
    reason: string,
  ): Promise<number> {
    const all = [...ids];
    const failures: unknown[] = [];
    let count = 0;
    for (let at = 0; at < all.length; at += AT_ONCE) {
      const ends = all.slice(at, at + AT_ONCE).map(async (id) => {
        try {
          await this.end(id, actor, { state, reason });
          count++;
        } catch (error) {
          // It ended meanwhile, by itself or by somebody else.
          if (error instanceof IdentityError && error.reason === "TASK_ENDED") return;
          failures.push(error);
        }
      });
      await Promise.all(ends);
    }
    if (failures.length > 0) throw failures[0];
    return count;
  }

  async #endBelow({ id }: TaskRecord, actor: Actor): Promise<readonly TaskRecord[]> {
    const children = [...this.#options.store.childrenOf(id)];
    const ends = children.map(async (child) => {
      try {
        const reason = `task ${id}, which it came from, has ended`;
        return await this.end(child, { by: actor.by }, { state: "REVOKED", reason });
      } catch (error) {
        if (error instanceof IdentityError && error.reason === "TASK_ENDED") return [];
        throw error;
      }
    });
    return (await Promise.all(ends)).flat();
  }

  async #change(id: string, actor: Actor, change: Change): Promise<TaskRecord> {
    const { store, audit, clock, report } = this.#options;
    try {
      const { task, isNew } = await store.transact(async (tasks) => {
        const known = await this.#heldBy(tasks, id, actor);
        if (isOpen(known) && known.expiresAtMs > clock.now().getTime() && change.isDone?.(known)) {
          return { task: known, isNew: false };
        }
        const after = change.to(requireStep(known, change.step, clock.now()));
        tasks.put(after);
        return { task: after, isNew: true };
      });
      if (isNew) await recordEvent(audit, change.event, task, actor.by);
      return task;
    } catch (error) {
      if (error instanceof IdentityError && error.reason === "MANDATE_EXCEEDED") {
        const detail = { asked: error.message, event: change.event };
        await report({ kind: "mandate-exceeded", task: id, detail });
      }
      throw error;
    }
  }

  async #heldBy(
    tasks: TaskTransaction,
    id: string,
    { nodeAgent }: Actor,
  ): Promise<NonNullable<Awaited<ReturnType<TaskTransaction["get"]>>>> {
    const known = await tasks.get(id);
    if (known === undefined) {
      if (await this.#options.store.hasEnded(id)) throw ended(id, "some time ago");
      throw unknownTask(id);
    }
    if (nodeAgent !== undefined && known.nodeAgent !== nodeAgent) throw notHeld(id);
    return known;
  }
}

/** @throws MANDATE_EXCEEDED and what makes no sense of a mandate */
function narrowed(
  task: OpenTask,
  request: MandateRequest,
): Pick<TaskRecord, "mandate" | "grantHash"> {
  const mandate = grant(request, [{ name: "what the task has", mandate: task.mandate }]);
  const spiffeId = taskSpiffeId(task.agentId, task.id).toString();
  return { mandate, grantHash: grantHashOf(spiffeId, task.agentId, mandate, task.grantHash) };
}
