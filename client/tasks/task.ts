// A task of this process, from its opening to its end: its identity, its tokens, what can be done with it.
// It follows the node agent in the background, over restarts of that, and notices at once when somebody else
// suspends or ends the task. How it is opened: open.ts.

import { IdentityError, Status } from "../../pki/errors.ts";
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import type { Mandate } from "../../policy/mandate.ts";
import type { MandateRequest } from "../../policy/mandate-request.ts";
import { mandateRequestToWire } from "../../policy/mandate-wire.ts";
import { type signet, TaskState as WireState } from "../../proto/schema.gen.ts";
import type { Clock, Timer } from "../../runtime/clock.ts";
import { Listeners } from "../listeners.ts";
import { invalid } from "../response.ts";
import { watch } from "../watch.ts";
import type { WorkloadWitSvid } from "../wit/wit-context.ts";
import type { NodeCalls } from "./node-calls.ts";
import {
  headersOf,
  resourceOf,
  type TaskHttpRequest,
  type TaskRequestHeaders,
} from "./request-headers.ts";
import {
  endIn,
  isEndState,
  readTask,
  type TaskEndState,
  type TaskInfo,
  type TaskState,
} from "./task-info.ts";
import type { TaskKey } from "./task-key.ts";
import {
  type AccessTokenOptions,
  type AskNode,
  type TaskAccessToken,
  type TaskJwtSvid,
  TaskTokens,
} from "./task-tokens.ts";
import {
  endedError,
  readTaskSvid,
  stoppedBy,
  type TaskSvid,
  type TaskTrust,
  TaskX509,
} from "./task-x509.ts";

/** How a task ended. */
export interface TaskEnd {
  /** Undefined when nobody could say: the node agent does not know the task any more. */
  readonly state: TaskEndState | undefined;
  /** For people. */
  readonly reason: string;
}

export interface CompleteOptions {
  /** Default COMPLETED. */
  readonly outcome?: "COMPLETED" | "FAILED";
  /** Why, for people. */
  readonly detail?: string;
  /** SHA-256, in hexadecimal digits, of a summary of what was done that is kept elsewhere. */
  readonly summaryDigest?: string;
}

/** What open.ts hands over. */
export interface OpenedTask {
  readonly info: TaskInfo;
  readonly svid: TaskSvid;
  readonly key: TaskKey;
  readonly calls: NodeCalls;
  readonly clock: Clock;
  readonly trust: TaskTrust | undefined;
  readonly onError: (error: IdentityError) => void;
}

type Wire = signet.task.v1.Task;

/** How long a node agent that has just been restarted may not know a task. */
const UNKNOWN_PATIENCE_MS = 10_000;
/** How long after its time a task waits for word of its end. */
const EXPIRY_PATIENCE_MS = 5_000;
/** Between attempts to follow a node agent that is away. */
const MAX_DELAY_MS = 1_000;
const CALL_TIMEOUT_MS = 15_000;

export class Task implements AsyncDisposable {
  readonly #opened: OpenedTask;
  readonly #closed: AbortController = new AbortController();
  readonly #ended: PromiseWithResolvers<TaskEnd> = Promise.withResolvers();
  readonly #listeners: Listeners<void> = new Listeners();
  readonly #tokens: TaskTokens;
  #info: TaskInfo;
  #end: TaskEnd | undefined;
  #expiry: Timer | undefined;
  #unknownSinceMs: number | undefined;
  /** A ULID. */
  readonly id: string;
  /** The AI agent's SPIFFE ID, then "/task/" and the ULID. */
  readonly spiffeId: SpiffeId;
  /** The task's X.509 identity, as a source for the TLS functions of this library. */
  readonly x509: TaskX509;
  /** Resolves once the task has ended, whoever ended it. Never rejects. */
  readonly ended: Promise<TaskEnd>;

  constructor(opened: OpenedTask) {
    const { info, svid, key, clock, trust } = opened;
    this.#opened = opened;
    this.#info = info;
    this.id = info.id;
    this.spiffeId = info.spiffeId;
    this.ended = this.#ended.promise;
    this.#tokens = new TaskTokens(this.#ask, { key, task: info.spiffeId, clock });
    const assertGoesOn = (): void => this.#assertGoesOn();
    this.x509 = new TaskX509(svid, { clock, trust, assertGoesOn });
    this.#awaitExpiry();
    this.#follow().catch((error: unknown) => this.#lost(error));
  }

  get state(): TaskState {
    return this.#info.state;
  }

  /** What the task may do. */
  get mandate(): Mandate {
    return this.#info.mandate;
  }

  get expiresAt(): Date {
    return this.#info.expiresAt;
  }

  /** All that is known of it. */
  get info(): TaskInfo {
    return this.#info;
  }

  /**
   * A JWT-SVID of the task for an audience, which the mandate's locations must have. Kept until half of its
   * life is over. @throws TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, and what the agent says
   */
  async jwtSvid(audience: string): Promise<TaskJwtSvid> {
    this.#assertGoesOn();
    return this.#tokens.jwtSvid(audience);
  }

  /**
   * The WIT-SVID of the task, with the key to prove it with: give it to `presentWit` for each request. Kept until
   * half of its life is over. @throws TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, and what the agent says, such as
   * WIT_NOT_SERVED
   */
  async witSvid(): Promise<WorkloadWitSvid> {
    this.#assertGoesOn();
    return this.#tokens.witSvid();
  }

  /**
   * An access token for a resource, by its canonical URI. Kept until half of its life is over.
   * @throws TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, and what the agent says
   */
  async accessToken(resource: string, options: AccessTokenOptions = {}): Promise<TaskAccessToken> {
    this.#assertGoesOn();
    return this.#tokens.accessToken(resource, options);
  }

  /**
   * The fields that let one HTTP request through a service that takes access tokens: an access token for the
   * resource, kept as `accessToken` keeps it, and a proof for this request.
   * @throws TRANSPORT_NOT_CONFIDENTIAL, and as `accessToken` does
   */
  async requestHeaders(request: TaskHttpRequest): Promise<TaskRequestHeaders> {
    const { mandate, bound } = request;
    const options = { ...(mandate && { mandate }), ...(bound !== undefined && { bound }) };
    const token = await this.accessToken(resourceOf(request), options);
    return headersOf(token, request, this.#opened.key);
  }

  /** Gives up what is not in `mandate`, for ever. What is left out stays as it is. */
  async narrow(mandate: MandateRequest): Promise<Mandate> {
    const wire = mandateRequestToWire(mandate);
    const { task } = await this.#ask("Narrow", (client, proof, options) =>
      client.narrow({ proof, mandate: wire }, options),
    );
    this.#tokens.forget();
    this.#take(task);
    return this.mandate;
  }

  /** Lets the task rest: no credentials until it is resumed. */
  async park(): Promise<void> {
    const { task } = await this.#ask("Park", (client, proof, options) =>
      client.park({ proof }, options),
    );
    this.#take(task);
  }

  /** Goes on with a parked task, with the mandate it had or a narrower one. */
  async resume(options: { readonly mandate?: MandateRequest } = {}): Promise<void> {
    const { key } = this.#opened;
    const narrower = options.mandate && { mandate: mandateRequestToWire(options.mandate) };
    const answer = await this.#ask("Resume", (client, proof, callOptions) =>
      client.resume({ proof, csr: key.csr, ...narrower }, callOptions),
    );
    this.#take(answer.task, answer.svid);
  }

  /**
   * Ends the task, and with it all its credentials.
   * @throws TASK_ENDED when somebody else has ended it before
   */
  async complete(options: CompleteOptions = {}): Promise<void> {
    const { outcome = "COMPLETED" } = options;
    try {
      await this.#complete(outcome, options);
    } catch (error) {
      // It has ended so: once before, or the stream said it before the answer came.
      if (this.#end?.state !== outcome) throw error;
    }
  }

  /** Calls `listener` after each change of state, mandate or identity; returns how to stop that. */
  onChange(listener: () => void): () => void {
    return this.#listeners.add(listener);
  }

  /**
   * Lets go of the task without ending it: it lives until its process dies, its time is over, or somebody
   * ends it. Nothing can be done with it here any more.
   */
  close(): void {
    this.#closed.abort();
    this.#expiry?.cancel();
    this.#opened.calls.close();
  }

  /** A task that is left without having been completed has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#end !== undefined || this.#closed.signal.aborted) return;
    try {
      await this.complete({ outcome: "FAILED", detail: "left without having been completed" });
    } catch (error) {
      if (!hasReason(error, "TASK_ENDED")) throw error;
    } finally {
      this.close();
    }
  }

  async #complete(outcome: "COMPLETED" | "FAILED", options: CompleteOptions): Promise<void> {
    const { detail = "", summaryDigest = "" } = options;
    const request = { outcome: WireState[outcome], detail, summaryDigest };
    const task = await this.#ask("Complete", async (client, proof, callOptions, attempt) => {
      try {
        return (await client.complete({ proof, ...request }, callOptions)).task;
      } catch (error) {
        // The answer to the first attempt was lost, not the attempt.
        if (attempt > 0 && hasReason(error, "TASK_ENDED")) return undefined;
        throw error;
      }
    });
    if (task !== undefined) this.#take(task);
    this.#finish({ state: outcome, reason: detail });
  }

  async #follow(): Promise<void> {
    const { calls, key, clock, onError } = this.#opened;
    const open = (signal: AbortSignal): AsyncIterable<signet.task.v1.TaskEvent> => {
      const proof = key.prove("WatchTask", this.id);
      return calls.client.watchTask({ proof, csr: key.csr }, { signal });
    };
    const noticed = (error: IdentityError): void => {
      this.#checkEnd(error);
      if (this.#end === undefined) onError(error);
    };
    const events = watch(
      {
        open,
        read: (event: signet.task.v1.TaskEvent) => this.#readEvent(event),
        nothing: undefined,
        maxDelayMs: MAX_DELAY_MS,
      },
      { signal: this.#closed.signal, clock, onError: noticed },
    );
    for await (const event of events) {
      if (event === undefined) continue;
      this.#unknownSinceMs = undefined;
      this.#update(event.info, event.svid);
    }
  }

  #readEvent(event: { task: Wire; svid: signet.task.v1.TaskX509SVID | undefined }): {
    info: TaskInfo;
    svid: TaskSvid | undefined;
  } {
    const info = readTask(event.task);
    if (info.id !== this.id) throw invalid(`it sent the task ${info.id} in place of ${this.id}`);
    const { svid } = event;
    return { info, svid: svid && readTaskSvid(svid, this.#opened.key, this) };
  }

  #take(task: Wire, svid?: signet.task.v1.TaskX509SVID): void {
    const event = this.#readEvent({ task, svid });
    this.#update(event.info, event.svid);
  }

  #update(info: TaskInfo, svid: TaskSvid | undefined): void {
    if (this.#end !== undefined) return;
    const before = this.#info;
    // An event that was overtaken by the answer to a call says what was.
    if (info.version >= before.version) this.#info = info;
    const isNew = this.#info.version !== before.version;
    if (isEndState(this.#info.state)) {
      this.#finish({ state: this.#info.state, reason: this.#info.stateReason });
      return;
    }
    if (this.#info.state !== "ACTIVE") this.#tokens.forget();
    if (isNew) this.#awaitExpiry();
    if (svid !== undefined) this.x509.replace(svid);
    else if (isNew) this.x509.changed();
    if (isNew || svid !== undefined) this.#listeners.tell();
  }

  readonly #ask: AskNode = async (method, call, timeoutMs = CALL_TIMEOUT_MS) => {
    this.#assertOpen();
    const { calls, key } = this.#opened;
    try {
      return await calls.ask(
        timeoutMs,
        (client, options, attempt) => call(client, key.prove(method, this.id), options, attempt),
        this.#closed.signal,
      );
    } catch (error) {
      if (hasReason(error, "TASK_ENDED")) this.#checkEnd(error as IdentityError);
      // Word of its end overtook the answer, and nothing more is waited for.
      this.#assertOpen();
      throw error;
    }
  };

  #assertOpen(): void {
    if (this.#end !== undefined) throw endedError(this.id, this.#end.state, this.#end.reason);
  }

  #assertGoesOn(): void {
    this.#assertOpen();
    const stopped = stoppedBy(this.#info);
    if (stopped !== undefined) throw stopped;
  }

  /** Whether a failure to follow means that the task is over. */
  #checkEnd(error: IdentityError): void {
    if (error.reason === "TASK_ENDED") {
      this.#finish(endIn(error) ?? { state: undefined, reason: error.message });
      return;
    }
    if (error.code !== Status.notFound) return;
    const nowMs = this.#opened.clock.now().getTime();
    this.#unknownSinceMs ??= nowMs;
    if (Math.abs(nowMs - this.#unknownSinceMs) >= UNKNOWN_PATIENCE_MS) {
      this.#finish({ state: undefined, reason: error.message });
    }
  }

  /** Following ended, which no repetition repairs. */
  #lost(error: unknown): void {
    if (error instanceof IdentityError) this.#opened.onError(error);
    const reason = error instanceof Error ? error.message : String(error);
    this.#finish({ state: undefined, reason });
  }

  #awaitExpiry(): void {
    this.#expiry?.cancel();
    const last = new Date(this.expiresAt.getTime() + EXPIRY_PATIENCE_MS);
    this.#expiry = this.#opened.clock.setTimer(last, () =>
      this.#finish({ state: "EXPIRED", reason: "its time was over" }),
    );
  }

  #finish(end: TaskEnd): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const { state, reason: stateReason } = end;
    if (state !== undefined) this.#info = { ...this.#info, state, stateReason };
    this.#tokens.forget();
    this.close();
    this.x509.changed();
    this.#listeners.tell();
    this.#ended.resolve(end);
  }
}

function hasReason(error: unknown, reason: string): boolean {
  return error instanceof IdentityError && error.reason === reason;
}
