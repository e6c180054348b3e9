// The server side of mutual TLS. `protectServer` puts any server of node:tls, node:https or node:http2
// behind SPIFFE: it shows the current SVID to each new connection, so that rotation needs no restart,
// and passes on only connections whose peer is verified and authorised.

import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import type { IdentityError } from "../../pki/errors.ts";
import type { X509Svid } from "../../pki/x509/svid.ts";
import { type Clock, systemClock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";
import type { Peer } from "../verify.ts";
import { admit, peerChain, peerOf } from "./admit.ts";
import type { Authorize } from "./authorize.ts";
import { contextOptions } from "./context.ts";
import { currentSvid, isOutdated } from "./outdated.ts";
import type { TlsSource } from "./source.ts";
import type { TaskRule } from "./task-connections.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;

export interface ProtectOptions extends TaskRule {
  readonly source: TlsSource;
  /** Which peers to serve. Not asked about peers without a certificate. */
  readonly authorize: Authorize;
  /** With "optional", a peer may show no certificate; one that it shows must still be valid. */
  readonly clientCertificate?: "required" | "optional";
  /** Closes a connection when the SVID that the peer showed expires. Default no. */
  readonly closeAtExpiry?: boolean;
  /** Told of each open connection that is closed because its peer is trusted no more, and why. */
  readonly onClosed?: (error: IdentityError, remoteAddress: string | undefined) => void;
  /** Told of each connection that was refused, and why; the socket is destroyed already. */
  readonly onRefused?: (error: IdentityError, remoteAddress: string | undefined) => void;
  readonly clock?: Clock;
}

/**
 * The options to create a server with before it goes to `protectServer`:
 * `protectServer(https.createServer(serverTlsOptions(), handler), { source, authorize })`.
 */
export function serverTlsOptions(): TlsOptions {
  return {
    ...contextOptions(undefined),
    requestCert: true,
    rejectUnauthorized: false,
    honorCipherOrder: false,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  };
}

/**
 * Puts a server, created with `serverTlsOptions()`, behind SPIFFE, until it closes. Connections are kept
 * when the SVID rotates, those of HTTP/1.1 until the next call on them is answered, and closed when their peer is
 * trusted no more. Who is at the other end of one: `peerOf(socket)`.
 * @throws SOURCE_NOT_READY when the source has no SVID to show
 */
export function protectServer<S extends Server>(server: S, options: ProtectOptions): S {
  const { source } = options;
  let shown = source.svid();
  if (shown === undefined) {
    throw clientError("SOURCE_NOT_READY", "a TLS server needs an SVID to show", {
      hint: "wait until the source has one",
    });
  }
  server.setSecureContext(contextOptions(shown));
  const stopFollowing = source.onChange(() => {
    const svid = currentSvid(source);
    // With the identity withdrawn no new connection may show it; an empty context fails each handshake.
    if (svid !== shown) server.setSecureContext(contextOptions(svid));
    shown = svid;
  });
  server.once("close", stopFollowing);
  gate(server, options);
  return server;
}

export interface TlsServerOptions extends ProtectOptions {
  /** Protocols to accept, such as `["h2"]`; a client that offers others is refused. */
  readonly alpnProtocols?: readonly string[];
  /** Gets each admitted connection; `peer` is undefined when it showed no certificate. */
  readonly onConnection: (socket: TLSSocket, peer: Peer | undefined) => void;
}

/** A bare TLS server behind SPIFFE, for protocols other than HTTP. It listens where the caller says. */
export function createTlsServer(options: TlsServerOptions): Server {
  const { alpnProtocols, onConnection } = options;
  const server = createServer({
    ...serverTlsOptions(),
    ...(alpnProtocols && { ALPNProtocols: [...alpnProtocols] }),
  });
  server.on("secureConnection", (socket) => onConnection(socket, peerOf(socket)));
  return protectServer(server, options);
}

/**
 * Stands between the handshake and everyone who listens for connections. Not a listener among others,
 * which would only come first: what is refused here must not reach an HTTP parser at all.
 */
function gate(server: Server, options: ProtectOptions): void {
  const { clock = systemClock, source } = options;
  const optional = options.clientCertificate === "optional";
  const shown = new WeakMap<object, X509Svid | undefined>();
  server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
    if (request.httpVersionMajor !== 1) return;
    if (isOutdated(shown.get(request.socket), source)) response.shouldKeepAlive = false;
  });
  const emit = server.emit;
  server.emit = function (this: Server, event: string | symbol, ...rest: unknown[]): boolean {
    if (event === "secureConnection") {
      const socket = rest[0] as TLSSocket;
      shown.set(socket, currentSvid(source));
      try {
        if (!optional || peerChain(socket).length > 0) {
          const { remoteAddress } = socket;
          const onClosed = (error: IdentityError): void => options.onClosed?.(error, remoteAddress);
          admit(socket, { ...options, clock, role: "client", onClosed });
        }
      } catch (error) {
        const { remoteAddress } = socket;
        socket.on("error", () => {});
        socket.destroy();
        options.onRefused?.(error as IdentityError, remoteAddress);
        return true;
      }
    }
    return Reflect.apply(emit, this, [event, ...rest]) as boolean;
  } as typeof server.emit;
}
