// A gRPC server that listens nowhere: connections are injected, each with a tag by which handlers
// find their peer. Limits, graceful end. It stands on node:http2: half the CPU of grpc-js's server for
// the same call (docs/performance.md). One call: server-call.ts; health and reflection: health.ts,
// reflection.ts.

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
import { type Intercept, ServerCall, trailersOf, type UntypedHandler } from "./server-call.ts";
import type { AnyMethod, Handlers, Service } from "./service.ts";
import { type OnInternalError, statusOfError } from "./status.ts";

export type { Intercept } from "./server-call.ts";

/** What one server takes from its clients. */
export interface RpcLimits {
  /** Largest request. */
  readonly maxMessageBytes: number;
  /** Incomplete requests that one connection may have sent, in all. */
  readonly maxHeldBytesPerConnection: number;
  /** Open calls of one connection; further ones wait at a well-behaved client, or are refused. */
  readonly maxStreamsPerConnection: number;
  /** Further ones are closed at once. */
  readonly maxConnections: number;
  /** A connection without any call is closed after this time. */
  readonly firstCallTimeoutMs: number;
  /** Cancelled calls that one connection may have at once, and per second; beyond, it is closed. */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
}

export const DEFAULT_LIMITS: RpcLimits = {
  maxMessageBytes: 4 * 1024 * 1024,
  maxHeldBytesPerConnection: 16 * 1024 * 1024,
  maxStreamsPerConnection: 1000,
  maxConnections: 10_000,
  firstCallTimeoutMs: 60_000,
  resetBurst: 20_000,
  resetsPerSecond: 10_000,
};

export interface RpcServerOptions {
  /**
   * Runs around every call of a known method: `next` runs the handler and sends its responses. Throw
   * to refuse the call. What it throws, or `next` throws through it, becomes the status.
   */
  readonly intercept?: Intercept;
  /** Told of every error that crossed the wire only as a reference. */
  readonly onInternalError: OnInternalError;
  readonly limits?: Partial<RpcLimits>;
  /** Pings connections, to notice that the other host is gone. Off by default: not for unix sockets. */
  readonly keepalive?: { readonly timeMs: number; readonly timeoutMs: number };
  /** Accepts clients that send the path of the unix socket as `:authority`, as Java's do. */
  readonly acceptsPathAuthority?: boolean;
}

interface Connection {
  readonly socket: Duplex;
  readonly peer: unknown;
  readonly firstCallTimer: NodeJS.Timeout;
  session: ServerHttp2Session | undefined;
  pingTimer: NodeJS.Timeout | undefined;
  heldBytes: number;
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
   * what handlers see as `context.peer`. To drop the peer later, destroy the socket.
   */
  inject(socket: Duplex, peer: unknown): void {
    socket.on("error", () => undefined); // its close follows
    if (this.#closing !== undefined || this.#connections.size >= this.#limits.maxConnections) {
      socket.destroy();
      return;
    }
    if (socket.destroyed) return;
    const firstCallTimer = setTimeout(() => socket.destroy(), this.#limits.firstCallTimeoutMs);
    firstCallTimer.unref();
    const connection: Connection = {
      socket,
      peer,
      firstCallTimer,
      session: undefined,
      pingTimer: undefined,
      heldBytes: 0,
    };
    this.#connections.add(connection);
    socket.once("close", () => {
      clearTimeout(firstCallTimer);
      clearInterval(connection.pingTimer);
      connection.session?.destroy();
      this.#connections.delete(connection);
      this.#onQuiet?.();
    });
    if (this.#options.acceptsPathAuthority === true && socket instanceof Socket) {
      repairAuthority(socket, (repaired) => this.#serve(repaired, connection));
    } else this.#serve(socket, connection);
  }

  #serve(stream: Duplex, connection: Connection): void {
    const session = performServerHandshake(stream, {
      settings: { maxConcurrentStreams: this.#limits.maxStreamsPerConnection, enablePush: false },
      streamResetBurst: this.#limits.resetBurst,
      streamResetRate: this.#limits.resetsPerSecond,
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
    const call = new ServerCall(stream, headers, {
      ...route,
      peer: connection.peer,
      intercept: this.#options.intercept,
      maxMessageBytes: this.#limits.maxMessageBytes,
      hold: (bytes) => this.#hold(connection, bytes),
      onInternalError: this.#options.onInternalError,
      onEnd: (ended) => {
        this.#calls.delete(ended);
        this.#onQuiet?.();
      },
    });
    this.#calls.add(call);
    call.start();
    if (this.#closing !== undefined) call.fail(stopping());
  }

  #hold(connection: Connection, bytes: number): void {
    connection.heldBytes += bytes;
    if (bytes > 0 && connection.heldBytes > this.#limits.maxHeldBytesPerConnection) {
      throw protoError("LIMIT_EXCEEDED", "the connection has too many unfinished requests", {
        hint: "send requests one after another, or over several connections",
      });
    }
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
