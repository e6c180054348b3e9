// What every call of the server's API passes before its handler runs, and after: may this caller call
// this method, is it calling too fast, how did it end, and one audit line when it changed something.
// The rules are tables in server/api: authorize.ts, rate-limit.ts, audit.ts. Services that go through
// here are guarded by wrapping their handlers, so that no handler can be registered around it.
import { IdentityError, Status } from "../../pki/errors.ts";
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import type { Intercept } from "../../proto/rpc/server.ts";
import type { AnyMethod, CallContext, Handlers, Service } from "../../proto/rpc/service.ts";
import { Allowance } from "../../runtime/allowance.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { AuditRecord, Logger } from "../../runtime/log.ts";
import type { Counter, Gauge, Histogram, Metrics } from "../../runtime/metrics.ts";
import { auditOf, isAudited } from "../api/audit.ts";
import { type Authorizer, type Caller, callerName } from "../api/authorize.ts";
import type { RateLimiter } from "../api/rate-limit.ts";
import { adminEvent } from "../audit/admin-calls.ts";
import type { AuditLog, AuditSink } from "../audit/log.ts";
import { explained } from "./denied.ts";

export interface GateOptions {
  readonly authorizer: Authorizer;
  readonly limits: RateLimiter;
  /** What calls that change something are noted in, before they are answered. */
  readonly audit: AuditSink & Pick<AuditLog, "failure">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

// The shapes of a handler once its service's types are forgotten.
type Untyped = (input: unknown, context: CallContext) => unknown;

const STATUS_NAMES = new Map<number, string>(
  Object.entries(Status).map(([name, code]) => [code, name]),
);

/**
 * Failed calls that get a line of their own in the audit trail, every so often: of those without an identity, of
 * a caller with one, and how many such callers are told apart. Nobody must fill it with what is refused.
 */
const FAILED_WINDOW_MS = 10_000;
const STRANGERS_LINES = 100;
const CALLERS_LINES = 20;
const MAX_CALLERS = 50;
const STRANGERS = "";

interface Failed {
  readonly line: AuditRecord;
  readonly error: unknown;
}

/** Guards the handlers of services. */
export class Gate {
  readonly #options: GateOptions;
  readonly #calls: Counter<"method" | "status">;
  readonly #seconds: Histogram<"method">;
  readonly #streams: Gauge<"method">;
  readonly #failed: Allowance<Failed>;

  constructor(options: GateOptions) {
    this.#options = options;
    const { metrics } = options;
    this.#calls = metrics.counter({
      name: "calls_total",
      help: "Calls that ended, by method and gRPC status",
      labels: ["method", "status"],
    });
    this.#seconds = metrics.histogram({
      name: "call_seconds",
      help: "Time from the arrival of a unary call to its answer",
      labels: ["method"],
    });
    this.#streams = metrics.gauge({
      name: "open_streams",
      help: "Streaming calls that are open now",
      labels: ["method"],
    });
    this.#failed = new Allowance({
      windowMs: FAILED_WINDOW_MS,
      limitOf: (caller) => (caller === STRANGERS ? STRANGERS_LINES : CALLERS_LINES),
      maxNames: MAX_CALLERS,
      tell: ({ line, error }, leftOut) => {
        const counted = leftOut === 0 ? line : { ...line, lines_left_out: leftOut };
        void this.#write(counted, error); // never rejects for a call that failed
      },
      clock: options.clock,
    });
  }

  /** Notes what has been counted of failed calls. */
  stop(): void {
    this.#failed.stop();
  }

  /**
   * Refuses a call that its caller may not make before its request is decoded, so that those without any
   * right cost the least. Not instead of the guard, which holds whatever else is forgotten.
   */
  readonly intercept: Intercept = async (context, next) => {
    try {
      await this.#options.authorizer.authorize(context.method, context.peer as Caller);
    } catch (error) {
      this.#calls.inc({ method: context.method, status: statusOf(error) });
      await this.#audit(context, undefined, undefined, error);
      throw explained(error);
    }
    await next();
  };

  /** The same handlers behind the gate. */
  guard<S extends Service>(service: S, handlers: Handlers<S>): Handlers<S> {
    const guarded: Record<string, Untyped> = {};
    for (const [key, handler] of Object.entries(handlers)) {
      const method = service.methods[key];
      if (method === undefined || handler === undefined) continue;
      const untyped = handler as Untyped;
      const isStream = method.kind === "serverStream" || method.kind === "bidi";
      guarded[key] = isStream
        ? this.#guardStream(method, untyped)
        : this.#guardCall(method, untyped);
    }
    return guarded as Handlers<S>;
  }

  #guardCall(method: AnyMethod, handler: Untyped): Untyped {
    const ok = this.#calls.labels({ method: method.path, status: "ok" });
    const seconds = this.#seconds.labels({ method: method.path });
    const changes = isAudited(method.path);
    return async (request, context) => {
      const begun = performance.now();
      let response: unknown;
      try {
        await this.#admit(context, method.kind === "unary" ? request : undefined);
        if (changes) this.#checkAudit();
        response = await handler(request, context);
      } catch (error) {
        this.#calls.inc({ method: context.method, status: statusOf(error) });
        if (changes) await this.#audit(context, request, undefined, error);
        throw explained(error);
      } finally {
        seconds.observe((performance.now() - begun) / 1000);
      }
      ok.inc();
      if (changes) await this.#audit(context, request, response, undefined);
      return response;
    };
  }

  #guardStream(method: AnyMethod, handler: Untyped): Untyped {
    const gate = this;
    return async function* (input, context) {
      let status = "ok";
      gate.#streams.inc({ method: method.path });
      try {
        await gate.#admit(context, undefined);
        if (isAudited(method.path)) gate.#checkAudit();
        for await (const message of handler(input, context) as AsyncIterable<unknown>) {
          await gate.#audit(context, undefined, message, undefined);
          yield message;
        }
      } catch (error) {
        status = statusOf(error);
        await gate.#audit(context, undefined, undefined, error);
        throw explained(error);
      } finally {
        gate.#streams.dec({ method: method.path });
        gate.#calls.inc({ method: method.path, status });
      }
    };
  }

  async #admit(context: CallContext, request: unknown): Promise<void> {
    const caller = context.peer as Caller;
    const { authorizer, limits } = this.#options;
    await authorizer.authorize(context.method, caller);
    if (caller.kind === "local" || !limits.limits(context.method)) return;
    await limits.take(context.method, caller.remoteAddress, itemsOf(request), context.signal);
  }

  /** Nothing is changed of which there would be no record. @throws AUDIT_UNWRITABLE */
  #checkAudit(): void {
    const { failure } = this.#options.audit;
    if (failure !== undefined) throw failure;
  }

  async #audit(
    context: CallContext,
    request: unknown,
    response: unknown,
    error: unknown,
  ): Promise<void> {
    const record = auditOf(context.method, request, response);
    if (record === undefined) return;
    const line = {
      ...record,
      who: callerName(context),
      method: context.method,
      outcome: error === undefined ? record.outcome : reasonOf(error),
    };
    if (error !== undefined && !this.#mayFail(context, { line, error })) return;
    await this.#write(line, error);
  }

  /** Whether one more failed call gets a line. Whoever has the admin socket may call anything anyway. */
  #mayFail({ peer }: CallContext, failed: Failed): boolean {
    const caller = peer as Caller;
    return caller.kind === "local" || this.#failed.take(nameOf(caller.id), failed);
  }

  async #write(line: AuditRecord, error: unknown): Promise<void> {
    const { log, audit } = this.#options;
    log.audit(line);
    const written = audit.append(adminEvent(line, error), { durable: error === undefined });
    // Of a call that has failed anyway its own error is what the caller needs.
    await (error === undefined ? written : written.catch(() => undefined));
  }
}

/** Whose lines are counted together: an AI agent has as many tasks as it opens. */
function nameOf(id: SpiffeId | undefined): string {
  if (id === undefined) return STRANGERS;
  return parseTaskId(id)?.agent ?? id.toString();
}

function statusOf(error: unknown): string {
  if (!(error instanceof IdentityError)) return "internal";
  return STATUS_NAMES.get(error.code) ?? String(error.code);
}

function reasonOf(error: unknown): string {
  return error instanceof IdentityError ? error.reason : "INTERNAL";
}

/** A batch counts its items, anything else counts one. */
function itemsOf(request: unknown): number {
  const { params, requests } = (request ?? {}) as { params?: unknown; requests?: unknown };
  const items = params ?? requests;
  return Array.isArray(items) ? items.length : 1;
}
