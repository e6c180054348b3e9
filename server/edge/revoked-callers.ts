// What becomes of callers whose certificate is revoked. Each of their calls is refused
// (api/authorize.ts); their connections end: those that are open at once, a new one of a node agent as
// soon as it was told why, which it must learn to attest again, one of anybody else before any call.
import type { Socket } from "node:net";
import type { Authorize } from "../../client/tls/authorize.ts";
import type { SpiffeId, TrustDomain } from "../../pki/spiffe-id.ts";
import type { Certificate } from "../../pki/x509/certificate.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { RevokedSerials } from "../revocation/revoked-serials.ts";
import type { Connections } from "./connections.ts";

/** This long, the status that says why may take to get out. */
const STATUS_GRACE_MS = 100;
/** A node agent that comes back has this long to ask and be told. */
const TOLD_AFTER_MS = 2000;
const WHY = "its certificate is revoked";

export interface RevokedCallersOptions {
  readonly trustDomain: TrustDomain;
  readonly revoked: Pick<RevokedSerials, "has" | "onRevoked">;
  readonly connections: Pick<Connections, "closeWhere">;
  readonly clock: Clock;
}

interface Shown {
  readonly id: SpiffeId;
  readonly leaf: Certificate;
}

export class RevokedCallers {
  readonly #options: RevokedCallersOptions;
  readonly #unsubscribe: () => void;

  constructor(options: RevokedCallersOptions) {
    this.#options = options;
    const { revoked, connections, clock } = options;
    this.#unsubscribe = revoked.onRevoked(() => {
      clock.setTimer(STATUS_GRACE_MS, () =>
        connections.closeWhere((connection) => this.has(connection), WHY),
      );
    });
  }

  /** Whether this is a revoked certificate of the own trust domain: the serial numbers of others are theirs. */
  has({ id, leaf }: Shown): boolean {
    const { trustDomain, revoked } = this.#options;
    return id.isMemberOf(trustDomain) && revoked.has(leaf.serialHex);
  }

  /** Authorises whom `authorize` does and whose certificate is not revoked, and node agents, who have to be told. */
  admitting(authorize: Authorize): Authorize {
    return (id, peer) =>
      authorize(id, peer) && (id.path.startsWith("/spire/agent/") || !this.has(peer));
  }

  /** Ends a new connection soon, if its peer may only be told why it is refused. */
  watch(socket: Socket, peer: Partial<Shown>): void {
    const { id, leaf } = peer;
    if (id === undefined || leaf === undefined || !this.has({ id, leaf })) return;
    const end = this.#options.clock.setTimer(TOLD_AFTER_MS, () => socket.destroy());
    socket.once("close", () => end.cancel());
  }

  stop(): void {
    this.#unsubscribe();
  }
}
