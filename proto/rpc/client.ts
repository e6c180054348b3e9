// The calling side: a channel to one address, and typed clients on it. Errors come back as
// IdentityErrors with the reason the server gave. One call: client-call.ts.

import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { ChannelCredentials, credentials, Channel as GrpcChannel, Metadata } from "@grpc/grpc-js";
import type { Init } from "../codec.ts";
import { type BidiCall, type CallOptions, callBidi, callStream, callUnary } from "./client-call.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { Method, Service } from "./service.ts";

export type { BidiCall, CallOptions } from "./client-call.ts";

/** Where a server is: a unix socket (absolute path), or a host and port. */
export type Address = { readonly unix: string } | { readonly host: string; readonly port: number };

export interface ChannelOptions {
  readonly address: Address;
  /**
   * Turns a connected socket into a verified TLS connection with ALPN "h2", or throws. Without it the
   * channel is plain text, for unix sockets.
   */
  readonly secure?: (socket: Socket) => Promise<TLSSocket>;
  /** Headers of every call. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** Pings that notice a lost peer; also while no call is open. */
  readonly keepalive?: { readonly timeMs: number; readonly timeoutMs: number };
  /** Between attempts to connect; 100 ms to 5 s by default. */
  readonly backoff?: { readonly initialMs: number; readonly maxMs: number };
  /** Largest response; 4 MiB by default. */
  readonly maxMessageBytes?: number;
}

/** The typed functions of a service: a promise for one response, an async iterable for many. */
export type ClientOf<S extends Service> = {
  readonly [K in keyof S["methods"]]: S["methods"][K] extends Method<infer Kind, infer Q, infer R>
    ? Kind extends "unary"
      ? (request: Init<Q>, options?: CallOptions) => Promise<R>
      : Kind extends "serverStream"
        ? (request: Init<Q>, options?: CallOptions) => AsyncIterableIterator<R>
        : (options?: CallOptions) => BidiCall<Q, R>
    : never;
};

/** A lazily connected, self-reconnecting connection to one server. */
export class Channel {
  readonly #channel: GrpcChannel;
  readonly #metadata: Metadata;

  constructor(options: ChannelOptions) {
    this.#channel = new GrpcChannel(
      targetOf(options.address),
      options.secure === undefined
        ? credentials.createInsecure()
        : new VerifiedCredentials(options.secure),
      settingsOf(options),
    );
    this.#metadata = new Metadata();
    for (const [name, value] of Object.entries(options.metadata ?? {})) {
      this.#metadata.set(name, value);
    }
  }

  /** The client of a service. */
  client<S extends Service>(service: S): ClientOf<S> {
    const calls: Record<string, unknown> = {};
    const [channel, metadata] = [this.#channel, this.#metadata];
    for (const [key, method] of Object.entries(service.methods)) {
      const { kind } = method;
      if (kind === "unary") {
        calls[key] = (request: Init<unknown>, options?: CallOptions) =>
          callUnary(channel, method, metadata, request, options);
      } else if (kind === "serverStream") {
        calls[key] = (request: Init<unknown>, options?: CallOptions) =>
          callStream(channel, method, metadata, request, options);
      } else {
        calls[key] = (options?: CallOptions) => callBidi(channel, method, metadata, options);
      }
    }
    return calls as ClientOf<S>;
  }

  /** Lets open calls end, takes no more. */
  close(): void {
    this.#channel.close();
  }
}

export function createChannel(options: ChannelOptions): Channel {
  return new Channel(options);
}

function targetOf(address: Address): string {
  if ("unix" in address) return `unix:${address.unix}`;
  const host = address.host.includes(":") ? `[${address.host}]` : address.host;
  return `dns:${host}:${address.port}`;
}

function settingsOf(options: ChannelOptions): Record<string, string | number> {
  const { keepalive, backoff } = options;
  return {
    "grpc.primary_user_agent": "signet",
    "grpc.enable_channelz": 0,
    "grpc.enable_retries": 0,
    "grpc.enable_http_proxy": 0,
    "grpc.service_config_disable_resolution": 1,
    // Channels of different identities must never share a connection.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": options.maxMessageBytes ?? DEFAULT_LIMITS.maxMessageBytes,
    "grpc.initial_reconnect_backoff_ms": backoff?.initialMs ?? 100,
    "grpc.max_reconnect_backoff_ms": backoff?.maxMs ?? 5000,
    ...(keepalive && {
      "grpc.keepalive_time_ms": keepalive.timeMs,
      "grpc.keepalive_timeout_ms": keepalive.timeoutMs,
      "grpc.keepalive_permit_without_calls": 1,
    }),
  };
}

type CreateConnector = ChannelCredentials["_createSecureConnector"];

/** Credentials of grpc-js whose TLS connections are made, and verified, by our own function. */
class VerifiedCredentials extends ChannelCredentials {
  readonly #secure: (socket: Socket) => Promise<TLSSocket>;

  constructor(secure: (socket: Socket) => Promise<TLSSocket>) {
    super();
    this.#secure = secure;
  }

  override _isSecure(): boolean {
    return true;
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    ...[, , callCredentials]: Parameters<CreateConnector>
  ): ReturnType<CreateConnector> {
    return {
      connect: async (socket) => ({ socket: await this.#secure(socket), secure: true }),
      waitForReady: async () => undefined,
      getCallCredentials: () => callCredentials ?? credentials.createEmpty(),
      destroy: () => undefined,
    };
  }
}
