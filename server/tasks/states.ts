// Which state of a task follows which, and nothing else: pure. Terminal states never reopen. What
// comes with a change (credentials, events, who may make it): change.ts.
import { type IdentityError, pkiError } from "../../pki/errors.ts";
import { redactText } from "../../runtime/redact.ts";
import { serverError } from "../errors.ts";
import {
  type EndedTask,
  type EndState,
  GRACE_SECONDS,
  isOpen,
  type KnownTask,
  type OpenState,
  type TaskRecord,
} from "../store/task-record.ts";

/** What can be done to an open task, apart from ending it. */
export type Step = "claim" | "use" | "park" | "resume" | "suspend" | "unsuspend";

/** From which states; "use" is whatever needs the task to go on: credentials, narrowing. */
const FROM: Readonly<Record<Step, readonly OpenState[]>> = {
  claim: ["PENDING"],
  use: ["ACTIVE"],
  park: ["ACTIVE"],
  resume: ["PARKED"],
  suspend: ["PENDING", "ACTIVE", "PARKED"],
  unsuspend: ["SUSPENDED"],
};

export type OpenTask = TaskRecord & { readonly state: OpenState };

/**
 * The task, if the step is possible now. One whose time has come counts as ended, whether or not it was
 * noticed.
 * @throws TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, TASK_NOT_CLAIMED, TASK_STATE_WRONG
 */
export function requireStep(task: KnownTask, step: Step, now: Date): OpenTask {
  const open = requireOpen(task, now);
  if (FROM[step].includes(open.state)) return open;
  const named = `task ${open.id}`;
  if (step === "use" || step === "park" || step === "resume" || step === "claim") {
    if (open.state === "SUSPENDED") {
      throw pkiError("TASK_SUSPENDED", `${named} is suspended${because(open)}`, {
        hint: "wait until it is let go on, or ask whoever suspended it",
      });
    }
    if (open.state === "PENDING") {
      throw serverError("TASK_NOT_CLAIMED", `${named} was not claimed yet`, {
        hint: "claim it with claim_task_id first",
      });
    }
    if (open.state === "PARKED") {
      throw pkiError("TASK_PARKED", `${named} is parked`, { hint: "resume it first" });
    }
  }
  throw serverError("TASK_STATE_WRONG", `${named} is ${open.state}: ${step} is not possible`, {
    hint: `${step} needs a task that is ${FROM[step].join(" or ")}`,
  });
}

/** The task, if it has not ended. @throws TASK_ENDED */
export function requireOpen(task: KnownTask, now: Date): OpenTask {
  if (!isOpen(task)) throw ended(task.id, task.state);
  if (task.expiresAtMs <= now.getTime()) throw ended(task.id, "EXPIRED");
  return task;
}

export function ended(id: string, state: string): IdentityError {
  return pkiError("TASK_ENDED", `task ${id} has ended: ${state}`, {
    hint: "open a new task",
  });
}

const MAX_TOLD = 200;

/** A reason as every node hears it: no token or key that somebody pasted, and not long. */
export function toldReason(reason: string): string {
  return redactText(reason).slice(0, MAX_TOLD).toWellFormed();
}

function because({ stateReason }: TaskRecord): string {
  return stateReason === "" ? "" : `: ${stateReason}`;
}

/** A change within the open states. */
export function changed(
  task: OpenTask,
  change: Partial<Omit<TaskRecord, "id" | "version" | "state">> & { readonly state?: OpenState },
): OpenTask {
  return { ...task, ...change, version: task.version + 1 };
}

/** The task as it ends, and what is kept in memory of it. */
export function endOfTask(
  task: OpenTask,
  ending: {
    readonly state: EndState;
    readonly reason: string;
    readonly summaryDigest?: string | undefined;
  },
  now: Date,
): { readonly task: TaskRecord; readonly rest: EndedTask } {
  const version = task.version + 1;
  const endedAtMs = now.getTime();
  const { id, agentId, taskClass, nodeAgent, status, idempotency } = task;
  const { state, reason, summaryDigest = "" } = ending;
  const credentialsEndMs = Math.min(
    task.expiresAtMs,
    // A clock that was set back must not make verifiers forget what was issued before.
    Math.max(endedAtMs, task.lastActiveMs) + task.maxCredentialSeconds * 1000,
  );
  const forgetAtUnixSeconds = Math.ceil(credentialsEndMs / 1000) + GRACE_SECONDS;
  return {
    task: {
      ...task,
      state,
      stateReason: reason,
      endedAtMs,
      version,
      summaryDigest,
    },
    rest: {
      ...{ id, agentId, taskClass, state, nodeAgent, endedAtMs, version, status, idempotency },
      reason: toldReason(reason),
      forgetAtUnixSeconds: Math.max(forgetAtUnixSeconds, Math.ceil(endedAtMs / 1000)),
    },
  };
}
