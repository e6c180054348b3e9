// What a guard writes down: decisions before a call, calls before their result leaves, and attempts to get
// more than was granted. Digests and names alone; who saw it is added by the node agent.

import { createHash, randomFillSync } from "node:crypto";
import { canonicalJson } from "../pki/canonical-json.ts";
import { IdentityError } from "../pki/errors.ts";
import { Ulids } from "../pki/task-id.ts";
import { Allowance } from "../runtime/allowance.ts";
import type { Clock } from "../runtime/clock.ts";
import { type Call, recordedAs } from "./actions.ts";
import type { AuditEvent, GuardNode } from "./node.ts";
import type { PresentedTask } from "./presented.ts";

export interface GuardRecorderOptions {
  readonly node: Pick<GuardNode, "record">;
  /** This service. */
  readonly resource: string;
  readonly clock: Clock;
}

/** What is written down of a task besides its names. */
export interface About {
  readonly root: string;
  readonly principal: string;
  readonly assurance: string;
}

/** As far as a credential itself says. */
export function aboutOf({ principal = "" }: PresentedTask): About {
  return { root: "", principal, assurance: "" };
}

/** One decision, for the events that are about it. */
export interface Decision {
  readonly id: string;
  readonly task: PresentedTask;
  readonly call: Call;
  readonly about: About;
  readonly argsDigest: string;
}

/** What is known of an attempt. */
export interface Attempt {
  readonly kind: string;
  readonly task?: Pick<PresentedTask, "spiffeId" | "agent"> | undefined;
  readonly action?: string | undefined;
  readonly credential?: PresentedTask["credential"] | undefined;
  readonly reason: string;
}

const MAX_TEXT = 2000;
/**
 * Refusals that are written down of one task in a second; of nobody in particular, which are anyone's to make,
 * less. Of more than these the last is written when the second is over, with how many were not: nobody may use
 * up what a guard can write down, and so stop others.
 */
const REFUSALS_PER_SECOND = 20;
const NAMELESS_PER_SECOND = 5;
const MAX_TASKS = 1000;
const NAMELESS = "";

export class GuardRecorder {
  readonly #options: GuardRecorderOptions;
  readonly #ulids = new Ulids((bytes) => randomFillSync(bytes));
  /** By task: what is written down of a refusal. */
  readonly #refusals: Allowance<readonly AuditEvent[]>;

  constructor(options: GuardRecorderOptions) {
    this.#options = options;
    this.#refusals = new Allowance({
      windowMs: 1000,
      limitOf: (task) => (task === NAMELESS ? NAMELESS_PER_SECOND : REFUSALS_PER_SECOND),
      maxNames: MAX_TASKS,
      tell: (last, leftOut) => this.#tell(last, leftOut),
      clock: options.clock,
    });
  }

  /** Writes down, if it still can, what has been counted. */
  stop(): void {
    this.#refusals.stop();
  }

  /** @throws JSON_INVALID when the arguments cannot be told apart from others */
  decisionOf(task: PresentedTask, call: Call): Decision {
    const id = this.#ulids.next(this.#options.clock.now());
    return { id, task, call, about: aboutOf(task), argsDigest: digestOf(call.args) };
  }

  /** A call that may be made. @throws GUARD_AUDIT_UNAVAILABLE: then it must not be */
  async allowed(decision: Decision): Promise<void> {
    await this.#record([this.#event(decision, "decision", "decision.made", "ok")]);
  }

  /** A call that was refused, and the attempt that it was, if it was one. Never rejects: it is refused anyway. */
  async denied(decision: Decision, error: unknown, kind: string | undefined): Promise<void> {
    const { task, call } = decision;
    const reason = reasonOf(error);
    const { credential } = task;
    const attempt =
      kind === undefined
        ? []
        : [this.#attempt({ kind, task, action: call.action, credential, reason })];
    const event = this.#event(decision, "decision", "decision.made", "denied");
    await this.#refused(task.spiffeId, [{ ...event, reason }, ...attempt]);
  }

  /** How a call ended. @throws GUARD_AUDIT_UNAVAILABLE: then its result must not leave */
  async called(
    decision: Decision,
    outcome: "ok" | "failed" | "denied",
    error?: unknown,
  ): Promise<void> {
    const { stream, type } = recordedAs(decision.call.action);
    const event = this.#event(decision, stream, type, outcome);
    await this.#record([error === undefined ? event : { ...event, reason: reasonOf(error) }]);
  }

  /** A credential that was refused before there was anything to decide. Never rejects. */
  async attempted(attempt: Attempt): Promise<void> {
    await this.#refused(attempt.task?.spiffeId ?? NAMELESS, [this.#attempt(attempt)]);
  }

  /** Never rejects. */
  async #refused(task: string, events: readonly AuditEvent[]): Promise<void> {
    if (!this.#refusals.take(task, events)) return;
    await this.#record(events).catch(() => undefined); // it is refused anyway
  }

  #tell([first, ...more]: readonly AuditEvent[], leftOut: number): void {
    if (first === undefined) return;
    const detail = leftOut === 0 ? first.detail : { ...first.detail, left_out: String(leftOut) };
    this.#record([{ ...first, ...(detail && { detail }) }, ...more]).catch(() => undefined); // as above
  }

  #record(events: readonly AuditEvent[]): Promise<void> {
    return this.#options.node.record(events);
  }

  #event(decision: Decision, stream: string, type: string, outcome: string): AuditEvent {
    const { id, task, call, about, argsDigest } = decision;
    return {
      ...this.#base(stream, type, outcome),
      agent: task.agent,
      task: task.spiffeId,
      ...about,
      action: call.action.slice(0, MAX_TEXT),
      decisionId: id,
      credential: task.credential,
      argsDigest,
    };
  }

  #attempt({ kind, task, action = "", credential, reason }: Attempt): AuditEvent {
    return {
      ...this.#base("escalation", `escalation.${kind}`, "denied"),
      agent: task?.agent ?? "",
      task: task?.spiffeId ?? "",
      action: action.slice(0, MAX_TEXT),
      reason,
      detail: { kind },
      ...(credential !== undefined && { credential }),
    };
  }

  #base(stream: string, type: string, outcome: string): AuditEvent {
    const now = this.#options.clock.now();
    const { resource } = this.#options;
    return {
      id: this.#ulids.next(now),
      timeMs: now.getTime(),
      stream,
      type,
      outcome,
      resource,
      destination: resource,
    };
  }
}

function digestOf(args: unknown): string {
  if (args === undefined) return "";
  return createHash("sha256").update(canonicalJson(args)).digest("hex");
}

function reasonOf(error: unknown): string {
  return error instanceof IdentityError ? error.reason : "INTERNAL";
}
