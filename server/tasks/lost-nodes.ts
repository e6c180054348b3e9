// A node agent that is banned or evicted takes the tasks with it that it holds: nobody on that node is to be
// trusted with them any more. Looked at when the server starts too: it may have been killed in between; and
// with every task that gets a holder: one that was being opened when its node was lost ends as well.
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../runtime/log.ts";
import type { NodeRecord } from "../store/node-record.ts";
import type { ReplicaHandler } from "../store/replica.ts";
import { isOpen } from "../store/task-record.ts";
import type { Tasks } from "./tasks.ts";

export interface LostNodesOptions {
  readonly tasks: Pick<Tasks, "values" | "endAllOn" | "onChange">;
  readonly nodes: {
    get(id: string): Pick<NodeRecord, "banned"> | undefined;
    onChange(handler: ReplicaHandler<NodeRecord>): () => void;
  };
  readonly clock: Clock;
  readonly log: Logger;
}

const RETRY_MS = 5000;

/** Ends them, now and from now on; returns the end of that, which waits for what is under way. */
export function endTasksOfLostNodes(options: LostNodesOptions): () => Promise<void> {
  const { tasks, nodes, clock, log } = options;
  const stopping = new AbortController();
  const pending = new Map<string, Promise<void>>();
  /** Node agents whose tasks are to be looked at, also while they are being ended. */
  const wanted = new Set<string>();
  /** Never rejects. */
  const endAll = async (nodeAgent: string, reason: string): Promise<void> => {
    while (!stopping.signal.aborted && wanted.delete(nodeAgent)) {
      try {
        const count = await tasks.endAllOn(nodeAgent, "REVOKED", reason, "server");
        if (count > 0) log.info({ agent_id: nodeAgent, count }, "tasks of a lost node agent ended");
      } catch (error) {
        log.error({ error, agent_id: nodeAgent }, "tasks of a lost node agent could not be ended");
        wanted.add(nodeAgent);
        await clock.sleep(RETRY_MS, stopping.signal).catch(() => undefined);
      }
    }
    // At once: a task that gets here behind the last look begins another.
    pending.delete(nodeAgent);
  };
  const end = (nodeAgent: string, reason: string): void => {
    wanted.add(nodeAgent);
    if (!pending.has(nodeAgent)) pending.set(nodeAgent, endAll(nodeAgent, reason));
  };
  const check = (nodeAgent: string): void => {
    const node = nodes.get(nodeAgent);
    if (node === undefined) end(nodeAgent, "its node agent was evicted");
    else if (node.banned) end(nodeAgent, "its node agent is banned");
  };
  const holders = new Set<string>();
  for (const task of tasks.values()) if (isOpen(task)) holders.add(task.nodeAgent);
  holders.delete("");
  for (const holder of holders) check(holder);
  const unfollow = tasks.onChange((changes) => {
    for (const { before, after } of changes) {
      if (after === undefined || !isOpen(after) || after.nodeAgent === "") continue;
      if (before?.nodeAgent !== after.nodeAgent) check(after.nodeAgent);
    }
  });
  const unsubscribe = nodes.onChange((changes) => {
    for (const { id, before, after } of changes) {
      if (after === undefined || (after.banned && before?.banned !== true)) check(id);
    }
  });
  return async () => {
    unsubscribe();
    unfollow();
    stopping.abort();
    await Promise.all(pending.values());
  };
}
