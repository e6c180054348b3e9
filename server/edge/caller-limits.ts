// What one caller of the TLS port may take of the server. Callers without a certificate can be anyone:
// they attest, or read the bundle, and need little for either.

import { protoError } from "../../proto/errors.ts";
import { DEFAULT_LIMITS } from "../../proto/rpc/limits.ts";
import type { ConnectionLimits } from "../../proto/rpc/server.ts";
import { Quota } from "../../runtime/quota.ts";
import type { Caller } from "../api/authorize.ts";
import { subnetOf } from "../api/rate-limit.ts";

/** Calls that one SPIFFE ID, or one address without one, has open at a time, over all its connections. */
const MAX_CALLS = 4000;

/** A node's proof of itself takes a few kilobytes. */
const MAX_STRANGERS_MESSAGE_BYTES: number = 256 * 1024;

/** The limits of a connection with a certificate: agents cancel few calls and have few open. */
export const AGENTS_LIMITS = {
  maxStreamsPerConnection: 256,
  resetBurst: 1000,
  resetsPerSecond: 100,
} as const;

const STRANGERS_LIMITS: ConnectionLimits = {
  ...DEFAULT_LIMITS,
  maxMessageBytes: MAX_STRANGERS_MESSAGE_BYTES,
  maxHeldBytesPerConnection: 2 * MAX_STRANGERS_MESSAGE_BYTES,
  maxStreamsPerConnection: 100,
  maxSessionMebibytes: 1,
  firstCallTimeoutMs: 20_000,
  idleTimeoutMs: 60_000,
  resetBurst: 500,
  resetsPerSecond: 100,
};

/** The limits of this peer's connection; undefined for those that hold by default. */
export function limitsOf(peer: Caller): ConnectionLimits | undefined {
  return peer.kind === "tls" && peer.id === undefined ? STRANGERS_LIMITS : undefined;
}

/** Counts the calls of each caller of the TLS port. */
export function countCalls(): (peer: unknown) => () => void {
  const calls = new Quota<string>(MAX_CALLS);
  return (peer) => {
    const holder = holderOf(peer as Caller);
    const leave = calls.enter(holder);
    if (leave !== undefined) return leave;
    throw protoError("LIMIT_EXCEEDED", `"${holder}" has ${MAX_CALLS} calls open`, {
      hint: "let calls end before making others",
    });
  };
}

function holderOf(caller: Caller): string {
  if (caller.kind === "local") return caller.kind;
  return caller.id?.toString() ?? subnetOf(caller.remoteAddress);
}
