// The events of tasks in the audit log: one for each change, written to the disk before its answer leaves.
// What people write (purposes, reasons) may hold a secret by mistake: it is taken out here.
import { formatTaskId } from "../../pki/task-id.ts";
import { type AuditEvent, withoutSecrets } from "../audit/event.ts";
import type { AuditSink } from "../audit/log.ts";
import { mandateToJson } from "../store/mandate-json.ts";
import type { TaskRecord } from "../store/task-record.ts";

/** What happened to a task. */
export type TaskEventType =
  | "opened"
  | "created"
  | "claimed"
  | "narrowed"
  | "parked"
  | "resumed"
  | "suspended"
  | "unsuspended"
  | "bound"
  | "ended";

/** Mandates beyond are named by their hash alone. */
const MAX_MANDATE = 1500;

/** Writes what happened; resolves when it is on the disk. @throws AUDIT_UNWRITABLE */
export async function recordEvent(
  audit: AuditSink,
  type: TaskEventType,
  task: TaskRecord,
  by: string,
): Promise<void> {
  await audit.append(withoutSecrets(eventOf(type, task, by)), { durable: true });
}

/** The end of a task that is told of late, with the time at which it was. */
export function endedEvent(task: TaskRecord, by: string): AuditEvent {
  return { ...withoutSecrets(eventOf("ended", task, by)), time: new Date(task.endedAtMs) };
}

function eventOf(type: TaskEventType, task: TaskRecord, by: string): AuditEvent {
  const { agentId, id, root, parent, principal, assurance } = task;
  return {
    stream: "task",
    type: `task.${type}`,
    outcome: "ok",
    agent: agentId,
    task: formatTaskId(agentId, id),
    root,
    ...(parent !== "" && { parent }),
    principal,
    assurance,
    detail: {
      by,
      state: task.state,
      ...(task.stateReason !== "" && { why: task.stateReason }),
      ...detailOf(type, task),
    },
  };
}

function detailOf(type: TaskEventType, task: TaskRecord): Record<string, string> {
  switch (type) {
    case "opened":
    case "created":
    case "claimed":
      return {
        task_class: task.taskClass,
        purpose: task.purpose,
        ...(task.intent !== "" && { intent: task.intent }),
        owner: task.owner,
        ...(task.nodeAgent !== "" && { node_agent: task.nodeAgent }),
        ...(task.host !== "" && { host: task.host }),
        expires_at: new Date(task.expiresAtMs).toISOString(),
        status: `${task.status.list}/${task.status.index}`,
        ...(task.keyThumbprint !== "" && { key_thumbprint: task.keyThumbprint }),
        ...bindingOf(task),
        ...grantOf(task),
      };
    case "narrowed":
    case "resumed":
      return grantOf(task);
    case "bound":
      return bindingOf(task);
    case "ended":
      return task.summaryDigest === "" ? {} : { summary_digest: task.summaryDigest };
    default:
      return {};
  }
}

function bindingOf({ binding }: TaskRecord): Record<string, string> {
  if (binding === undefined) return {};
  return { pid: String(binding.pid), uid: String(binding.uid) };
}

function grantOf({ grantHash, mandate }: TaskRecord): Record<string, string> {
  const text = JSON.stringify(mandateToJson(mandate));
  return { grant_hash: grantHash, ...(text.length <= MAX_MANDATE && { mandate: text }) };
}
