// Connections of tasks: a peer whose task has ended or is suspended is not let in, and is shown out at once
// when that happens while it is connected. By task, so that the end of one of many costs nothing for the
// others. Where the word comes from: ../task-status.ts.

import type { IdentityError } from "../../pki/errors.ts";
import { pkiError } from "../../pki/errors.ts";
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import { clientError } from "../errors.ts";
import type { TaskStatuses } from "../task-status.ts";
import { closeConnection, type OpenConnection } from "./open-connections.ts";

/** What to ask about peers that are tasks. */
export interface TaskRule {
  /** Which tasks are refused now. Without it tasks are trusted until their SVIDs expire. */
  readonly tasks?: TaskStatuses | undefined;
  /**
   * While `tasks` is not fresh: "ttl" (default) trusts tasks that were not refused before until their SVIDs
   * expire, "closed" refuses every task and closes its connections.
   */
  readonly taskFailMode?: "ttl" | "closed" | undefined;
}

/**
 * Asks whether a peer may come in as far as its task is concerned. Peers that are no tasks always may.
 * @throws TASK_ENDED, TASK_SUSPENDED, TASK_STATUS_STALE
 */
export function checkTask(id: SpiffeId, { tasks, taskFailMode }: TaskRule): void {
  if (tasks === undefined) return;
  const error = refusalOf(id, tasks);
  if (error !== undefined) throw error;
  if (taskFailMode === "closed" && isTask(id) && !tasks.isFresh()) throw staleOf(id);
}

/** Closes the connection when its peer's task is refused. To be called in the turn of `checkTask`. */
export function watchTask(connection: OpenConnection, rule: TaskRule): void {
  const { tasks, taskFailMode = "ttl" } = rule;
  if (tasks === undefined || !isTask(connection.peer.id)) return;
  let open = bySource.get(tasks);
  if (open === undefined) {
    open = new TaskConnections(tasks);
    bySource.set(tasks, open);
  }
  open.add(connection, taskFailMode);
}

const bySource = new WeakMap<TaskStatuses, TaskConnections>();

class TaskConnections {
  readonly #tasks: TaskStatuses;
  /** By the task's SPIFFE ID. */
  readonly #open: Map<string, Set<OpenConnection>> = new Map();
  /** Those that end when the list is not fresh. */
  readonly #strict: Set<OpenConnection> = new Set();
  #stops: readonly (() => void)[] = [];

  constructor(tasks: TaskStatuses) {
    this.#tasks = tasks;
  }

  add(connection: OpenConnection, failMode: "ttl" | "closed"): void {
    const name = connection.peer.id.toString();
    const same = this.#open.get(name) ?? new Set();
    this.#open.set(name, same.add(connection));
    if (failMode === "closed") this.#strict.add(connection);
    if (this.#stops.length === 0) this.#follow();
    connection.socket.once("close", () => {
      this.#strict.delete(connection);
      if (same.delete(connection) && same.size === 0) this.#open.delete(name);
      if (this.#open.size > 0) return;
      for (const stop of this.#stops) stop();
      this.#stops = [];
    });
  }

  #follow(): void {
    this.#stops = [
      this.#tasks.onChange((changed) => {
        for (const { spiffeId, verdict } of changed) {
          if (verdict === "good") continue;
          for (const connection of this.#open.get(spiffeId) ?? []) this.#refuse(connection);
        }
      }),
      this.#tasks.onFreshness((isFresh) => {
        if (isFresh) return;
        for (const connection of [...this.#strict])
          closeConnection(connection, staleOf(connection.peer.id));
      }),
    ];
  }

  #refuse(connection: OpenConnection): void {
    const error = refusalOf(connection.peer.id, this.#tasks);
    if (error !== undefined) closeConnection(connection, error);
  }
}

function isTask(id: SpiffeId): boolean {
  return parseTaskId(id) !== undefined;
}

function refusalOf(id: SpiffeId, tasks: TaskStatuses): IdentityError | undefined {
  const status = tasks.status(id);
  if (status === undefined) return undefined;
  const why = status.reason === "" ? status.state : `${status.state}: ${status.reason}`;
  if (status.verdict === "ended") {
    return pkiError("TASK_ENDED", `the task ${id} of the peer has ended: ${why}`, {
      hint: "the peer has to open another task",
    });
  }
  return pkiError("TASK_SUSPENDED", `the task ${id} of the peer may not go on: ${why}`, {
    hint: "'signet task show' says why; it can be let go on",
  });
}

function staleOf(id: SpiffeId): IdentityError {
  return clientError("TASK_STATUS_STALE", `nobody can say now whether the task ${id} goes on`, {
    hint: "check that the node agent here runs and reaches its server",
  });
}
