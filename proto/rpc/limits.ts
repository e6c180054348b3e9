// What a server takes from its clients before it refuses or closes.

/** What a server takes from one connection. */
export interface ConnectionLimits {
  /** Largest request. */
  readonly maxMessageBytes: number;
  /** Memory for requests that are not complete, in all. */
  readonly maxHeldBytesPerConnection: number;
  /** Open calls of one connection; further ones wait at a well-behaved client, or are refused. */
  readonly maxStreamsPerConnection: number;
  /** Memory of the HTTP/2 layer for one connection, answers that are not read included; beyond, calls are refused. */
  readonly maxSessionMebibytes: number;
  /** A connection without any call is closed after this time. */
  readonly firstCallTimeoutMs: number;
  /** A connection that had calls, and has none, is closed after this time; undefined keeps it. */
  readonly idleTimeoutMs: number | undefined;
  /** Cancelled calls that one connection may have at once, and per second; beyond, it is closed. */
  readonly resetBurst: number;
  readonly resetsPerSecond: number;
}

/** What one server takes from its clients. */
export interface RpcLimits extends ConnectionLimits {
  /** Further ones are closed at once. */
  readonly maxConnections: number;
  /** Memory for incomplete requests of all connections that have the same limits. */
  readonly maxHeldBytes: number;
  /** How long a request may take from its first byte to its last, and an answer to be taken once it is complete. */
  readonly transferTimeoutMs: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: RpcLimits = {
  maxMessageBytes: 4 * MIB,
  maxHeldBytesPerConnection: 16 * MIB,
  maxStreamsPerConnection: 1000,
  maxSessionMebibytes: 10,
  firstCallTimeoutMs: 60_000,
  idleTimeoutMs: undefined,
  resetBurst: 20_000,
  resetsPerSecond: 10_000,
  maxConnections: 10_000,
  maxHeldBytes: 256 * MIB,
  transferTimeoutMs: 30_000,
};

/** Longest header list of a call, in the measure of RFC 9113 s6.5.2; clients of gRPC send some 500 bytes. */
export const MAX_HEADER_BYTES: number = 16 * 1024;
/** Most headers of a call. */
export const MAX_HEADERS = 64;
/** Frames that break the protocol without ending the connection, and refused calls, before it is closed. */
export const MAX_BAD_FRAMES = 100;
export const MAX_REFUSED_STREAMS = 100;
/** Bytes of a stream's messages that wait for the client to read, besides the message that passes this. */
export const MAX_UNSENT_BYTES: number = 16 * 1024;
