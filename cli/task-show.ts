// `signet task show`.

import type { Command } from "./command.ts";
import { CONTROL_FLAGS, taskIds, withTaskControl } from "./task-control.ts";
import { formatTask, taskToJson } from "./task-output.ts";

export const command: Command = {
  description: "Shows tasks in full: state and why, mandate, lifetime, process and node.",
  args: "[task...]",
  flags: CONTROL_FLAGS,
  examples: [
    ["signet task show 01JD9Z5QSA7X8M3V4N2K1P0RTE", "by its ID; its SPIFFE ID does as well"],
  ],
  async run(input, output) {
    const ids = taskIds(input);
    const tasks = await withTaskControl(input, async (client) => {
      const found = [];
      for (const id of ids) found.push((await client.getTask({ id })).task);
      return found;
    });
    output.show({ tasks: tasks.map(taskToJson) }, () => tasks.map(formatTask).join("\n\n\n"));
  },
};
