// The link to the server, and where it puts what it hears.
import { NODE_ATTESTORS } from "../attestation/index.ts";
import { Feed } from "../cache/feed.ts";
import type { AgentIdentity } from "../identity.ts";
import { Follower } from "../link/follow.ts";
import { Link } from "../link/link.ts";
import { Renewal } from "../link/renewal.ts";
import type { ServerSigning } from "../link/signing.ts";
import type { Cache } from "./cache.ts";
import type { Context } from "./context.ts";
import type { NodeTasks } from "./tasks.ts";

export interface LinkParts {
  readonly signing: ServerSigning;
  readonly identity: AgentIdentity;
  readonly sockets: { readonly tasks: NodeTasks; setServing(isServing: boolean): void };
}

/** Builds it; it connects once it is run. */
export function buildLink(
  context: Context,
  cache: Cache,
  { signing, identity, sockets }: LinkParts,
): Link {
  const { config, clock, random, log, version, joinToken } = context;
  const { trustDomain, server } = config;
  const feed = new Feed({
    ...cache,
    trustDomain: trustDomain.name,
    prefetchesX509: config.workloadApi.x509,
    onCrls: (crls) => identity.distrust(crls),
    onFollowed: (bundles, revoked) => sockets.tasks.followed(bundles, revoked),
    onOwnBundle: (bundle) => link.bundleChanged(bundle, (id) => cache.bundles.isWithdrawn(id)),
  });
  const follower = new Follower({
    trustDomain: trustDomain.name,
    agentVersion: version,
    sink: feed,
    onWelcome: () => {
      link.welcomed();
      cache.svids.resume();
      sockets.tasks.linked();
    },
    persist: () => identity.persist(),
    onConfirmed: () => link.confirmed(),
    onHeard: () => cache.taskStatus.heard(),
    log,
  });
  const attestor = NODE_ATTESTORS.join_token({
    joinToken: { token: joinToken, file: config.joinTokenFile },
  });
  const link: Link = new Link({
    trustDomain,
    server,
    identity,
    attestor,
    insecureBootstrap: config.bootstrap.kind === "insecure",
    signing,
    follower,
    renewal: new Renewal({ identity, trustDomain, clock, random, log }),
    onSynced: () => sockets.setServing(true),
    clock,
    random,
    log,
  });
  return link;
}
