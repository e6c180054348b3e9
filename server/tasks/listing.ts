// Pages of tasks, the newest first: open ones are in memory, ended ones are read from the store until the
// page is full or enough was looked at.
import { isUlid } from "../../pki/task-id.ts";
import { serverError } from "../errors.ts";
import { isEndState, isOpen, type TaskRecord } from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import type { TaskFilter } from "./orders.ts";

const MAX_PAGE = 500;
const DEFAULT_PAGE = 100;
const READ_AT_ONCE = 500;
/** Ended tasks that one call looks at: a filter that hardly any passes must not read the store through. */
const MAX_READ = 10_000;

export interface TaskPage {
  readonly tasks: readonly TaskRecord[];
  /** "" when there are no more. */
  readonly next: string;
}

/** A page of the tasks that pass the filter. @throws PAGE_TOKEN_INVALID */
export async function listTasks(
  store: TaskStore,
  filter: TaskFilter,
  page: { readonly size: number; readonly token: string },
): Promise<TaskPage> {
  if (page.token !== "" && !isUlid(page.token)) {
    throw serverError("PAGE_TOKEN_INVALID", "the page token is none of ours");
  }
  const size = page.size > 0 ? Math.min(page.size, MAX_PAGE) : DEFAULT_PAGE;
  const before = page.token === "" ? undefined : page.token;
  const { states } = filter;
  const wantsOpen = states === undefined || states.some((state) => !isEndState(state));
  const wantsEnded = states === undefined || states.some(isEndState);
  const ended = wantsEnded ? await readEnded(store, filter, before, size) : NONE;
  // Read after those: what ends in between is then in one of both at least.
  const open = wantsOpen ? openTasks(store, filter, before) : [];
  const found = new Map<string, TaskRecord>();
  for (const task of open) if (task.id > ended.down) found.set(task.id, task);
  for (const task of ended.tasks) found.set(task.id, task);
  const all = [...found.values()].sort((a, b) => (a.id < b.id ? 1 : -1));
  const tasks = all.slice(0, size);
  const last = tasks.at(-1);
  if (all.length > size && last !== undefined) return { tasks, next: last.id };
  return { tasks, next: ended.down };
}

interface Ended {
  readonly tasks: readonly TaskRecord[];
  /** Everything newer than this was looked at; "" when it was everything. */
  readonly down: string;
}

const NONE: Ended = { tasks: [], down: "" };

async function readEnded(
  store: TaskStore,
  filter: TaskFilter,
  before: string | undefined,
  size: number,
): Promise<Ended> {
  const tasks: TaskRecord[] = [];
  let after = before;
  for (let read = 0; read < MAX_READ; read += READ_AT_ONCE) {
    const page = await store.listEnded(after, READ_AT_ONCE);
    for (const task of page.tasks) if (passes(task, filter)) tasks.push(task);
    if (!page.isMore) return { tasks, down: "" };
    after = page.tasks.at(-1)?.id;
    if (tasks.length > size) break;
  }
  return { tasks, down: after ?? "" };
}

function openTasks(
  store: TaskStore,
  filter: TaskFilter,
  before: string | undefined,
): readonly TaskRecord[] {
  const found: TaskRecord[] = [];
  const take = (id: string): void => {
    if (before !== undefined && id >= before) return;
    const task = store.get(id);
    if (task !== undefined && isOpen(task) && passes(task, filter)) found.push(task);
  };
  if (filter.agentId !== undefined) for (const id of store.ofAgent(filter.agentId)) take(id);
  else if (filter.host !== undefined) for (const id of store.hostedBy(filter.host)) take(id);
  else if (filter.nodeAgent !== undefined)
    for (const id of store.ofNode(filter.nodeAgent)) take(id);
  else for (const { id } of store.values()) take(id);
  return found;
}

function passes(task: TaskRecord, filter: TaskFilter): boolean {
  const { agentId, taskClass, states, nodeAgent, root, labels = {}, admits } = filter;
  const { owner, host } = filter;
  if (agentId !== undefined && task.agentId !== agentId) return false;
  if (taskClass !== undefined && task.taskClass !== taskClass) return false;
  if (states !== undefined && !states.includes(task.state)) return false;
  if (nodeAgent !== undefined && task.nodeAgent !== nodeAgent) return false;
  if (root !== undefined && task.root !== root) return false;
  if (owner !== undefined && task.owner !== owner) return false;
  if (host !== undefined && task.host !== host) return false;
  for (const [name, value] of Object.entries(labels)) {
    if (!Object.hasOwn(task.labels, name) || task.labels[name] !== value) return false;
  }
  return admits === undefined || admits(task);
}
