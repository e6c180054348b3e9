// The service of guards on this node: what they are told of tasks, and the way of what they have seen to the
// server's audit log. agent/guard/ says how.

import { join } from "node:path";
import type { CallContext, Handlers } from "../../proto/rpc/service.ts";
import { AuditLogService, type GuardService, NodeTasksService } from "../../proto/schema.gen.ts";
import type { Metrics } from "../../runtime/metrics.ts";
import { StatusBroadcast } from "../guard/broadcast.ts";
import { Delivery } from "../guard/delivery.ts";
import { TaskDescriptions } from "../guard/describe.ts";
import { type GuardCaller, guardHandlers } from "../guard/index.ts";
import { Recorder } from "../guard/record.ts";
import { ShownTasks } from "../guard/shown.ts";
import { Spool } from "../guard/spool.ts";
import { UseBlocks } from "../guard/use-blocks.ts";
import type { ServerSigning } from "../link/signing.ts";
import type { Cache } from "./cache.ts";
import type { Context } from "./context.ts";

const TIMEOUT_MS = 10_000;
/** Some hundred thousand events: hours of a server that is away. */
const SPOOL_LIMIT_BYTES = 128 * 1024 * 1024;

export interface NodeGuard {
  /** The service for those whom `admit` lets in. */
  handlersFor(admit: (context: CallContext) => Promise<GuardCaller>): Handlers<typeof GuardService>;
  /** Writes down what this node agent itself has seen. */
  readonly recorder: Recorder;
}

/** Starts it. */
export async function startGuard(
  context: Context,
  cache: Cache,
  signing: ServerSigning,
  metrics: Metrics,
): Promise<NodeGuard> {
  const { config, clock, random, log, lifecycle } = context;
  const folder = join(config.dataDir, "audit-spool");
  const spool = await Spool.open({ folder, limitBytes: SPOOL_LIMIT_BYTES, log });
  lifecycle.own("audit spool", () => spool.close());
  const refused = metrics.counter({
    name: "audit_events_refused_total",
    help: "Events of guards that the server would not write down",
  });
  const delivery = new Delivery({
    spool,
    send: async (events) => {
      await signing.client(AuditLogService).append({ events }, { timeoutMs: TIMEOUT_MS });
    },
    clock,
    random,
    log,
    onRefused: () => refused.inc(),
  });
  lifecycle.run("audit delivery", (signal) => delivery.run(signal));
  const broadcast = new StatusBroadcast({ taskStatus: cache.taskStatus, clock });
  const options = { timeoutMs: TIMEOUT_MS };
  const descriptions = new TaskDescriptions({
    ask: async (taskIds) =>
      (await signing.client(NodeTasksService).describe({ taskIds }, options)).tasks,
    isFresh: () => cache.taskStatus.isFresh(),
    clock,
  });
  lifecycle.own(
    "task descriptions",
    cache.taskStatus.onChange((change) => descriptions.changed(change)),
  );
  const uses = new UseBlocks({
    lease: (request) => signing.client(NodeTasksService).leaseUses(request, options),
    clock,
  });
  lifecycle.own(
    "blocks of uses",
    cache.taskStatus.onChange(({ tasks }) => {
      for (const { taskId, verdict } of tasks) if (verdict === "ended") uses.forget(taskId);
    }),
  );
  const strangers = metrics.counter({
    name: "guard_strangers_refused_total",
    help: "Requests for tasks by workloads to which the task has not shown itself",
  });
  const shown = new ShownTasks({
    check: async (taskId, document) => {
      const request = { taskId, shown: document };
      return (await signing.client(NodeTasksService).checkShown(request, options)).isCredential;
    },
    clock,
    log,
    onRefused: () => strangers.inc(),
  });
  const recorder = new Recorder({
    spool: (owner, events) => spool.append(owner, events),
    hasMet: (caller) => shown.hasMet(caller),
    clock,
  });
  metrics.gauge({
    name: "guards",
    help: "Streams of guards and verifiers that follow the state of tasks",
    read: () => broadcast.size,
  });
  metrics.gauge({
    name: "audit_spool_bytes",
    help: "Events of guards that the server does not have yet, in bytes on disk",
    read: () => spool.bytes,
  });
  return {
    handlersFor: (admit) =>
      guardHandlers({ admit, broadcast, descriptions, uses, recorder, shown }),
    recorder,
  };
}
