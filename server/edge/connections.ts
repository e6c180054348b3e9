// The connections of the listener: how many there may be, in all and from one address, and when one
// has to end: with its certificate, with the trust in its authority, with its agent's right to be here.
// Handshakes: listener.ts. Calls on a connection are judged one by one besides: api/authorize.ts.
import type { Duplex } from "node:stream";
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
  readonly socket: Duplex;
  readonly id: SpiffeId;
  readonly leaf: Certificate;
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #perAddress = new Map<string, number>();
  readonly #verified = new Set<VerifiedConnection>();
  #open = 0;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  /** How many connections are open, those in their handshake included. */
  get size(): number {
    return this.#open;
  }

  /** Counts a new connection until it closes; answers false when there are too many already. */
  admit(socket: Duplex, remoteAddress: string): boolean {
    const address = subnetOf(remoteAddress);
    const count = this.#perAddress.get(address) ?? 0;
    const { maxConnections, maxConnectionsPerAddress } = this.#options;
    if (this.#open >= maxConnections || count >= maxConnectionsPerAddress) return false;
    this.#open++;
    this.#perAddress.set(address, count + 1);
    socket.once("close", () => {
      this.#open--;
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
    return true;
  }

  /** Watches over a connection until it closes. It ends no later than its certificate. */
  add(connection: VerifiedConnection): void {
    this.#verified.add(connection);
    const expiry = this.#options.clock.setTimer(connection.leaf.notAfter, () =>
      this.#close(connection, "its certificate has expired"),
    );
    connection.socket.once("close", () => {
      expiry.cancel();
      this.#verified.delete(connection);
    });
  }

  /** Closes the connections of a SPIFFE ID, those with the certificate `exceptSerial` excepted. */
  closePeer(id: string, why: string, exceptSerial?: string): void {
    for (const connection of [...this.#verified]) {
      if (connection.id.toString() !== id || connection.leaf.serialDecimal === exceptSerial)
        continue;
      this.#close(connection, why);
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

  #close(connection: VerifiedConnection, why: string): void {
    this.#options.log.info(
      { spiffe_id: connection.id.toString(), serial: connection.leaf.serialDecimal, why },
      "connection closed",
    );
    connection.socket.destroy();
  }
}
