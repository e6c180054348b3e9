// What happens to every TLS connection once its handshake is done and before any data is passed on,
// on both sides: the peer's certificates are read from the socket, verified, authorised, remembered.

import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Clock } from "../../runtime/clock.ts";
import { type Peer, verifyPeer } from "../verify.ts";
import { type Authorize, checkAuthorized } from "./authorize.ts";
import type { TlsSource } from "./source.ts";

export interface Admission {
  readonly source: TlsSource;
  readonly authorize: Authorize;
  readonly clock: Clock;
}

const peers = new WeakMap<object, Peer>();

/**
 * Who is at the other end of a connection that this library secured; undefined when the peer showed no
 * certificate, where that is allowed. Takes `request.socket` of an HTTP request too.
 */
export function peerOf(socket: object): Peer | undefined {
  return peers.get(socket);
}

/**
 * Verifies and authorises the peer of a finished handshake.
 * @throws PEER_CERTIFICATE_MISSING, PEER_NOT_AUTHORIZED, and the reasons of `validateX509Svid`
 */
export function admit(socket: TLSSocket, { source, authorize, clock }: Admission): Peer {
  const peer = verifyPeer(peerChain(socket), source.anchorsOf, clock.now());
  checkAuthorized(peer, authorize);
  peers.set(socket, peer);
  return peer;
}

/** The certificates the peer showed, DER, leaf first, in the order of their issuing; none if it showed none. */
export function peerChain(socket: TLSSocket): readonly Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  while (certificate !== undefined) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}
