// A node agent that is banned or evicted takes the tasks with it that it holds: nobody on that node is to be
// trusted with them any more. Looked at when the server starts too: it may have been killed in between.
import type { Logger } from "../../runtime/log.ts";
import type { NodeRecord } from "../store/node-record.ts";
import type { ReplicaHandler } from "../store/replica.ts";
import { isOpen } from "../store/task-record.ts";
import type { Tasks } from "./tasks.ts";

export interface LostNodesOptions {
  readonly tasks: Pick<Tasks, "values" | "endAllOn">;
  readonly nodes: {
    get(id: string): Pick<NodeRecord, "banned"> | undefined;
    onChange(handler: ReplicaHandler<NodeRecord>): () => void;
  };
  readonly log: Logger;
}

/** Ends them, now and from now on; returns the end of that, which waits for what is under way. */
export function endTasksOfLostNodes({ tasks, nodes, log }: LostNodesOptions): () => Promise<void> {
  const pending = new Set<Promise<void>>();
  const end = (nodeAgent: string, reason: string): void => {
    const ending = tasks
      .endAllOn(nodeAgent, "REVOKED", reason, "server")
      .then((count) => {
        if (count > 0) log.info({ agent_id: nodeAgent, count }, "tasks of a lost node agent ended");
      })
      .catch((error: unknown) =>
        log.error({ error, agent_id: nodeAgent }, "tasks of a lost node agent could not be ended"),
      )
      .finally(() => pending.delete(ending));
    pending.add(ending);
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
  const unsubscribe = nodes.onChange((changes) => {
    for (const { id, before, after } of changes) {
      if (after === undefined || (after.banned && before?.banned !== true)) check(id);
    }
  });
  return async () => {
    unsubscribe();
    await Promise.allSettled(pending);
  };
}
