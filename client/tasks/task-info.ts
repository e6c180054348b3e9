// A task as whoever follows it sees it: the wire's words for it, checked once.

import type { IdentityError } from "../../pki/errors.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import type { Mandate } from "../../policy/mandate.ts";
import { mandateFromWire } from "../../policy/mandate-wire.ts";
import { detailOf } from "../../proto/rpc/status.ts";
import { type signet, TaskState as Wire } from "../../proto/schema.gen.ts";
import { invalid, reading } from "../response.ts";

/** States that nothing follows. */
export type TaskEndState = "COMPLETED" | "FAILED" | "ABANDONED" | "REVOKED" | "EXPIRED";
export type TaskState = "PENDING" | "ACTIVE" | "PARKED" | "SUSPENDED" | TaskEndState;

/** What is known of a task. */
export interface TaskInfo {
  /** A ULID. */
  readonly id: string;
  readonly spiffeId: SpiffeId;
  /** SPIFFE ID of the AI agent. */
  readonly aiAgent: string;
  readonly taskClass: string;
  readonly purpose: string;
  readonly intent: string;
  /** What it may do. */
  readonly mandate: Mandate;
  /** For whom it works. */
  readonly principal: string;
  readonly owner: string;
  readonly state: TaskState;
  /** Why it is in this state, for people. */
  readonly stateReason: string;
  readonly openedAt: Date;
  readonly expiresAt: Date;
  /** When it ended; undefined while it goes on. */
  readonly endedAt: Date | undefined;
  /** 0: none. */
  readonly idleTimeoutSeconds: number;
  /** The task that this one came from; "" when none. */
  readonly parent: string;
  /** The first of those it came from: its own ID when none. */
  readonly root: string;
  readonly depth: number;
  readonly openedBy: string;
  /** How it is known who holds it: "process-attested", or by the word of its host, "host-asserted". */
  readonly assurance: string;
  /** SPIFFE ID of the AI agent whose process holds it; "" when that is `aiAgent` itself. */
  readonly host: string;
  /** SPIFFE ID of the node agent that holds it; "" until it is claimed. */
  readonly nodeAgent: string;
  readonly externalRefs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Uses that are spent or lent to node agents. */
  readonly usesTaken: number;
  /** SHA-256 of the grant, hexadecimal. */
  readonly grantHash: string;
  /** Grows with every change. */
  readonly version: number;
}

const STATES = new Map<number, TaskState>(
  Object.entries(Wire).flatMap(([name, value]) =>
    name === "TASK_STATE_UNSPECIFIED" ? [] : [[value, name as TaskState]],
  ),
);

/** Reads a task. @throws WORKLOAD_API_RESPONSE_INVALID */
export function readTask(wire: signet.task.v1.Task | undefined): TaskInfo {
  if (wire === undefined) throw invalid("the answer names no task");
  return reading("Task", () => {
    const state = STATES.get(wire.state);
    if (state === undefined) throw invalid(`a task is in a state ${wire.state}`);
    const { id, taskClass, purpose, intent, aiAgent, principal, owner, stateReason } = wire;
    const { parent, root, depth, openedBy, nodeAgent, idleTimeoutSeconds, grantHash } = wire;
    const { assurance, host } = wire;
    return {
      ...{ id, taskClass, purpose, intent, aiAgent, principal, owner, state, stateReason },
      ...{ parent, root, depth, openedBy, nodeAgent, idleTimeoutSeconds, grantHash },
      ...{ assurance, host },
      spiffeId: SpiffeId.parse(wire.spiffeId),
      mandate: mandateFromWire(wire.mandate),
      openedAt: new Date(wire.openedAtMs),
      expiresAt: new Date(wire.expiresAtMs),
      endedAt: wire.endedAtMs === 0 ? undefined : new Date(wire.endedAtMs),
      externalRefs: wire.externalRefs,
      labels: wire.labels,
      usesTaken: Number(wire.usesTaken),
      version: Number(wire.version),
    };
  });
}

/** How a task ended, where an error of its end says so; undefined where it does not. */
export function endIn(
  error: IdentityError,
): { readonly state: TaskEndState; readonly reason: string } | undefined {
  const about = detailOf(error, "signet.task.v1.Task");
  const state = about && STATES.get(about.state);
  if (about === undefined || state === undefined || !isEndState(state)) return undefined;
  return { state, reason: about.stateReason };
}

/** Whether nothing follows a state. */
export function isEndState(state: TaskState): state is TaskEndState {
  return Wire[state] >= Wire.COMPLETED;
}
