// The agent's sockets: the Workload API's and the administrator's, with what serves callers on them.
import { GuardService, LaunchService } from "../../proto/schema.gen.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import { startAdmin } from "../admin/admin.ts";
import { connectionOf, WorkloadConnection } from "../connection.ts";
import { guardCallers } from "../guard/caller.ts";
import { startLaunchService } from "../launch/index.ts";
import type { ServerSigning } from "../link/signing.ts";
import { startCallers } from "../peer/index.ts";
import { WorkloadServer } from "../socket.ts";
import { Callers } from "../workload-api/callers.ts";
import { ATTESTORS, workloadAttestation } from "../workload-attestors/index.ts";
import type { Cache } from "./cache.ts";
import type { Context } from "./context.ts";
import type { NodeGuard } from "./guard.ts";
import { type NodeTasks, startTasks } from "./tasks.ts";

/** A renamed user is noticed within this time; looking at every call would cost each one two system calls. */
const NAMES_MAX_AGE_MS = 1000;

/** What sockets are started with. */
export interface SocketParts {
  readonly signing: ServerSigning;
  readonly metrics: Metrics;
  readonly guard: NodeGuard;
}

/** Starts them; the Workload API is not served until `setServing`. */
export async function startSockets(
  context: Context,
  cache: Cache,
  { signing, metrics, guard }: SocketParts,
): Promise<{ readonly tasks: NodeTasks; setServing(isServing: boolean): void }> {
  const { config, clock, log, lifecycle } = context;
  const broken = Promise.withResolvers<void>();
  const processes = startCallers({ log, onFailure: broken.reject });
  lifecycle.own("callers", () => processes.stop());
  lifecycle.run("watch over callers", (signal) => {
    signal.addEventListener("abort", () => broken.resolve(), { once: true });
    return broken.promise;
  });

  const unix = ATTESTORS.unix({
    clock,
    log,
    workloadSizeLimitBytes: config.workloadSizeLimitBytes,
    namesMaxAgeMs: NAMES_MAX_AGE_MS,
    isHashWanted: () => cache.entries.hasKind("unix:sha256"),
  });
  const attestation = workloadAttestation({ attestors: [unix], log });
  const callers = new Callers({
    peerOf: (tag) => connectionOf(tag).peer,
    attest: async (tag, signal) => {
      const connection = connectionOf(tag);
      return connection.withFound(await attestation.attest(connection.peer, signal));
    },
  });
  const workloads = new WorkloadServer({
    admit: (call) => callers.admit(call),
    subscribers: cache.subscribers,
    jwtSvids: cache.jwtSvids,
    revocations: cache.revocations,
    now: () => clock.now(),
    workloadApi: config.workloadApi,
    featureFlags: config.featureFlags,
    allowUnauthenticatedVerifiers: config.allowUnauthenticatedVerifiers,
    allowedForeignJwtClaims: config.allowedForeignJwtClaims,
    limits: { ...config.limits, streamsPerProcess: shareOf(config.limits.streamsPerUid) },
    metrics,
    log,
  });
  const admin = await lifecycle.start("admin socket", () =>
    startAdmin({ path: config.adminSocket, callers: processes, log }),
  );
  const launches = await startLaunchService({
    callers: processes,
    folder: config.launchFolder,
    peerOf: (tag) => connectionOf(tag).peer,
    serveConnection: (socket, peer, selectors) =>
      workloads.accept(socket, new WorkloadConnection(peer, selectors)),
    clock,
    log,
  });
  lifecycle.own("launched processes", () => launches.stop());
  workloads.rpc.add(LaunchService, launches.handlers);
  const { subscribers } = cache;
  const admitGuard = guardCallers({ admit: (call) => callers.admit(call), subscribers });
  workloads.rpc.add(GuardService, guard.handlersFor(admitGuard));
  const parts = { signing, metrics, guard, callers, pins: processes, workloads };
  const tasks = await startTasks(context, cache, parts);
  const listener = await processes.listen({
    path: config.socket.path,
    mode: config.socket.mode,
    paused: true,
    limits: {
      total: config.limits.connections,
      perUid: config.limits.connectionsPerUid,
      perProcess: shareOf(config.limits.connectionsPerUid),
    },
    onConnection: (socket, peer) => workloads.accept(socket, new WorkloadConnection(peer, [])),
  });
  lifecycle.own("Workload API", async () => {
    const stopped = listener.stop({ drain: true });
    await workloads.stop();
    await stopped;
  });
  return {
    tasks,
    setServing(isServing) {
      tasks.setServing(isServing);
      workloads.setServing(isServing);
      admin.setServing(isServing);
    },
  };
}

/** What one process may take of what its user may: services that run as one user must not starve each other. */
function shareOf(ofUser: number): number {
  return Math.ceil(ofUser / 2);
}
