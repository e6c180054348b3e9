// TaskStatuses: which tasks are to be refused, as the node agent hears it from the server, within a fraction
// of a second. A list of refusals: a task that is not in it goes on, as far as this node knows. What TLS does
// with it: tls/task-connections.ts; what a guard does: guard/.

import type { IdentityError } from "../pki/errors.ts";
import type { SpiffeId } from "../pki/spiffe-id.ts";
import { ulidIn } from "../pki/task-id.ts";
import { type Channel, createChannel } from "../proto/rpc/client.ts";
import { GuardService, type signet, TaskVerdict as Wire } from "../proto/schema.gen.ts";
import { type Clock, systemClock, type Timer } from "../runtime/clock.ts";
import { findEndpoint } from "./endpoint.ts";
import { clientError } from "./errors.ts";
import { FirstAnswer, finalError } from "./first-answer.ts";
import { Listeners } from "./listeners.ts";
import { SECURITY_HEADER } from "./security-header.ts";
import { watch } from "./watch.ts";
import type { SourceOptions } from "./x509-source.ts";

/** What may be done with a task's credentials: "refused" is for now, "ended" for ever. */
export type TaskVerdict = "good" | "refused" | "ended";

/** A task that is refused, or that goes on again. */
export interface TaskStatus {
  /** A ULID. */
  readonly taskId: string;
  readonly spiffeId: string;
  readonly verdict: TaskVerdict;
  /** The state's name, for people: "SUSPENDED", "REVOKED". */
  readonly state: string;
  /** The words of whoever brought it into this state: in one line, "" when there are none. */
  readonly reason: string;
}

/** What a verifier must know of a task class. */
export interface TaskClassRules {
  readonly name: string;
  /** Whether tasks are refused while the list is not fresh, or trusted until their credentials expire. */
  readonly failMode: "closed" | "ttl";
  readonly requirePop: boolean;
}

export interface TaskStatusesOptions extends SourceOptions {
  /** How old the last word may be for the list to count as fresh; the agent sends one a second. Default 3 s. */
  readonly maxAgeMs?: number;
}

interface Known extends TaskStatus {
  readonly version: number | bigint;
  /** The sweep that may forget it. */
  readonly lastSweep: number;
}

const DEFAULT_MAX_AGE_MS = 3_000;
const WHAT = "task statuses";
/** Whoever hears nothing lets in whom he should not. */
const MAX_DELAY_MS = 1_000;
const SWEEP_MS = 60_000;
/**
 * Refusals are kept for so long at least, in time that passed: a clock that is ahead must not make what has
 * ended good once it is set right. Credentials live for five minutes, and verifiers allow five more.
 */
const MIN_KEEP_MS = 900_000;
/** An agent that sends nothing for so long, though its connection is there, does not answer either. */
const SILENT_MS = 3_000;

export class TaskStatuses implements Disposable {
  readonly #clock: Clock;
  readonly #maxAgeMs: number;
  readonly #channel: Channel;
  readonly #closed: AbortController = new AbortController();
  readonly #first: FirstAnswer = new FirstAnswer();
  readonly #changes: Listeners<readonly TaskStatus[]> = new Listeners();
  readonly #freshness: Listeners<boolean> = new Listeners();
  readonly #onError: (error: IdentityError) => void;
  /** Refused and ended tasks by their ULID. */
  readonly #refused: Map<string, Known> = new Map();
  readonly #classes: Map<string, TaskClassRules> = new Map();
  /** Named by the pages of a new list so far. */
  #listed: Set<string> | undefined;
  /** Refused by a list that a new one, of an agent that has not heard the server yet, does not name. */
  #unconfirmed: Set<string> = new Set();
  #freshAtMs: number | undefined;
  #staleTimer: Timer | undefined;
  #wasFresh = false;
  readonly #silence: Listeners<boolean> = new Listeners();
  #silenceTimer: Timer | undefined;
  #isSilent = false;
  #sweepTimer: Timer | undefined;
  /** How many there were. */
  #sweeps = 0;

  private constructor(options: TaskStatusesOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#maxAgeMs = options.maxAgeMs ?? DEFAULT_MAX_AGE_MS;
    this.#awaitSweep();
    this.#onError = (error) => {
      this.#first.note(error);
      options.onError?.(error);
    };
    const address = findEndpoint(options.endpoint);
    this.#channel = createChannel({ address, metadata: SECURITY_HEADER });
    this.#run().catch((error: unknown) => {
      const final = finalError(error, WHAT);
      this.#onError(final);
      this.#first.fail(final);
    });
  }

  /**
   * Connects and waits for the first whole list. The caller must have an identity of its own.
   * @throws ENDPOINT_MISSING, ENDPOINT_INVALID, SOURCE_NOT_READY after the timeout, with the last failure
   * as its cause; at once what no waiting repairs, such as an agent that knows of no tasks
   */
  static async start(options: TaskStatusesOptions = {}): Promise<TaskStatuses> {
    const statuses = new TaskStatuses(options);
    try {
      const hint = "check that the agent runs and that this workload has an identity";
      const { timeoutMs, signal } = options;
      const clock = statuses.#clock;
      await statuses.#first.wait({ what: WHAT, hint, timeoutMs, signal, clock });
    } catch (error) {
      statuses.close();
      throw error;
    }
    return statuses;
  }

  /** By SPIFFE ID, or by bare ULID. Whatever is no task, or not known to be refused, is good. */
  verdict(task: SpiffeId | string): TaskVerdict {
    return this.status(task)?.verdict ?? "good";
  }

  /** What is held against a task; undefined when nothing is. */
  status(task: SpiffeId | string): TaskStatus | undefined {
    const name = task.toString();
    const known = this.#refused.get(ulidIn(name));
    return known?.spiffeId === name || known?.taskId === name ? known : undefined;
  }

  /** Whether the agent is heard, and the server by the agent, so that nothing that ended is missing here. */
  isFresh(maxAgeMs: number = this.#maxAgeMs): boolean {
    if (this.#freshAtMs === undefined) return false;
    const ageMs = this.#clock.now().getTime() - this.#freshAtMs;
    return ageMs >= 0 && ageMs <= maxAgeMs;
  }

  /** The rules of a class; undefined when there is no such class. */
  rulesOf(taskClass: string): TaskClassRules | undefined {
    return this.#classes.get(taskClass);
  }

  /** How many tasks are refused. */
  get size(): number {
    return this.#refused.size;
  }

  /** Tells which tasks are refused now, or go on again ("good"); returns how to stop that. */
  onChange(listener: (changed: readonly TaskStatus[]) => void): () => void {
    return this.#changes.add(listener);
  }

  /** Tells when the list stops being fresh, by `maxAgeMs`, and when it is so again. */
  onFreshness(listener: (isFresh: boolean) => void): () => void {
    return this.#freshness.add(listener);
  }

  /**
   * Whether the agent is connected and says nothing, as a process does that is stopped or starved: what is asked
   * of it would not be answered. While it is not there at all, it is not silent.
   */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Tells when the agent falls silent, and when it is heard again or is gone. */
  onSilence(listener: (isSilent: boolean) => void): () => void {
    return this.#silence.add(listener);
  }

  /** What was refused stays refused; nothing is fresh any more. */
  close(): void {
    this.#closed.abort();
    this.#sweepTimer?.cancel();
    this.#noteSilence(false);
    this.#silenceTimer?.cancel();
    this.#first.fail(clientError("SOURCE_CLOSED", "the source of task statuses is closed"));
    this.#hear(false);
    this.#channel.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #run(): Promise<void> {
    const client = this.#channel.client(GuardService);
    const messages = watch(
      {
        open: (signal) => this.#untilLost(client.watchStatus({}, { signal })),
        read: (message: signet.guard.v1.WatchStatusResponse) => message,
        nothing: undefined,
        maxDelayMs: MAX_DELAY_MS,
      },
      { signal: this.#closed.signal, clock: this.#clock, onError: this.#onError },
    );
    for await (const message of messages) if (message !== undefined) this.#take(message);
  }

  /** A lost feed is noticed at once, not after `maxAgeMs`. */
  async *#untilLost<T>(stream: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      this.#awaitWord();
      yield* stream;
    } finally {
      this.#silenceTimer?.cancel();
      this.#noteSilence(false);
      this.#hear(false);
    }
  }

  #take(message: signet.guard.v1.WatchStatusResponse): void {
    if (this.#closed.signal.aborted) return;
    this.#awaitWord();
    const changed: TaskStatus[] = [];
    if (message.reset) this.#listed = new Set();
    for (const { name, failMode, requirePop } of message.classes) {
      // What is not known to be lenient is strict.
      const mode = failMode === "ttl" ? "ttl" : "closed";
      this.#classes.set(name, { name, failMode: mode, requirePop });
    }
    for (const status of message.tasks) this.#apply(status, changed);
    if (message.complete && this.#listed !== undefined) this.#finishList(this.#listed);
    if (message.complete && message.fresh) this.#letGo(changed);
    if (changed.length > 0) this.#changes.tell(changed);
    if (message.complete) {
      this.#hear(message.fresh);
      this.#first.arrived();
    }
  }

  #apply(wire: signet.link.v1.TaskStatus, changed: TaskStatus[]): void {
    const { taskId, spiffeId, version, state, reason } = wire;
    this.#listed?.add(taskId);
    this.#unconfirmed.delete(taskId);
    const before = this.#refused.get(taskId);
    const verdict = verdictOf(wire.verdict);
    // What has ended never goes on, whatever an agent that forgot says; and an end needs no newer version.
    if (before?.verdict === "ended" || (before === undefined && verdict === "good")) return;
    if (before !== undefined && verdict !== "ended" && before.version >= version) return;
    const keptMs = Math.max(MIN_KEEP_MS, wire.forgetAt * 1000 - this.#clock.now().getTime());
    const lastSweep = this.#sweeps + Math.ceil(keptMs / SWEEP_MS) + 1;
    const known = { taskId, spiffeId, verdict, state, reason, version, lastSweep };
    if (verdict === "good") this.#refused.delete(taskId);
    else this.#refused.set(taskId, known);
    if (before?.verdict !== verdict) changed.push(known);
  }

  /** What a new list does not name goes on again, once the agent that sent it hears the server. */
  #finishList(listed: ReadonlySet<string>): void {
    this.#listed = undefined;
    for (const { taskId, verdict } of this.#refused.values()) {
      if (verdict === "refused" && !listed.has(taskId)) this.#unconfirmed.add(taskId);
    }
  }

  #letGo(changed: TaskStatus[]): void {
    for (const taskId of this.#unconfirmed) {
      const known = this.#refused.get(taskId);
      if (known === undefined) continue;
      this.#refused.delete(taskId);
      changed.push({ ...known, verdict: "good" });
    }
    this.#unconfirmed = new Set();
  }

  /** Forgets the tasks whose last credential has expired, by time that passed. */
  #awaitSweep(): void {
    this.#sweepTimer = this.#clock.setTimer(SWEEP_MS, () => {
      this.#sweeps += 1;
      for (const [taskId, { lastSweep }] of this.#refused) {
        if (lastSweep <= this.#sweeps) this.#refused.delete(taskId);
      }
      this.#awaitSweep();
    });
  }

  /** From now on the agent has so long to say something. */
  #awaitWord(): void {
    this.#silenceTimer?.cancel();
    this.#silenceTimer = this.#clock.setTimer(SILENT_MS, () => this.#noteSilence(true));
    this.#noteSilence(false);
  }

  #noteSilence(isSilent: boolean): void {
    if (isSilent === this.#isSilent) return;
    this.#isSilent = isSilent;
    this.#silence.tell(isSilent);
  }

  #hear(isFresh: boolean): void {
    this.#staleTimer?.cancel();
    this.#staleTimer = undefined;
    this.#freshAtMs = isFresh ? this.#clock.now().getTime() : undefined;
    if (isFresh) this.#staleTimer = this.#clock.setTimer(this.#maxAgeMs, () => this.#hear(false));
    if (isFresh === this.#wasFresh) return;
    this.#wasFresh = isFresh;
    this.#freshness.tell(isFresh);
  }
}

/** What is not known is refused. */
function verdictOf(wire: number): TaskVerdict {
  if (wire === Wire.GOOD) return "good";
  return wire === Wire.ENDED ? "ended" : "refused";
}
