// Mutual TLS for clients of node:https: an Agent whose connections reach HTTP only once the peer is
// verified and authorised. Kept-alive connections outlive a rotation; new ones show the new SVID.

import { Agent, type AgentOptions } from "node:https";
import { connect, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { systemClock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";
import { type ConnectOptions, secureSocket } from "./connect.ts";

export type HttpsAgentOptions = ConnectOptions & {
  /** Pooling and timeouts, as node:https takes them. */
  readonly http?: Pick<
    AgentOptions,
    "keepAlive" | "keepAliveMsecs" | "maxSockets" | "maxFreeSockets" | "timeout" | "scheduling"
  >;
};

/** The agent for `https.request(url, { agent })`. Host names in URLs only say where to connect. */
export function httpsAgent(options: HttpsAgentOptions): Agent {
  return new SpiffeAgent(options);
}

const CONNECT_TIMEOUT_MS = 10_000;

type Created = (error: Error | null, socket: Duplex) => void;
interface Target {
  readonly host?: string | undefined;
  readonly port?: number | string | undefined;
  readonly socketPath?: string | undefined;
  readonly servername?: string | undefined;
}

class SpiffeAgent extends Agent {
  private readonly connectOptions: ConnectOptions;

  constructor({ http, ...connectOptions }: HttpsAgentOptions) {
    super({ keepAlive: true, ...http, maxCachedSessions: 0 });
    this.connectOptions = connectOptions;
  }

  // Answers through the callback, and not by returning a socket: HTTP would write to that at once.
  override createConnection(target: Target, callback?: Created): undefined {
    const done = callback ?? ((): void => {});
    const { host = "localhost", port = 443, socketPath, servername } = target;
    const socket: Socket = socketPath
      ? connect({ path: socketPath })
      : connect({ host, port: Number(port) });
    const fail = (error: Error): void => done(error, socket);
    const timeoutMs = this.connectOptions.handshakeTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const timer = systemClock.setTimer(timeoutMs, () =>
      socket.destroy(new Error(`no answer in ${timeoutMs} ms`)),
    );
    const refused = (cause: Error): void => {
      timer.cancel();
      fail(
        clientError("TLS_HANDSHAKE_FAILED", `no connection to ${host}: ${cause.message}`, {
          cause,
        }),
      );
    };
    socket.once("error", refused);
    socket.once("connect", () => {
      timer.cancel();
      socket.off("error", refused);
      const name = servername || host;
      const serverName = this.connectOptions.serverName ?? (isIP(name) ? undefined : name);
      secureSocket(socket, {
        ...this.connectOptions,
        ...(serverName !== undefined && { serverName }),
      }).then((secured) => done(null, secured), fail);
    });
    return undefined;
  }
}
