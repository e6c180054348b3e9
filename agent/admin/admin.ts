// The admin socket: for the agent's own user, and for health checks that must not depend on the socket
// that every user of the machine may fill.

import { addHealth, HealthStatuses, WHOLE_SERVER } from "../../proto/rpc/health.ts";
import { addReflection } from "../../proto/rpc/reflection.ts";
import { createRpcServer } from "../../proto/rpc/server.ts";
import type { Logger } from "../../runtime/log.ts";
import type { Callers } from "../peer/index.ts";

export interface AdminOptions {
  readonly path: string;
  readonly callers: Callers;
  readonly log: Logger;
}

export interface RunningAdmin {
  /** Whether workloads can be served now, for grpc.health.v1. */
  setServing(isServing: boolean): void;
  stop(): Promise<void>;
}

const GRACE_MS = 500;

/**
 * Serves the admin socket: only the agent's own user can open its file.
 * @throws SOCKET_PATH_INVALID, SOCKET_IN_USE, SOCKET_LISTEN_FAILED
 */
export async function startAdmin({ path, callers, log }: AdminOptions): Promise<RunningAdmin> {
  const health = new HealthStatuses();
  const rpc = createRpcServer({
    onInternalError: (error, reference) =>
      log.error({ error, reference }, "a call of the agent's admin socket failed"),
  });
  addHealth(rpc, health);
  addReflection(rpc);
  const listener = await callers.listen({
    path,
    mode: 0o600,
    onConnection: (socket, peer) => rpc.inject(socket, peer),
  });
  return {
    setServing: (isServing) => health.set(WHOLE_SERVER, isServing),
    async stop() {
      const stopped = listener.stop({ drain: true });
      await rpc.close(GRACE_MS);
      await stopped;
    },
  };
}
