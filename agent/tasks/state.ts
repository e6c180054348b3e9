// States of tasks by name, and what is said of a task that is not to be used.

import { type IdentityError, pkiError } from "../../pki/errors.ts";
import { withDetail } from "../../proto/rpc/status.ts";
import { TaskState } from "../../proto/schema.gen.ts";

const NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(TaskState).map(([name, number]) => [number, name]),
);

/** The number of a state by its name; undefined when there is none. */
export function stateNumber(name: string): number | undefined {
  return (TaskState as Readonly<Record<string, number>>)[name];
}

export function stateName(state: number): string {
  return NAMES.get(state) ?? String(state);
}

/** The error for a task that is over. Programs read how and why from its detail. */
export function ended(taskId: string, state: string, reason = ""): IdentityError {
  const why = reason === "" ? "" : `: ${reason}`;
  const error = pkiError("TASK_ENDED", `task ${taskId} has ended: ${state}${why}`, {
    hint: "open a new task",
  });
  const about = { id: taskId, state: stateNumber(state) ?? 0, stateReason: reason };
  return withDetail(error, "signet.task.v1.Task", about);
}

/** The error for a task that is not to be used now. */
export function refused(taskId: string, state: string): IdentityError {
  if (state === "PARKED") {
    return pkiError("TASK_PARKED", `task ${taskId} is parked`, { hint: "resume it first" });
  }
  return pkiError("TASK_SUSPENDED", `task ${taskId} is suspended`, {
    hint: "wait until it is let go on, or ask whoever suspended it",
  });
}
