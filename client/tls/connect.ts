// The client side of mutual TLS over a socket that is already connected: shows our SVID and hands the
// connection out only when the peer is verified and authorised. HTTPS on top of it: https.ts.

import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect, type SecureContext, type TLSSocket } from "node:tls";
import type { IdentityError } from "../../pki/errors.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";
import { admit } from "./admit.ts";
import type { Authorize } from "./authorize.ts";
import { secureContext } from "./context.ts";
import type { TlsSource } from "./source.ts";
import type { TaskRule } from "./task-connections.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface ConnectOptions extends TaskRule {
  readonly source: TlsSource;
  /** Which peers to talk to. */
  readonly authorize: Authorize;
  /** Protocols to offer, such as `["h2"]`. */
  readonly alpnProtocols?: readonly string[];
  /** Sent as SNI; a proxy may route by it. The peer is known by its SPIFFE ID alone. */
  readonly serverName?: string;
  /** Closes the connection when the SVID that the peer showed expires. Default no. */
  readonly closeAtExpiry?: boolean;
  /** Told when the connection is closed because its peer is trusted no more, and why. */
  readonly onClosed?: (error: IdentityError) => void;
  /** Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  readonly clock?: Clock;
  /**
   * Accepts whatever peer answers, verifying nothing: for a node agent's first contact with a server
   * whose bundle it does not have, when the operator has asked for exactly that.
   */
  readonly insecureBootstrap?: boolean;
}

/** Makes the `secure` function of an RPC channel: each connection shows the SVID of its moment. */
export function tlsConnector(options: ConnectOptions): (socket: Socket) => Promise<TLSSocket> {
  return (socket) => secureSocket(socket, options);
}

/**
 * Runs the handshake as client over a connected socket. On failure the socket is destroyed and nothing
 * but the handshake has been sent. `peerOf(result)` tells who is there.
 * @throws TLS_HANDSHAKE_FAILED, and the reasons of `admit` and of the source
 */
export async function secureSocket(socket: Duplex, options: ConnectOptions): Promise<TLSSocket> {
  const { source, authorize, clock = systemClock } = options;
  // What goes wrong below TLS surfaces above, as the secured socket's error or close.
  socket.on("error", () => {});
  const tlsOptions: ConnectionOptions = {
    socket,
    secureContext: contextOf(source, socket),
    // Ours is the only verification: OpenSSL knows neither trust domains nor SPIFFE IDs.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...(options.alpnProtocols && { ALPNProtocols: [...options.alpnProtocols] }),
    ...(options.serverName !== undefined && { servername: options.serverName }),
  };
  return await new Promise((resolve, reject) => {
    const secured = connect(tlsOptions);
    const fail = (error: IdentityError): void => {
      timer.cancel();
      // Later errors of a connection that is given up are of no interest, but must have a listener.
      secured.on("error", () => {});
      secured.destroy();
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error): void =>
      fail(
        clientError("TLS_HANDSHAKE_FAILED", `the TLS handshake failed: ${cause.message}`, {
          cause,
          hint: "check that the peer speaks TLS there and accepts this side's SVID",
        }),
      );
    const onClose = (): void => onError(new Error("the peer closed the connection"));
    const timeoutMs = options.handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS;
    const timer = systemClock.setTimer(timeoutMs, () =>
      onError(new Error(`no answer in ${timeoutMs} ms`)),
    );
    secured.once("error", onError);
    secured.once("close", onClose);
    secured.once("secureConnect", () => {
      secured.off("error", onError);
      secured.off("close", onClose);
      try {
        if (options.insecureBootstrap !== true)
          admit(secured, { ...options, source, authorize, clock, role: "server" });
      } catch (error) {
        fail(error as IdentityError);
        return;
      }
      timer.cancel();
      resolve(secured);
    });
  });
}

/** The context to show; without an identity the connection is given up. */
function contextOf(source: TlsSource, socket: Duplex): SecureContext {
  try {
    return secureContext(source.svid());
  } catch (error) {
    socket.destroy();
    throw error;
  }
}
