// The task service of this node, signet.task.v1.TaskAPI on the Workload API's socket, and the sockets of tasks
// (task-sockets.ts). agent/tasks/ says what becomes of a task.
import { readdir, unlink } from "node:fs/promises";
import { join } from "node:path";
import { TaskAPIService } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { formatSelector, type Selector } from "../../proto/types/selector.ts";
import { ensureDir, ensureOwnDir } from "../../runtime/files.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import type { BundleChange } from "../cache/bundles.ts";
import type { RevocationEffect } from "../cache/revocations.ts";
import { connectionOf } from "../connection.ts";
import type { ServerSigning } from "../link/signing.ts";
import { ServerTasks } from "../link/tasks.ts";
import { checkSocketPath, type Callers as Pins } from "../peer/index.ts";
import type { WorkloadServer } from "../socket.ts";
import { Ends } from "../tasks/ends.ts";
import { Gate } from "../tasks/gate.ts";
import { type HeldRecord, TaskJournal } from "../tasks/journal.ts";
import { Opener } from "../tasks/opener.ts";
import { Orphans } from "../tasks/orphans.ts";
import { type BoundProcess, Processes, readBootId } from "../tasks/processes.ts";
import { Refresher } from "../tasks/refresher.ts";
import { Renewals } from "../tasks/renewals.ts";
import { Reports } from "../tasks/reports.ts";
import { restoreTasks } from "../tasks/restore.ts";
import { Runs } from "../tasks/run.ts";
import { taskHandlers } from "../tasks/service.ts";
import { TaskSocket } from "../tasks/task-socket.ts";
import { Tasks } from "../tasks/tasks.ts";
import type { Callers } from "../workload-api/callers.ts";
import type { Cache } from "./cache.ts";
import type { Context } from "./context.ts";
import type { NodeGuard } from "./guard.ts";
import { buildTaskSockets } from "./task-sockets.ts";

export interface NodeTasks {
  /** The link is there. */
  linked(): void;
  /** The link has brought bundles or revocations. */
  followed(bundles: BundleChange, revoked: RevocationEffect): void;
  setServing(isServing: boolean): void;
}

export interface TaskParts {
  readonly signing: ServerSigning;
  readonly metrics: Metrics;
  readonly guard: NodeGuard;
  /** Of the agent's own socket. */
  readonly callers: Callers;
  readonly pins: Pins;
  readonly workloads: WorkloadServer;
}

const SOCKET_SUFFIX = ".sock";

/** Starts it, with the tasks that an earlier run of the agent held. */
export async function startTasks(
  context: Context,
  cache: Cache,
  { signing, metrics, guard, callers, pins, workloads }: TaskParts,
): Promise<NodeTasks> {
  const { config, clock, random, log, lifecycle } = context;
  const { bundles, subscribers, taskStatus: status } = cache;
  const server = new ServerTasks(signing);
  const folder = config.tasks.socketFolder;
  const socketPathOf = (taskId: string): string => join(folder, `${taskId}${SOCKET_SUFFIX}`);
  checkSocketPath(socketPathOf("0".repeat(26)));
  await ensureDir(join(config.dataDir, "tasks"), 0o700);
  // Others may enter but not list it.
  await ensureOwnDir(folder, 0o711);
  const journal = await TaskJournal.open(join(config.dataDir, "tasks", "held.jsonl"), log);
  lifecycle.own("task journal", () => journal.close());
  await removeStale(folder, journal, socketPathOf);

  const sockets = buildTaskSockets(context, cache, { server, metrics, guard });
  const processes = new Processes(pins, readBootId());
  const ends = new Ends({ server, journal, clock, random, log });
  const counters = countersOf(metrics);
  const tasks: Tasks = new Tasks({
    journal,
    ends,
    status,
    limits: config.tasks,
    clock,
    log,
    refresh: (taskIds) => refresher.refresh(taskIds),
    onEnded: (state) => counters.ended.inc({ state }),
  });
  const refresher = new Refresher({
    server,
    get: (taskId) => tasks.get(taskId),
    learn: (held, task) => tasks.learn(held, task),
    lost: (held) => tasks.lost(held),
    clock,
    log,
  });
  const renewals = new Renewals({
    server,
    isWithdrawn: ({ issuerKeyIds }) => issuerKeyIds.some((keyId) => bundles.isWithdrawn(keyId)),
    refresh: refresher.refresh,
    clock,
    random,
    log,
  });
  const reports = new Reports({
    server,
    clock,
    log,
    onReport: (kind) => counters.refused.inc({ kind }),
  });
  const entriesMatching = (selectors: readonly Selector[]): RegistrationEntry[] => {
    subscribers.view(selectors); // throws until the server was heard
    const nowSeconds = clock.now().getTime() / 1000;
    return cache.entries
      .matching(new Set(selectors.map(formatSelector)))
      .filter(({ expiresAtUnixSeconds: end }) => end === 0 || end > nowSeconds);
  };
  const common = {
    admit: (call: Parameters<Callers["admit"]>[0]) => callers.admit(call),
    peerOf: (tag: unknown) => connectionOf(tag).peer,
  };
  const gate = new Gate({
    ...common,
    tasks,
    identitiesOf: (selectors) => entriesMatching(selectors).map(({ spiffeId }) => spiffeId),
    pins,
    report: (taskId, kind, detail) => reports.report(taskId, kind, detail),
    clock,
  });
  const heldIds = (): ReadonlySet<string> =>
    new Set([...tasks.ids(), ...journal.held.keys(), ...journal.ends.keys()]);
  const orphans = new Orphans({ server, heldIds, clock, random, log });
  const opener = new Opener({ server, tasks, orphans, clock, random });
  const openSocket = (record: HeldRecord, launcher: BoundProcess): TaskSocket =>
    new TaskSocket({
      record,
      launcher,
      identities: sockets,
      callers: pins,
      serveConnection: sockets.serveConnection,
      clock,
      log,
    });
  const runs = new Runs({
    ...common,
    server,
    tasks,
    gate,
    opener,
    processes,
    entriesMatching,
    socketPathOf,
    openSocket,
    graceMs: config.tasks.reattachGraceMs,
    clock,
    log,
  });
  lifecycle.own("tasks", async () => {
    runs.stop();
    ends.stop();
    refresher.stop();
    orphans.stop();
    renewals.stop();
    // Before their connections close: clients are told to come back, not that there is no identity.
    await sockets.stop();
    await tasks.stop();
  });
  const handlers = taskHandlers({
    ...common,
    server,
    tasks,
    gate,
    opener,
    renewals,
    processes,
    runs,
    entriesOf: (caller) => entriesMatching(caller.selectors),
    bundle: () => bundles.own?.x509 ?? new Uint8Array(),
    servesWit: config.featureFlags.has("wit-svid"),
  });
  workloads.rpc.add(TaskAPIService, handlers);
  await restoreTasks({ journal, tasks, processes, runs, openSocket, log });
  gauges(metrics, { tasks, ends, status, sockets });
  return {
    linked() {
      ends.resume();
      sockets.resume();
      renewals.resume();
      refresher.refresh([...tasks.ids()]);
      orphans.look();
    },
    followed(change, revoked) {
      sockets.followed(change, revoked);
      if (change.changed.has(config.trustDomain.name)) renewals.bundleChanged();
    },
    setServing: (isServing) => sockets.setServing(isServing),
  };
}

/** Sockets that an agent which was killed left, of tasks that it no longer holds. */
async function removeStale(
  folder: string,
  journal: TaskJournal,
  socketPathOf: (taskId: string) => string,
): Promise<void> {
  const wanted = new Set([...journal.held.keys()].map(socketPathOf));
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (name.endsWith(SOCKET_SUFFIX) && !wanted.has(path)) await unlink(path);
  }
}

function countersOf(metrics: Metrics) {
  return {
    ended: metrics.counter({
      name: "tasks_ended_total",
      help: "Tasks that this node held and that have ended, by their state",
      labels: ["state"],
    }),
    refused: metrics.counter({
      name: "task_calls_refused_total",
      help: "Calls for tasks that were refused as misuse, by kind",
      labels: ["kind"],
    }),
  };
}

function gauges(
  metrics: Metrics,
  {
    tasks,
    ends,
    status,
    sockets,
  }: {
    readonly tasks: Tasks;
    readonly ends: Ends;
    readonly status: Cache["taskStatus"];
    readonly sockets: { readonly svids: number };
  },
): void {
  metrics.gauge({
    name: "tasks",
    help: "Open tasks of this node",
    read: () => tasks.size,
  });
  metrics.gauge({
    name: "task_ends_waiting",
    help: "Ends of tasks that the server could not be told yet",
    read: () => ends.waiting,
  });
  metrics.gauge({
    name: "tasks_refused",
    help: "Tasks, from anywhere, that this node refuses",
    read: () => status.size,
  });
  metrics.gauge({
    name: "task_x509_svids",
    help: "X509-SVIDs of the sockets of tasks in memory",
    read: () => sockets.svids,
  });
}
