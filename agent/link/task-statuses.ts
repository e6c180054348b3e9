// Reads what the link says of tasks and their classes. A status that cannot be read is left out with a line
// in the log: it must not keep others, or entries and bundles, from being taken over.

import { SpiffeId } from "../../pki/spiffe-id.ts";
import { type signet, TaskVerdict as Wire } from "../../proto/schema.gen.ts";
import type { Logger } from "../../runtime/log.ts";
import type { TaskClassRules, TaskStatus, TaskVerdict } from "../cache/task-status.ts";
import { agentError } from "../errors.ts";
import { plainReason } from "../tasks/words.ts";

const VERDICTS: ReadonlyMap<number, TaskVerdict> = new Map([
  [Wire.GOOD, "good"],
  [Wire.REFUSED, "refused"],
  [Wire.ENDED, "ended"],
]);
const MAX_ID_LENGTH = 64;
const MAX_REASON = 200;
/** The last moment that a Date can hold. */
const LAST_UNIX_SECONDS = 8_640_000_000_000;

/** The statuses that can be read. */
export function readTaskStatuses(
  wires: readonly signet.link.v1.TaskStatus[],
  log: Logger,
): TaskStatus[] {
  return wires.flatMap((wire) => {
    try {
      return [readTaskStatus(wire)];
    } catch (error) {
      log.warn({ error }, "left out the status of a task that is malformed");
      return [];
    }
  });
}

function readTaskStatus(wire: signet.link.v1.TaskStatus): TaskStatus {
  const { taskId, version, forgetAt, state, reason } = wire;
  if (taskId === "" || taskId.length > MAX_ID_LENGTH) throw invalid("a status without a task");
  return {
    taskId,
    spiffeId: SpiffeId.parse(wire.spiffeId).toString(),
    // A verdict of a newer server: whatever it means, it is not "good".
    verdict: VERDICTS.get(wire.verdict) ?? "refused",
    version: Number(version),
    // Left out it would be refused by nobody; a moment that is none would never come.
    forgetAt: new Date(Math.max(0, Math.min(forgetAt, LAST_UNIX_SECONDS)) * 1000),
    state,
    reason: plainReason(reason).slice(0, MAX_REASON),
  };
}

/** The rules of classes: a fail mode that is not known is the strict one. */
export function readTaskClasses(wires: readonly signet.link.v1.TaskClassRules[]): TaskClassRules[] {
  return wires.map(({ name, failMode, requirePop }) => ({
    name,
    failMode: failMode === "ttl" ? "ttl" : "closed",
    requirePop,
  }));
}

function invalid(what: string): Error {
  return agentError("SERVER_ANSWER_INVALID", `the server sent ${what} on the link`);
}
