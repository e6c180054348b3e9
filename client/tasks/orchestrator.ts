// The orchestrator's door: a workload that the server's configuration names makes tasks for AI agents, which
// claim them by ID, and sees and ends those alone. A task has a key only once it is claimed.

import { randomUUID } from "node:crypto";
import { TaskState as Wire } from "../../proto/schema.gen.ts";
import { type TaskRequest, taskRequestToWire } from "./open.ts";
import { ServerConnection, type ServerOptions } from "./server-connection.ts";
import { readTask, type TaskInfo, type TaskState } from "./task-info.ts";

/** What a task is to be, and for which AI agent. */
export interface CreateTaskRequest extends TaskRequest {
  /** SPIFFE ID of the AI agent that is to claim it. */
  readonly aiAgent: string;
  /** Creating again with the same key is answered with the same task. Default: a new one each time. */
  readonly idempotencyKey?: string;
}

/** Which tasks to list: those for which all that is given holds. */
export interface TaskFilter {
  readonly aiAgent?: string;
  readonly taskClass?: string;
  readonly states?: readonly TaskState[];
  /** A task and those that came from it. */
  readonly root?: string;
  /** Of the AI agent. */
  readonly owner?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

/** Tasks as an orchestrator sees them. IDs are ULIDs or whole SPIFFE IDs. Errors have the server's reasons. */
export class TaskOrchestrator implements Disposable {
  readonly #server: ServerConnection;

  /** Connects when first used, and again when the connection is lost. */
  constructor(options: ServerOptions) {
    this.#server = new ServerConnection(options);
  }

  /** Makes a task, which is PENDING until the AI agent claims it: `openTask({ claim: id })`. */
  async create(request: CreateTaskRequest): Promise<TaskInfo> {
    const { aiAgent, idempotencyKey = randomUUID(), ...rest } = request;
    const task = { ...taskRequestToWire(rest), idempotencyKey };
    return readTask((await this.#server.ask((one) => one.createTask({ aiAgent, task }))).task);
  }

  async get(id: string): Promise<TaskInfo> {
    return readTask((await this.#server.ask((one) => one.getTask({ id }))).task);
  }

  /** Newest first. */
  async *list(filter: TaskFilter = {}): AsyncGenerator<TaskInfo, void, undefined> {
    const { states = [], ...rest } = filter;
    let pageToken = "";
    do {
      const request = { ...rest, states: states.map((state) => Wire[state]), pageToken };
      const page = await this.#server.ask((one) => one.listTasks(request));
      yield* page.tasks.map(readTask);
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
  }

  /** Ends a task as COMPLETED, or as FAILED. */
  async complete(
    id: string,
    options: { readonly outcome?: "COMPLETED" | "FAILED"; readonly reason?: string } = {},
  ): Promise<TaskInfo> {
    const { outcome = "COMPLETED", reason = "" } = options;
    const request = { id, outcome: Wire[outcome], reason };
    return readTask((await this.#server.ask((one) => one.completeTask(request))).task);
  }

  /** Takes a task back, and those that came from it. Answers with what ended. */
  async revoke(id: string, reason: string): Promise<readonly TaskInfo[]> {
    const { ended } = await this.#server.ask((one) => one.revokeTask({ id, reason }));
    return ended.map(readTask);
  }

  close(): void {
    this.#server.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Makes one task: see `TaskOrchestrator.create`. */
export async function createTask(request: CreateTaskRequest & ServerOptions): Promise<TaskInfo> {
  const { server, source, ...rest } = request;
  using orchestrator = new TaskOrchestrator({ server, source });
  return await orchestrator.create(rest);
}
