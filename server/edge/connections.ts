// The connections of the listener: how many there may be, in all and from one address, and when one
// has to end: with its certificate, with the trust in its authority, with its agent's right to be here.
// Those whose peer has shown no certificate, or not yet, make room for newer ones when there are too
// many, so that nobody can keep agents out by holding connections open. Handshakes: listener.ts. Calls on a connection are judged one by one besides: api/authorize.ts.
import type { Socket } from "node:net";
import { verifyPeer } from "../../client/verify.ts";
import type { IdentityError } from "../../pki/errors.ts";
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import type { Certificate } from "../../pki/x509/certificate.ts";
import type { AnchorsOf } from "../../pki/x509/svid.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import { subnetOf } from "../api/rate-limit.ts";

/** Connections that are checked again in one turn of the event loop: each takes a signature or two. */
const CHECK_AT_ONCE = 32;

export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

export interface ConnectionsOptions extends ConnectionLimits {
  readonly clock: Clock;
  readonly log: Logger;
  readonly anchorsOf: AnchorsOf;
}

/** A connection whose peer showed a certificate that was good then. */
export interface VerifiedConnection {
  readonly socket: Socket;
  readonly id: SpiffeId;
  readonly leaf: Certificate;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
}

/** A connection that counts. */
interface Admitted {
  readonly socket: Socket;
  /** Stops counting it. */
  readonly release: () => void;
}

interface Address {
  count: number;
  /** Oldest first. */
  readonly unverified: Set<Admitted>;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #addresses = new Map<string, Address>();
  readonly #verified = new Set<VerifiedConnection>();
  /** Oldest first. */
  readonly #unverified = new Set<Admitted>();
  /** By remote address and port: the socket of a verified connection wraps the one that was admitted. */
  readonly #byPeer = new Map<string, Admitted>();
  #open = 0;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** How many connections are open, those in their handshake included. */
  get size(): number {
    return this.#open;
  }

  /**
   * Counts a new connection until it closes; answers false when there are too many already, all of them
   * verified. Otherwise the oldest that is not makes room.
   */
  admit(socket: Socket): boolean {
    const name = subnetOf(socket.remoteAddress ?? "");
    const address = this.#addresses.get(name) ?? { count: 0, unverified: new Set() };
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    if (address.count >= maxConnectionsPerAddress && !evict(address.unverified)) return false;
    if (this.#open >= maxConnections && !evict(this.#unverified)) return false;
    const key = peerKey(socket);
    const admitted: Admitted = {
      socket,
      release: once(() => {
        this.#open--;
        address.count--;
        address.unverified.delete(admitted);
        this.#unverified.delete(admitted);
        if (this.#byPeer.get(key) === admitted) this.#byPeer.delete(key);
        if (address.count === 0 && this.#addresses.get(name) === address) {
          this.#addresses.delete(name);
        }
      }),
    };
    this.#open++;
    address.count++;
    address.unverified.add(admitted);
    this.#unverified.add(admitted);
    this.#byPeer.set(key, admitted);
    this.#addresses.set(name, address);
    socket.once("close", admitted.release);
    return true;
  }

  /** Watches over a connection until it closes. It ends no later than its certificate. */
  add(connection: VerifiedConnection): void {
    this.#verified.add(connection);
    this.#keep(connection.socket);
    const expiry = this.#options.clock.setTimer(connection.leaf.notAfter, () =>
      this.#close(connection, "its certificate has expired"),
    );
    connection.socket.once("close", () => {
      expiry.cancel();
      this.#verified.delete(connection);
    });
  }

  /** Closes the connections of a SPIFFE ID, but for those whose certificate has a serial number to keep. */
  closePeer(id: string, why: string, isKept: (serial: string) => boolean = () => false): void {
    this.closeWhere(
      (connection) => connection.id.toString() === id && !isKept(connection.leaf.serialDecimal),
      why,
    );
  }

  /** Closes the connections whose peer has lost its right to them. */
  closeWhere(isOver: (connection: VerifiedConnection) => boolean, why: string): void {
    for (const connection of [...this.#verified]) {
      if (isOver(connection)) this.#close(connection, why);
    }
  }

  /** Verifies every peer again, and closes the connections of those that the bundles no longer vouch for. */
  async recheck(): Promise<void> {
    let checked = 0;
    for (const connection of [...this.#verified]) {
      try {
        verifyPeer(connection.chain, this.#options.anchorsOf, this.#options.clock.now(), "client");
      } catch (error) {
        this.#close(connection, (error as IdentityError).message);
      }
      if (++checked % CHECK_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** A verified connection is not the one that makes room. */
  #keep(socket: VerifiedConnection["socket"]): void {
    const admitted = this.#byPeer.get(peerKey(socket));
    if (admitted === undefined) return;
    this.#unverified.delete(admitted);
    this.#addresses.get(subnetOf(socket.remoteAddress ?? ""))?.unverified.delete(admitted);
  }

  #close(connection: VerifiedConnection, why: string): void {
    this.#options.log.info(
      { spiffe_id: connection.id.toString(), serial: connection.leaf.serialDecimal, why },
      "connection closed",
    );
    connection.socket.destroy();
  }
}

/** Closes the oldest of these; false when there is none. */
function evict(oldestFirst: ReadonlySet<Admitted>): boolean {
  for (const { socket, release } of oldestFirst) {
    release();
    socket.destroy();
    return true;
  }
  return false;
}

function peerKey({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function once(run: () => void): () => void {
  let done = false;
  return () => {
    if (!done) run();
    done = true;
  };
}
