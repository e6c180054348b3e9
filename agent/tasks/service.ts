// The handlers of signet.task.v1.TaskAPI, beside SPIFFE's service on the Workload API's socket, which stays as
// it is. Who may call: gate.ts. RunTask, for commands that are launched for a task: run.ts.

import { checkAudience } from "../../pki/jwt/issue.ts";
import { parseCsr } from "../../pki/x509/csr.ts";
import type { Init } from "../../proto/codec.ts";
import type { CallContext, Handlers } from "../../proto/rpc/service.ts";
import { type signet, type TaskAPIService, TaskState } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { agentError } from "../errors.ts";
import type { Peer } from "../peer/index.ts";
import type { Caller } from "../workload-api/callers.ts";
import { witNotServed } from "../workload-api/index.ts";
import type { Admitted, Gate } from "./gate.ts";
import type { HeldTask } from "./held-task.ts";
import { assertKey, type Opener } from "./opener.ts";
import type { Processes } from "./processes.ts";
import type { Renewals } from "./renewals.ts";
import type { Runs } from "./run.ts";
import {
  acceptWit,
  type ChangeRequest,
  type Task,
  type TaskServer,
  type TaskSvid,
} from "./server.ts";
import { ended, refused } from "./state.ts";
import type { Tasks } from "./tasks.ts";
import { checkDigest, plainReason } from "./words.ts";

export interface TaskServiceOptions {
  readonly server: TaskServer;
  readonly tasks: Tasks;
  readonly gate: Gate;
  readonly opener: Opener;
  readonly renewals: Renewals;
  readonly processes: Processes;
  readonly runs: Runs;
  readonly admit: (context: CallContext) => Promise<Caller>;
  readonly peerOf: (tag: unknown) => Peer;
  readonly entriesOf: (caller: Caller) => readonly RegistrationEntry[];
  /** The own trust domain's X.509 authorities, DER, one after another. */
  readonly bundle: () => Uint8Array;
  /** Whether this node has WIT-SVIDs at all: they stand behind a feature flag. */
  readonly servesWit: boolean;
}

/** The handlers of the service. */
export function taskHandlers(options: TaskServiceOptions): Handlers<typeof TaskAPIService> {
  const { server, tasks, gate, opener, renewals, processes, runs } = options;

  async function change(
    { held, caller }: Admitted,
    request: Omit<ChangeRequest, "taskId">,
  ): Promise<Task> {
    const task = await server.change({ ...request, taskId: held.id });
    caller.assertUnchanged();
    tasks.learn(held, task);
    return task;
  }

  const svidMessage = (svid: TaskSvid): Init<signet.task.v1.TaskX509SVID> => ({
    x509Svid: svid.chain,
    bundle: options.bundle(),
    expiresAt: Math.floor(svid.notAfter.getTime() / 1000),
  });

  const opened = (held: HeldTask): Init<signet.task.v1.OpenTaskResponse> => {
    const { task, svid } = held;
    if (held.endState !== undefined) throw ended(held.id, held.endState, held.endReason);
    if (task === undefined || svid === undefined) {
      throw refused(held.id, held.refusal?.state ?? "SUSPENDED");
    }
    return { task, svid: svidMessage(svid) };
  };

  return {
    async openTask(request, context) {
      const caller = await options.admit(context);
      const entries = options.entriesOf(caller);
      const process = processes.holdPeer(options.peerOf(context.peer));
      const held = await opener.open({ request, entries, process });
      caller.assertUnchanged();
      if (held.endState === undefined) gate.assertBound(held, caller, context);
      return opened(held);
    },

    runTask: (requests, context) => runs.run(requests, context),

    async *watchTask({ proof, csr }, context) {
      const admitted = await gate.admit("WatchTask", proof, context);
      takeCsr(admitted.held, csr);
      yield* watch(admitted, renewals, svidMessage);
    },

    async fetchTaskJWTSVID({ proof, audience }, context) {
      checkAudience([audience]);
      const { held, caller } = await gate.admitActive("FetchTaskJWTSVID", proof, context);
      const answer = await server.newJwtSvid(held.id, [audience]);
      return handOut(held, caller, answer);
    },

    async fetchTaskWITSVID({ proof }, context) {
      if (!options.servesWit) throw witNotServed();
      const { held, caller } = await gate.admitActive("FetchTaskWITSVID", proof, context);
      // The task's own key, which the proof has shown: nobody gets the task's name for another one.
      const answer = await server.newWitSvid(held.id, { spki: held.spki });
      return handOut(held, caller, acceptWit(answer, held));
    },

    async issueToken(request, context) {
      const { held, caller } = await gate.admitActive("IssueToken", request.proof, context);
      const { resource, mandate, confirmationJkt, unbound } = request;
      const answer = await server.issueToken({
        taskId: held.id,
        resource,
        ...(mandate && { mandate }),
        confirmationJkt,
        unbound,
      });
      return handOut(held, caller, answer);
    },

    async narrow({ proof, mandate }, context) {
      const admitted = await gate.admitActive("Narrow", proof, context);
      return { task: await change(admitted, mandate === undefined ? {} : { mandate }) };
    },

    async park({ proof }, context) {
      const admitted = await gate.admitActive("Park", proof, context);
      return { task: await change(admitted, { to: TaskState.PARKED }) };
    },

    async resume({ proof, mandate, csr }, context) {
      const admitted = await gate.admit("Resume", proof, context);
      const { held } = admitted;
      if (held.refusal !== undefined && held.refusal.state !== "PARKED") {
        throw refused(held.id, held.refusal.state);
      }
      takeCsr(held, csr);
      await change(admitted, { to: TaskState.ACTIVE, ...(mandate && { mandate }) });
      if (held.csr !== undefined) {
        held.svid = await renewals.sign(held, held.csr);
        held.touch();
        renewals.changed(held);
      }
      return opened(held);
    },

    async complete({ proof, outcome, summaryDigest, detail }, context) {
      const state = OUTCOMES.get(outcome);
      if (state === undefined) {
        throw agentError("TASK_OUTCOME_INVALID", "a task is completed as COMPLETED or FAILED", {
          hint: "other ends are not the holder's to say",
        });
      }
      checkDigest(summaryDigest);
      const { held } = await gate.admit("Complete", proof, context);
      const reason = plainReason(detail);
      const task = await tasks.end(held, { state, reason, summaryDigest });
      return { ...(task && { task }) };
    },
  };
}

const OUTCOMES: ReadonlyMap<number, "COMPLETED" | "FAILED"> = new Map([
  [TaskState.COMPLETED, "COMPLETED"],
  [TaskState.FAILED, "FAILED"],
]);

/** What came of the server is not handed out for a task that is refused by now, or to another program. */
function handOut<T>(held: HeldTask, caller: Caller, answer: T): T {
  caller.assertUnchanged();
  if (held.endState !== undefined) throw ended(held.id, held.endState, held.endReason);
  if (held.refusal !== undefined) throw refused(held.id, held.refusal.state);
  return answer;
}

function takeCsr(held: HeldTask, csr: Uint8Array): void {
  if (csr.length === 0) return;
  assertKey(held, parseCsr(csr).spki);
  held.csr = new Uint8Array(csr);
}

/** The task, then every change, with each SVID that is new. Ends with an error, as the task does. */
async function* watch(
  { held, caller }: Admitted,
  renewals: Renewals,
  svidMessage: (svid: TaskSvid) => Init<signet.task.v1.TaskX509SVID>,
): AsyncGenerator<Init<signet.task.v1.TaskEvent>, void> {
  const { signal } = caller;
  const unwatch = renewals.watch(held);
  let sentTask: Task | undefined;
  let sentSvid: TaskSvid | undefined;
  let sentBundle: Uint8Array | undefined;
  try {
    while (!signal.aborted) {
      const { version, task, svid } = held;
      const message = svid && svidMessage(svid);
      const isNewSvid = svid !== sentSvid || message?.bundle !== sentBundle;
      if (task !== undefined && (task !== sentTask || isNewSvid)) {
        caller.assertUnchanged();
        sentTask = task;
        sentSvid = svid;
        sentBundle = message?.bundle;
        yield { task, ...(isNewSvid && message && { svid: message }) };
      }
      if (held.endState !== undefined) throw ended(held.id, held.endState, held.endReason);
      renewals.changed(held);
      await held.changedSince(version, signal);
    }
  } finally {
    unwatch();
  }
}
