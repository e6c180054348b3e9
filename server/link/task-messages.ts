// What the link says of tasks: to every node agent those that are to be refused, or not any more; to the one
// that holds a task also each version of it that goes on. And the rules of classes, for guards.
import { isDeepStrictEqual } from "node:util";
import { formatTaskId } from "../../pki/task-id.ts";
import type { Init } from "../../proto/codec.ts";
import { type signet, TaskVerdict } from "../../proto/schema.gen.ts";
import type { ReplicaChange } from "../store/replica.ts";
import type { TaskClassRecord } from "../store/task-classes.ts";
import { GRACE_SECONDS, isEnded, isOpen, type KnownTask } from "../store/task-record.ts";
import { toldReason } from "../tasks/states.ts";

export type TaskStatus = Init<signet.link.v1.TaskStatus>;
export type TaskClassRules = Init<signet.link.v1.TaskClassRules>;

/** What verifiers must know of a task, as it is now. */
export function taskStatusOf(task: KnownTask): TaskStatus {
  return {
    taskId: task.id,
    spiffeId: formatTaskId(task.agentId, task.id),
    verdict: verdictOf(task),
    version: task.version,
    forgetAt: isEnded(task)
      ? task.forgetAtUnixSeconds
      : Math.ceil(task.expiresAtMs / 1000) + GRACE_SECONDS,
    state: task.state,
    reason: isEnded(task) ? task.reason : toldReason(task.stateReason),
  };
}

export function taskClassRulesOf(taskClass: TaskClassRecord): TaskClassRules {
  const { name, failMode, requirePop } = taskClass;
  return { name, failMode, requirePop };
}

/** Whom a change of a task concerns: nobody, its node agent and those that asked about it, or every verifier. */
export function audienceOf({
  before,
  after,
}: ReplicaChange<KnownTask>): "nobody" | "holder" | "everyone" {
  // Its credentials have expired: node agents have forgotten it by themselves.
  if (after === undefined) return "nobody";
  const now = verdictOf(after);
  if (now !== TaskVerdict.GOOD) return before?.version === after.version ? "nobody" : "everyone";
  // The answer to whoever opened or claimed it has said so.
  if (before === undefined || before.nodeAgent === "") return "nobody";
  if (verdictOf(before) !== TaskVerdict.GOOD) return "everyone";
  const isTold = before.version === after.version || isOnlyBound(before, after);
  return isTold ? "nobody" : "holder";
}

/** Another process is bound to it, and that is all: the node agent that says so has it in the answer. */
function isOnlyBound(before: KnownTask, after: KnownTask): boolean {
  if (!isOpen(before) || !isOpen(after)) return false;
  const { binding, version } = after;
  if (isDeepStrictEqual(before.binding, binding)) return false;
  return isDeepStrictEqual({ ...before, binding, version }, after);
}

function verdictOf(task: KnownTask): signet.link.v1.TaskVerdict {
  if (!isOpen(task)) return TaskVerdict.ENDED;
  return task.state === "PARKED" || task.state === "SUSPENDED"
    ? TaskVerdict.REFUSED
    : TaskVerdict.GOOD;
}
