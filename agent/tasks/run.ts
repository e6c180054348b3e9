// RunTask, for `signet task run`: a command is launched for a task and gets a socket of its own, as
// `signet run` launches one under a name (launch/). The stream is the lease: who launched says on it how the
// command ended. A launcher that vanishes, or a command that ends without a word of it, abandons the task.
// After a restart of the agent the launcher attaches again, and the socket stands where it stood.

import type { Init } from "../../proto/codec.ts";
import type { CallContext } from "../../proto/rpc/service.ts";
import type { signet } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Selector } from "../../proto/types/selector.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { agentError } from "../errors.ts";
import { withName } from "../launch/index.ts";
import { nextStep, type StepWait } from "../launch/steps.ts";
import type { Peer } from "../peer/index.ts";
import type { Caller } from "../workload-api/callers.ts";
import type { Gate } from "./gate.ts";
import type { HeldTask } from "./held-task.ts";
import type { HeldRecord } from "./journal.ts";
import type { Opener } from "./opener.ts";
import type { BoundProcess, Processes } from "./processes.ts";
import type { Task, TaskServer } from "./server.ts";
import { ended } from "./state.ts";
import type { TaskSocket } from "./task-socket.ts";
import type { Tasks } from "./tasks.ts";
import { plainReason } from "./words.ts";

type Request = signet.task.v1.RunTaskRequest;
type Response = Init<signet.task.v1.RunTaskResponse>;
type Steps = AsyncIterator<Request>;

export interface RunsOptions {
  readonly server: TaskServer;
  readonly tasks: Tasks;
  readonly gate: Gate;
  readonly opener: Opener;
  readonly processes: Processes;
  readonly admit: (context: CallContext) => Promise<Caller>;
  readonly peerOf: (tag: unknown) => Peer;
  readonly entriesMatching: (selectors: readonly Selector[]) => readonly RegistrationEntry[];
  /** Where the socket of a task stands. */
  readonly socketPathOf: (taskId: string) => string;
  readonly openSocket: (record: HeldRecord, launcher: BoundProcess) => TaskSocket;
  /** How long a launcher may be away before its task is abandoned. */
  readonly graceMs: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Between the end of a command and what its launcher says of it lie a few milliseconds. */
const LAST_WORD_MS = 1000;

export class Runs {
  readonly #options: RunsOptions;
  #stopped = false;

  constructor(options: RunsOptions) {
    this.#options = options;
  }

  /** The handler of RunTask. */
  async *run(requests: AsyncIterable<Request>, context: CallContext): AsyncGenerator<Response> {
    const steps = requests[Symbol.asyncIterator]();
    const wait = { clock: this.#options.clock, signal: context.signal, invalid: stepInvalid };
    const first = await nextStep(steps, wait);
    if (first?.open !== undefined) {
      const held = await this.#open(first, first.open, context);
      try {
        yield ready(held);
        await this.#started(held, steps, wait, context);
        yield { admitted: {} };
      } catch (error) {
        this.#options.tasks.abandon(held, "its command was not started");
        throw error;
      }
      yield* this.#lease(held, steps, context);
    } else if (first?.attach !== undefined) {
      const { held } = await this.#options.gate.admit("RunTask", first.attach.proof, context);
      if (held.record.launch?.root?.pid !== first.attach.pid) {
        throw stepInvalid("no such process was launched for this task");
      }
      yield ready(held);
      yield { admitted: {} };
      yield* this.#lease(held, steps, context);
    } else {
      throw stepInvalid("expected the step open, or attach");
    }
  }

  /** Follows the processes of a task with a socket: its launcher and the launched command. */
  follow(held: HeldTask): void {
    const { socket } = held;
    if (socket === undefined) return;
    const { tasks, clock } = this.#options;
    socket.launcher.onExit(() => {
      if (!this.#stopped) tasks.abandon(held, "who launched its command has ended");
    });
    void socket.launch.ended.then(() => {
      if (this.#stopped || held.endState !== undefined) return;
      tasks.commandEnded(held);
      clock.setTimer(LAST_WORD_MS, () => tasks.abandon(held, "its command has ended"));
    });
  }

  /** Nobody has the lease now: somebody must come back for it. */
  expectLauncher(held: HeldTask): void {
    const lease = held.socket?.lease;
    const { tasks, clock, graceMs } = this.#options;
    clock.setTimer(graceMs, () => {
      if (this.#stopped || held.socket?.lease !== lease) return;
      tasks.abandon(held, "who launched its command did not come back");
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  async #open(
    { launchName }: Request,
    request: signet.task.v1.OpenTaskRequest,
    context: CallContext,
  ): Promise<HeldTask> {
    const { opener, processes, peerOf, tasks, log } = this.#options;
    const caller = await this.#options.admit(context);
    const process = processes.holdPeer(peerOf(context.peer));
    const { pid, uid, startTime, bootId } = process;
    const launcher = { pid, uid, startTime, bootId };
    const selectors = withName(caller.selectors, launchName);
    const held = await opener.open({
      request,
      entries: this.#options.entriesMatching(selectors),
      process,
      launch: (taskId) => ({
        socketPath: this.#options.socketPathOf(taskId),
        launcher,
        name: launchName,
      }),
    });
    if (held.socket !== undefined || held.record.launch === undefined) {
      // The answer to an earlier call with this idempotency key: its command runs, or runs without a socket.
      throw stepInvalid("the task has been opened already");
    }
    try {
      caller.assertUnchanged();
      held.socket = this.#options.openSocket(held.record, process);
      await held.socket.launch.listen();
      if (held.endState !== undefined) throw ended(held.id, held.endState, held.endReason);
      if (held.refusal === undefined) held.socket.serve();
      this.follow(held);
    } catch (error) {
      tasks.abandon(held, "its socket could not be opened");
      throw error;
    }
    log.debug({ task_id: held.id }, "the socket of a task is open");
    return held;
  }

  async #started(
    held: HeldTask,
    steps: Steps,
    wait: StepWait,
    context: CallContext,
  ): Promise<void> {
    const { processes, peerOf, tasks, server, log } = this.#options;
    const { socket, record } = held;
    const step = await nextStep(steps, wait);
    if (step?.started === undefined) throw stepInvalid("expected the step started");
    if (socket === undefined || record.launch === undefined || held.endState !== undefined) {
      throw ended(held.id, held.endState ?? "ENDED", held.endReason);
    }
    const { pid } = step.started;
    const caller = peerOf(context.peer);
    const { uid } = caller;
    const root = processes.bindingOf(socket.launch.admitProcess(pid, caller), uid);
    await tasks.save(held, { ...record, launch: { ...record.launch, root } });
    const fields = { who: `uid:${uid}`, method: context.method, object: held.id };
    log.audit({ ...fields, outcome: "ok", pid });
    // For whoever looks: the task ends with it whether or not the server knows its pid.
    void server.change({ taskId: held.id, binding: root }).then(
      (task) => tasks.learn(held, task),
      (error: unknown) => log.debug({ error, task_id: held.id }, "could not tell of a command"),
    );
  }

  /** Until the launcher says how the command ended, the task ends otherwise, or the stream does. */
  async *#lease(held: HeldTask, steps: Steps, context: CallContext): AsyncGenerator<Response> {
    const { tasks } = this.#options;
    const { socket } = held;
    if (socket === undefined) return;
    socket.lease += 1;
    const { lease } = socket;
    let last: Request | undefined;
    let isOver = false;
    const over = steps.next().then(
      (next) => {
        isOver = true;
        last = next.done === true ? undefined : next.value;
      },
      () => {
        isOver = true;
      },
    );
    let sent: Task | undefined = held.task;
    try {
      while (!isOver && !context.signal.aborted && socket.lease === lease) {
        const { version, task } = held;
        if (task !== undefined && task !== sent) {
          sent = task;
          yield { changed: task };
        }
        if (held.endState !== undefined) throw ended(held.id, held.endState, held.endReason);
        await Promise.race([held.changedSince(version, context.signal), over]);
      }
      if (last === undefined) return;
      if (last.finished === undefined) throw stepInvalid("expected the step finished");
      const { succeeded, detail } = last.finished;
      const state = succeeded ? "COMPLETED" : "FAILED";
      const task = await tasks.end(held, { state, reason: plainReason(detail) });
      if (task !== undefined) yield { changed: task };
    } finally {
      // Whoever has attached meanwhile has it now.
      if (socket.lease === lease && held.endState === undefined) this.expectLauncher(held);
    }
  }
}

function ready(held: HeldTask): Response {
  if (held.endState !== undefined) throw ended(held.id, held.endState, held.endReason);
  const { task, socket } = held;
  return { ready: { ...(task && { task }), socketPath: socket?.launch.socketPath ?? "" } };
}

function stepInvalid(why: string): Error {
  return agentError("LAUNCH_STEP_INVALID", `launch for a task: ${why}`, {
    hint: "send open, then started once the process runs, then finished",
  });
}
