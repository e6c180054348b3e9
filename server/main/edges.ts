// Last step of the start: the doors of the server, with the services behind them.
import type { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseTaskId } from "../../pki/task-id.ts";
import { addHealth, HealthStatuses } from "../../proto/rpc/health.ts";
import { addReflection } from "../../proto/rpc/reflection.ts";
import { createRpcServer, type RpcServer, type RpcServerOptions } from "../../proto/rpc/server.ts";
import type { Handlers, Service } from "../../proto/rpc/service.ts";
import {
  AgentService,
  AuditLogService,
  BundleService,
  DebugService,
  EntryService,
  LinkService,
  LocalAuthorityService,
  LoggerService,
  OAuthAuthorityService,
  RevocationService,
  SvidService,
} from "../../proto/schema.gen.ts";
import { startHealth } from "../../runtime/health.ts";
import { trimMemoryWhenIdle } from "../../runtime/memory.ts";
import { agentHandlers } from "../api/agent.ts";
import { auditLogHandlers } from "../api/audit-log.ts";
import { Authorizer, agentOf, type Caller } from "../api/authorize.ts";
import { bundleHandlers } from "../api/bundle.ts";
import { debugHandlers } from "../api/debug.ts";
import { entryApi } from "../api/entry.ts";
import { localAuthorityHandlers, oauthAuthorityHandlers } from "../api/localauthority.ts";
import { loggerHandlers } from "../api/logger.ts";
import { RateLimiter } from "../api/rate-limit.ts";
import { revocationHandlers } from "../api/revocation.ts";
import { svidHandlers } from "../api/svid.ts";
import { nodeAttestors } from "../attestation/index.ts";
import { startAdminSocket } from "../edge/admin-socket.ts";
import { AGENTS_LIMITS, countCalls, limitsOf } from "../edge/caller-limits.ts";
import { Connections } from "../edge/connections.ts";
import { Gate } from "../edge/gate.ts";
import { startListener } from "../edge/listener.ts";
import { followRevocations } from "../edge/revocations.ts";
import { RevokedCallers } from "../edge/revoked-callers.ts";
import { Cursors } from "../link/cursors.ts";
import { linkHandlers } from "../link/watch.ts";
import type { RevocationRecord } from "../store/revocation-record.ts";
import { aiAgentAbove } from "../store/task-paths.ts";
import { prune, readinessChecks, reportHealth, watchStore } from "../upkeep.ts";
import type { Audit } from "./audit.ts";
import type { Base } from "./base.ts";
import type { Ca } from "./ca.ts";
import { addFederation, type Federation } from "./federation.ts";
import { addRegistry } from "./registry.ts";
import { watchForAhead } from "./restored.ts";
import type { Revocation } from "./revocation.ts";
import type { Stores } from "./stores.ts";
import { addTasks, type TaskParts } from "./tasks.ts";

/** How long calls may take to end once the server is told to stop. */
const STOP_GRACE_MS = 3000;
/** Pings that notice a host that is gone: its agent must not hold up the publication of an authority. */
const KEEPALIVE = { timeMs: 30_000, timeoutMs: 10_000 };

/** Where the server can be reached. */
export interface Doors {
  readonly address: { readonly host: string; readonly port: number };
  readonly adminSocket: string;
  readonly healthAddress: { readonly host: string; readonly port: number } | undefined;
}

/** The two doors, TLS and the admin socket, with the services behind them. */
export async function startEdges(
  base: Base,
  stores: Stores,
  ca: Ca,
  federation: Federation,
  revocation: Revocation,
  audit: Audit,
  tasks: TaskParts,
): Promise<Doors> {
  const { config, log, clock, lifecycle, metrics } = base;
  const { entries, nodes, bundles } = stores;
  const { identity } = ca;
  const authorizer = new Authorizer({
    trustDomain: config.trustDomain,
    clock,
    adminIds: new Set(config.adminIds),
    orchestratorIds: new Set(config.tasks.orchestrators.map(({ spiffeId }) => spiffeId)),
    isAiAgent: (id) =>
      stores.aiAgents.get(id.toString()) !== undefined || parseTaskId(id) !== undefined,
    onAiAgent: (id, method) => void tasks.reportCaller(id, method),
    nodes,
    isRevoked: (serialHex) => revocation.revoked.has(serialHex),
    entries: stores.index,
  });
  const gate = new Gate({
    authorizer,
    limits: new RateLimiter({ clock, ...config.rateLimit }),
    audit: audit.log,
    clock,
    log,
    metrics,
  });
  lifecycle.own("failed calls", () => gate.stop());
  const remote = rpcServer(base, "remote", {
    limits: { ...AGENTS_LIMITS, maxConnections: config.listen.maxConnections },
    keepalive: KEEPALIVE,
    intercept: gate.intercept,
    enter: countCalls(),
  });
  const local = rpcServer(base, "local", { limits: { maxConnections: 1000 } });
  const add = <S extends Service>(service: S, handlers: Handlers<S>): void => {
    const guarded = gate.guard(service, handlers);
    remote.add(service, guarded);
    local.add(service, guarded);
  };
  addServices(base, stores, ca, revocation, tasks, add);
  addFederation(base, stores, federation, add);
  add(AuditLogService, auditLogHandlers({ ...audit, audit: audit.log }));
  addRegistry(base, stores, revocation, tasks.tasks, audit, add);
  addTasks(base, tasks, (id) => authorizer.isAdmin(id), add);
  local.add(LoggerService, gate.guard(LoggerService, loggerHandlers(log)));
  const figures = { clock, source: identity, agents: nodes, entries, bundles };
  local.add(DebugService, gate.guard(DebugService, debugHandlers(figures)));
  const statuses = new HealthStatuses();
  addHealth(local, statuses);
  addReflection(local);

  const upkeep = { ...stores, clock, log };
  const checks = readinessChecks({ ...upkeep, ...ca, ledger: revocation.ledger, audit: audit.log });
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
  const { trustDomain } = config;
  const { revoked } = revocation;
  const revokedCallers = new RevokedCallers({ trustDomain, revoked, connections, clock });
  lifecycle.own("revoked callers", () => revokedCallers.stop());
  const admins = new Set(config.adminIds);
  const listener = await lifecycle.start("listener", () =>
    startListener({
      ...config.listen,
      source: identity,
      authorize: revokedCallers.admitting(
        (id) => id.isMemberOf(trustDomain) || admins.has(id.toString()),
      ),
      connections,
      onConnection: (socket, peer) => {
        remote.inject(socket, peer, limitsOf(peer));
        if (peer.kind === "tls") revokedCallers.watch(socket, peer);
      },
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
  { config, log, clock, lifecycle, version }: Base,
  stores: Stores,
  { authorities, issuer }: Ca,
  { revoker }: Revocation,
  { revoked }: Pick<TaskParts, "revoked">,
  add: <S extends Service>(service: S, handlers: Handlers<S>) => void,
): void {
  const { trustDomain } = config;
  const { store, entries, nodes, bundles, tokens, index, authorized, hub } = stores;
  const { crls, revocations } = stores;
  const agentIdOf: Parameters<typeof svidHandlers>[0]["agentOf"] = (context) =>
    agentOf(context).toString();
  const attestors = nodeAttestors({ trustDomain, tokens });
  const { agentTtlSeconds } = config;
  const ban = (agentId: string, by: string): Promise<void> => revoker.ban(agentId, by);
  const agents = { trustDomain, nodes, tokens, issuer, attestors, agentTtlSeconds, clock, ban };
  add(AgentService, agentHandlers(agents));
  const tasksEndedBy = (record: RevocationRecord): Promise<number> => revoked.endedBy(record);
  add(RevocationService, revocationHandlers({ trustDomain, revoker, revocations, tasksEndedBy }));
  add(
    BundleService,
    bundleHandlers({ trustDomain, bundles, entries, takesWit: authorities.makes("wit") }),
  );
  const isFederated = (name: string): boolean =>
    name !== trustDomain.name && bundles.get(name) !== undefined;
  const rules = { trustDomain, isFederated };
  add(EntryService, entryApi({ entries, index, authorized, rules, agentOf: agentIdOf }));
  add(LocalAuthorityService, localAuthorityHandlers(authorities));
  add(OAuthAuthorityService, oauthAuthorityHandlers(authorities));
  const entryFor = (agentId: string, entryId: string) => authorized.find(agentId, entryId);
  const isOfTask = (id: SpiffeId): boolean => {
    const above = aiAgentAbove(id.toString());
    return above !== undefined && stores.aiAgents.get(above) !== undefined;
  };
  add(
    SvidService,
    svidHandlers({ trustDomain, issuer, agentOf: agentIdOf, entryFor, isOfTask, logger: log }),
  );
  const { tasks, taskClasses } = stores;
  const told = { bundles, crls, revocations, nodes, tasks, taskClasses };
  const cursors = new Cursors({ storeId: store.storeId, epoch: stores.epoch });
  const onAhead = watchForAhead({ log, clock, lifecycle }, stores);
  const link = { hub, authorized, ...told, cursors, onAhead, serverVersion: version };
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
