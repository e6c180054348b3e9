// What serves the sockets of tasks: a second server of the same Workload API, over a second set of the same
// caches, which holds one identity a task and none of the others. Bundles and revocation lists are shared.
// Nothing of a task is ever in the caches behind the agent's own socket.

import { IdentityError } from "../../pki/errors.ts";
import { parseJwtSvidInsecurely } from "../../pki/jwt/svid.ts";
import { GuardService } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import type { BundleChange } from "../cache/bundles.ts";
import { EntryCache, type EntryChange } from "../cache/entries.ts";
import { type IssuedJwt, JwtSvidCache } from "../cache/jwt-svids.ts";
import { mintX509Svids, svidInputs, type X509Signing } from "../cache/mint.ts";
import { type HeldWit, mintWitSvids, type WitSigning, witInputs } from "../cache/mint-wit.ts";
import type { RevocationEffect } from "../cache/revocations.ts";
import { Rotation } from "../cache/rotation.ts";
import { Subscribers } from "../cache/subscribers.ts";
import { SvidCache } from "../cache/svids.ts";
import { noIdentity, notIssued } from "../cache/view.ts";
import { connectionOf, WorkloadConnection } from "../connection.ts";
import { agentError } from "../errors.ts";
import type { GuardCaller } from "../guard/index.ts";
import type { ServeConnection } from "../launch/launch.ts";
import { WorkloadServer } from "../socket.ts";
import type { TaskServer } from "../tasks/server.ts";
import type { TaskIdentities } from "../tasks/task-socket.ts";
import { Callers } from "../workload-api/callers.ts";
import type { Cache } from "./cache.ts";
import type { Context } from "./context.ts";
import type { NodeGuard } from "./guard.ts";

export interface TaskSockets extends TaskIdentities {
  /** X509-SVIDs in memory. */
  readonly svids: number;
  /** Serves a connection of a task's socket. */
  readonly serveConnection: ServeConnection;
  /** The link has brought bundles or revocations. */
  followed(bundles: BundleChange, revoked: RevocationEffect): void;
  /** The server can be reached again. */
  resume(): void;
  setServing(isServing: boolean): void;
  /** Ends streams with UNAVAILABLE, so that clients come back. */
  stop(): Promise<void>;
}

const NOTHING: EntryChange = { current: [], former: [] };

/** Builds them. */
export function buildTaskSockets(
  context: Context,
  cache: Cache,
  {
    server,
    metrics,
    guard,
  }: {
    readonly server: TaskServer;
    readonly metrics: Metrics;
    readonly guard: NodeGuard;
  },
): TaskSockets {
  const { config, clock, random, log } = context;
  const { x509SvidKeyType: keyType, featureFlags } = config;
  const { bundles, revocations } = cache;
  const now = (): Date => clock.now();
  const entries = new EntryCache();
  const entryOf = (id: string): RegistrationEntry | undefined => entries.get(id);
  const signing = signingOf(server, entryOf);
  const changed = (entryIds: ReadonlySet<string>): void => {
    subscribers.svidsChanged(entryIds);
    rotation.changed();
    witRotation.changed();
  };
  // Only what somebody listens to is held, and renewed: each renewal is a sign of life of the task.
  const shared = { now, random, clock, log, entryOf, limit: 0, usage: () => subscribers.usage() };
  const svids = new SvidCache({
    ...shared,
    kind: "X509-SVID",
    mint: (wanted) => mintX509Svids(wanted, { signing, keyType, now, random }),
    inputsOf: svidInputs,
    nameOf: ({ serials }) => ({ serial: serials[0]?.serialHex }),
    isRevoked: (svid) => revocations.isSvidRevoked(svid),
    onChange: changed,
  });
  const rotation = new Rotation({
    svids,
    isWithdrawn: ({ issuerKeyIds }) => issuerKeyIds.some((keyId) => bundles.isWithdrawn(keyId)),
    clock,
    onExpired: changed,
  });
  const isWitWithdrawn = ({ keyId }: HeldWit): boolean => bundles.isWitWithdrawn(keyId);
  const witSvids = new SvidCache<HeldWit>({
    ...shared,
    kind: "WIT-SVID",
    mint: (wanted) => mintWitSvids(wanted, { signing, keyType, idsOf, now, random }),
    inputsOf: witInputs,
    nameOf: ({ jti }) => ({ jti }),
    isRevoked: (wit) => isWitWithdrawn(wit) || revocations.isTokenRevoked(wit),
    onChange: changed,
  });
  const witRotation = new Rotation<HeldWit>({
    svids: witSvids,
    isWithdrawn: isWitWithdrawn,
    clock,
    onExpired: changed,
  });
  const limit = config.cache.jwtSvids;
  const jwtSvids = new JwtSvidCache({ signing, bundles, revocations, now, random, log, limit });
  const trustDomain = config.trustDomain.name;
  const sources = { entries, svids, witSvids, bundles, revocations, now, trustDomain };
  const subscribers = new Subscribers(sources);
  const callers = new Callers({
    peerOf: (tag) => connectionOf(tag).peer,
    // Whoever is on a task's socket was let in there as one of its processes: no more is to be known.
    attest: async (tag) => connectionOf(tag).selectors,
  });
  const workloads = new WorkloadServer({
    admit: (call) => callers.admit(call),
    subscribers,
    jwtSvids,
    subjectOf: (token) => parseJwtSvidInsecurely(token).id.toString(),
    revocations,
    now,
    workloadApi: { x509: true, jwt: true },
    featureFlags,
    allowUnauthenticatedVerifiers: false,
    allowedForeignJwtClaims: config.allowedForeignJwtClaims,
    limits: { ...config.limits, streamsPerProcess: config.limits.streamsPerUid },
    metrics,
    counter: {
      name: "task_calls_total",
      help: "Calls of the sockets of tasks that ended, by method and gRPC status",
    },
    log,
  });
  const admitGuard = async (call: Parameters<Callers["admit"]>[0]): Promise<GuardCaller> => {
    const caller = await callers.admit(call);
    const view = subscribers.view(caller.selectors);
    const [entry] = view.entries;
    if (entry === undefined) throw noIdentity();
    const assertStill = (): void => {
      caller.assertUnchanged();
      if (view.entries.length === 0) throw noIdentity();
    };
    const { id: task, spiffeId } = entry;
    return { spiffeId, role: "agent", task, signal: caller.signal, assertStill };
  };
  workloads.rpc.add(GuardService, guard.handlersFor(admitGuard));
  const follow = (change: EntryChange, removed: ReadonlySet<string>): void => {
    svids.entriesChanged(change.current, removed);
    witSvids.entriesChanged(change.current, removed);
    jwtSvids.entriesChanged(change.current, removed);
    subscribers.changed(
      change,
      { changed: new Set(), withdrewX509: false, withdrewWit: false },
      false,
    );
  };
  return {
    get svids() {
      return svids.size;
    },
    serveConnection: (socket, peer, selectors) =>
      workloads.accept(socket, new WorkloadConnection(peer, selectors)),
    add: (entry) => follow(entries.apply([entry], []), new Set()),
    remove: (taskId) => follow(entries.apply([], [taskId]), new Set([taskId])),
    followed(change, revoked) {
      if (change.changed.has(trustDomain)) jwtSvids.authoritiesChanged();
      if (revoked.crls) svids.dropRevoked();
      if (revoked.tokens) jwtSvids.dropRevoked();
      const hasLostWits = revoked.tokens || change.withdrewWit;
      if (hasLostWits) subscribers.svidsChanged(witSvids.dropRevoked());
      if (change.withdrewX509) rotation.replaceWithdrawn();
      subscribers.changed(NOTHING, change, revoked.crls);
      witRotation.changed();
    },
    resume() {
      svids.resume();
      witSvids.resume();
    },
    setServing: (isServing) => workloads.setServing(isServing),
    async stop() {
      await workloads.stop();
      rotation.stop();
      witRotation.stop();
      svids.close();
      witSvids.close();
    },
  };
}

/** What the caches ask of the server. Their entries are tasks. */
function signingOf(
  server: TaskServer,
  entryOf: (id: string) => RegistrationEntry | undefined,
): X509Signing &
  WitSigning & {
    newJwtSvid(taskId: string, audience: readonly string[]): Promise<IssuedJwt>;
  } {
  return {
    assertConnected: () => server.assertConnected(),
    signX509: (requests) =>
      server.signX509(requests.map(({ entryId, csr }) => ({ taskId: entryId, csr }))),
    issueWit: (requests) =>
      Promise.all(
        requests.map(({ entryId, publicKey: spki, signingAlgorithm: alg }) =>
          server.newWitSvid(entryId, { spki, alg }).then(({ token }) => token, refusalIn),
        ),
      ),
    async newJwtSvid(taskId, audience) {
      const { token, expiresAt } = await server.newJwtSvid(taskId, audience);
      const { id, issuedAt } = parseJwtSvidInsecurely(token);
      const entry = entryOf(taskId);
      // It was refused, or has ended, meanwhile.
      if (entry === undefined) throw notIssued();
      if (!idsOf(entry).includes(id.toString())) {
        throw agentError(
          "SERVER_ANSWER_INVALID",
          `the server answered task ${taskId} with a JWT-SVID of ${id}`,
        );
      }
      const expires = new Date(expiresAt * 1000);
      return { token, spiffeId: entry.spiffeId, issuedAt: issuedAt ?? expires, expiresAt: expires };
    },
  };
}

/** A class may have the AI agent's own ID in tokens, with the task in a claim. */
function idsOf({ spiffeId, parentId }: RegistrationEntry): readonly string[] {
  return [spiffeId, parentId];
}

/** What the server answered to one of several. */
function refusalIn(error: unknown): IdentityError {
  if (error instanceof IdentityError) return error;
  throw error;
}
