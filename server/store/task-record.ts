// What the server keeps of a task, and how it lies in the store: JSON, which a person may have to read in
// an emergency. Of an open task all of it is in memory too, a hundred thousand times over: values that
// many tasks share are held once. Of an ended one, the few words that verifiers need stay in memory
// until its last credential has expired. Which changes are possible: server/tasks/states.ts.
import type { Mandate } from "../../policy/mandate.ts";
import { serverError } from "../errors.ts";
import type { StoredRecord } from "./log.ts";
import { type MandateJson, mandateFromJson, mandateToJson } from "./mandate-json.ts";
import { SharedValues } from "./shared-values.ts";

/** States of a task that goes on, or may. */
export type OpenState = "PENDING" | "ACTIVE" | "PARKED" | "SUSPENDED";
/** States that nothing follows. */
export type EndState = "COMPLETED" | "FAILED" | "ABANDONED" | "REVOKED" | "EXPIRED";
export type TaskState = OpenState | EndState;

/** The process that a task ends with. */
export interface TaskBinding {
  readonly pid: number;
  readonly uid: number;
  /** Clock ticks since boot. */
  readonly startTime: number;
  readonly bootId: string;
}

/** Where its bit stands in the Token Status List. */
export interface StatusReference {
  /** The list's name: the hour in which the task was opened, such as "2026-11-23T02". */
  readonly list: string;
  readonly index: number;
}

/** How it is known that the AI agent is who holds a task: its own process, or the word of its host. */
export type Assurance = "process-attested" | "host-asserted";

/** A task, open or ended. SPIFFE IDs are whole. */
export interface TaskRecord {
  /** A ULID. */
  readonly id: string;
  /** SPIFFE ID of the AI agent. */
  readonly agentId: string;
  readonly taskClass: string;
  readonly purpose: string;
  readonly intent: string;
  readonly mandate: Mandate;
  readonly principal: string;
  /** A ULID; "" when nobody handed it on. */
  readonly parent: string;
  /** A ULID: its own when nobody handed it on. */
  readonly root: string;
  readonly depth: number;
  readonly owner: string;
  readonly openedAtMs: number;
  readonly expiresAtMs: number;
  /** 0: none. */
  readonly idleTimeoutSeconds: number;
  readonly state: TaskState;
  readonly stateReason: string;
  /** 0 while it is open. */
  readonly endedAtMs: number;
  readonly openedBy: string;
  /** SPIFFE ID of the node agent that holds it; "" until it is claimed. */
  readonly nodeAgent: string;
  readonly externalRefs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** "" until it is claimed. */
  readonly assurance: "" | Assurance;
  /** SPIFFE ID of the AI agent whose process holds it; "" when that is the task's own. */
  readonly host: string;
  /** Uses that are spent or lent to node agents. */
  readonly usesTaken: number;
  /** SHA-256 of the grant, hexadecimal. */
  readonly grantHash: string;
  /** RFC 7638 thumbprint of its key, base64url; "" until there is one. */
  readonly keyThumbprint: string;
  /** Grows with every change. */
  readonly version: number;
  /** As far as it was written: server/tasks/tasks.ts knows better. */
  readonly lastActiveMs: number;
  readonly binding: TaskBinding | undefined;
  readonly status: StatusReference;
  /** No credential of it lives longer: what the class said when it was opened. */
  readonly maxCredentialSeconds: number;
  /** Of a suspended task: what it goes back to. */
  readonly suspendedFrom: "" | Exclude<OpenState, "SUSPENDED">;
  /** Stands for the key of the call that opened it (`idempotencyName`); "" without one. */
  readonly idempotency: string;
  /** Of what that call asked for (`termsDigest`), so that a call with the same key and other terms is told apart. */
  readonly termsDigest: string;
  /** SHA-256 of the summary that the AI agent keeps elsewhere, hexadecimal; "" without one. */
  readonly summaryDigest: string;
}

/** What stays in memory of a task that has ended. */
export interface EndedTask {
  readonly id: string;
  readonly agentId: string;
  readonly taskClass: string;
  readonly state: EndState;
  /** Why, for people: as node agents and verifiers are told it. */
  readonly reason: string;
  readonly nodeAgent: string;
  readonly endedAtMs: number;
  readonly version: number;
  readonly status: StatusReference;
  readonly idempotency: string;
  /** By then each of its credentials has expired. */
  readonly forgetAtUnixSeconds: number;
}

/** A task as memory has it: told apart by {@link isOpen}. */
export type KnownTask = TaskRecord | EndedTask;

/**
 * Validators allow some leeway, and clocks differ: verifiers are told to refuse a task for this long after
 * its last credential has expired.
 */
export const GRACE_SECONDS = 300;

const OPEN_STATES: ReadonlySet<string> = new Set(["PENDING", "ACTIVE", "PARKED", "SUSPENDED"]);

/** Whether a task goes on, or may; all of it is known then. */
export function isOpen(task: KnownTask): task is TaskRecord & { readonly state: OpenState } {
  return OPEN_STATES.has(task.state);
}

/** Whether a task has ended: what verifiers need is known then. */
export function isEnded(task: KnownTask): task is EndedTask {
  return "forgetAtUnixSeconds" in task;
}

/** Whether this state is one that nothing follows. */
export function isEndState(state: TaskState): state is EndState {
  return !OPEN_STATES.has(state);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });
const shared = new SharedValues();

type TaskJson = Omit<TaskRecord, "mandate"> & { readonly mandate: MandateJson };

/** The bytes of a whole task, open or ended. */
export function encodeTask(task: TaskRecord): Uint8Array {
  const json: TaskJson = { ...task, mandate: mandateToJson(task.mandate) };
  return encoder.encode(JSON.stringify(json));
}

/** The bytes of what stays in memory of an ended task. */
export function encodeEnded(task: EndedTask): Uint8Array {
  return encoder.encode(JSON.stringify(task));
}

/** A task as memory has it. @throws STORE_CORRUPT */
export function decodeKnownTask(record: StoredRecord): KnownTask {
  const json = parse(record);
  return "forgetAtUnixSeconds" in json ? endedFrom(json) : taskFrom(json);
}

/** A whole task, open or ended. @throws STORE_CORRUPT */
export function decodeTask(record: StoredRecord): TaskRecord {
  const json = parse(record);
  if ("forgetAtUnixSeconds" in json) throw corrupt(record.key);
  return taskFrom(json);
}

function parse({ key, value }: StoredRecord): TaskJson | EndedTask {
  try {
    const json: unknown = JSON.parse(decoder.decode(value));
    if (typeof json !== "object" || json === null || !("id" in json))
      throw new RangeError("no task");
    return json as TaskJson | EndedTask;
  } catch (cause) {
    throw corrupt(key, cause);
  }
}

function corrupt(key: string, cause?: unknown): Error {
  return serverError("STORE_CORRUPT", `the stored task "${key}" cannot be read`, {
    hint: "restore the store from a backup",
    cause,
  });
}

// Every field by name: objects of one shape, with each in its place, are half as large.
function taskFrom(json: TaskJson): TaskRecord {
  return {
    id: json.id,
    agentId: shared.text(json.agentId),
    taskClass: shared.text(json.taskClass),
    purpose: json.purpose,
    intent: shared.text(json.intent),
    mandate: shared.value(mandateFromJson(json.mandate)),
    principal: shared.text(json.principal),
    parent: json.parent,
    root: json.root === json.id ? json.id : json.root,
    depth: json.depth,
    owner: shared.text(json.owner),
    openedAtMs: json.openedAtMs,
    expiresAtMs: json.expiresAtMs,
    idleTimeoutSeconds: json.idleTimeoutSeconds,
    state: shared.text(json.state) as TaskState,
    stateReason: shared.text(json.stateReason),
    endedAtMs: json.endedAtMs,
    openedBy: shared.text(json.openedBy),
    nodeAgent: shared.text(json.nodeAgent),
    externalRefs: shared.value(json.externalRefs),
    labels: shared.value(json.labels),
    assurance: shared.text(json.assurance) as TaskRecord["assurance"],
    host: shared.text(json.host),
    usesTaken: json.usesTaken,
    grantHash: json.grantHash,
    keyThumbprint: json.keyThumbprint,
    version: json.version,
    lastActiveMs: json.lastActiveMs,
    binding:
      json.binding === undefined
        ? undefined
        : { ...json.binding, bootId: shared.text(json.binding.bootId) },
    status: { list: shared.text(json.status.list), index: json.status.index },
    maxCredentialSeconds: json.maxCredentialSeconds,
    suspendedFrom: json.suspendedFrom,
    idempotency: json.idempotency,
    termsDigest: json.termsDigest,
    summaryDigest: json.summaryDigest,
  };
}

function endedFrom(json: EndedTask): EndedTask {
  return {
    id: json.id,
    agentId: shared.text(json.agentId),
    taskClass: shared.text(json.taskClass),
    state: shared.text(json.state) as EndState,
    reason: shared.text(json.reason),
    nodeAgent: shared.text(json.nodeAgent),
    endedAtMs: json.endedAtMs,
    version: json.version,
    status: { list: shared.text(json.status.list), index: json.status.index },
    idempotency: json.idempotency,
    forgetAtUnixSeconds: json.forgetAtUnixSeconds,
  };
}
