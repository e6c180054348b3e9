// Mutual TLS for clients of node:https: an Agent whose connections reach HTTP only once the peer is
// verified and authorised. With another SVID, kept connections are given up between two calls.

import type { ClientRequest } from "node:http";
import { Agent, type AgentOptions } from "node:https";
import { connect, isIP, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { X509Svid } from "../../pki/x509/svid.ts";
import { systemClock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";
import { type ConnectOptions, secureSocket } from "./connect.ts";
import { currentSvid, isOutdated } from "./outdated.ts";

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
  /** What was shown on open connections, and which of them wait for a call. */
  private readonly shown: WeakMap<Duplex, X509Svid | undefined> = new WeakMap();
  private readonly idle: WeakSet<Duplex> = new WeakSet();

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
      const shown = currentSvid(this.connectOptions.source);
      const name = servername || host;
      const serverName = this.connectOptions.serverName ?? (isIP(name) ? undefined : name);
      secureSocket(socket, {
        ...this.connectOptions,
        ...(serverName !== undefined && { serverName }),
      }).then((secured) => {
        this.follow(secured, shown);
        done(null, secured);
      }, fail);
    });
    return undefined;
  }

  // Asked when a call is over; answers whether the connection may wait for another one, which its type leaves out.
  override keepSocketAlive(socket: Duplex): boolean {
    if (isOutdated(this.shown.get(socket), this.connectOptions.source)) return false;
    this.idle.add(socket);
    return (super.keepSocketAlive(socket) as unknown) !== false;
  }

  override reuseSocket(socket: Duplex, request: ClientRequest): void {
    this.idle.delete(socket);
    super.reuseSocket(socket, request);
  }

  private follow(socket: Duplex, shown: X509Svid | undefined): void {
    const { source } = this.connectOptions;
    this.shown.set(socket, shown);
    const stop = source.onChange(() => {
      if (this.idle.has(socket) && isOutdated(shown, source)) socket.destroy();
    });
    socket.once("close", stop);
  }
}
