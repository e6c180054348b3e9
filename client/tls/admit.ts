// What happens to every TLS connection once its handshake is done and before any data is passed on,
// on both sides: the peer's certificates are read from the socket, verified, authorised, remembered.
// While it is open: open-connections.ts.

import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { IdentityError } from "../../pki/errors.ts";
import type { PeerRole } from "../../pki/x509/svid.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type Peer, verifyPeer } from "../verify.ts";
import { type Authorize, checkAuthorized } from "./authorize.ts";
import { watchOver } from "./open-connections.ts";
import type { TlsSource } from "./source.ts";
import { checkTask, type TaskRule, watchTask } from "./task-connections.ts";

/** More certificates than any chain that validates: reading stops there. */
const MAX_CHAIN_LENGTH = 32;

export interface Admission extends TaskRule {
  readonly source: TlsSource;
  readonly authorize: Authorize;
  readonly clock: Clock;
  /** The role of the peer. */
  readonly role: PeerRole;
  /** Whether the connection ends with the SVID that the peer shows. Default no. */
  readonly closeAtExpiry?: boolean | undefined;
  /** Told when the connection is closed later, because its peer is trusted no more, and why. */
  readonly onClosed?: ((error: IdentityError) => void) | undefined;
}

/** Marks a socket with its peer: node:http2 shows sockets through a proxy, which a WeakMap would not know. */
const PEER: unique symbol = Symbol("SPIFFE peer");

/**
 * Who is at the other end of a connection that this library secured; undefined when the peer showed no
 * certificate, where that is allowed. Takes `request.socket` of HTTP requests too.
 */
export function peerOf(socket: object): Peer | undefined {
  return (socket as { readonly [PEER]?: Peer })[PEER];
}

/**
 * Verifies and authorises the peer of a finished handshake, and from then on watches over the connection.
 * @throws PEER_CERTIFICATE_MISSING, PEER_NOT_AUTHORIZED, TASK_ENDED, TASK_SUSPENDED, TASK_STATUS_STALE, and
 * the reasons of `validateX509Svid`
 */
export function admit(socket: TLSSocket, admission: Admission): Peer {
  const { source, authorize, clock, role, closeAtExpiry = false } = admission;
  const chain = peerChain(socket);
  const peer = verifyPeer(chain, source.anchorsOf, clock.now(), role, source.crls?.());
  checkAuthorized(peer, authorize);
  checkTask(peer.id, admission);
  const { onClosed = (): void => {} } = admission;
  const connection = { socket, peer, chain, role, clock, closeAtExpiry, onClosed };
  watchOver(source, connection);
  watchTask(connection, admission);
  Object.defineProperty(socket, PEER, { value: peer, configurable: true });
  return peer;
}

/**
 * The certificates the peer showed, DER, leaf first, in the order of their issuing; none if it showed none.
 * Not by getPeerX509Certificate: on the client side of Node 24 each call of that takes the leaf off the
 * connection, so that the next caller gets an intermediate, or nothing, in its place.
 */
export function peerChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw !== undefined && chain.length < MAX_CHAIN_LENGTH) {
    chain.push(certificate.raw);
    // A self-signed certificate is its own issuer here.
    const issuer: DetailedPeerCertificate = certificate.issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}
