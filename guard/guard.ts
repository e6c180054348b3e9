// The guard of one service: who calls (authenticate.ts), whether the task goes on, what it may do, how often,
// and what is written down of it, in this order. Frameworks: http.ts and mcp.ts.
//
// Two mandates count: that of the credential, and that of the task as it is now, which may have been narrowed
// since. A call is allowed when both allow it.

import type { TaskStatuses } from "../client/task-status.ts";
import type { ServerRequest } from "../client/wit/request.ts";
import type { X509Source } from "../client/x509-source.ts";
import { IdentityError, Status } from "../pki/errors.ts";
import { allows, type Mandate } from "../policy/mandate.ts";
import { mandateFromWire } from "../policy/mandate-wire.ts";
import type { signet } from "../proto/schema.gen.ts";
import type { Clock, Timer } from "../runtime/clock.ts";
import type { Call } from "./actions.ts";
import { refusalOf } from "./attempts.ts";
import type { Authenticator } from "./authenticate.ts";
import { TaskConnections } from "./connections.ts";
import { guardError } from "./errors.ts";
import type { GuardNode } from "./node.ts";
import { lastMoment, type PresentedTask } from "./presented.ts";
import { type About, aboutOf, type Decision, type GuardRecorder } from "./recorder.ts";
import {
  assertActive,
  assertAttested,
  attemptIn,
  ended as hasEnded,
  outsideMandate,
  stale,
  suspended,
  unknown,
} from "./refusals.ts";
import { TokenUses } from "./token-uses.ts";

export interface GuardParts {
  readonly resource: string;
  /** Where it runs, when mandates for other environments are to be refused. */
  readonly environment: string | undefined;
  /** Tasks of AI agents on hosts are refused. */
  readonly requireAttested: boolean;
  readonly issuer: string | undefined;
  readonly source: X509Source;
  /** What else is to be closed with it. */
  readonly close: () => void;
  readonly statuses: TaskStatuses;
  readonly node: GuardNode;
  readonly authenticator: Authenticator;
  readonly recorder: GuardRecorder;
  readonly clock: Clock;
}

/** What a task may do here, as of a moment ago. */
export interface Rights {
  /** Each of these must allow a call. */
  readonly mandates: readonly Mandate[];
  /** What the server says of the task, for the record. */
  readonly about: About;
  readonly hasBudget: boolean;
  readonly failMode: "closed" | "ttl";
}

/** A call that may be made now. */
export interface Permit {
  readonly task: PresentedTask;
  /** Aborts when the task ends: what the call is for is void then. */
  readonly signal: AbortSignal;
  /**
   * To be called when the call is done, before its result leaves.
   * @throws GUARD_RESULT_WITHHELD when the task has ended meanwhile, GUARD_AUDIT_UNAVAILABLE: the result must
   * not leave
   */
  finish(outcome: "ok" | "failed"): Promise<void>;
}

type Task = signet.task.v1.Task;

/** While nobody can say which tasks go on, what has expired is looked for this often. */
const EXPIRY_CHECK_MS = 1000;

export class Guard implements Disposable {
  readonly resource: string;
  /** What parts of it count time by. */
  readonly clock: Clock;
  /** Of access tokens; undefined when none are taken. */
  readonly issuer: string | undefined;
  /** This service's own identity, to protect a TLS server with. */
  readonly source: X509Source;
  readonly statuses: TaskStatuses;
  readonly connections: TaskConnections = new TaskConnections();
  readonly #parts: GuardParts;
  readonly #tokenUses: TokenUses;
  readonly #stops: readonly (() => void)[];
  #expiryCheck: Timer | undefined;

  constructor(parts: GuardParts) {
    const { statuses } = parts;
    this.#parts = parts;
    this.resource = parts.resource;
    this.clock = parts.clock;
    this.issuer = parts.issuer;
    this.source = parts.source;
    this.statuses = statuses;
    this.#tokenUses = new TokenUses(parts.clock);
    this.#stops = [
      statuses.onChange((changed) => {
        for (const { taskId, verdict } of changed) {
          if (verdict !== "good") this.connections.close(taskId);
        }
      }),
      statuses.onFreshness((isFresh) => {
        this.#expiryCheck?.cancel();
        if (isFresh) return;
        this.connections.closeStrict();
        this.#closeExpired();
      }),
    ];
  }

  /**
   * Who sent a request: a task that goes on. What is refused is written down where it is an attempt to get
   * more than was granted.
   * @throws the reasons of `Authenticator.authenticate`, TASK_ENDED, TASK_SUSPENDED
   */
  async authenticate(request: ServerRequest): Promise<PresentedTask> {
    const { authenticator, recorder, source } = this.#parts;
    let task: PresentedTask;
    try {
      task = await authenticator.authenticate(request);
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== undefined) {
        const reason = error instanceof IdentityError ? error.reason : "INTERNAL";
        await recorder.attempted({ ...refusal, reason });
      }
      throw error;
    }
    const own = source.svid().id.trustDomain;
    if (!task.spiffeId.startsWith(`${own.id}/`)) {
      throw guardError("GUARD_TASK_UNKNOWN", `${task.spiffeId} is of another trust domain`, {
        hint: "tasks of other trust domains are not known here",
      });
    }
    await this.#assertNotRefused(task);
    return task;
  }

  /**
   * Asks whether a task may make a call, takes a use off its budget, and writes the decision down.
   * @throws TASK_ENDED, TASK_SUSPENDED, TASK_PARKED, TASK_STATUS_STALE, GUARD_TASK_UNKNOWN, GUARD_PROOF_MISSING,
   * GUARD_ATTESTATION_MISSING, GUARD_ACTION_REFUSED, GUARD_BUDGET_SPENT, GUARD_AUDIT_UNAVAILABLE
   */
  async authorize(task: PresentedTask, call: Call): Promise<Permit> {
    const { recorder } = this.#parts;
    let decision = recorder.decisionOf(task, call);
    const ended = this.#follow(task);
    try {
      const rights = await this.rightsOf(task);
      decision = { ...decision, about: rights.about };
      if (!this.isAllowed(rights, call)) throw outsideMandate(call);
      if (rights.hasBudget) await this.#spend(task, rights);
      // Whatever was waited for above, the task may have ended meanwhile.
      this.#assertGoesOn(task);
    } catch (error) {
      ended.stop();
      await recorder.denied(decision, error, attemptIn(error));
      throw error;
    }
    try {
      await recorder.allowed(decision);
      this.#assertGoesOn(task);
    } catch (error) {
      ended.stop();
      throw error;
    }
    return {
      task,
      signal: ended.signal,
      finish: (outcome) => this.#finish(decision, ended, outcome),
    };
  }

  /** What a task may do now. @throws as authorize, but for what one call is refused for */
  async rightsOf(task: PresentedTask): Promise<Rights> {
    const { statuses, node } = this.#parts;
    let known: Task | undefined;
    let failure: unknown;
    try {
      known = await node.describe(task);
    } catch (error) {
      failure = error;
    }
    await this.#assertNotRefused(task);
    // A refusal is an answer: only silence leaves the word of the issuer.
    if (failure !== undefined && !isAway(failure)) throw failure;
    const rules = known === undefined ? undefined : statuses.rulesOf(known.taskClass);
    const failMode =
      task.failMode === "closed" || rules?.failMode === "closed"
        ? "closed"
        : (rules?.failMode ?? task.failMode ?? "closed");
    if (failMode === "closed") {
      this.connections.markStrict(task.taskId);
      if (!statuses.isFresh()) throw stale(task);
    }
    // Of a class that is gone nobody knows what it asked for.
    const requirePop = rules?.requirePop ?? known !== undefined;
    if (requirePop && !task.isBound) {
      throw guardError("GUARD_PROOF_MISSING", "tasks of this class show a key with every call", {
        hint: "connect with the task's X509-SVID, or use a token that is bound to a key",
      });
    }
    if (this.#parts.requireAttested) assertAttested(task, known);
    if (known !== undefined) {
      assertActive(known);
      const current = mandateFromWire(known.mandate);
      const mandates = task.mandate === undefined ? [current] : [task.mandate, current];
      const hasBudget = mandates.some(({ uses }) => uses !== undefined);
      const { root, principal, assurance } = known;
      return { mandates, about: { root, principal, assurance }, hasBudget, failMode };
    }
    if (failure === undefined) throw unknown(task);
    // Nobody can be asked. What the issuer has signed still holds where its class says so; a budget that
    // cannot be counted does not.
    const { mandate } = task;
    if (mandate === undefined || mandate.uses !== undefined) throw failure;
    return { mandates: [mandate], about: aboutOf(task), hasBudget: false, failMode };
  }

  /** Whether a call is within the rights of a task. */
  isAllowed({ mandates }: Rights, { action, datatypes, sensitivity }: Call): boolean {
    const { resource, environment, clock } = this.#parts;
    const use = {
      location: resource,
      action,
      at: clock.now(),
      ...(datatypes !== undefined && { datatypes }),
      ...(sensitivity !== undefined && { sensitivity }),
      ...(environment !== undefined && { environment }),
    };
    return mandates.every((mandate) => allows(mandate, use));
  }

  /** Writes down that somebody tried to get more than was granted. */
  async attempted(task: PresentedTask, kind: string, reason: string): Promise<void> {
    const { credential } = task;
    await this.#parts.recorder.attempted({ kind, task, credential, reason });
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#expiryCheck?.cancel();
    this.#parts.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #spend(task: PresentedTask, { mandates }: Rights): Promise<void> {
    const uses = task.mandate?.uses;
    const isLeft = uses === undefined || this.#tokenUses.take(task, uses);
    // The task's own budget is counted for all guards by the server.
    const isCounted = mandates.some(
      (mandate) => mandate !== task.mandate && mandate.uses !== undefined,
    );
    if (isLeft && (!isCounted || (await this.#parts.node.spend(task)))) return;
    throw guardError("GUARD_BUDGET_SPENT", `the uses of the task ${task.spiffeId} are spent`, {
      hint: "open another task, or ask for more uses when opening it",
    });
  }

  async #finish(
    decision: Decision,
    ended: { readonly signal: AbortSignal; stop(): void },
    outcome: "ok" | "failed",
  ): Promise<void> {
    const { recorder } = this.#parts;
    try {
      this.#assertGoesOn(decision.task);
      await recorder.called(decision, outcome);
      this.#assertGoesOn(decision.task);
    } catch (error) {
      if (error instanceof IdentityError && error.reason === "GUARD_AUDIT_UNAVAILABLE") throw error;
      const withheld = guardError(
        "GUARD_RESULT_WITHHELD",
        "the task ended while the call was made: its result is not handed out",
        { cause: error },
      );
      await recorder.called(decision, "denied", withheld).catch(() => undefined);
      throw withheld;
    } finally {
      ended.stop();
    }
  }

  /** Without word of their tasks, connections last as long as the credentials that they were made with. */
  #closeExpired(): void {
    const { clock } = this.#parts;
    this.connections.closeExpired(clock.now().getTime());
    this.#expiryCheck = clock.setTimer(EXPIRY_CHECK_MS, () => this.#closeExpired());
  }

  /** A signal that aborts when the task ends. */
  #follow(task: PresentedTask): { readonly signal: AbortSignal; stop(): void } {
    const controller = new AbortController();
    const one = { close: () => controller.abort(), untilMs: lastMoment(task) };
    const stop = this.connections.add(task.taskId, one);
    return { signal: controller.signal, stop };
  }

  /** What ended is not used again: whoever does has what it should not have any more. */
  async #assertNotRefused(task: PresentedTask): Promise<void> {
    try {
      this.#assertGoesOn(task);
    } catch (error) {
      const isEnded = error instanceof IdentityError && error.reason === "TASK_ENDED";
      if (isEnded) await this.attempted(task, "used-after-end", "TASK_ENDED");
      throw error;
    }
  }

  /** @throws TASK_ENDED, TASK_SUSPENDED */
  #assertGoesOn(task: PresentedTask): void {
    const status = this.#parts.statuses.status(task.taskId);
    if (status === undefined) return;
    const { verdict, state, reason } = status;
    const why = reason === "" ? state : `${state}: ${reason}`;
    throw verdict === "ended" ? hasEnded(task.spiffeId, why) : suspended(task.spiffeId, why);
  }
}

/** Whether an error says that nobody answers. */
function isAway(error: unknown): boolean {
  if (!(error instanceof IdentityError)) return false;
  return error.code === Status.unavailable || error.code === Status.deadlineExceeded;
}
