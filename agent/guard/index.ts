// The service of guards and verifiers on this node, signet.guard.v1.Guard: on the Workload API's socket, and
// on those of tasks. Who calls is attested, and must have an identity; what is written down of it (who saw
// it, and in which role) is set here and never taken from the caller.

import { SpiffeId } from "../../pki/spiffe-id.ts";
import { isUlid, parseTaskId } from "../../pki/task-id.ts";
import type { CallContext, Handlers } from "../../proto/rpc/service.ts";
import type { GuardService, signet } from "../../proto/schema.gen.ts";
import { agentError } from "../errors.ts";
import type { StatusBroadcast } from "./broadcast.ts";
import type { TaskDescriptions } from "./describe.ts";
import type { Recorder } from "./record.ts";
import type { ShownTasks } from "./shown.ts";

/** As many as anyone needs for one call. */
const MAX_USES_AT_ONCE = 10_000;
const SPEND_ID = /^[A-Za-z0-9_-]{16,64}$/;

/** Who calls. */
export interface GuardCaller {
  /** Its SPIFFE ID: the default one, where it has several. */
  readonly spiffeId: string;
  /** "guard", or "agent" for what runs under a task, and speaks for itself. */
  readonly role: "guard" | "agent";
  /** On the socket of a task: the only one it may ask for, as ULID. */
  readonly task?: string;
  readonly signal: AbortSignal;
  /** Throws once the process runs another program, or has no identity any more. */
  assertStill(): void;
}

/** Takes uses off a task's budget. */
export interface UseSpender {
  /** Answers whether they were there. `spendId` is spent once, however often it is sent. */
  spend(taskId: string, count: number, spendId: string): Promise<boolean>;
}

export interface GuardServiceOptions {
  readonly admit: (context: CallContext) => Promise<GuardCaller>;
  readonly broadcast: StatusBroadcast;
  readonly descriptions: TaskDescriptions;
  readonly uses: UseSpender;
  readonly recorder: Recorder;
  readonly shown: ShownTasks;
}

/** The handlers of the service. */
export function guardHandlers(options: GuardServiceOptions): Handlers<typeof GuardService> {
  const { admit, broadcast, descriptions, uses, recorder, shown: met } = options;
  return {
    async *watchStatus(_request: signet.guard.v1.WatchStatusRequest, context: CallContext) {
      const caller = await admit(context);
      for await (const message of broadcast.watch(caller.signal)) {
        caller.assertStill();
        yield message;
      }
    },

    async describeTask({ id, shown }, context) {
      const caller = await admit(context);
      const taskId = readTaskId(id, caller);
      await met.assertShown(caller, taskId, shown);
      const task = await descriptions.describe(taskId);
      caller.assertStill();
      // A ULID that is right under another AI agent's name is no such task.
      const isAsked = task !== undefined && (id === task.id || id === task.spiffeId);
      return isAsked ? { task } : {};
    },

    async spendUses({ taskId, count, spendId, shown }, context) {
      const caller = await admit(context);
      const id = readTaskId(taskId, caller);
      checkSpend(count, spendId);
      await met.assertShown(caller, id, shown);
      // One caller cannot take another's answer by guessing what it calls its spending.
      const granted = await uses.spend(id, count, `${caller.spiffeId} ${spendId}`);
      return { granted };
    },

    async record({ events }, context) {
      const caller = await admit(context);
      await recorder.record(events, caller);
      return {};
    },
  };
}

function readTaskId(id: string, caller: GuardCaller): string {
  const taskId = isUlid(id) ? id : ulidOf(id);
  if (taskId === undefined) {
    throw agentError("GUARD_REQUEST_INVALID", `"${id.slice(0, 200)}" is no task's ID`, {
      hint: "give a ULID, or spiffe://TRUST_DOMAIN/AI_AGENT/task/ULID",
    });
  }
  if (caller.task === undefined || caller.task === taskId) return taskId;
  throw agentError("GUARD_TASK_FOREIGN", "a socket of a task answers for that task alone", {
    hint: "a guard of others uses the Workload API's socket of its node",
  });
}

function ulidOf(id: string): string | undefined {
  try {
    return parseTaskId(SpiffeId.parse(id))?.ulid;
  } catch {
    return undefined;
  }
}

function checkSpend(count: number, spendId: string): void {
  if (count < 1 || count > MAX_USES_AT_ONCE) {
    throw agentError("GUARD_REQUEST_INVALID", `${count} uses cannot be spent at once`, {
      hint: `spend 1 to ${MAX_USES_AT_ONCE}`,
    });
  }
  if (SPEND_ID.test(spendId)) return;
  throw agentError("GUARD_REQUEST_INVALID", "the spend ID is no random text", {
    hint: "send 16 to 64 letters, digits, - or _ that are made anew for each call",
  });
}
