// The server: builds every part in the order of their dependencies, and undoes it in reverse. The only
// file of server/ that constructs parts; what they do is in theirs.
import { join } from "node:path";
import { addHealth, HealthStatuses } from "../proto/rpc/health.ts";
import { addReflection } from "../proto/rpc/reflection.ts";
import { createRpcServer, type RpcServer, type RpcServerOptions } from "../proto/rpc/server.ts";
import type { Handlers, Service } from "../proto/rpc/service.ts";
import {
  AgentService,
  BundleService,
  DebugService,
  EntryService,
  LinkService,
  LocalAuthorityService,
  LoggerService,
  SvidService,
} from "../proto/schema.gen.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { ensureDir } from "../runtime/files.ts";
import { startHealth } from "../runtime/health.ts";
import { Lifecycle } from "../runtime/lifecycle.ts";
import type { Logger } from "../runtime/log.ts";
import { trimMemoryWhenIdle } from "../runtime/memory.ts";
import { createMetrics, type Metrics, NO_METRICS } from "../runtime/metrics.ts";
import { agentHandlers } from "./api/agent.ts";
import { Authorizer, agentOf, type Caller } from "./api/authorize.ts";
import { bundleHandlers } from "./api/bundle.ts";
import { debugHandlers } from "./api/debug.ts";
import { entryApi } from "./api/entry.ts";
import { localAuthorityHandlers } from "./api/localauthority.ts";
import { loggerHandlers } from "./api/logger.ts";
import { RateLimiter } from "./api/rate-limit.ts";
import { svidHandlers } from "./api/svid.ts";
import { nodeAttestors } from "./attestation/index.ts";
import { Authorities } from "./ca/authority.ts";
import { countIssued } from "./ca/count-issued.ts";
import { Issuer } from "./ca/issuer.ts";
import { Rotation } from "./ca/rotation.ts";
import { lifetimeWarning, type ServerConfig } from "./config.ts";
import { startAdminSocket } from "./edge/admin-socket.ts";
import { AGENTS_LIMITS, countCalls, limitsOf } from "./edge/caller-limits.ts";
import { Connections } from "./edge/connections.ts";
import { Gate } from "./edge/gate.ts";
import { startListener } from "./edge/listener.ts";
import { followRevocations } from "./edge/revocations.ts";
import { AuthorizedEntries } from "./entries/authorized.ts";
import { EntryIndex } from "./entries/index.ts";
import { ServerIdentity } from "./identity.ts";
import { openKeyManager } from "./keymanager/index.ts";
import { LinkHub } from "./link/hub.ts";
import { Reach } from "./link/reach.ts";
import { linkHandlers } from "./link/watch.ts";
import { BundleStore } from "./store/bundles.ts";
import { openLevelLog } from "./store/engine-level.ts";
import { EntryStore } from "./store/entries.ts";
import { NodeStore } from "./store/nodes.ts";
import { claimStore } from "./store/owner.ts";
import { TokenStore } from "./store/tokens.ts";
import { prune, readinessChecks, reportHealth, watchStore } from "./upkeep.ts";

/** How long calls may take to end once the server is told to stop. */
const STOP_GRACE_MS = 3000;
/** Pings that notice a host that is gone: its agent must not hold up the publication of an authority. */
const KEEPALIVE = { timeMs: 30_000, timeoutMs: 10_000 };

export interface ServerOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** Told to agents and in the log. */
  readonly version?: string;
  /** Stops the server when it aborts. */
  readonly signal?: AbortSignal;
}

export interface RunningServer {
  /** Where it listens for agents. */
  readonly address: { readonly host: string; readonly port: number };
  /** The path of the admin socket. */
  readonly adminSocket: string;
  /** Where /live, /ready and /metrics are, if they are served. */
  readonly healthAddress: { readonly host: string; readonly port: number } | undefined;
  /** Rejects when the server can no longer do its work and has to be started again; never resolves. */
  readonly failed: Promise<never>;
  /** Ends calls and connections, then every part. */
  stop(): Promise<void>;
}

/** What every step of the start is given. */
interface Base {
  readonly config: ServerConfig;
  readonly log: Logger;
  readonly clock: Clock;
  readonly version: string;
  readonly lifecycle: Lifecycle;
  readonly metrics: Metrics;
}

/**
 * Starts a server; resolves when it serves.
 * @throws STORE_LOCKED, ADDRESS_UNUSABLE, ADMIN_SOCKET_IN_USE, SEALED_FILE_DAMAGED and others: nothing
 * is left running then
 */
export async function start(config: ServerConfig, options: ServerOptions): Promise<RunningServer> {
  const { log, clock = systemClock, version = "dev", signal } = options;
  const lifecycle = new Lifecycle({ log, clock });
  const metrics =
    config.health === undefined
      ? NO_METRICS
      : await createMetrics({ prefix: "signet_server_", process: true });
  const base: Base = { config, log, clock, version, lifecycle, metrics };
  try {
    signal?.throwIfAborted();
    const stores = await openStores(base);
    const ca = await startCa(base, stores);
    const running = await startEdges(base, stores, ca);
    const stop = (): Promise<void> => lifecycle.stop();
    signal?.addEventListener("abort", () => void stop(), { once: true });
    log.info(
      { trust_domain: config.trustDomain.name, address: running.address, version },
      "server ready",
    );
    return { ...running, failed: lifecycle.failed, stop };
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

type Stores = Awaited<ReturnType<typeof openStores>>;

/** The store and what is held of it in memory, and the hub that tells agents of its changes. */
async function openStores({ config, log, clock, lifecycle, metrics }: Base) {
  const { trustDomain, dataDir } = config;
  // Others may pass through to a socket in it; what is private lies in folders of mode 0700 below.
  await ensureDir(dataDir, 0o711);
  const store = await openLevelLog({ folder: join(dataDir, "store") });
  lifecycle.own("store", () => store.close());
  await claimStore(store, trustDomain);
  const now = (): Date => clock.now();
  const entries = await EntryStore.start({ log: store, now });
  lifecycle.own("entries", () => entries.stop());
  const nodes = await NodeStore.start({ log: store, now, entries });
  lifecycle.own("agents", () => nodes.stop());
  const bundles = await BundleStore.start(store);
  lifecycle.own("bundles", () => bundles.stop());
  const tokens = new TokenStore({ log: store, now });
  const index = new EntryIndex({ source: entries, trustDomain });
  const authorized = new AuthorizedEntries({ index, nodes, now });
  const reach = new Reach({ index, nodes });
  const hub = new LinkHub({ trustDomain, entries, index, bundles, nodes, reach, log });
  lifecycle.own("link", () => hub.stop());
  metrics.gauge({ name: "entries", help: "Registration entries", read: () => entries.size });
  metrics.gauge({ name: "agents", help: "Attested node agents", read: () => nodes.size });
  metrics.gauge({ name: "link_sessions", help: "Open agent links", read: () => hub.size });
  return { store, entries, nodes, bundles, tokens, index, authorized, hub };
}

type Ca = Awaited<ReturnType<typeof startCa>>;

/** The authorities, what they issue, and the server's own SVID. */
async function startCa({ config, log, clock, lifecycle, metrics }: Base, stores: Stores) {
  const { trustDomain, dataDir } = config;
  const { store, bundles, hub } = stores;
  const keys = await openKeyManager(config.keyManager, { dataDir, log });
  const authorities = await Authorities.start({
    trustDomain,
    ca: config.ca,
    refreshHintSeconds: config.bundleRefreshHintSeconds,
    log: store,
    bundles,
    keys,
    publication: hub,
    clock,
    logger: log,
  });
  const warning = lifetimeWarning(config);
  if (warning !== undefined) log.warn(warning);
  const issuer = new Issuer({
    authorities,
    x509SvidTtlSeconds: config.x509SvidTtlSeconds,
    jwtSvidTtlSeconds: config.jwtSvidTtlSeconds,
    jwtIssuer: config.jwtIssuer,
    jwtAudiencePolicy: config.jwtAudiencePolicy,
    clock,
    logger: log,
  });
  lifecycle.own("issuer", () => issuer.stop());
  const ttlSeconds = config.x509SvidTtlSeconds;
  const identity = await ServerIdentity.start({
    trustDomain,
    issuer,
    bundles,
    ttlSeconds,
    clock,
    log,
  });
  lifecycle.own("identity", () => identity.stop());
  lifecycle.own(
    "identity renewal",
    authorities.onTaint(({ kind }) => {
      if (kind === "x509") void identity.renew();
    }),
  );
  const rotation = new Rotation({ authorities, clock, logger: log });
  lifecycle.run("rotation", (signal) => rotation.run(signal));
  metrics.gauge({ name: "issuing", help: "SVIDs being signed", read: () => issuer.pending });
  return { authorities, issuer: countIssued(issuer, metrics), identity };
}

/** The two doors, TLS and the admin socket, with the services behind them. */
async function startEdges(base: Base, stores: Stores, ca: Ca) {
  const { config, log, clock, lifecycle, metrics } = base;
  const { entries, nodes, bundles, tokens, store } = stores;
  const { identity } = ca;
  const gate = new Gate({
    authorizer: new Authorizer({
      trustDomain: config.trustDomain,
      clock,
      adminIds: new Set(config.adminIds),
      nodes,
      entries: stores.index,
    }),
    limits: new RateLimiter({ clock, ...config.rateLimit }),
    clock,
    log,
    metrics,
  });
  const remote = rpcServer(base, "remote", {
    limits: { ...AGENTS_LIMITS, maxConnections: config.listen.maxConnections },
    keepalive: KEEPALIVE,
    intercept: gate.intercept,
    enter: countCalls(),
  });
  const local = rpcServer(base, "local", { limits: { maxConnections: 1000 } });
  addServices(base, stores, ca, <S extends Service>(service: S, handlers: Handlers<S>) => {
    const guarded = gate.guard(service, handlers);
    remote.add(service, guarded);
    local.add(service, guarded);
  });
  local.add(LoggerService, gate.guard(LoggerService, loggerHandlers(log)));
  const figures = { clock, source: identity, agents: nodes, entries, bundles };
  local.add(DebugService, gate.guard(DebugService, debugHandlers(figures)));
  const statuses = new HealthStatuses();
  addHealth(local, statuses);
  addReflection(local);

  const upkeep = { store, entries, nodes, tokens, clock, log };
  const checks = readinessChecks({ ...upkeep, ...ca });
  lifecycle.run("pruning", (signal) => prune(upkeep, signal));
  lifecycle.run("store watch", (signal) => watchStore(upkeep, signal));
  lifecycle.run("health", (signal) => reportHealth(checks, statuses, upkeep, signal));

  const memory = trimMemoryWhenIdle({ clock, log });
  lifecycle.own("memory", () => memory.stop());

  const { anchorsOf } = identity;
  const connections = new Connections({ ...config.listen, clock, log, anchorsOf });
  metrics.gauge({
    name: "connections",
    help: "Open connections of the listener",
    read: () => connections.size,
  });
  lifecycle.own("revocations", followRevocations({ nodes, bundles, connections, clock }));
  const admins = new Set(config.adminIds);
  const listener = await lifecycle.start("listener", () =>
    startListener({
      ...config.listen,
      source: identity,
      authorize: (id) => id.isMemberOf(config.trustDomain) || admins.has(id.toString()),
      connections,
      onConnection: (socket, peer) => remote.inject(socket, peer, limitsOf(peer)),
      clock,
      log,
      metrics,
    }),
  );
  await lifecycle.start("admin socket", () =>
    startAdminSocket({
      ...config.adminSocket,
      onConnection: (socket) => local.inject(socket, { kind: "local" } satisfies Caller),
      log,
    }),
  );
  const { health } = config;
  const probes =
    health === undefined
      ? undefined
      : await lifecycle.start("health listener", () =>
          startHealth({ log, ...health, checks, metrics }),
        );
  return {
    address: listener.address,
    adminSocket: config.adminSocket.path,
    healthAddress: probes?.address,
  };
}

/** The services of both doors. */
function addServices(
  { config, log, clock, version }: Base,
  stores: Stores,
  { authorities, issuer }: Ca,
  add: <S extends Service>(service: S, handlers: Handlers<S>) => void,
): void {
  const { trustDomain } = config;
  const { store, entries, nodes, bundles, tokens, index, authorized, hub } = stores;
  const agentIdOf: Parameters<typeof svidHandlers>[0]["agentOf"] = (context) =>
    agentOf(context).toString();
  const attestors = nodeAttestors({ trustDomain, tokens });
  const { agentTtlSeconds } = config;
  add(
    AgentService,
    agentHandlers({ trustDomain, nodes, tokens, issuer, attestors, agentTtlSeconds, clock }),
  );
  add(BundleService, bundleHandlers({ trustDomain, bundles, entries }));
  const isFederated = (name: string): boolean =>
    name !== trustDomain.name && bundles.get(name) !== undefined;
  const rules = { trustDomain, isFederated };
  add(EntryService, entryApi({ entries, index, authorized, rules, agentOf: agentIdOf }));
  add(LocalAuthorityService, localAuthorityHandlers(authorities));
  const entryFor = (agentId: string, entryId: string) => authorized.find(agentId, entryId);
  add(
    SvidService,
    svidHandlers({ trustDomain, issuer, agentOf: agentIdOf, entryFor, logger: log }),
  );
  const link = { hub, authorized, bundles, nodes, storeId: store.storeId, serverVersion: version };
  add(LinkService, linkHandlers(link));
}

function rpcServer(
  { log, lifecycle }: Base,
  name: string,
  options: Omit<RpcServerOptions, "onInternalError">,
): RpcServer {
  const server = createRpcServer({
    onInternalError: (error, reference) => log.error({ error, reference }, "a call failed"),
    ...options,
  });
  lifecycle.own(`${name} calls`, () => server.close(STOP_GRACE_MS));
  return server;
}
