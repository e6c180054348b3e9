// Counts what becomes of tasks, for the metrics: by class and state, never by task or by AI agent, of which
// there may be any number.
import type { Metrics } from "../../runtime/metrics.ts";
import type { ReplicaHandler } from "../store/replica.ts";
import { isEnded, type KnownTask } from "../store/task-record.ts";

/** A handler of changes that counts them. */
export function countChanges(metrics: Metrics): ReplicaHandler<KnownTask> {
  const opened = metrics.counter({
    name: "tasks_opened_total",
    help: "Tasks that were opened or made, by class",
    labels: ["task_class"],
  });
  const ended = metrics.counter({
    name: "tasks_ended_total",
    help: "Tasks that ended, by class and how",
    labels: ["task_class", "state"],
  });
  return (changes) => {
    for (const { before, after } of changes) {
      if (after === undefined) continue;
      const labels = { task_class: after.taskClass };
      if (before === undefined) opened.inc(labels);
      if (isEnded(after) && (before === undefined || !isEnded(before))) {
        ended.inc({ ...labels, state: after.state });
      }
    }
  };
}
