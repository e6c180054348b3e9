// A gRPC server that listens nowhere: connections are injected, each with a tag by which handlers
// find their peer. Limits, graceful end. It stands on node:http2, which takes a third less CPU than
// grpc-js's server for the same call (docs/performance.md). One call: server-call.ts; health and
// reflection: health.ts, reflection.ts.

import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { protoError } from "../errors.ts";
import { repairAuthority } from "./authority.ts";
import {
  type ConnectionLimits,
  DEFAULT_LIMITS,
  MAX_BAD_FRAMES,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  MAX_REFUSED_STREAMS,
  type RpcLimits,
} from "./limits.ts";
import { type Intercept, ServerCall, trailersOf, type UntypedHandler } from "./server-call.ts";
import type { AnyMethod, Handlers, Service } from "./service.ts";
import { type OnInternalError, statusOfError } from "./status.ts";

export type { ConnectionLimits, RpcLimits } from "./limits.ts";
export type { Intercept } from "./server-call.ts";

export interface RpcServerOptions {
  /**
   * Runs around every call of a known method: `next` decodes the request, runs the handler and sends
   * its responses. Throw to refuse the call. What it throws, or `next` throws through it, becomes the
   * status.
   */
  readonly intercept?: Intercept;
  /**
   * Counts a call of this peer, from its headers on, before anything is read or held; throws when
   * there are too many. What it returns is called when nothing of the call is left.
   */
  readonly enter?: (peer: unknown) => () => void;
  /** Told of every error that crossed the wire only as a reference. */
  readonly onInternalError: OnInternalError;
  readonly limits?: Partial<RpcLimits>;
  /** Pings connections, to notice that the other host is gone. Off by default: not for unix sockets. */
  readonly keepalive?: { readonly timeMs: number; readonly timeoutMs: number };
  /** Accepts clients that send the path of the unix socket as `:authority`, as Java's do. */
  readonly acceptsPathAuthority?: boolean;
}

/** Between two looks for what clients do not finish. */
const MAX_SWEEP_MS = 5000;

interface Connection {
  readonly socket: Duplex;
  readonly peer: unknown;
  readonly limits: ConnectionLimits;
  firstCallTimer: NodeJS.Timeout | undefined;
  session: ServerHttp2Session | undefined;
  pingTimer: NodeJS.Timeout | undefined;
  heldBytes: number;
  calls: number;
  quietSinceMs: number;
}

interface Route {
  readonly method: AnyMethod;
  readonly handler: UntypedHandler | undefined;
}

export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #limits: RpcLimits;
  readonly #routes = new Map<string, Route>();
  readonly #public = new Set<string>();
  readonly #connections = new Set<Connection>();
  readonly #calls = new Set<ServerCall>();
  /** Those besides whose status is decided, and whose client has not taken it yet. */
  readonly #closingCalls = new Set<ServerCall>();
  /** Bytes of incomplete requests, by the limits of their connections. */
  readonly #held = new Map<ConnectionLimits, number>();
  #sweeper: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #onQuiet: (() => void) | undefined;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
  }

  /** How many connections are open. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** How many calls are open. */
  get callCount(): number {
    return this.#calls.size;
  }

  /** Full names of the services that reflection may show, in the order they were added. */
  get publicServices(): readonly string[] {
    return [...this.#public];
  }

  /** Serves a service; a method without a handler answers UNIMPLEMENTED, after `intercept`. */
  add<S extends Service>(
    service: S,
    handlers: Handlers<S>,
    { isPublic = true }: { readonly isPublic?: boolean } = {},
  ): void {
    const table = handlers as Readonly<Record<string, UntypedHandler | undefined>>;
    for (const [key, method] of Object.entries(service.methods)) {
      if (this.#routes.has(method.path)) throw new TypeError(`${method.path} is served already`);
      this.#routes.set(method.path, { method, handler: table[key]?.bind(handlers) });
    }
    if (isPublic) this.#public.add(service.name);
  }

  /**
   * Serves a connection. `socket` is plain text here: TLS, if any, ends before, with ALPN "h2". `peer` is
   * what handlers see as `context.peer`. To drop the peer later, destroy the socket. `limits`, of
   * which there may be a few, are those of a kind of peer that is trusted less than others.
   */
  inject(socket: Duplex, peer: unknown, limits: ConnectionLimits = this.#limits): void {
    socket.on("error", () => undefined); // its close follows
    if (this.#closing !== undefined || this.#connections.size >= this.#limits.maxConnections) {
      socket.destroy();
      return;
    }
    if (socket.destroyed) return;
    const firstCallTimer = setTimeout(() => socket.destroy(), limits.firstCallTimeoutMs).unref();
    const connection: Connection = {
      socket,
      peer,
      limits,
      firstCallTimer,
      session: undefined,
      pingTimer: undefined,
      heldBytes: 0,
      calls: 0,
      quietSinceMs: 0,
    };
    this.#connections.add(connection);
    this.#sweeper ??= this.#sweep();
    socket.once("close", () => {
      clearTimeout(connection.firstCallTimer);
      clearInterval(connection.pingTimer);
      connection.session?.destroy();
      this.#connections.delete(connection);
      if (this.#connections.size === 0) {
        clearInterval(this.#sweeper);
        this.#sweeper = undefined;
      }
      this.#onQuiet?.();
    });
    if (this.#options.acceptsPathAuthority === true && socket instanceof Socket) {
      repairAuthority(socket, (repaired) => this.#serve(repaired, connection));
    } else this.#serve(socket, connection);
  }

  #serve(stream: Duplex, connection: Connection): void {
    const { limits } = connection;
    const session = performServerHandshake(stream, {
      settings: {
        maxConcurrentStreams: limits.maxStreamsPerConnection,
        maxHeaderListSize: MAX_HEADER_BYTES,
        enablePush: false,
      },
      maxHeaderListPairs: MAX_HEADERS,
      maxSessionMemory: limits.maxSessionMebibytes,
      maxSessionInvalidFrames: MAX_BAD_FRAMES,
      maxSessionRejectedStreams: MAX_REFUSED_STREAMS,
      streamResetBurst: limits.resetBurst,
      streamResetRate: limits.resetsPerSecond,
    });
    connection.session = session;
    connection.pingTimer = this.#keepAlive(session);
    session.on("error", () => connection.socket.destroy());
    session.on("close", () => connection.socket.destroy());
    session.on("stream", (call, headers) => this.#accept(connection, call, headers));
  }

  /**
   * Stops: streams end with UNAVAILABLE, so that clients reconnect; other calls have `graceMs` to end;
   * then every connection is closed.
   */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#drain(graceMs);
    return this.#closing;
  }

  async #drain(graceMs: number): Promise<void> {
    const graceOver = new AbortController();
    const grace = sleep(graceMs, undefined, { signal: graceOver.signal }).catch(() => undefined);
    for (const call of this.#calls) if (call.isStream) call.fail(stopping());
    await Promise.race([grace, this.#quiet(() => this.#calls.size === 0)]);
    for (const call of this.#calls) call.fail(stopping());
    for (const { session, socket } of this.#connections) {
      if (session === undefined) socket.destroy();
      else session.close();
    }
    await Promise.race([grace, this.#quiet(() => this.#connections.size === 0)]);
    graceOver.abort();
    for (const { socket } of this.#connections) socket.destroy();
  }

  /** Resolves when `isQuiet`, which is looked at after the end of every call and connection. */
  #quiet(isQuiet: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = () => {
        if (isQuiet()) resolve();
      };
      this.#onQuiet();
    });
  }

  #accept(connection: Connection, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    if (stream.destroyed || stream.closed) {
      // Reset by the client in the same breath.
      stream.on("error", () => undefined).resume();
      return;
    }
    const type = headers["content-type"];
    if (headers[":method"] !== "POST" || !type?.startsWith("application/grpc")) {
      refuse(stream, { ":status": 415 });
      return;
    }
    const route = this.#routes.get(headers[":path"] ?? "");
    if (route === undefined) {
      const error = protoError("METHOD_UNIMPLEMENTED", "there is no such method here");
      const trailers = trailersOf(statusOfError(error, this.#options.onInternalError));
      refuse(stream, { ":status": 200, "content-type": "application/grpc+proto", ...trailers });
      return;
    }
    clearTimeout(connection.firstCallTimer);
    connection.firstCallTimer = undefined;
    connection.calls++;
    const call = new ServerCall(stream, headers, {
      ...route,
      peer: connection.peer,
      intercept: this.#options.intercept,
      maxMessageBytes: connection.limits.maxMessageBytes,
      enter: () => this.#options.enter?.(connection.peer) ?? noop,
      hold: (bytes) => this.#hold(connection, bytes),
      onInternalError: this.#options.onInternalError,
      onEnd: (ended) => {
        this.#calls.delete(ended);
        this.#closingCalls.add(ended);
        this.#onQuiet?.();
      },
      onClose: (closed) => {
        this.#closingCalls.delete(closed);
        connection.calls--;
        connection.quietSinceMs = performance.now();
      },
    });
    this.#calls.add(call);
    call.start();
    if (this.#closing !== undefined) call.fail(stopping());
  }

  #hold(connection: Connection, bytes: number): void {
    const { limits } = connection;
    const held = (this.#held.get(limits) ?? 0) + bytes;
    this.#held.set(limits, held);
    connection.heldBytes += bytes;
    if (bytes < 0) return;
    if (connection.heldBytes > limits.maxHeldBytesPerConnection) {
      throw protoError("LIMIT_EXCEEDED", "the connection has too many unfinished requests", {
        hint: "send requests one after another, or over several connections",
      });
    }
    if (held > this.#limits.maxHeldBytes) {
      throw protoError("LIMIT_EXCEEDED", "there are too many unfinished requests", {
        hint: "try again later",
      });
    }
  }

  /** Ends what clients began and do not finish. */
  #sweep(): NodeJS.Timeout {
    const { transferTimeoutMs } = this.#limits;
    const look = (): void => {
      for (const call of this.#calls) call.expireTransfer(transferTimeoutMs);
      for (const call of this.#closingCalls) call.expireTransfer(transferTimeoutMs);
      const nowMs = performance.now();
      for (const { calls, quietSinceMs, limits, session, socket } of this.#connections) {
        const isIdle = calls === 0 && quietSinceMs > 0 && limits.idleTimeoutMs !== undefined;
        if (!isIdle || nowMs - quietSinceMs < limits.idleTimeoutMs) continue;
        if (session?.closed === false) session.close();
        else socket.destroy();
      }
    };
    return setInterval(look, Math.min(transferTimeoutMs / 4, MAX_SWEEP_MS)).unref();
  }

  #keepAlive(session: ServerHttp2Session): NodeJS.Timeout | undefined {
    const { keepalive } = this.#options;
    if (keepalive === undefined) return undefined;
    const ping = (): void => {
      if (session.destroyed) return;
      const deadline = setTimeout(() => session.destroy(), keepalive.timeoutMs);
      deadline.unref();
      session.ping(() => clearTimeout(deadline));
    };
    return setInterval(ping, keepalive.timeMs).unref();
  }
}

function noop(): void {}

/** Answers a request that is no call of ours, and reads no more of it. */
function refuse(stream: ServerHttp2Stream, headers: Record<string, string | number>): void {
  stream.on("error", () => undefined);
  stream.respond(headers, { endStream: true });
  stream.resume();
  stream.close(constants.NGHTTP2_NO_ERROR);
}

function stopping(): Error {
  return protoError("SERVER_STOPPING", "the server is stopping", { hint: "try again" });
}

/** A server without services or connections yet. */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  return new RpcServer(options);
}
