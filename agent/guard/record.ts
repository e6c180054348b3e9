// Events that guards have seen (Record): checked, marked with who saw them, spooled to the disk before the
// answer. A guard says what happened; which streams it may write to, and in whose name, is decided here.

import { isUlid } from "../../pki/task-id.ts";
import { AuditLogService, type signet } from "../../proto/schema.gen.ts";
import type { Clock } from "../../runtime/clock.ts";
import { redactText } from "../../runtime/redact.ts";
import { agentError } from "../errors.ts";
import type { GuardCaller } from "./index.ts";

type Event = signet.audit.v1.Event;

/** What somebody can see who stands before a tool. The rest is the issuer's to write. */
const STREAMS: ReadonlySet<string> = new Set([
  "decision",
  "tool_call",
  "secret_access",
  "data_retrieval",
  "downstream_call",
  "escalation",
]);
const OUTCOMES: ReadonlySet<string> = new Set(["ok", "denied", "failed"]);
const TYPE = /^(?=.{1,64}$)[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const DETAIL_NAME = /^[a-z][a-z0-9_]{0,39}$/;
const DIGEST = /^(?:[0-9a-f]{64})?$/;
const MAX_EVENTS = 200;
const MAX_TEXT = 2048;
const MAX_DETAILS = 16;
const MAX_DETAIL = 512;
/** Of a guard's clock, which is this node's; and how long it may have tried to get through. */
const MAX_AHEAD_MS = 60_000;
const MAX_BEHIND_MS = 15 * 60_000;

/**
 * Events of one caller within a second; some seconds' worth may come at once. Of one to whom no task has come
 * lately, as far as this node agent knows, fewer: it is no guard, or one whose server is away.
 */
const EVENTS_PER_SECOND = 5000;
const EVENTS_PER_SECOND_OF_STRANGERS = 50;
const BURST_SECONDS = 4;
const MAX_CALLERS_KNOWN = 4096;

export interface RecorderOptions {
  /** Resolves once they are on the disk. */
  readonly spool: (owner: string, events: readonly Uint8Array[]) => Promise<void>;
  /** Whether some task has shown itself to the caller lately. */
  readonly hasMet: (caller: GuardCaller) => boolean;
  readonly clock: Clock;
}

/** Takes what guards have seen. */
export class Recorder {
  readonly #options: RecorderOptions;
  /** Events that each caller may still send, and when that was reckoned. */
  readonly #allowances = new Map<string, { left: number; atMs: number }>();

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /**
   * Writes events down.
   * @throws GUARD_EVENT_INVALID, GUARD_EVENTS_TOO_MANY, GUARD_SPOOL_FULL, GUARD_SPOOL_BROKEN
   */
  async record(events: readonly Event[], caller: GuardCaller): Promise<void> {
    if (events.length === 0) return;
    if (events.length > MAX_EVENTS) throw invalid(`there are more than ${MAX_EVENTS}`);
    this.#take(caller, events.length);
    const nowMs = this.#options.clock.now().getTime();
    const encoded = events.map((event) => {
      checkEvent(event, nowMs);
      checkTask(event, caller);
      return EVENT.encode({ events: [marked(event, caller)] });
    });
    caller.assertStill();
    await this.#options.spool(caller.spiffeId, encoded);
  }

  #take(caller: GuardCaller, count: number): void {
    const { clock, hasMet } = this.#options;
    const { spiffeId } = caller;
    const nowMs = clock.now().getTime();
    const isKnown = caller.task !== undefined || hasMet(caller);
    const perSecond = isKnown ? EVENTS_PER_SECOND : EVENTS_PER_SECOND_OF_STRANGERS;
    const most = perSecond * BURST_SECONDS;
    const known = this.#allowances.get(spiffeId) ?? { left: most, atMs: nowMs };
    // A clock that was set back takes nothing away.
    const earned = (Math.max(0, nowMs - known.atMs) / 1000) * perSecond;
    const left = Math.min(most, known.left + earned);
    if (left < count) {
      throw agentError("GUARD_EVENTS_TOO_MANY", `${spiffeId} sends too many events`, {
        hint: `send at most ${perSecond} a second`,
      });
    }
    this.#allowances.delete(spiffeId);
    this.#allowances.set(spiffeId, { left: left - count, atMs: nowMs });
    const [oldest] = this.#allowances.keys();
    if (this.#allowances.size > MAX_CALLERS_KNOWN && oldest !== undefined) {
      this.#allowances.delete(oldest);
    }
  }
}

/** A spooled event is a request of AuditLog.Append with it alone: requests join by their bytes. */
const EVENT = AuditLogService.methods.append.request;

function marked(event: Event, caller: GuardCaller): Event {
  const detail = Object.fromEntries(
    Object.entries(event.detail).map(([name, value]) => [name, redactText(value)]),
  );
  return { ...event, detail, observedBy: caller.role, observer: caller.spiffeId };
}

function checkEvent(event: Event, nowMs: number): void {
  const { id, timeMs, stream, type, outcome, argsDigest, credential, detail } = event;
  if (!isUlid(id)) throw invalid("its ID is no ULID");
  if (!STREAMS.has(stream))
    throw invalid(`guards do not write to the stream "${stream.slice(0, 64)}"`);
  if (!TYPE.test(type)) throw invalid("its type is no name such as tool.called");
  if (!OUTCOMES.has(outcome)) throw invalid("its outcome is neither ok, denied nor failed");
  if (timeMs > nowMs + MAX_AHEAD_MS || timeMs < nowMs - MAX_BEHIND_MS)
    throw invalid("its time is not now");
  if (!DIGEST.test(argsDigest)) throw invalid("args_digest is no SHA-256 in hexadecimal");
  const texts = [...Object.values(event), ...Object.values(credential ?? {})];
  for (const text of texts) {
    checkLength(text, MAX_TEXT);
    // What names somebody or something cannot be cut, as details are.
    if (typeof text === "string" && redactText(text) !== text) {
      throw invalid("a token or a key stands in it");
    }
  }
  const details = Object.entries(detail);
  if (details.length > MAX_DETAILS) throw invalid(`it has more than ${MAX_DETAILS} details`);
  for (const [name, value] of details) {
    if (!DETAIL_NAME.test(name)) throw invalid("the name of a detail is not in small letters");
    checkLength(value, MAX_DETAIL);
  }
}

/** What runs under a task tells of that task alone. */
function checkTask({ task }: Event, caller: GuardCaller): void {
  if (caller.task === undefined || task === caller.spiffeId) return;
  throw invalid(`it is not about the task whose socket it came over`);
}

function checkLength(value: unknown, limit: number): void {
  if (typeof value !== "string" || value.length <= limit) return;
  throw invalid(`a text in it is longer than ${limit} characters`);
}

function invalid(why: string): Error {
  return agentError("GUARD_EVENT_INVALID", `the event cannot be written down: ${why}`, {
    hint: "see signet/audit.proto for what an event holds",
  });
}
