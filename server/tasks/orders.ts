// What is asked of the tasks, by whom, and what is answered: server/tasks/tasks.ts.
import type { MandateRequest } from "../../policy/mandate-request.ts";
import type { EndState, TaskBinding, TaskRecord, TaskState } from "../store/task-record.ts";

/** What a task is to be. Texts are checked where the task is opened: server/tasks/terms.ts. */
export interface TaskTerms {
  readonly taskClass: string;
  readonly purpose: string;
  readonly intent: string;
  /** What is left out is what may be had at most. */
  readonly mandate: MandateRequest;
  /** 0: the class's default, as for the next. */
  readonly ttlSeconds: number;
  readonly idleTimeoutSeconds: number;
  /** "": the AI agent itself. */
  readonly principal: string;
  /** "": none. */
  readonly idempotencyKey: string;
  readonly externalRefs: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly allowClip: boolean;
}

/** A node agent opens a task for a process that it attested. */
export interface OpenOrder {
  /** SPIFFE ID of the node agent. */
  readonly nodeAgent: string;
  /** Registration entries that the process matches, as the node agent says; checked. */
  readonly entryIds: readonly string[];
  /** SPIFFE ID of the AI agent; "" when the process is one alone. */
  readonly agentId: string;
  readonly terms: TaskTerms;
  /** PKCS #10 DER. */
  readonly csr: Uint8Array;
  readonly binding: TaskBinding | undefined;
  /** Aborts when nobody waits for the answer any more. */
  readonly signal?: AbortSignal;
}

/** As above, for a task that waits: its terms are its own. */
export interface ClaimOrder extends Omit<OpenOrder, "terms"> {
  readonly id: string;
}

/** An administrator or orchestrator makes a task for an AI agent to claim. */
export interface CreateOrder {
  readonly agentId: string;
  readonly terms: TaskTerms;
  /** Name of the caller. */
  readonly by: string;
  /** An administrator, and no orchestrator. */
  readonly isOperator: boolean;
}

/** Who changes a task: the node agent that holds it, or an administrator. */
export interface Actor {
  /** For records: a SPIFFE ID or a name. */
  readonly by: string;
  /** Set for a node agent: the task must be held by it. */
  readonly nodeAgent?: string;
}

/** A task's end. */
export interface Ending {
  readonly state: EndState;
  readonly reason: string;
  readonly summaryDigest?: string;
}

/** An X509-SVID of a task. */
export interface TaskSvid {
  /** DER, leaf first, without the root. */
  readonly chain: readonly Uint8Array[];
  readonly notAfter: Date;
}

export interface OpenedTask {
  readonly task: TaskRecord;
  readonly svid: TaskSvid;
}

export interface TaskToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** The key of a WIT-SVID. */
export interface WitKey {
  /** SubjectPublicKeyInfo DER. */
  readonly spki: Uint8Array;
  /** Of the proofs; by default the usual one of such a key. */
  readonly alg?: string;
}

/** An X509-SVID that a node agent asks for. */
export interface SignOrder {
  readonly id: string;
  /** PKCS #10 DER. */
  readonly csr: Uint8Array;
}

/** A certificate that a task was given and that may not have expired. */
export interface TaskSerial {
  readonly authorityId: string;
  /** Lowercase hexadecimal digits. */
  readonly serial: string;
  readonly expiresAtUnixSeconds: number;
}

/** Which tasks are listed: those that are all that is said. */
export interface TaskFilter {
  readonly agentId?: string;
  readonly taskClass?: string;
  readonly states?: readonly TaskState[];
  readonly nodeAgent?: string;
  /** A ULID. */
  readonly root?: string;
  readonly owner?: string;
  /** The AI agent that hosts them. */
  readonly host?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Of what the caller may see. */
  readonly admits?: (task: TaskRecord) => boolean;
}
