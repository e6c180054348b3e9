// The events of calls that change something, in the stream `admin`: what the audit lines of the process's
// log say (server/api/audit.ts), as part of the log that can be verified.
import { IdentityError, Status } from "../../pki/errors.ts";
import type { AuditRecord } from "../../runtime/log.ts";
import { type AuditEvent, type AuditOutcome, withoutSecrets } from "./event.ts";

const MAX_DETAIL_LENGTH = 1000;
const DENIALS: readonly number[] = [Status.permissionDenied, Status.unauthenticated];

/** The event of a call; `error` is why it failed, if it did. */
export function adminEvent(record: AuditRecord, error: unknown): AuditEvent {
  const { who, method, object, outcome, ...more } = record;
  const detail: Record<string, string> = {};
  if (error === undefined && outcome !== "ok") detail["result"] = outcome;
  for (const [name, value] of Object.entries(more)) {
    const text = textOf(value);
    if (text !== "") detail[name.slice(0, 40)] = text.slice(0, MAX_DETAIL_LENGTH);
  }
  return withoutSecrets({
    stream: "admin",
    type: "admin.call",
    outcome: outcomeOf(outcome, error),
    principal: who,
    action: method,
    resource: object,
    ...(error !== undefined && { reason: outcome }),
    detail,
  });
}

function outcomeOf(outcome: string, error: unknown): AuditOutcome {
  if (error === undefined) return outcome === "ok" ? "ok" : "failed";
  return error instanceof IdentityError && DENIALS.includes(error.code) ? "denied" : "failed";
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(textOf).join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
