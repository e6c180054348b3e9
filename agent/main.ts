// The node agent as a whole: builds every part in the order of dependence and starts it; stop() undoes it
// in reverse. The only place in agent/ that constructs parts.

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { LaunchService } from "../proto/schema.gen.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { ensureDir } from "../runtime/files.ts";
import type { ReadinessCheck, RunningHealth } from "../runtime/health.ts";
import { Lifecycle } from "../runtime/lifecycle.ts";
import type { Logger } from "../runtime/log.ts";
import { keepYoungGenerationSmall, trimMemoryWhenIdle } from "../runtime/memory.ts";
import { createMetrics, type Metrics, NO_METRICS } from "../runtime/metrics.ts";
import { loadOrCreateSealingKey, sealedFile } from "../runtime/sealed-file.ts";
import { startAdmin } from "./admin/admin.ts";
import { NODE_ATTESTORS } from "./attestation/index.ts";
import { readBootstrapBundle } from "./bootstrap.ts";
import { BundleCache } from "./cache/bundles.ts";
import { EntryCache } from "./cache/entries.ts";
import { Feed } from "./cache/feed.ts";
import { JwtSvidCache } from "./cache/jwt-svids.ts";
import { Rotation } from "./cache/rotation.ts";
import { Subscribers } from "./cache/subscribers.ts";
import { SvidCache } from "./cache/svids.ts";
import { type AgentConfig, takeJoinToken } from "./config.ts";
import { connectionOf, WorkloadConnection } from "./connection.ts";
import { AgentIdentity } from "./identity.ts";
import { startLaunchService } from "./launch/index.ts";
import { Follower } from "./link/follow.ts";
import { Link } from "./link/link.ts";
import { Renewal } from "./link/renewal.ts";
import { ServerSigning } from "./link/signing.ts";
import { observe } from "./observe.ts";
import { startCallers } from "./peer/index.ts";
import { WorkloadServer } from "./socket.ts";
import { Callers } from "./workload-api/callers.ts";
import { ATTESTORS, workloadAttestation } from "./workload-attestors/index.ts";

/** A renamed user is noticed within this time; looking at every call would cost each one two system calls. */
const NAMES_MAX_AGE_MS = 1000;

export interface StartOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** Answers 0..1, to spread what would otherwise happen at once everywhere. */
  readonly random?: () => number;
  /** Told to the server. */
  readonly version?: string;
  /** Instead of the one in the environment or the file. */
  readonly joinToken?: string;
  /** Stops the agent when it aborts. */
  readonly signal?: AbortSignal;
}

/** An agent that runs. */
export interface RunningAgent {
  /** Path of the Workload API's socket: open from the start, UNAVAILABLE until `ready`. */
  readonly socket: string;
  readonly adminSocket: string;
  /** Where /live, /ready and /metrics are, if they are served. */
  readonly healthAddress: { readonly host: string; readonly port: number } | undefined;
  /** Resolves when the server's first word has been taken over. Rejects as `failed` does. */
  readonly ready: Promise<void>;
  /** Rejects when the agent cannot go on: banned, refused, or broken. Never resolves. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

interface Context extends Required<Omit<StartOptions, "joinToken" | "signal">> {
  readonly config: AgentConfig;
  readonly joinToken: string | undefined;
  readonly lifecycle: Lifecycle;
}

/** Starts an agent. Resolves when its sockets are open; the server need not be there yet. */
export async function start(config: AgentConfig, options: StartOptions): Promise<RunningAgent> {
  const { log, clock = systemClock, random = Math.random, version = "unknown" } = options;
  const lifecycle = new Lifecycle({ log, clock });
  const joinToken = options.joinToken ?? takeJoinToken();
  try {
    options.signal?.throwIfAborted();
    const running = await startParts({ config, log, clock, random, version, joinToken, lifecycle });
    options.signal?.addEventListener("abort", () => void running.stop(), { once: true });
    return running;
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function startParts(context: Context): Promise<RunningAgent> {
  const { config, clock, log, lifecycle } = context;
  keepYoungGenerationSmall();
  await makeFolders(config);
  const identity = await loadIdentity(context);
  const signing = new ServerSigning();
  const cache = buildCache(context, signing);
  if (identity.bundle !== undefined) cache.bundles.apply([identity.bundle], []);
  const metrics =
    config.health === undefined
      ? NO_METRICS
      : await createMetrics({ prefix: "signet_agent_", process: true });
  observe(metrics, { ...cache, signing, identity });

  const server = await startSockets(context, cache, metrics);
  const link = buildLink(context, cache, signing, identity, () => server.setServing(true));
  lifecycle.run("link", (signal) => link.run(signal));
  const ready = Promise.race([link.synced, lifecycle.failed]);
  ready.catch(() => undefined); // may be watched by nobody

  const health = await startHealth(context, metrics, {
    server: () => signing.isConnected || "no link to the server",
    sync: () => cache.subscribers.synced || "nothing heard from the server yet",
  });
  const memory = trimMemoryWhenIdle({ clock, log });
  lifecycle.own("memory", () => memory.stop());
  log.info({ socket: config.socket.path, trust_domain: config.trustDomain.name }, "agent started");
  return {
    socket: config.socket.path,
    adminSocket: config.adminSocket,
    healthAddress: health?.address,
    ready,
    failed: lifecycle.failed,
    stop: () => lifecycle.stop(),
  };
}

/** Others must get through to the sockets, and to nothing else. */
async function makeFolders(config: AgentConfig): Promise<void> {
  await ensureDir(config.dataDir, 0o711);
  await ensureDir(join(config.dataDir, "keys"), 0o700);
  for (const path of [config.socket.path, config.adminSocket]) {
    // An existing folder, such as /run, keeps its mode.
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  }
}

async function loadIdentity({ config, log, clock }: Context): Promise<AgentIdentity> {
  const { trustDomain, bootstrap } = config;
  const key = await loadOrCreateSealingKey(config.sealingKeyFile, log);
  const file = sealedFile(join(config.dataDir, "keys", "identity.sealed"), key, "agent-identity");
  return AgentIdentity.load(
    {
      trustDomain,
      file,
      bootstrap:
        bootstrap.kind === "file"
          ? await readBootstrapBundle(bootstrap.path, trustDomain)
          : undefined,
      log,
    },
    clock.now(),
  );
}

interface Cache {
  readonly entries: EntryCache;
  readonly bundles: BundleCache;
  readonly svids: SvidCache;
  readonly jwtSvids: JwtSvidCache;
  readonly rotation: Rotation;
  readonly subscribers: Subscribers;
}

function buildCache(context: Context, signing: ServerSigning): Cache {
  const { config, clock, random, log, lifecycle } = context;
  const now = (): Date => clock.now();
  const entries = new EntryCache();
  const bundles = new BundleCache(config.trustDomain);
  const changed = (entryIds: ReadonlySet<string>): void => {
    subscribers.svidsChanged(entryIds);
    rotation.changed();
  };
  const svids = new SvidCache({
    signing,
    keyType: config.x509SvidKeyType,
    now,
    random,
    clock,
    log,
    entryOf: (id) => entries.get(id),
    limit: config.cache.x509Svids,
    usage: () => subscribers.usage(),
    onChange: changed,
  });
  const rotation = new Rotation({ svids, bundles, clock, onExpired: changed });
  const limit = config.cache.jwtSvids;
  const jwtSvids = new JwtSvidCache({ signing, bundles, now, random, log, limit });
  const trustDomain = config.trustDomain.name;
  const subscribers = new Subscribers({ entries, svids, bundles, now, trustDomain });
  lifecycle.own("cache", () => {
    rotation.stop();
    svids.close();
  });
  return { entries, bundles, svids, jwtSvids, rotation, subscribers };
}

async function startSockets(
  context: Context,
  cache: Cache,
  metrics: Metrics,
): Promise<{ setServing(isServing: boolean): void }> {
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
    now: () => clock.now(),
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
    setServing(isServing) {
      workloads.setServing(isServing);
      admin.setServing(isServing);
    },
  };
}

/** What one process may take of what its user may: services that run as one user must not starve each other. */
function shareOf(ofUser: number): number {
  return Math.ceil(ofUser / 2);
}

/** Loaded only where it is wanted: Node's HTTP takes several megabytes of every agent's memory. */
async function startHealth(
  { config, log, lifecycle }: Context,
  metrics: Metrics,
  checks: Readonly<Record<string, ReadinessCheck>>,
): Promise<RunningHealth | undefined> {
  const { health } = config;
  if (health === undefined) return undefined;
  const { startHealth: listen } = await import("../runtime/health.ts");
  return lifecycle.start("health", () => listen({ log, metrics, ...health, checks }));
}

function buildLink(
  context: Context,
  cache: Cache,
  signing: ServerSigning,
  identity: AgentIdentity,
  onSynced: () => void,
): Link {
  const { config, clock, random, log, version, joinToken } = context;
  const { trustDomain, server } = config;
  const feed = new Feed({
    ...cache,
    trustDomain: trustDomain.name,
    onOwnBundle: (bundle) => link.bundleChanged(bundle, (id) => cache.bundles.isWithdrawn(id)),
  });
  const follower = new Follower({
    trustDomain: trustDomain.name,
    agentVersion: version,
    sink: feed,
    onWelcome: () => {
      link.welcomed();
      cache.svids.resume();
    },
    persist: () => identity.persist(),
    onConfirmed: () => link.confirmed(),
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
    onSynced,
    clock,
    random,
    log,
  });
  return link;
}
