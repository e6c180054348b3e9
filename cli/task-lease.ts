// The lease of a process that runs for a task: a stream to the node agent, which is attached anew, by a proof
// of the task's key, after the agent was restarted. Whoever has it hears how the task fares, and reports how
// the command ended.

import { randomUUID } from "node:crypto";
import { explainUnserved, type TaskClient } from "../client/tasks/node-calls.ts";
import { type TaskRequest, taskRequestToWire } from "../client/tasks/open.ts";
import type { TaskEnd } from "../client/tasks/task.ts";
import { isEndState, readTask, type TaskInfo } from "../client/tasks/task-info.ts";
import { TaskKey } from "../client/tasks/task-key.ts";
import { IdentityError, Status } from "../pki/errors.ts";
import type { Init } from "../proto/codec.ts";
import type { BidiCall } from "../proto/rpc/client.ts";
import type { signet } from "../proto/schema.gen.ts";
import { type Backoff, backoff } from "../runtime/backoff.ts";
import { systemClock } from "../runtime/clock.ts";
import { cliError } from "./errors.ts";

type Request = signet.task.v1.RunTaskRequest;
type Response = signet.task.v1.RunTaskResponse;
type Call = BidiCall<Request, Response>;

/** How long a node agent may take to answer; it waits for its server itself. */
const ANSWER_WAIT_MS = 15_000;
/** How long a node agent that has just been restarted may not know a task. */
const UNKNOWN_PATIENCE_MS = 10_000;

/** Who is told how the task fares. */
export interface LeaseListener {
  /** It is in another state, or has another mandate. */
  onChange(task: TaskInfo): void;
  /** The node agent is away, and why, or (undefined) back. */
  onAgent(error: IdentityError | undefined): void;
}

export interface LeaseOptions {
  readonly client: TaskClient;
  readonly request: TaskRequest;
  /** A task that an orchestrator made, by its ULID; "" to open one. */
  readonly claim: string;
  /** Adds the selector launch:name:NAME to this process's; "" for none. */
  readonly launchName: string;
  readonly answerWaitMs?: number;
}

export class TaskLease {
  readonly #client: TaskClient;
  readonly #key: TaskKey;
  readonly #closed: AbortController = new AbortController();
  readonly #ended: PromiseWithResolvers<TaskEnd> = Promise.withResolvers();
  readonly #delays: Backoff = backoff({ initialMs: 50, maxMs: 2_000 });
  #call: Call;
  #attached: Promise<void> = Promise.resolve();
  #task: TaskInfo;
  #pid = 0;
  #finished: Init<signet.task.v1.FinishedStep> | undefined;
  #unknownSince: number | undefined;
  /** Where the task's private Workload API is. */
  readonly socketPath: string;
  /** Resolves once the task has ended. */
  readonly ended: Promise<TaskEnd>;

  private constructor(client: TaskClient, key: TaskKey, call: Call, ready: ReadyTask) {
    this.#client = client;
    this.#key = key;
    this.#call = call;
    this.#task = ready.task;
    this.socketPath = ready.socketPath;
    this.ended = this.#ended.promise;
  }

  /** Opens the task. @throws what the agent says, TASKS_NOT_SERVED, DAEMON_UNREACHABLE */
  static async open(options: LeaseOptions): Promise<TaskLease> {
    const { client, request, claim, launchName, answerWaitMs = ANSWER_WAIT_MS } = options;
    const key = new TaskKey(systemClock);
    const call = client.runTask();
    try {
      const open = {
        ...taskRequestToWire(request),
        ...{ csr: key.csr, claimTaskId: claim, idempotencyKey: randomUUID() },
      };
      await call.send({ open, launchName });
      const { ready } = await inTime(nextOf(call), answerWaitMs);
      if (ready === undefined) throw unexpected();
      const task = readTask(ready.task);
      return new TaskLease(client, key, call, { task, socketPath: ready.socketPath });
    } catch (error) {
      call.cancel();
      throw explainUnserved(error);
    }
  }

  get task(): TaskInfo {
    return this.#task;
  }

  /** Has the node agent take in the process that was started for the task, and follows from then on. */
  async admit(pid: number, listener: LeaseListener): Promise<void> {
    this.#pid = pid;
    await this.#call.send({ started: { pid } });
    for (;;) {
      const { admitted, changed } = await inTime(nextOf(this.#call), ANSWER_WAIT_MS);
      if (admitted !== undefined) break;
      if (changed === undefined) throw unexpected();
      this.#take(changed, listener);
    }
    void this.#follow(listener); // never rejects
  }

  /** Reports how the command ended, and resolves once that has ended the task, or after `timeoutMs`. */
  async finish(
    succeeded: boolean,
    detail: string,
    timeoutMs: number,
  ): Promise<TaskEnd | undefined> {
    this.#finished = { succeeded, detail };
    this.#report();
    const waited = new AbortController();
    const late = systemClock.sleep(timeoutMs, waited.signal).then(
      () => undefined,
      () => undefined,
    );
    const end = await Promise.race([this.ended, late]);
    waited.abort();
    return end;
  }

  close(): void {
    this.#closed.abort();
    this.#call.cancel();
  }

  async #follow(listener: LeaseListener): Promise<void> {
    const { signal } = this.#closed;
    let isAway = false;
    while (!signal.aborted) {
      let failure: IdentityError | undefined;
      try {
        for await (const { changed } of this.#call.responses) {
          this.#delays.reset();
          this.#unknownSince = undefined;
          if (isAway) listener.onAgent(undefined);
          isAway = false;
          if (changed !== undefined) this.#take(changed, listener);
        }
      } catch (error) {
        failure = error instanceof IdentityError ? error : unexpected(error);
      }
      if (signal.aborted || this.#isOver(failure)) return;
      if (!isAway) listener.onAgent(failure ?? unexpected());
      isAway = true;
      await systemClock.sleep(this.#delays.next(), signal).catch(() => {}); // closed: the loop ends
      if (!signal.aborted) this.#attach();
    }
  }

  #attach(): void {
    const call = this.#client.runTask();
    this.#call = call;
    const proof = this.#key.prove("RunTask", this.#task.id);
    // What fails here, the responses fail with too.
    this.#attached = call.send({ attach: { proof, pid: this.#pid } }).catch(() => {});
    this.#report();
  }

  /** Says how the command ended, once it has: to each call, after what the call begins with. */
  #report(): void {
    const [call, finished] = [this.#call, this.#finished];
    if (finished !== undefined) this.#attached.then(() => call.send({ finished })).catch(() => {});
  }

  #take(wire: signet.task.v1.Task, listener: LeaseListener): void {
    const task = readTask(wire);
    if (task.version < this.#task.version) return;
    this.#task = task;
    if (isEndState(task.state)) {
      this.#ended.resolve({ state: task.state, reason: task.stateReason });
    } else {
      listener.onChange(task);
    }
  }

  /** Whether nothing more is to be heard of the task. */
  #isOver(failure: IdentityError | undefined): boolean {
    if (isEndState(this.#task.state)) return true;
    if (failure === undefined && this.#finished === undefined) return false;
    const reason = failure?.message ?? "";
    const now = performance.now();
    if (failure?.code === Status.notFound) this.#unknownSince ??= now;
    const isUnknown = now - (this.#unknownSince ?? now) >= UNKNOWN_PATIENCE_MS;
    if (failure !== undefined && failure.reason !== "TASK_ENDED" && !isUnknown) return false;
    this.#ended.resolve({ state: undefined, reason });
    return true;
  }
}

interface ReadyTask {
  readonly task: TaskInfo;
  readonly socketPath: string;
}

async function nextOf(call: Call): Promise<Response> {
  const next = await call.responses.next();
  if (next.done === true) throw unexpected();
  return next.value;
}

/** An agent that was stopped (SIGSTOP), or hangs, takes the call and says nothing. */
async function inTime<T>(answer: Promise<T>, waitMs: number): Promise<T> {
  const waited = Promise.withResolvers<never>();
  const timer = systemClock.setTimer(waitMs, () =>
    waited.reject(
      cliError("DAEMON_UNREACHABLE", `the node agent did not answer within ${waitMs / 1000} s`, {
        hint: "it is there and hangs: see whether it is stopped or overloaded, and its log",
      }),
    ),
  );
  try {
    return await Promise.race([answer, waited.promise]);
  } finally {
    timer.cancel();
    answer.catch(() => {}); // of a call that is given up
  }
}

function unexpected(cause?: unknown): IdentityError {
  return cliError("COMMAND_UNUSABLE", "the agent ended the launch without a word", {
    hint: "look at its log",
    cause,
  });
}
