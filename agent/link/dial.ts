// A connection to the server: mutual TLS checked by the one verifier (client/), gRPC over it, and typed
// clients of what the agent calls. The server is known by its SPIFFE ID alone; host names mean nothing.

import { peerChain } from "../../client/tls/admit.ts";
import { authorizeId } from "../../client/tls/authorize.ts";
import { tlsConnector } from "../../client/tls/connect.ts";
import type { TlsSource } from "../../client/tls/source.ts";
import type { TrustDomain } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { type Channel, createChannel } from "../../proto/rpc/client.ts";
import type { Clock } from "../../runtime/clock.ts";
import { agentError } from "../errors.ts";

export interface DialOptions {
  readonly trustDomain: TrustDomain;
  readonly server: { readonly address: string; readonly port: number };
  /** Shows its SVID, if it has one, and holds the anchors. */
  readonly source: TlsSource;
  readonly clock: Clock;
  /** Verify nothing: only for a first contact that the operator has asked for. */
  readonly insecure?: boolean;
}

/** How soon a server that vanished without a word is noticed: a cable, a firewall, a frozen machine. */
const KEEPALIVE_MS = 20_000;
const KEEPALIVE_TIMEOUT_MS = 10_000;

/** A connection to the server. Nothing is sent before the first call. */
export interface Connection {
  readonly channel: Channel;
  /** The certificates the server showed, DER, leaf first; none before the first call. */
  serverChain(): readonly Uint8Array[];
  /** Why the last handshake failed, in our words; undefined when it did not. */
  failure(): unknown;
  close(): void;
}

/** The SPIFFE ID of the servers of a trust domain. */
function serverIdOf(trustDomain: TrustDomain): string {
  return `${trustDomain.id}/spire/server`;
}

/** Prepares a connection. It shows the SVID that `source` has when the handshake runs. */
export function dial(options: DialOptions): Connection {
  const { trustDomain, server, source, clock, insecure = false } = options;
  const serverId = serverIdOf(trustDomain);
  let shown: readonly Uint8Array[] = [];
  let failure: unknown;
  const connect = tlsConnector({
    source,
    authorize: authorizeId(serverId),
    alpnProtocols: ["h2"],
    clock,
    insecureBootstrap: insecure,
  });
  const channel = createChannel({
    address: { host: server.address, port: server.port },
    secure: async (socket) => {
      try {
        const secured = await connect(socket);
        shown = peerChain(secured);
        if (insecure) assertNamed(shown, serverId);
        failure = undefined;
        return secured;
      } catch (error) {
        failure = error; // gRPC keeps only some words of it
        throw error;
      }
    },
    keepalive: { timeMs: KEEPALIVE_MS, timeoutMs: KEEPALIVE_TIMEOUT_MS },
  });
  return {
    channel,
    serverChain: () => shown,
    failure: () => failure,
    close: () => channel.close(),
  };
}

// Unverified, so it proves nothing; it catches the honest mistake of a wrong address or trust domain.
function assertNamed(chain: readonly Uint8Array[], serverId: string): void {
  const [leaf] = chain;
  const uris = leaf === undefined ? [] : parseCertificate(leaf).uris;
  if (uris.length === 1 && uris[0] === serverId) return;
  throw agentError(
    "SERVER_ANSWER_INVALID",
    `the server calls itself "${uris.join(", ")}", not "${serverId}"`,
    { hint: "check server.address and trust_domain in the agent's configuration" },
  );
}
