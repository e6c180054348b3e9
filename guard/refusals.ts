// What a guard says no to, as errors; which action one refuses; and which attempt it is, by the table of
// escalations.

import { clientError } from "../client/errors.ts";
import { IdentityError, pkiError, Status } from "../pki/errors.ts";
import { type signet, TaskState } from "../proto/schema.gen.ts";
import type { Call } from "./actions.ts";
import { guardError } from "./errors.ts";
import { ATTESTED, type PresentedTask } from "./presented.ts";

/** The attempt that a refusal was, by the table of escalations. */
export function attemptIn(error: unknown): string | undefined {
  if (!(error instanceof IdentityError)) return undefined;
  if (error.reason === "GUARD_ACTION_REFUSED") return "mandate-exceeded";
  return error.reason === "GUARD_BUDGET_SPENT" ? "budget-exceeded" : undefined;
}

/** @throws TASK_PARKED, TASK_SUSPENDED, TASK_ENDED */
export function assertActive({ spiffeId, state }: signet.task.v1.Task): void {
  switch (state) {
    case TaskState.ACTIVE:
      return;
    case TaskState.PARKED:
      throw pkiError("TASK_PARKED", `the task ${spiffeId} is parked`, { hint: "resume it first" });
    case TaskState.SUSPENDED:
    case TaskState.PENDING:
      throw suspended(spiffeId, state === TaskState.PENDING ? "PENDING" : "SUSPENDED");
    default:
      throw ended(spiffeId, String(state));
  }
}

/** When nobody can be asked, what the issuer has signed counts, and silence is no word. @throws GUARD_ATTESTATION_MISSING */
export function assertAttested(task: PresentedTask, known: signet.task.v1.Task | undefined): void {
  const words = [task.assurance, known?.assurance].filter((one) => one !== undefined);
  if (words.length > 0 && words.every((one) => one === ATTESTED)) return;
  throw guardError(
    "GUARD_ATTESTATION_MISSING",
    `nothing but the word of a host says that the task ${task.spiffeId} is its AI agent's`,
    { hint: "call from a process that is attested as the AI agent itself" },
  );
}

const refusedActions = new WeakMap<object, string>();

/** The action that an error of `Guard.authorize` refuses, if it does: what a client would need. */
export function refusedActionOf(error: unknown): string | undefined {
  return typeof error === "object" && error !== null ? refusedActions.get(error) : undefined;
}

export function outsideMandate({ action }: Call): Error {
  const error = guardError("GUARD_ACTION_REFUSED", `the task's mandate does not cover ${action}`, {
    hint: "open a task with a mandate that names this action and this service",
  });
  refusedActions.set(error, action);
  return error;
}

export function ended(spiffeId: string, state: string): Error {
  // ENDED is all that a guard knows which has not asked its node agent how.
  const known = state.replace(/^ENDED(?:: |$)/, "");
  const how = known === "" ? "" : `: ${known}`;
  return pkiError("TASK_ENDED", `the task ${spiffeId} has ended${how}`, {
    hint: "open another task",
  });
}

export function suspended(spiffeId: string, state: string): Error {
  return pkiError("TASK_SUSPENDED", `the task ${spiffeId} may not go on: ${state}`, {
    hint: "'signet task show' says why; it can be let go on",
  });
}

/** What whoever called is told of a refusal. */
export interface Told {
  readonly reason: string;
  readonly message: string;
  readonly hint: string | undefined;
}

const FAILURES: ReadonlySet<Status> = new Set([
  Status.unavailable,
  Status.deadlineExceeded,
  Status.internal,
  Status.unknown,
]);

/** What is told of an error: what went wrong between this host and others, its addresses and paths, is not. */
export function toldOf(error: unknown): Told {
  if (!(error instanceof IdentityError)) {
    return { reason: "INTERNAL", message: "internal error", hint: undefined };
  }
  const { reason, message, hint, code } = error;
  const isOwn = /^(?:GUARD|TASK)_/.test(reason);
  if (isOwn || !FAILURES.has(code)) return { reason, message, hint };
  return { reason, message: "the guard cannot ask what it has to", hint: "try again in a moment" };
}

export function stale({ spiffeId }: PresentedTask): Error {
  return clientError(
    "TASK_STATUS_STALE",
    `nobody can say now whether the task ${spiffeId} goes on`,
    {
      hint: "check that the node agent here runs and reaches its server",
    },
  );
}

export function unknown({ spiffeId }: PresentedTask): Error {
  return guardError("GUARD_TASK_UNKNOWN", `the server knows no task ${spiffeId}`, {
    hint: "open a task at the server of this trust domain",
  });
}
