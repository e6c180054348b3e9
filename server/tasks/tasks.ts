// The tasks of AI agents: opened, changed, ended, and what they are issued. Every change is a commit with
// preconditions, an event of the audit log, and only then an answer.
import type { MandateRequest } from "../../policy/mandate-request.ts";
import type { ReplicaHandler } from "../store/replica.ts";
import type { EndState, KnownTask, TaskRecord } from "../store/task-record.ts";
import type { TaskStore } from "../store/tasks.ts";
import type {
  Actor,
  ClaimOrder,
  CreateOrder,
  Ending,
  OpenedTask,
  OpenOrder,
  TaskFilter,
  TaskSerial,
} from "./orders.ts";

export interface TasksOptions {
  readonly store: TaskStore;
}

export class Tasks {
  readonly #options: TasksOptions;

  constructor(options: TasksOptions) {
    this.#options = options;
  }

  /** Opens a task for a process that a node agent attested, with its first X509-SVID. */
  open(_order: OpenOrder): Promise<OpenedTask> {
    return soon();
  }

  /** Takes up a task that was made for the AI agent. */
  claim(_order: ClaimOrder): Promise<OpenedTask> {
    return soon();
  }

  /** Makes a task for an AI agent to claim. */
  create(_order: CreateOrder): Promise<TaskRecord> {
    return soon();
  }

  /** What memory has of a task: open, or ended a short while ago. */
  get(id: string): KnownTask | undefined {
    return this.#options.store.get(id);
  }

  /** A whole task, by ULID or SPIFFE ID. @throws TASK_NOT_FOUND */
  find(_id: string): Promise<TaskRecord> {
    return soon();
  }

  /** A page of tasks, the newest first. */
  list(
    _filter: TaskFilter,
    _page: { readonly size: number; readonly token: string },
  ): Promise<{ readonly tasks: readonly TaskRecord[]; readonly next: string }> {
    return soon();
  }

  narrow(_id: string, _actor: Actor, _mandate: MandateRequest): Promise<TaskRecord> {
    return soon();
  }

  park(_id: string, _actor: Actor, _reason: string): Promise<TaskRecord> {
    return soon();
  }

  resume(_id: string, _actor: Actor, _mandate: MandateRequest): Promise<TaskRecord> {
    return soon();
  }

  suspend(_id: string, _actor: Actor, _reason: string): Promise<TaskRecord> {
    return soon();
  }

  unsuspend(_id: string, _actor: Actor, _reason: string): Promise<TaskRecord> {
    return soon();
  }

  /** Ends a task, and those that were handed on by it: the first of the answer is the task itself. */
  end(_id: string, _actor: Actor, _ending: Ending): Promise<readonly TaskRecord[]> {
    return soon();
  }

  /** Ends every open task of an AI agent; answers how many. */
  endAllOf(_agentId: string, _state: EndState, _reason: string, _by: string): Promise<number> {
    return soon();
  }

  /** Ends every open task that a node agent holds; answers how many. */
  endAllOn(_nodeAgent: string, _state: EndState, _reason: string, _by: string): Promise<number> {
    return soon();
  }

  /**
   * A credential of the task was made elsewhere (access tokens): a sign of life.
   * @throws TASK_NOT_FOUND, TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, when there must be none
   */
  noteUse(_id: string): TaskRecord {
    throw new TypeError("not yet");
  }

  /** Open tasks of an AI agent. */
  countOf(agentId: string): number {
    return this.#options.store.ofAgent(agentId).size;
  }

  /** The certificates that a task was given and that have not expired. */
  serialsOf(_id: string): readonly TaskSerial[] {
    throw new TypeError("not yet");
  }

  /** The tasks that verifiers have to refuse: parked, suspended, or ended and not forgotten. */
  refused(): Iterable<KnownTask> {
    return this.#options.store.refused();
  }

  /** Calls `handler` after each commit that changed tasks, in order, none left out; returns its end. */
  onChange(handler: ReplicaHandler<KnownTask>): () => void {
    return this.#options.store.onChange(handler);
  }
}

function soon(): Promise<never> {
  return Promise.reject(new TypeError("not yet"));
}
