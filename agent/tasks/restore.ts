// Takes up the tasks that an earlier run of this agent held: their processes are found again by pid, start
// time and boot, their sockets opened where they stood. What cannot be found has ended meanwhile.

import type { Logger } from "../../runtime/log.ts";
import { HeldTask } from "./held-task.ts";
import type { HeldRecord, TaskJournal } from "./journal.ts";
import type { BoundProcess, Processes } from "./processes.ts";
import type { Runs } from "./run.ts";
import type { TaskSocket } from "./task-socket.ts";
import type { Tasks } from "./tasks.ts";

export interface RestoreOptions {
  readonly journal: TaskJournal;
  readonly tasks: Tasks;
  readonly processes: Processes;
  readonly runs: Runs;
  readonly openSocket: (record: HeldRecord, launcher: BoundProcess) => TaskSocket;
  readonly log: Logger;
}

/** Takes them up; ends those whose process has ended. */
export async function restoreTasks(options: RestoreOptions): Promise<void> {
  const { journal, tasks, log } = options;
  tasks.refuseSpooled();
  const records = [...journal.held.values()];
  for (const record of records) {
    try {
      await restore(record, options);
    } catch (error) {
      log.error({ task_id: record.taskId, error }, "could not take a task up again");
      const held = tasks.get(record.taskId);
      if (held !== undefined) tasks.abandon(held, "the node agent could not take it up again");
    }
  }
  if (records.length > 0) log.info({ tasks: tasks.size, of: records.length }, "took up tasks");
}

async function restore(
  record: HeldRecord,
  { tasks, processes, runs, openSocket }: RestoreOptions,
): Promise<void> {
  const { binding, launch, uid } = record;
  const process = binding && processes.holdAgain(binding);
  const leave = tasks.enterAgain(uid);
  const held = new HeldTask({ record, task: undefined, process, leave });
  tasks.add(held);
  if (binding !== undefined && process === undefined) {
    tasks.abandon(held, "its process ended while the node agent was away");
    return;
  }
  if (launch === undefined) return;
  const launcher = processes.holdAgain(launch.launcher);
  if (launcher === undefined || launch.root === undefined) {
    launcher?.close();
    tasks.abandon(held, "who launched its command ended while the node agent was away");
    return;
  }
  const root = processes.holdAgain(launch.root);
  held.socket = openSocket(record, launcher);
  if (root === undefined) {
    // Its launcher knows how the command ended, and comes back to say so.
    tasks.commandEnded(held);
    runs.follow(held);
    runs.expectLauncher(held);
    return;
  }
  held.socket.launch.adopt(root);
  await held.socket.launch.listen();
  if (held.refusal === undefined) held.socket.serve();
  runs.follow(held);
  runs.expectLauncher(held);
}
