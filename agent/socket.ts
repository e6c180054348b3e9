// The Workload API's socket: connections with the process that made them, handed to one gRPC server that
// serves the Workload API, health and reflection. Private sockets of launched processes (launch/) hand
// their connections to the same server, with the selector that they stand for.

import type { Socket } from "node:net";
import { IdentityError, Status } from "../pki/errors.ts";
import { addHealth, HealthStatuses, WHOLE_SERVER } from "../proto/rpc/health.ts";
import { addReflection } from "../proto/rpc/reflection.ts";
import { createRpcServer, type RpcServer } from "../proto/rpc/server.ts";
import { SpiffeWorkloadApi } from "../proto/schema.gen.ts";
import type { Logger } from "../runtime/log.ts";
import type { Metrics } from "../runtime/metrics.ts";
import { Quota } from "../runtime/quota.ts";
import { connectionOf, type WorkloadConnection } from "./connection.ts";
import { agentError } from "./errors.ts";
import { assertSecurityHeader } from "./workload-api/header.ts";
import { type WorkloadApiOptions, workloadApiHandlers } from "./workload-api/index.ts";

export interface WorkloadServerOptions extends WorkloadApiOptions {
  readonly limits: {
    readonly connections: number;
    readonly streamsPerConnection: number;
    /** Calls that one user, and one process, may have open at a time. */
    readonly streamsPerUid: number;
    readonly streamsPerProcess: number;
  };
  readonly metrics: Metrics;
  /** Where its calls are counted, when it is not the agent's own socket. */
  readonly counter?: { readonly name: string; readonly help: string };
  readonly log: Logger;
}

/** A connection that makes no call for this long is no gRPC client's. */
const FIRST_CALL_MS = 60_000;
const GRACE_MS = 1000;

const CALLS = {
  name: "calls_total",
  help: "Calls of the agent's socket that ended, by method and gRPC status",
};
const STATUS_NAMES = new Map<number, string>(
  Object.entries(Status).map(([name, code]) => [code, name]),
);

/** Counts the calls of each user and each process; @throws TOO_MANY_STREAMS */
function countCalls(limits: WorkloadServerOptions["limits"]): (tag: unknown) => () => void {
  const ofUsers = new Quota<number>(limits.streamsPerUid);
  const ofProcesses = new Quota<number>(limits.streamsPerProcess);
  const tooMany = (who: string, count: number): Error =>
    agentError("TOO_MANY_STREAMS", `${who} has ${count} calls open on this socket`, {
      hint: "close streams that are not read; one stream serves a whole process",
    });
  return (tag) => {
    const { uid, pid } = connectionOf(tag).peer;
    const leaveUser = ofUsers.enter(uid);
    if (leaveUser === undefined) throw tooMany(`user ${uid}`, ofUsers.countOf(uid));
    const leaveProcess = ofProcesses.enter(pid);
    if (leaveProcess === undefined) {
      leaveUser();
      throw tooMany(`process ${pid}`, ofProcesses.countOf(pid));
    }
    return () => {
      leaveProcess();
      leaveUser();
    };
  };
}

/** Serves the Workload API on whatever connections it is given. */
export class WorkloadServer {
  readonly rpc: RpcServer;
  readonly #health = new HealthStatuses();

  constructor(options: WorkloadServerOptions) {
    const { limits, log, metrics } = options;
    const calls = metrics.counter({
      ...(options.counter ?? CALLS),
      labels: ["method", "status"],
    });
    // Looking a labelled counter up costs more than counting: each is looked up once.
    const counters = new Map<string, { inc(): void }>();
    const count = (method: string, status: string): void => {
      const key = `${method} ${status}`;
      const counter = counters.get(key) ?? calls.labels(method, status);
      counters.set(key, counter);
      counter.inc();
    };
    this.rpc = createRpcServer({
      limits: {
        maxConnections: limits.connections,
        maxStreamsPerConnection: limits.streamsPerConnection,
        // Requests of the Workload API are small; the largest is a token to validate.
        maxMessageBytes: 256 * 1024,
        maxHeldBytesPerConnection: 1024 * 1024,
        firstCallTimeoutMs: FIRST_CALL_MS,
      },
      enter: countCalls(limits),
      acceptsPathAuthority: true,
      intercept: async (context, next) => {
        const { method } = context;
        let status = "ok";
        try {
          assertSecurityHeader(context);
          await next();
        } catch (error) {
          const code = error instanceof IdentityError ? error.code : Status.internal;
          status = STATUS_NAMES.get(code) ?? "unknown";
          throw error;
        } finally {
          count(method, status);
        }
      },
      onInternalError: (error, reference) =>
        log.error({ error, reference }, "a call of the agent's socket failed"),
    });
    this.rpc.add(SpiffeWorkloadApi, workloadApiHandlers(options));
    addHealth(this.rpc, this.#health);
    addReflection(this.rpc);
  }

  /** Whether workloads can be served now, for grpc.health.v1. */
  setServing(isServing: boolean): void {
    this.#health.set(WHOLE_SERVER, isServing);
    this.#health.set(SpiffeWorkloadApi.name, isServing);
  }

  /** Takes over an accepted connection that nobody has read from yet. */
  accept(socket: Socket, connection: WorkloadConnection): void {
    this.rpc.inject(socket, connection);
  }

  /** Ends streams with UNAVAILABLE, so that clients come back, and closes connections. */
  stop(): Promise<void> {
    this.setServing(false);
    return this.rpc.close(GRACE_MS);
  }
}
