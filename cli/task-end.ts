// `signet task suspend`, `unsuspend`, `revoke` and `complete`: what operators and orchestrators do to tasks of
// others.

import type { TaskControlClient } from "../client/tasks/server-connection.ts";
import { type signet, TaskState } from "../proto/schema.gen.ts";
import type { Command, Flag, Input } from "./command.ts";
import { CONTROL_FLAGS, taskIds, withTaskControl } from "./task-control.ts";
import { formatOutcomes, taskToJson } from "./task-output.ts";

type Task = signet.task.v1.Task;
type Act = (client: TaskControlClient, id: string, input: Input) => Promise<readonly Task[]>;

const REASON: Flag = { name: "reason", value: "<text>", description: "why, for people" };

export const suspendCommand: Command = commandOf({
  description:
    "Suspends tasks: from now on their credentials are refused and their connections closed, until they are let go " +
    "on. Their lifetime goes on running.",
  flags: [REASON],
  examples: [
    [
      'signet task suspend 01JD9Z5QSA7X8M3V4N2K1P0RTE --reason "looking into it"',
      "stop it now, and decide later",
    ],
  ],
  act: async (client, id, input) => [
    (await client.suspendTask({ id, reason: input.text("reason") ?? "" })).task,
  ],
});

export const unsuspendCommand: Command = commandOf({
  description: "Lets suspended tasks go on, with new credentials.",
  flags: [REASON],
  examples: [["signet task unsuspend 01JD9Z5QSA7X8M3V4N2K1P0RTE", "it was nothing"]],
  act: async (client, id, input) => [
    (await client.unsuspendTask({ id, reason: input.text("reason") ?? "" })).task,
  ],
});

export const revokeCommand: Command = commandOf({
  description:
    "Ends tasks, and those that came from them, for good: their credentials count for nothing any more, and their " +
    "connections are closed.",
  flags: [REASON],
  examples: [
    [
      'signet task revoke 01JD9Z5QSA7X8M3V4N2K1P0RTE --reason "taken over"',
      "end it; to end all of an AI agent, disable that",
    ],
  ],
  act: async (client, id, input) =>
    (await client.revokeTask({ id, reason: input.text("reason") ?? "" })).ended,
});

export const completeCommand: Command = commandOf({
  description: "Ends tasks as completed, or as failed, for the orchestrator that made them.",
  flags: [{ name: "failed", description: "they failed" }, REASON],
  examples: [["signet task complete 01JD9Z5QSA7X8M3V4N2K1P0RTE", "the work is done"]],
  act: async (client, id, input) => {
    const outcome = input.isOn("failed") ? TaskState.FAILED : TaskState.COMPLETED;
    return [(await client.completeTask({ id, outcome, reason: input.text("reason") ?? "" })).task];
  },
});

function commandOf(
  options: Pick<Command, "description" | "examples" | "flags"> & { readonly act: Act },
): Command {
  const { act, flags, ...rest } = options;
  return {
    ...rest,
    args: "[task...]",
    flags: [...flags, ...CONTROL_FLAGS],
    async run(input, output) {
      const ids = taskIds(input);
      const tasks = await withTaskControl(input, async (client) => {
        const changed: Task[] = [];
        for (const id of ids) {
          const answer: readonly (Task | undefined)[] = await act(client, id, input);
          changed.push(...answer.filter((task) => task !== undefined));
        }
        return changed;
      });
      output.show({ tasks: tasks.map(taskToJson) }, () => formatOutcomes(tasks));
    },
  };
}
