// `signet audit tree TASK`: everything that happened in a task and in those that came from it, across
// the streams, as a tree.
import type { LoggedEvent } from "../server/audit/query.ts";
import { type Brief, briefEvent } from "./audit-brief.ts";
import { eachEvent, formatEvent, SOURCE } from "./audit-events.ts";
import type { Command } from "./command.ts";
import { cliError } from "./errors.ts";
import { misuse } from "./flags.ts";
import { formatDate, visible } from "./output.ts";

/** Where standard output is no terminal. */
const USUAL_COLUMNS = 120;
const FEWEST_COLUMNS = 60;

export const command: Command = {
  description:
    "Prints what happened in a task and in the tasks that came from it, across all streams, a short line each. Nothing is verified: see 'signet audit verify'.",
  args: "<task>",
  flags: [
    { name: "wide", description: "all that each event says, in lines as long as they get" },
    ...SOURCE,
  ],
  examples: [
    ["signet audit tree 01J8ZQ4V6W3Q5R7T9Y1B2C3D4E", "the task with this ULID"],
    ["signet audit tree 01J8ZQ4V6W3Q5R7T9Y1B2C3D4E --wide", "with every detail"],
  ],
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
    output.show({ events }, () => formatTree(events, input.isOn("wide")));
  },
};

/** A task, its events in their order, and the tasks that came from it. */
interface Branch {
  readonly task: string;
  readonly events: LoggedEvent[];
  readonly below: Branch[];
}

/** How the events of a task are printed, and what stands beside its name. */
interface Form {
  event(event: LoggedEvent): string;
  heading(branch: Branch): string;
}

function formatTree(events: readonly LoggedEvent[], isWide: boolean): string {
  const form = isWide ? WIDE : briefForm(events);
  const rows = branchesOf(events)
    .flatMap((top) => lines(top, "", form))
    .map(visible);
  return (isWide ? rows : rows.map(cut)).join("\n");
}

function branchesOf(events: readonly LoggedEvent[]): readonly Branch[] {
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
  return tops;
}

function lines(branch: Branch, indent: string, form: Form): string[] {
  const { events, below } = branch;
  const rows = [`${indent}${form.heading(branch)}`];
  const count = events.length + below.length;
  const isLast = (i: number): boolean => i === count - 1;
  for (const [i, event] of events.entries()) {
    rows.push(`${indent}${isLast(i) ? "└─" : "├─"} ${form.event(event)}`);
  }
  for (const [i, child] of below.entries()) {
    const last = isLast(events.length + i);
    const [head = "", ...rest] = lines(child, "", form);
    rows.push(`${indent}${last ? "└─" : "├─"} ${head}`);
    rows.push(...rest.map((row) => `${indent}${last ? "   " : "│  "}${row}`));
  }
  return rows;
}

const WIDE: Form = {
  event: (event) => formatEvent(withoutTask(event)),
  heading: ({ task }) => task,
};

/** Columns that are as wide for every task of the tree. */
function briefForm(events: readonly LoggedEvent[]): Form {
  const since = Math.min(...events.map(({ time }) => Date.parse(time)));
  const briefs = new Map<LoggedEvent, Brief>();
  for (const event of events) briefs.set(event, briefEvent(event, since));
  const widthOf = (column: 0 | 1 | 2): number =>
    Math.max(...[...briefs.values()].map((brief) => brief[column].length));
  const [first, second, third] = [widthOf(0), widthOf(1), widthOf(2)];
  return {
    event(event) {
      const [when, type, outcome, about] = briefs.get(event) ?? briefEvent(event, since);
      return `${when.padStart(first)}  ${type.padEnd(second)}  ${outcome.padEnd(third)}  ${about}`.trimEnd();
    },
    heading: ({ task, events: [event] }) =>
      event === undefined ? task : `${task}  ${formatDate(new Date(event.time))}`,
  };
}

/** A line that would wrap shows that it goes on. */
function cut(row: string): string {
  const columns = Math.max(FEWEST_COLUMNS, process.stdout.columns ?? USUAL_COLUMNS);
  return row.length <= columns ? row : `${row.slice(0, columns - 1)}…`;
}

/** The task stands above its events: it need not stand in each. */
function withoutTask({ task, agent, resource, ...rest }: LoggedEvent): LoggedEvent {
  const isOther = resource !== undefined && resource !== task;
  return (isOther ? { ...rest, resource } : rest) as LoggedEvent;
}

function isSame(task: string, other: string): boolean {
  return task === other || task.endsWith(`/${other}`);
}
