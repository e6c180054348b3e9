// What is told of an attempt to get more than was granted, and the event that it becomes.
import { formatTaskId, isUlid, ulidIn } from "../../pki/task-id.ts";
import type { AuditEvent, ObservedBy } from "../audit/event.ts";
import type { KnownTask } from "../store/task-record.ts";
import { ESCALATION_KINDS, type EscalationKind, type Reaction } from "./escalation-kinds.ts";

/** Types of events of the stream "escalation" are this and the kind. */
export const TYPE_PREFIX = "escalation.";
const MAX_DETAIL_LENGTH = 500;

/** One attempt. */
export interface EscalationReport {
  readonly kind: EscalationKind;
  /** A ULID or a whole SPIFFE ID; left out when it is about no task yet. */
  readonly task?: string | undefined;
  /** SPIFFE ID of the AI agent whose attempt it is, as far as that is known: that of the task otherwise. */
  readonly agent?: string | undefined;
  /** What was asked for, for people. Never a token or a key. */
  readonly detail?: Readonly<Record<string, string>> | undefined;
  /** Who saw it, and the node agent that says so for somebody else. Left out: this server. */
  readonly observer?:
    | { readonly by: ObservedBy; readonly spiffeId: string; readonly node?: string | undefined }
    | undefined;
}

/** What a report is about, as far as it is known here. */
export interface About {
  /** SPIFFE ID of the AI agent whose attempt it is; "" when nobody knows. */
  readonly agent: string;
  /** SPIFFE ID of the task; "" when it is about none. */
  readonly task: string;
  readonly known: KnownTask | undefined;
}

/** What a report is about. `known` is what memory has of its task. */
export function aboutOf(
  {
    agent = "",
    task = "",
    kind,
  }: Omit<EscalationReport, "kind"> & { readonly kind?: EscalationKind },
  known: KnownTask | undefined,
): About {
  const owner = known?.agentId ?? agentOfTask(task);
  // Whoever wanted somebody else's task, it was not its owner.
  const suspect = kind === "not-owner" || kind === "node-mismatch" ? "" : owner;
  return { agent: agent === "" ? suspect : agent, task: wholeId(task, owner), known };
}

/** The event of an attempt, and of what was done about it. */
export function eventOf(
  { kind, detail = {}, observer }: EscalationReport,
  { agent, task }: About,
  done: { readonly reaction: Reaction; readonly changed: number; readonly failed: number },
): AuditEvent {
  const told = Object.entries(detail).map(([name, value]) => [name, shortened(value)]);
  return {
    stream: "escalation",
    type: TYPE_PREFIX + kind,
    outcome: "denied",
    observedBy: observer?.by,
    observer: observer?.spiffeId,
    agent: agent === "" ? undefined : agent,
    task: task === "" ? undefined : task,
    reason: kind,
    detail: {
      ...Object.fromEntries(told),
      kind,
      severity: ESCALATION_KINDS[kind].severity,
      reaction: done.reaction,
      ...(done.changed > 1 ? { tasks: String(done.changed) } : {}),
      ...(done.failed > 0 ? { not_reached: String(done.failed) } : {}),
    },
  };
}

/** The AI agent in the SPIFFE ID of a task; "" when it is none. */
function agentOfTask(task: string): string {
  const at = task.lastIndexOf("/task/");
  return at > 0 && isUlid(ulidIn(task)) ? task.slice(0, at) : "";
}

function wholeId(task: string, owner: string): string {
  return task === "" || task.includes("/") || owner === "" ? task : formatTaskId(owner, task);
}

function shortened(value: string): string {
  return value.length > MAX_DETAIL_LENGTH ? `${value.slice(0, MAX_DETAIL_LENGTH)}...` : value;
}
