// Tasks on our own wire (proto/signet/task.proto), and what is asked of them.
import { formatTaskId } from "../../pki/task-id.ts";
import { mandateRequestFromWire, mandateToWire } from "../../policy/mandate-wire.ts";
import type { Init } from "../../proto/codec.ts";
import { type signet, TaskState as WireState } from "../../proto/schema.gen.ts";
import { serverError } from "../errors.ts";
import {
  type EndState,
  isEndState,
  type TaskBinding,
  type TaskRecord,
  type TaskState,
} from "../store/task-record.ts";
import type { TaskSvid, TaskTerms } from "./orders.ts";

type Wire = signet.task.v1.Task;

const STATES = {
  PENDING: WireState.PENDING,
  ACTIVE: WireState.ACTIVE,
  PARKED: WireState.PARKED,
  SUSPENDED: WireState.SUSPENDED,
  COMPLETED: WireState.COMPLETED,
  FAILED: WireState.FAILED,
  ABANDONED: WireState.ABANDONED,
  REVOKED: WireState.REVOKED,
  EXPIRED: WireState.EXPIRED,
} as const satisfies Record<TaskState, number>;
const STATE_NAMES = new Map<number, TaskState>(
  Object.entries(STATES).map(([name, number]) => [number, name as TaskState]),
);
const MAX_PID = 2 ** 31 - 1;
const MAX_UID = 2 ** 32 - 1;
/** A kernel's boot ID is a UUID; other systems may have something else as short. */
const BOOT_ID = /^[A-Za-z0-9-]{0,64}$/;

/** A whole task. */
export function taskToWire(task: TaskRecord): Init<Wire> {
  const { agentId, id, binding } = task;
  return {
    id,
    spiffeId: formatTaskId(agentId, id),
    aiAgent: agentId,
    taskClass: task.taskClass,
    purpose: task.purpose,
    intent: task.intent,
    mandate: mandateToWire(task.mandate),
    principal: task.principal,
    parent: task.parent,
    root: task.root,
    depth: task.depth,
    owner: task.owner,
    openedAtMs: task.openedAtMs,
    expiresAtMs: task.expiresAtMs,
    idleTimeoutSeconds: task.idleTimeoutSeconds,
    state: STATES[task.state],
    stateReason: task.stateReason,
    endedAtMs: task.endedAtMs,
    openedBy: task.openedBy,
    nodeAgent: task.nodeAgent,
    externalRefs: task.externalRefs,
    labels: task.labels,
    assurance: task.assurance,
    usesTaken: task.usesTaken,
    grantHash: task.grantHash,
    keyThumbprint: task.keyThumbprint,
    version: task.version,
    lastActiveMs: task.lastActiveMs,
    ...(binding !== undefined && { binding }),
    status: task.status,
    host: task.host,
  };
}

/** An X509-SVID; the node agent adds the bundle that it holds. */
export function svidToWire({ chain, notAfter }: TaskSvid): Init<signet.task.v1.TaskX509SVID> {
  return {
    x509Svid: Buffer.concat(chain),
    bundle: new Uint8Array(),
    expiresAt: Math.floor(notAfter.getTime() / 1000),
  };
}

/**
 * What a task is to be. `mayAny`: from an administrator, who alone may write "any".
 * @throws TASK_REQUEST_INVALID, MANDATE_ANY_REFUSED and what else is wrong with a mandate
 */
export function termsFromWire(
  wire: signet.task.v1.OpenTaskRequest,
  options: { readonly mayAny: boolean },
): TaskTerms {
  const { taskClass, purpose, intent, ttlSeconds, idleTimeoutSeconds, principal } = wire;
  const { idempotencyKey, externalRefs, labels, allowClip } = wire;
  const mandate = mandateRequestFromWire(wire.mandate, options);
  return {
    ...{ taskClass, purpose, intent, mandate, ttlSeconds, idleTimeoutSeconds, principal },
    ...{ idempotencyKey, externalRefs, labels, allowClip },
  };
}

/** @throws TASK_REQUEST_INVALID */
export function bindingFromWire(
  wire: signet.task.v1.TaskBinding | undefined,
): TaskBinding | undefined {
  if (wire === undefined) return undefined;
  const { pid, uid, bootId } = wire;
  const startTime = Number(wire.startTime);
  const isGood =
    pid > 0 && pid <= MAX_PID && uid >= 0 && uid <= MAX_UID && Number.isSafeInteger(startTime);
  if (!isGood || startTime < 0 || !BOOT_ID.test(bootId)) {
    throw invalid("the binding is none of a process");
  }
  return { pid, uid, startTime, bootId };
}

/** Undefined for the unspecified one. @throws TASK_REQUEST_INVALID */
export function stateFromWire(wire: number): TaskState | undefined {
  if (wire === WireState.TASK_STATE_UNSPECIFIED) return undefined;
  const state = STATE_NAMES.get(wire);
  if (state === undefined) throw invalid(`there is no state ${wire}`);
  return state;
}

/** A state that ends a task, of those that somebody may ask for. @throws TASK_REQUEST_INVALID */
export function endFromWire(wire: number, allowed: readonly EndState[]): EndState {
  const state = stateFromWire(wire);
  if (state !== undefined && isEndState(state) && allowed.includes(state)) return state;
  throw invalid(`a task ends here as ${allowed.join(" or ")}`);
}

function invalid(why: string): Error {
  return serverError("TASK_REQUEST_INVALID", `the request makes no sense: ${why}`);
}
