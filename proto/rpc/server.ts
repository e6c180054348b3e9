// A gRPC server that listens nowhere: connections are injected, each with a tag by which handlers
// find their peer. Limits, graceful end. One call: server-call.ts; health and reflection: health.ts,
// reflection.ts.

import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
} from "@grpc/grpc-js";
import { protoError } from "../errors.ts";
import { type Intercept, ServerCall, type UntypedHandler } from "./server-call.ts";
import type { AnyMethod, Handlers, Service } from "./service.ts";
import type { OnInternalError } from "./status.ts";

export type { Intercept } from "./server-call.ts";

/** What one server takes from its clients. */
export interface RpcLimits {
  /** Largest request, decompressed. */
  readonly maxMessageBytes: number;
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
  /** Pings idle connections, to notice that the other host is gone. Off by default: not for unix sockets. */
  readonly keepalive?: { readonly timeMs: number; readonly timeoutMs: number };
}

interface Connection {
  readonly socket: Duplex;
  readonly peer: unknown;
  readonly firstCallTimer: NodeJS.Timeout;
}

interface Route {
  readonly method: AnyMethod;
  readonly handler: UntypedHandler | undefined;
}

export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #limits: RpcLimits;
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #routes = new Map<string, Route>();
  readonly #public = new Set<string>();
  readonly #connections = new Map<string, Connection>();
  readonly #calls = new Set<ServerCall>();
  #lastTag = 0;
  #closing: Promise<void> | undefined;
  #onQuiet: (() => void) | undefined;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#server = this.#createServer();
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
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
      // The interceptor takes every call over before grpc-js would run this handler.
      this.#server.register(method.path, () => undefined, asIs, asIs, "unary");
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
    const tag = String(++this.#lastTag);
    // grpc-js hands a call the addresses of its socket and nothing else to know the connection by.
    Object.defineProperty(socket, "localAddress", { value: tag, configurable: true });
    const firstCallTimer = setTimeout(() => socket.destroy(), this.#limits.firstCallTimeoutMs);
    firstCallTimer.unref();
    this.#connections.set(tag, { socket, peer, firstCallTimer });
    socket.once("close", () => {
      clearTimeout(firstCallTimer);
      this.#connections.delete(tag);
      this.#notice();
    });
    if (socket.destroyed) socket.emit("close");
    else this.#injector.injectConnection(socket);
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
    this.#injector.drain(graceMs);
    await Promise.race([grace, this.#quiet(() => this.#connections.size === 0)]);
    graceOver.abort();
    for (const { socket } of this.#connections.values()) socket.destroy();
    this.#injector.destroy();
    this.#server.forceShutdown();
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

  #notice(): void {
    this.#onQuiet?.();
  }

  #takeOver(path: string, wire: ServerInterceptingCallInterface): void {
    const route = this.#routes.get(path);
    const connection = this.#connections.get(wire.getConnectionInfo().localAddress ?? "");
    if (route === undefined || connection === undefined) return; // the connection is gone
    clearTimeout(connection.firstCallTimer);
    const call = new ServerCall(wire, {
      ...route,
      peer: connection.peer,
      intercept: this.#options.intercept,
      onInternalError: this.#options.onInternalError,
      onEnd: (ended) => {
        this.#calls.delete(ended);
        this.#notice();
      },
    });
    this.#calls.add(call);
    if (this.#closing === undefined) call.start();
    else call.fail(stopping());
  }

  #createServer(): Server {
    const { keepalive } = this.#options;
    const server = new Server({
      interceptors: [
        (definition, call) => {
          this.#takeOver(definition.path, call);
          return new TakenCall(call);
        },
      ],
      "grpc.enable_channelz": 0,
      "grpc.max_receive_message_length": this.#limits.maxMessageBytes,
      "grpc.max_concurrent_streams": this.#limits.maxStreamsPerConnection,
      ...(keepalive && {
        "grpc.keepalive_time_ms": keepalive.timeMs,
        "grpc.keepalive_timeout_ms": keepalive.timeoutMs,
      }),
    });
    // Node closes a connection after 1,000 cancelled calls, at 33 a second: a client that reads the
    // first answer of a stream and cancels it, as SPIFFE's do, gets there in a minute. grpc-js has no
    // option for it; a test cancels more.
    const { commonServerOptions } = server as unknown as Internals;
    commonServerOptions["streamResetBurst"] = this.#limits.resetBurst;
    commonServerOptions["streamResetRate"] = this.#limits.resetsPerSecond;
    return server;
  }
}

interface Internals {
  readonly commonServerOptions: Record<string, unknown>;
}

/** What grpc-js runs instead of a call that was taken over: nothing. */
class TakenCall extends ServerInterceptingCall {
  override start(): void {
    // ServerCall has started the call itself.
  }
}

/** Messages are encoded and decoded in server-call.ts. */
function asIs(bytes: unknown): Buffer {
  return bytes as Buffer;
}

function stopping(): Error {
  return protoError("SERVER_STOPPING", "the server is stopping", { hint: "try again" });
}

/** A server without services or connections yet. */
export function createRpcServer(options: RpcServerOptions): RpcServer {
  return new RpcServer(options);
}
