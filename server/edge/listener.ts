// The port for node agents and remote administrators. TLS ends here: the server shows its current SVID,
// asks for a client certificate without insisting on one, and verifies what is shown against the
// bundles of this moment; then the plain HTTP/2 connection goes to the RPC server, tagged with its peer.
// TLS parameters and the verifier are client/tls, the same for every connection of Signet.

import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import type { TLSSocket } from "node:tls";
import { peerChain } from "../../client/tls/admit.ts";
import type { Authorize } from "../../client/tls/authorize.ts";
import { createTlsServer } from "../../client/tls/server.ts";
import type { TlsSource } from "../../client/tls/source.ts";
import type { Peer } from "../../client/verify.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Counter, Metrics } from "../../runtime/metrics.ts";
import type { Caller } from "../api/authorize.ts";
import { serverError } from "../errors.ts";
import type { Connections } from "./connections.ts";

/** Connections the kernel holds until they are accepted: a thousand agents may come back at once. */
const BACKLOG = 1024;

export interface ListenerOptions {
  readonly address: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The server's own SVID, and the anchors for its peers. */
  readonly source: TlsSource;
  /** Which peers with a certificate may connect at all. */
  readonly authorize: Authorize;
  readonly connections: Connections;
  /** Takes over a connection: HTTP/2 in plain text. */
  readonly onConnection: (socket: TLSSocket, peer: Caller) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface RunningListener {
  readonly address: { readonly host: string; readonly port: number };
  /** Accepts no more; open connections are their owner's to end. */
  stop(): Promise<void>;
}

/**
 * Starts listening.
 * @throws ADDRESS_UNUSABLE
 */
export async function startListener(options: ListenerOptions): Promise<RunningListener> {
  const { source, authorize, connections, clock, log } = options;
  const refused = options.metrics.counter({
    name: "connections_refused_total",
    help: "Connections that were closed before any call, by cause",
    labels: ["cause"],
  });
  const refuse = refuser(log, refused);
  // Never listens itself: connections pass the limits first.
  const tls = createTlsServer({
    source,
    authorize,
    clientCertificate: "optional",
    alpnProtocols: ["h2"],
    clock,
    onRefused: (error, remoteAddress) => refuse(error.reason, remoteAddress, error.message),
    onConnection: (socket, peer) => {
      // A client that offers no protocols at all is let through by TLS, but would speak HTTP/1.
      if (socket.alpnProtocol !== "h2") {
        refuse("alpn", socket.remoteAddress, "the client did not ask for HTTP/2");
        socket.destroy();
        return;
      }
      options.onConnection(socket, callerOf(socket, peer, connections));
    },
  });
  tls.on("tlsClientError", (error, socket) => {
    refuse("handshake", socket.remoteAddress, error.message);
    socket.destroy();
  });
  const server = createServer((socket) => {
    const remoteAddress = socket.remoteAddress ?? "";
    socket.on("error", () => undefined); // its close follows
    socket.setNoDelay(true);
    if (!connections.admit(socket)) {
      refuse("limit", remoteAddress, "there are too many connections");
      socket.destroy();
      return;
    }
    tls.emit("connection", socket);
  });
  await listen(server, options);
  server.on("error", (error) => log.error({ error }, "listener"));
  const { port } = server.address() as AddressInfo;
  return {
    address: { host: options.address, port },
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        // Resolves when the last connection is gone, which their owner sees to; accepting ends now.
        resolve();
      });
      tls.emit("close");
    },
  };
}

function callerOf(socket: TLSSocket, peer: Peer | undefined, connections: Connections): Caller {
  const remoteAddress = socket.remoteAddress ?? "";
  if (peer === undefined) return { kind: "tls", remoteAddress };
  const { id, leaf } = peer;
  connections.add({ socket, id, leaf, chain: peerChain(socket) });
  return { kind: "tls", id, leaf, remoteAddress };
}

/** Counts and logs refusals. Anyone can cause these lines, so they stay below what is written by default. */
function refuser(
  log: Logger,
  refused: Counter<"cause">,
): (cause: string, remoteAddress: string | undefined, why: string) => void {
  return (cause, remoteAddress, why) => {
    refused.inc({ cause });
    log.debug({ remote_address: remoteAddress, cause, why }, "connection refused");
  };
}

async function listen(server: Server, { address, port }: ListenerOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        serverError("ADDRESS_UNUSABLE", `cannot listen on ${address}:${port}: ${cause.message}`, {
          hint: "choose another address or port under 'listen', or stop what holds it",
          cause,
        }),
      ),
    );
    server.listen({ host: address, port, backlog: BACKLOG }, resolve);
  });
  server.removeAllListeners("error");
}
