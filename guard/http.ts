// The guard before any HTTP server: a handler of the shape (request, response, next), as node:http, Express and
// others take it. Each request is an action such as http/get/tickets/7; the connections of a task are closed
// when it ends.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server } from "node:tls";
import { peerOf } from "../client/tls/admit.ts";
import { authorizeMemberOf } from "../client/tls/authorize.ts";
import { protectServer } from "../client/tls/server.ts";
import type { IdentityError } from "../pki/errors.ts";
import { assertMeantAsSent, type Call, httpAction } from "./actions.ts";
import { isMetadataRequest, metadataOf, refusedBy, sendJson, sendRefused } from "./challenge.ts";
import type { Open } from "./connections.ts";
import type { Guard, Permit } from "./guard.ts";
import { lastMoment, type PresentedTask, taskNamesOf } from "./presented.ts";
import { forgetCredentials } from "./request.ts";

export interface HttpGuardOptions {
  /** What a request is, in place of http/METHOD/PATH: with labels of data, or in words of your own. */
  readonly call?: (request: IncomingMessage) => Call;
  /** What clients that show no credential are told to ask for. Default `http/**`. */
  readonly scopes?: string;
  /** Told why a request was refused. */
  readonly onRefused?: (error: unknown, request: IncomingMessage) => void;
}

/** A request that was let through has the task that sent it. */
export interface GuardedRequest extends IncomingMessage {
  task?: PresentedTask;
  /** Aborts when the task ends. */
  taskSignal?: AbortSignal;
}

type Next = (error?: unknown) => void;

/** Makes the handler; it calls `next` for requests that may be served. */
export function guardHttp(
  guard: Guard,
  options: HttpGuardOptions = {},
): (request: IncomingMessage, response: ServerResponse, next: Next) => void {
  const { scopes = "http/**", onRefused } = options;
  return (request, response, next) => {
    const target = targetOf(request);
    if (isMetadataRequest(request.method, target, guard.resource)) {
      sendJson(response, 200, metadataOf(guard, scopes), { "access-control-allow-origin": "*" });
      return;
    }
    let scope = scopes;
    const serve = async (): Promise<void> => {
      const task = await guard.authenticate(request);
      followSocket(guard, request, response, task);
      const call = options.call?.(request) ?? callOf(request, target);
      scope = call.action;
      const permit = await guard.authorize(task, call);
      if (response.destroyed) {
        await permit.finish("failed");
        return;
      }
      Object.assign(request, { task, taskSignal: permit.signal });
      // Handlers learn who calls; a log of requests, or a server that they are passed on to, gets no token.
      forgetCredentials(request);
      holdEnd(response, permit);
      next();
    };
    serve().catch((error: unknown) => {
      onRefused?.(error, request);
      sendRefused(response, refusedBy(error, { guard, scope }));
    });
  };
}

/**
 * Puts a TLS server, created with `serverTlsOptions()`, behind SPIFFE: it shows this service's own SVID, and
 * takes clients with an SVID of this trust domain, or with none, who then send tokens.
 */
export function protect<S extends Server>(
  guard: Guard,
  server: S,
  options: {
    readonly onRefused?: (error: IdentityError, address: string | undefined) => void;
  } = {},
): S {
  const { source, connections } = guard;
  server.on("secureConnection", (socket) => {
    const names = taskNamesOf(peerOf(socket)?.id.toString() ?? "");
    if (names === undefined) return;
    // From the handshake on, whether or not it ever sends a request.
    const forget = connections.add(names.taskId, { close: () => socket.destroy() });
    socket.once("close", forget);
  });
  return protectServer(server, {
    source,
    authorize: authorizeMemberOf(source.svid().id.trustDomain),
    clientCertificate: "optional",
    // While nobody can be asked about tasks, their lifetime is what bounds a connection.
    closeAtExpiry: true,
    ...options,
  });
}

/** The target of a request as it came, whatever a framework has cut off. */
export function targetOf(request: IncomingMessage & { readonly originalUrl?: string }): string {
  return request.originalUrl ?? request.url ?? "/";
}

/** @throws ACTION_INVALID for what could be read in two ways */
function callOf({ method = "", headers }: IncomingMessage, target: string): Call {
  assertMeantAsSent(headers);
  return { action: httpAction(method, target) };
}

/** What one connection has open. */
interface Followed {
  /** Of the latest request. */
  readonly taskId: string;
  readonly idle: Open & { untilMs: number };
  readonly forget: () => void;
  /** Answers that are not over, of this task and of those before. */
  readonly answers: Set<() => void>;
}

const followed = new WeakMap<object, Followed>();

/**
 * Closes the connection that a request came over when its task ends: while it is answered, and while it waits
 * for the next one.
 */
export function followSocket(
  guard: Guard,
  request: IncomingMessage,
  response: ServerResponse,
  task: PresentedTask,
): void {
  const untilMs = lastMoment(task);
  const { stream } = request as { readonly stream?: { close(code: number): void } };
  if (stream !== undefined) {
    // Other tasks may share an HTTP/2 connection; one of the task's own SVID is closed by `protect`.
    const cancel = 8;
    const close = (): void => stream.close(cancel);
    response.once("close", guard.connections.add(task.taskId, { close, untilMs }));
    return;
  }
  const { answers } = followIdle(guard, request.socket, task, untilMs);
  // Whoever sends a request of another task behind this one must not take it out of sight.
  const close = (): void => void request.socket.destroy();
  const forget = guard.connections.add(task.taskId, { close, untilMs });
  answers.add(forget);
  response.once("close", () => {
    forget();
    answers.delete(forget);
  });
}

/** Between requests a connection is that of the task that used it last. */
function followIdle(
  guard: Guard,
  socket: IncomingMessage["socket"],
  { taskId }: PresentedTask,
  untilMs: number,
): Followed {
  const before = followed.get(socket);
  if (before?.taskId === taskId) {
    before.idle.untilMs = Math.max(before.idle.untilMs, untilMs);
    return before;
  }
  before?.forget();
  const idle = { close: () => void socket.destroy(), untilMs };
  const forget = guard.connections.add(taskId, idle);
  const answers = before?.answers ?? new Set();
  if (before === undefined) {
    socket.once("close", () => {
      followed.get(socket)?.forget();
      // Answers that were never begun are not told of the end.
      for (const end of answers) end();
      answers.clear();
    });
  }
  const now = { taskId, idle, forget, answers };
  followed.set(socket, now);
  return now;
}

/**
 * Holds the end of an answer back until the call is written down: the whole of it, when it is sent at once,
 * otherwise its last piece. When the task ended meanwhile the connection is closed instead.
 */
function holdEnd(response: ServerResponse, permit: Permit): void {
  const end = response.end.bind(response);
  let finished: Promise<void> | undefined;
  // Once: whoever ends an answer twice waits twice for the same.
  const finish = (isWhole: boolean): Promise<void> => {
    finished ??= permit.finish(isWhole && response.statusCode < 400 ? "ok" : "failed");
    return finished;
  };
  response.end = ((...args: Parameters<typeof end>): ServerResponse => {
    finish(true)
      .then(() => end(...args))
      // Also when what is to be sent cannot be: whoever gave it cannot be told any more.
      .catch(() => response.destroy());
    return response;
  }) as typeof response.end;
  // Whoever goes away early, or pipes into a response that was destroyed, is on record too.
  response.once("close", () => {
    finish(false).catch(() => undefined);
  });
}
