// What an event of a task says in a glance: when since the beginning, what, how it went, and what matters of
// it, a line that fits a terminal. All of it: formatEvent, JSON.
import type { LoggedEvent } from "../server/audit/query.ts";
import { formatMoment } from "./output.ts";

/** The columns of a line. */
export type Brief = readonly [since: string, type: string, outcome: string, about: string];

/** `since` is when the first event of all was seen. */
export function briefEvent(event: LoggedEvent, since: number): Brief {
  const { time, type, outcome } = event;
  const about = aboutOf(event).filter((word): word is string => Boolean(word));
  if (event.observed_by === "agent") about.push("(the agent's own word)");
  return [elapsed(Date.parse(time) - since), type, outcome, about.join("  ")];
}

function aboutOf(event: LoggedEvent): readonly (string | undefined)[] {
  const { stream, task, action, resource, destination, reason, credential, detail = {} } = event;
  switch (stream) {
    case "identity": {
      const { expires } = detail;
      const until = expires === undefined ? "" : `until ${formatMoment(Number(expires))}`;
      return [reason, until, resource === task ? "" : resource];
    }
    case "task":
      return [...taskWords(event), reason];
    default:
      return [action, reason, credential?.kind, destination];
  }
}

function taskWords({ type, agent, principal, detail = {} }: LoggedEvent): (string | undefined)[] {
  const { state, why, purpose, task_class, pid, mandate } = detail;
  const became = state?.toLowerCase();
  switch (type) {
    case "task.opened":
    case "task.created":
    case "task.claimed":
      return [
        task_class,
        purpose && JSON.stringify(purpose),
        principal !== undefined && principal !== agent ? `for ${principal}` : "",
      ];
    case "task.bound":
      return [pid && `process ${pid}`];
    case "task.narrowed":
      return [mandate && narrowedTo(mandate)];
    default:
      return [[became, why].filter(Boolean).join(": ")];
  }
}

/** The actions that are left, and where. */
function narrowedTo(mandate: string): string {
  const { actions, locations } = JSON.parse(mandate) as Record<string, unknown>;
  const words = (set: unknown): string => (Array.isArray(set) ? set.join(", ") || "none" : "any");
  return `to ${words(actions)} at ${words(locations)}`;
}

/** "+0.012s", "+1m05s", "+2h03m". */
function elapsed(ms: number): string {
  if (ms < 60_000) return `+${(ms / 1000).toFixed(3)}s`;
  const two = (count: number): string => String(Math.floor(count)).padStart(2, "0");
  const seconds = ms / 1000;
  if (seconds < 3600) return `+${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  return `+${Math.floor(seconds / 3600)}h${two((seconds % 3600) / 60)}m`;
}
