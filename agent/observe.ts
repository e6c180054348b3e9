// The figures of the agent for Prometheus: what it holds, whom it serves, whether it is linked.

import type { Metrics } from "../runtime/metrics.ts";
import type { EntryCache } from "./cache/entries.ts";
import type { JwtSvidCache } from "./cache/jwt-svids.ts";
import type { HeldWit } from "./cache/mint-wit.ts";
import type { Revocations } from "./cache/revocations.ts";
import type { Subscribers } from "./cache/subscribers.ts";
import type { SvidCache } from "./cache/svids.ts";
import type { AgentIdentity } from "./identity.ts";
import type { ServerSigning } from "./link/signing.ts";

export interface Observed {
  readonly entries: EntryCache;
  readonly svids: SvidCache;
  readonly witSvids: SvidCache<HeldWit>;
  readonly jwtSvids: JwtSvidCache;
  readonly revocations: Revocations;
  readonly subscribers: Subscribers;
  readonly signing: ServerSigning;
  readonly identity: AgentIdentity;
}

/** Registers the gauges. They are read when they are asked for. */
export function observe(metrics: Metrics, parts: Observed): void {
  const { entries, svids, witSvids, jwtSvids, revocations, subscribers, signing, identity } = parts;
  metrics.gauge({
    name: "linked",
    help: "1 when the agent is linked to the server",
    read: () => (signing.isConnected ? 1 : 0),
  });
  metrics.gauge({
    name: "entries",
    help: "Registration entries this agent may serve",
    read: () => entries.size,
  });
  metrics.gauge({
    name: "x509_svids",
    help: "X509-SVIDs of workloads in memory",
    read: () => svids.size,
  });
  metrics.gauge({
    name: "jwt_svids",
    help: "JWT-SVIDs of workloads in memory",
    read: () => jwtSvids.size,
  });
  metrics.gauge({
    name: "revoked_serials",
    help: "Serial numbers on the revocation lists of the own trust domain",
    read: () => revocations.serials,
  });
  metrics.gauge({
    name: "revoked_tokens",
    help: "Revocations of tokens in memory",
    read: () => revocations.tokens,
  });
  metrics.gauge({
    name: "wit_svids",
    help: "WIT-SVIDs of workloads in memory",
    read: () => witSvids.size,
  });
  metrics.gauge({
    name: "subscribers",
    help: "Streams that follow identities or bundles",
    read: () => subscribers.size,
  });
  metrics.gauge({
    name: "svid_expires_at_seconds",
    help: "When the agent's own SVID expires, Unix time; 0 without one",
    read: () => (identity.svid()?.leaf.notAfter.getTime() ?? 0) / 1000,
  });
}
