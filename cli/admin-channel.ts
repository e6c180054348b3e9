// The command's connection to a daemon's socket, and what it says when nothing answers there.

import { resolve } from "node:path";
import { IdentityError } from "../pki/errors.ts";
import { type Address, type Channel, createChannel } from "../proto/rpc/client.ts";
import type { Input } from "./command.ts";
import { cliError } from "./errors.ts";
import { DEFAULT_ADMIN_SOCKET, misuse } from "./flags.ts";

/** The kernel's limit, without its final zero byte. */
const MAX_SOCKET_PATH_BYTES = 107;

/** Calls the server over its admin socket; closes the channel afterwards. */
export function withServer<T>(input: Input, use: (channel: Channel) => Promise<T>): Promise<T> {
  const path = resolve(input.text("adminSocket") || DEFAULT_ADMIN_SOCKET);
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH_BYTES) {
    throw misuse(`--admin-socket: "${path}" is too long for a socket`, {
      hint: `take a path of at most ${MAX_SOCKET_PATH_BYTES} bytes`,
    });
  }
  return withChannel({ unix: path }, use, {
    what: "server",
    hint: "start it with 'signet server run', or name its socket with --admin-socket or SIGNET_ADMIN_SOCKET",
  });
}

/** Which daemon is called, and what to do when it does not answer. */
export interface Absent {
  readonly what: string;
  readonly hint: string;
}

/** Calls whatever listens at `address`. */
export async function withChannel<T>(
  address: Address,
  use: (channel: Channel) => Promise<T>,
  absent: Absent,
): Promise<T> {
  // A command asks once: what the agent requires of callers of its public socket does no harm elsewhere.
  const channel = createChannel({ address, metadata: { "workload.spiffe.io": "true" } });
  try {
    return await use(channel);
  } catch (error) {
    throw explain(error, address, absent);
  } finally {
    channel.close();
  }
}

/** The error to throw for `error`: when nothing answered at `address`, one that says so and what to do. */
export function explain(error: unknown, address: Address, { what, hint }: Absent): unknown {
  if (!(error instanceof IdentityError) || error.reason !== "CONNECTION_UNAVAILABLE") return error;
  const where = "unix" in address ? address.unix : `${address.host}:${address.port}`;
  if (error.message.includes("EACCES")) {
    return cliError("DAEMON_UNREACHABLE", `this user may not open the socket "${where}"`, {
      hint: `run the command as the user of the ${what}`,
      cause: error,
    });
  }
  const isAbsent = /ENOENT|ECONNREFUSED/.test(error.message);
  const message = isAbsent
    ? `no ${what} answers at "${where}"`
    : `the ${what} at "${where}": ${error.message}`;
  return cliError("DAEMON_UNREACHABLE", message, { hint, cause: error });
}
