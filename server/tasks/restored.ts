// What becomes of tasks when the store was put back from a copy: which of those that are open in it have
// ended since, nobody knows, so all of them end, and those that were opened since, which the audit log
// knows of, are refused like them. Revocation does not go back in time. Whether the store is a copy:
// server/main/restored.ts.
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import type { Logger } from "../../runtime/log.ts";
import type { AuditLog } from "../audit/log.ts";
import { type LoggedEvent, parseLine, QueryReader } from "../audit/query.ts";
import { formatPosition, type StoreEpoch } from "../store/epoch.ts";
import { type EndedTask, GRACE_SECONDS } from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import type { Tasks } from "./tasks.ts";

const REASON = "restored from a backup";
const OPENINGS: readonly string[] = ["task.opened", "task.created", "task.claimed"];

export interface RestoredOptions {
  readonly epoch: StoreEpoch;
  readonly tasks: Pick<Tasks, "endAll">;
  readonly store: TaskStore;
  readonly audit: AuditLog;
  readonly now: () => Date;
  readonly log: Logger;
}

/**
 * Ends what is uncertain, if the store is a copy and that has not been done yet. A server that is killed
 * meanwhile goes on with it at its next start. @throws AUDIT_UNWRITABLE
 */
export async function endUncertainTasks(options: RestoredOptions): Promise<void> {
  const { epoch, tasks, store, audit, now, log } = options;
  if (!epoch.isPending) return;
  const open = store.size;
  const forgotten = await tasksSince(audit.folder, store, now());
  await audit.append(
    {
      stream: "admin",
      type: "store.restored",
      outcome: "failed",
      detail: {
        why: epoch.why,
        copy: formatPosition({ epoch: epoch.epoch, revision: epoch.fromRevision }),
        open_tasks: String(open),
        tasks_since: String(forgotten.length),
      },
    },
    { durable: true },
  );
  await store.addEnded(forgotten);
  await tasks.endAll("REVOKED", REASON, "server");
  await epoch.end();
  log.warn(
    { ended: open, opened_since: forgotten.length, why: epoch.why },
    "a backup was restored: every task that was open has ended",
  );
}

/** Tasks that the log knows of and the store does not, and whose credentials may not have expired. */
async function tasksSince(folder: string, store: TaskStore, now: Date): Promise<EndedTask[]> {
  const found = new Map<string, EndedTask>();
  const reader = new QueryReader(folder, { streams: ["task"] });
  try {
    for await (const line of reader.read()) {
      const task = endedFrom(parseLine(line), now);
      if (task === undefined || store.get(task.id) !== undefined) continue;
      if (await store.hasEnded(task.id)) continue;
      found.set(task.id, task);
    }
  } finally {
    await reader.close();
  }
  return [...found.values()];
}

/** What verifiers need of a task, from the event of its opening; undefined when it is over, or no opening. */
function endedFrom(
  { type, observed_by, task, detail = {} }: LoggedEvent,
  now: Date,
): EndedTask | undefined {
  if (observed_by !== "issuer" || task === undefined || !OPENINGS.includes(type)) return undefined;
  const expiresAtMs = Date.parse(detail["expires_at"] ?? "");
  const [, list, index] = /^([\w-]{1,60})\/(\d{1,7})$/.exec(detail["status"] ?? "") ?? [];
  if (list === undefined || !(expiresAtMs > now.getTime())) return undefined;
  const parsed = parseTaskId(SpiffeId.parse(task));
  if (parsed === undefined) return undefined;
  return {
    id: parsed.ulid,
    agentId: parsed.agent,
    taskClass: detail["task_class"] ?? "",
    state: "REVOKED",
    nodeAgent: detail["node_agent"] ?? "",
    reason: REASON,
    endedAtMs: now.getTime(),
    version: 2,
    status: { list, index: Number(index) },
    idempotency: "",
    forgetAtUnixSeconds: Math.ceil(expiresAtMs / 1000) + GRACE_SECONDS,
  };
}
