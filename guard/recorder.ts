// What a guard writes down: decisions before a call, calls before their result leaves, and attempts to get
// more than was granted. Digests and names alone; who saw it is added by the node agent.

import { createHash, randomFillSync } from "node:crypto";
import { canonicalJson } from "../pki/canonical-json.ts";
import { IdentityError } from "../pki/errors.ts";
import { Ulids } from "../pki/task-id.ts";
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
 * less. The next one says how many were not: nobody may use up what a guard can write down, and so stop others.
 */
const REFUSALS_PER_SECOND = 20;
const NAMELESS_PER_SECOND = 5;

export class GuardRecorder {
  readonly #options: GuardRecorderOptions;
  readonly #ulids = new Ulids((bytes) => randomFillSync(bytes));
  /** Refusals in this second, and those that were not written down, by task. */
  readonly #refusals = new Map<string, { count: number; leftOut: number }>();
  #second = 0;

  constructor(options: GuardRecorderOptions) {
    this.#options = options;
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
    const leftOut = this.#takeRefusal(task.spiffeId);
    if (leftOut === undefined) return;
    const reason = reasonOf(error);
    const event = {
      ...this.#event(decision, "decision", "decision.made", "denied"),
      detail: detailOf({}, leftOut),
    };
    const { credential } = task;
    const attempt =
      kind === undefined
        ? []
        : [this.#attempt({ kind, task, action: call.action, credential, reason })];
    await this.#record([{ ...event, reason }, ...attempt]).catch(() => undefined);
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
    const leftOut = this.#takeRefusal(attempt.task?.spiffeId ?? "");
    if (leftOut === undefined) return;
    const detail = detailOf({ kind: attempt.kind }, leftOut);
    await this.#record([{ ...this.#attempt(attempt), detail }]).catch(() => undefined);
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

  /** How many refusals went before this one unwritten; undefined when this one does too. */
  #takeRefusal(who: string): number | undefined {
    const second = Math.floor(this.#options.clock.now().getTime() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      for (const [key, known] of this.#refusals) {
        if (known.leftOut === 0) this.#refusals.delete(key);
        else known.count = 0;
      }
    }
    const known = this.#refusals.get(who) ?? { count: 0, leftOut: 0 };
    this.#refusals.set(who, known);
    known.count += 1;
    if (known.count > (who === "" ? NAMELESS_PER_SECOND : REFUSALS_PER_SECOND)) {
      known.leftOut += 1;
      return undefined;
    }
    const { leftOut } = known;
    known.leftOut = 0;
    return leftOut;
  }
}

function detailOf(
  detail: Readonly<Record<string, string>>,
  leftOut: number,
): Readonly<Record<string, string>> {
  return leftOut === 0 ? detail : { ...detail, left_out: String(leftOut) };
}

function digestOf(args: unknown): string {
  if (args === undefined) return "";
  return createHash("sha256").update(canonicalJson(args)).digest("hex");
}

function reasonOf(error: unknown): string {
  return error instanceof IdentityError ? error.reason : "INTERNAL";
}
