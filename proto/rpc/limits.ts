// What a server takes from its clients before it refuses or closes.

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
