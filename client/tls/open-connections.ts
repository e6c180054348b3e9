// Connections that are open. Whenever the authorities or the revocation lists of a source change, the
// peers of its connections are verified again, and those are closed whose peer is trusted no more: it
// was revoked, its authority or its trust domain is gone, or this side's own identity was withdrawn. That
// a peer's SVID has expired since the handshake closes a connection only where that is asked for.

import type { TLSSocket } from "node:tls";
import { IdentityError } from "../../pki/errors.ts";
import { type Certificate, equalBytes } from "../../pki/x509/certificate.ts";
import type { CrlSet } from "../../pki/x509/crl-set.ts";
import type { PeerRole } from "../../pki/x509/svid.ts";
import type { Clock } from "../../runtime/clock.ts";
import { clientError } from "../errors.ts";
import { type Peer, verifyPeer } from "../verify.ts";
import type { TlsSource } from "./source.ts";

/** A connection whose peer was admitted. */
export interface OpenConnection {
  readonly socket: TLSSocket;
  readonly peer: Peer;
  /** What the peer showed, DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly role: PeerRole;
  readonly clock: Clock;
  /** Whether it ends with the SVID that the peer showed. */
  readonly closeAtExpiry: boolean;
  /** Told why, once it is closed here. */
  readonly onClosed: (error: IdentityError) => void;
}

/** What a peer was verified against. */
interface Trust {
  readonly anchors: readonly Certificate[] | undefined;
  readonly crls: CrlSet | undefined;
}

/** Connections verified in one turn of the event loop: each takes a signature or two. */
const CHECK_AT_ONCE = 32;

const bySource = new WeakMap<TlsSource, OpenConnections>();

/** Watches over a connection until it closes. To be called in the turn in which its peer was verified. */
export function watchOver(source: TlsSource, connection: OpenConnection): void {
  let open = bySource.get(source);
  if (open === undefined) {
    open = new OpenConnections(source);
    bySource.set(source, open);
  }
  open.add(connection);
}

/** The open connections that trust what one source says. */
class OpenConnections {
  readonly #source: TlsSource;
  readonly #open = new Map<OpenConnection, Trust>();
  #stopFollowing: (() => void) | undefined;
  #isChecking = false;
  #mustCheckAgain = false;

  constructor(source: TlsSource) {
    this.#source = source;
  }

  add(connection: OpenConnection): void {
    const { socket, peer, clock, closeAtExpiry } = connection;
    const { leaf, id } = peer;
    const expiry = closeAtExpiry
      ? clock.setTimer(leaf.notAfter, () =>
          closeConnection(
            connection,
            clientError("IDENTITY_EXPIRED", `the SVID of the peer ${id} expired`),
          ),
        )
      : undefined;
    this.#open.set(connection, this.#trustOf(connection));
    this.#stopFollowing ??= this.#source.onChange(() => this.#recheck());
    socket.once("close", () => {
      expiry?.cancel();
      this.#open.delete(connection);
      if (this.#open.size > 0) return;
      this.#stopFollowing?.();
      this.#stopFollowing = undefined;
    });
  }

  #recheck(): void {
    this.#mustCheckAgain = true;
    if (this.#isChecking) return;
    this.#isChecking = true;
    void this.#run(); // never rejects
  }

  async #run(): Promise<void> {
    while (this.#mustCheckAgain) {
      this.#mustCheckAgain = false;
      let checked = 0;
      for (const [connection, before] of [...this.#open]) {
        // It may have closed by itself while others were checked.
        if (!this.#open.has(connection) || !this.#check(connection, before)) continue;
        checked += 1;
        if (checked % CHECK_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    this.#isChecking = false;
  }

  /** Answers whether anything had to be done. */
  #check(connection: OpenConnection, before: Trust): boolean {
    try {
      const trust = this.#trustOf(connection);
      const isDue = takesAway(before, trust);
      if (isDue) verify(connection, trust);
      this.#open.set(connection, trust);
      return isDue;
    } catch (error) {
      // A program that is done with its source may still be answering.
      if (error instanceof IdentityError && error.reason === "SOURCE_CLOSED") return false;
      closeConnection(connection, error as IdentityError);
    }
    return true;
  }

  #trustOf({ peer }: OpenConnection): Trust {
    const { anchorsOf, crls } = this.#source;
    return { anchors: anchorsOf(peer.id.trustDomain), crls: crls?.() };
  }
}

/** As at the handshake, but for the lifetime of what the peer showed then. */
function verify({ chain, clock, role, peer }: OpenConnection, { anchors, crls }: Trust): void {
  const at = Math.min(clock.now().getTime(), peer.leaf.notAfter.getTime());
  verifyPeer(chain, () => anchors, new Date(at), role, crls);
}

/** Ends a connection, and says why. */
export function closeConnection({ socket, onClosed }: OpenConnection, error: IdentityError): void {
  if (socket.destroyed) return;
  socket.destroy();
  onClosed(error);
}

/** Whether somebody who was trusted before may not be now: an authority more changes nothing for the others. */
function takesAway(before: Trust, after: Trust): boolean {
  if (before.crls !== after.crls) return after.crls !== undefined;
  return (before.anchors ?? []).some(
    ({ der }) => after.anchors?.some((anchor) => equalBytes(anchor.der, der)) !== true,
  );
}
