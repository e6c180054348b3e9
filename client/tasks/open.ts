// Opening a task from a program: the SDK's door. The node agent attests this process, which must be one of
// an AI agent; from then on the task's own key speaks for it.

import { randomUUID } from "node:crypto";
import type { IdentityError } from "../../pki/errors.ts";
import { ulidIn } from "../../pki/task-id.ts";
import type { MandateRequest } from "../../policy/mandate-request.ts";
import { mandateRequestToWire } from "../../policy/mandate-wire.ts";
import type { Init } from "../../proto/codec.ts";
import type { signet } from "../../proto/schema.gen.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import type { WorkloadApiOptions } from "../workload-api.ts";
import { NodeCalls } from "./node-calls.ts";
import { Task } from "./task.ts";
import { readTask } from "./task-info.ts";
import { TaskKey } from "./task-key.ts";
import { readTaskSvid, type TaskTrust } from "./task-x509.ts";

/** What a task is to be. */
export interface TaskRequest {
  /** "read-only", "standard", or another one that the server has. */
  readonly taskClass?: string;
  /** For people: never grants anything. */
  readonly purpose?: string;
  /** A code for what is intended, for programs. */
  readonly intent?: string;
  /** What it is to be allowed; what is left out is what class and AI agent may have at most. */
  readonly mandate?: MandateRequest;
  /** Takes what is left of the mandate after narrowing, in place of a refusal. */
  readonly allowClip?: boolean;
  /** Default: the class's. */
  readonly ttlSeconds?: number;
  /** Ends the task when it has not shown life for so long. Default: the class's. */
  readonly idleTimeoutSeconds?: number;
  /** SPIFFE ID of the AI agent, where this process is of several; or of one that it hosts. */
  readonly aiAgent?: string;
  /** For whom, when it is not the AI agent itself. Recorded as this process's word. */
  readonly principal?: string;
  /** What others call this piece of work: `{ a2a: "..." }`. */
  readonly externalRefs?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

export interface OpenTaskOptions extends TaskRequest, WorkloadApiOptions {
  /** The task that an orchestrator made for this process, by ID. Class, purpose and mandate are then its own. */
  readonly claim?: string;
  /** Opening again with the same key is answered with the same task. Default: a new one each time. */
  readonly idempotencyKey?: string;
  /** Whom the task trusts in TLS, when it is to be more than its own trust domain: an `X509Source`. */
  readonly trust?: TaskTrust;
  /** How long to wait for a node agent that is away. Default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Told of each failure that the task lives through: a lost agent, an unreadable answer. */
  readonly onError?: (error: IdentityError) => void;
  readonly clock?: Clock;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Opens a task, or claims one, and follows it until it ends. `await using` ends it with its block: as FAILED
 * unless it was completed.
 * @throws ENDPOINT_MISSING, ENDPOINT_INVALID, TASKS_NOT_SERVED, and what the agent says, such as
 * MANDATE_EXCEEDED
 */
export async function openTask(options: OpenTaskOptions): Promise<Task> {
  const { clock = systemClock, signal, trust, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const calls = new NodeCalls(options.endpoint, clock);
  try {
    const key = new TaskKey(clock);
    const request = {
      ...taskRequestToWire(options),
      csr: key.csr,
      claimTaskId: ulidIn(options.claim ?? ""),
      // So that a question whose answer is lost opens no second task.
      idempotencyKey: options.idempotencyKey ?? randomUUID(),
    };
    const answer = await calls.ask(
      timeoutMs,
      (client, callOptions) => client.openTask(request, callOptions),
      signal,
    );
    const info = readTask(answer.task);
    const svid = readTaskSvid(answer.svid, key, info);
    return new Task({
      info,
      svid,
      key,
      calls,
      clock,
      trust,
      onError: options.onError ?? (() => {}),
    });
  } catch (error) {
    calls.close();
    throw error;
  }
}

/** The part of a request that says what the task is to be. */
export function taskRequestToWire(request: TaskRequest): Init<signet.task.v1.OpenTaskRequest> {
  const { mandate } = request;
  return {
    taskClass: request.taskClass ?? "",
    purpose: request.purpose ?? "",
    intent: request.intent ?? "",
    ...(mandate && { mandate: mandateRequestToWire(mandate) }),
    allowClip: request.allowClip ?? false,
    ttlSeconds: request.ttlSeconds ?? 0,
    idleTimeoutSeconds: request.idleTimeoutSeconds ?? 0,
    aiAgent: request.aiAgent ?? "",
    principal: request.principal ?? "",
    externalRefs: request.externalRefs ?? {},
    labels: request.labels ?? {},
  };
}
