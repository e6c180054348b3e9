// How tasks are shown.

import type { TaskControlClient } from "../client/tasks/server-connection.ts";
import type { Init } from "../proto/codec.ts";
import { codecOf, type signet, TaskState } from "../proto/schema.gen.ts";
import { mandateRows } from "./mandate-output.ts";
import { formatDate, formatRecord, formatTable } from "./output.ts";

type Task = signet.task.v1.Task;

/** The words of states, as in JSON and --state, in their order. */
export const STATES: Readonly<Record<string, number>> = Object.fromEntries(
  Object.entries(TaskState)
    .filter(([name]) => name !== "TASK_STATE_UNSPECIFIED")
    .map(([name, value]) => [name.toLowerCase(), value]),
);

/** Those of tasks that go on, or may. */
export const OPEN_STATES: readonly number[] = [
  TaskState.PENDING,
  TaskState.ACTIVE,
  TaskState.PARKED,
  TaskState.SUSPENDED,
];

const NAMES = new Map(Object.entries(TaskState).map(([name, value]) => [value as number, name]));

/** Tasks that match, newest first; at most `limit`. */
export async function listTasks(
  client: TaskControlClient,
  filter: Init<signet.task.v1.ListTasksRequest>,
  limit: number,
): Promise<{ readonly tasks: readonly Task[]; readonly hasMore: boolean }> {
  const tasks: Task[] = [];
  let pageToken = "";
  do {
    const page = await client.listTasks({ ...filter, pageToken });
    tasks.push(...page.tasks);
    pageToken = page.nextPageToken;
  } while (pageToken !== "" && tasks.length < limit);
  return { tasks: tasks.slice(0, limit), hasMore: pageToken !== "" || tasks.length > limit };
}

/** As JSON. */
export function taskToJson(task: Task): Record<string, unknown> {
  return codecOf("signet.task.v1.Task").toJson(task);
}

/** A line for each. */
export function formatTasks(tasks: readonly Task[]): string {
  if (tasks.length === 0) return "no tasks";
  const rows = tasks.map((task) => [
    task.id,
    stateOf(task),
    task.aiAgent,
    task.taskClass,
    momentOf(task.state >= TaskState.COMPLETED ? task.endedAtMs : task.expiresAtMs),
    shortened(task.purpose),
  ]);
  return formatTable(["TASK ID", "STATE", "AI AGENT", "CLASS", "UNTIL", "PURPOSE"], rows);
}

/** All there is to say of one. */
export function formatTask(task: Task): string {
  const { binding, mandate } = task;
  const isOver = task.state >= TaskState.COMPLETED;
  const rows: [string, string][] = [
    ["Task ID", task.id],
    ["SPIFFE ID", task.spiffeId],
    ["State", task.stateReason === "" ? stateOf(task) : `${stateOf(task)}: ${task.stateReason}`],
    ["Class", task.taskClass],
    ["Purpose", task.purpose],
    ["Principal", task.principal],
    ["Owner", task.owner],
    ["Opened", `${momentOf(task.openedAtMs)} by ${task.openedBy}`],
    isOver ? ["Ended", momentOf(task.endedAtMs)] : ["Until", momentOf(task.expiresAtMs)],
    ["Node agent", task.nodeAgent || "none yet: it has not been claimed"],
  ];
  if (task.assurance !== "") rows.push(["Assurance", assuranceOf(task)]);
  if (task.intent !== "") rows.push(["Intent", task.intent]);
  if (binding !== undefined) rows.push(["Process", `${binding.pid} of user ${binding.uid}`]);
  if (!isOver && task.idleTimeoutSeconds > 0) {
    const last = momentOf(task.lastActiveMs);
    rows.push(["Idle", `ends ${task.idleTimeoutSeconds} s after its last sign of life, ${last}`]);
  }
  if (task.root !== task.id) rows.push(["From", `${task.parent}, first of all ${task.root}`]);
  for (const [name, pairs] of [
    ["Labels", task.labels],
    ["Known elsewhere", task.externalRefs],
  ] as const) {
    const lines = Object.entries(pairs).map(([key, value]) => `${key}=${value}`);
    if (lines.length > 0) rows.push([name, lines.join("\n")]);
  }
  if (mandate?.uses !== undefined) rows.push(["Uses taken", String(task.usesTaken)]);
  if (task.keyThumbprint !== "") rows.push(["Key", task.keyThumbprint]);
  return `${formatRecord(rows)}\n\nIt may use\n${formatRecord(mandateRows(mandate))}`;
}

/** What came of ending or suspending: a line for each. */
export function formatOutcomes(tasks: readonly Task[]): string {
  return tasks.map((task) => `task ${task.id}: ${stateOf(task)}`).join("\n");
}

function stateOf({ state }: Task): string {
  return (NAMES.get(state) ?? String(state)).toLowerCase();
}

function assuranceOf({ assurance, host }: Task): string {
  return host === "" ? assurance : `${assurance}, by ${host}`;
}

function momentOf(unixMs: number): string {
  return unixMs === 0 ? "never" : formatDate(new Date(unixMs));
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
