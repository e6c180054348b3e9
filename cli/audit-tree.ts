// `signet audit tree TASK`: everything that happened in a task and in those that came from it, across
// the streams, as a tree.
import type { LoggedEvent } from "../server/audit/query.ts";
import { eachEvent, formatEvent, SOURCE } from "./audit-events.ts";
import type { Command } from "./command.ts";
import { cliError } from "./errors.ts";
import { misuse } from "./flags.ts";

export const command: Command = {
  description:
    "Prints what happened in a task and in the tasks that came from it, across all streams. Nothing is verified: see 'signet audit verify'.",
  args: "<task>",
  flags: [...SOURCE],
  examples: [["signet audit tree 01J8ZQ4V6W3Q5R7T9Y1B2C3D4E", "the task with this ULID"]],
  async run(input, output) {
    const [task] = input.args;
    if (task === undefined) throw misuse("the task is missing: its SPIFFE ID or its ULID");
    const wanted = { streams: [], task, tree: true, type: "", last: 0, follow: false };
    const events: LoggedEvent[] = [];
    await eachEvent(input, wanted, (event) => events.push(event));
    if (events.length === 0) {
      throw cliError("USAGE_INVALID", `no event is of the task ${JSON.stringify(task)}`, {
        hint: "see which there are: 'signet audit tail --stream task'",
      });
    }
    output.show({ events }, () => formatTree(events));
  },
};

/** A task, its events in their order, and the tasks that came from it. */
interface Branch {
  readonly task: string;
  readonly events: LoggedEvent[];
  readonly below: Branch[];
}

function formatTree(events: readonly LoggedEvent[]): string {
  const branches = new Map<string, Branch>();
  const tops: Branch[] = [];
  for (const event of events) {
    const { task = "", parent } = event;
    let branch = branches.get(task);
    if (branch === undefined) {
      branch = { task, events: [], below: [] };
      branches.set(task, branch);
      const above = [...branches.values()].find(
        (one) => parent !== undefined && isSame(one.task, parent),
      );
      (above === undefined || above === branch ? tops : above.below).push(branch);
    }
    branch.events.push(event);
  }
  return tops.flatMap((top) => lines(top, "")).join("\n");
}

function lines({ task, events, below }: Branch, indent: string): string[] {
  const rows = [`${indent}${task}`];
  const count = events.length + below.length;
  const isLast = (i: number): boolean => i === count - 1;
  for (const [i, event] of events.entries()) {
    rows.push(`${indent}${isLast(i) ? "└─" : "├─"} ${formatEvent(withoutTask(event))}`);
  }
  for (const [i, branch] of below.entries()) {
    const last = isLast(events.length + i);
    const [head = "", ...rest] = lines(branch, "");
    rows.push(`${indent}${last ? "└─" : "├─"} ${head}`);
    rows.push(...rest.map((row) => `${indent}${last ? "   " : "│  "}${row}`));
  }
  return rows;
}

/** The task stands above its events: it need not stand in each. */
function withoutTask(event: LoggedEvent): LoggedEvent {
  const { resource, ...rest } = event;
  return resource === undefined || resource === event.task ? (rest as LoggedEvent) : event;
}

function isSame(task: string, other: string): boolean {
  return task === other || task.endsWith(`/${other}`);
}
