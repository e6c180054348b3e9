// `signet task-class show`, `list` and `delete`.

import { RegistryService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";
import { classNameFrom, TASK_CLASS_NAME } from "./task-class-flags.ts";
import { formatTaskClass, formatTaskClasses, taskClassToJson } from "./task-class-output.ts";

/** `signet task-class show`. */
export const showCommand: Command = {
  description: "Shows a task class: how long its tasks last, and what they may get at most.",
  args: "[name]",
  flags: [TASK_CLASS_NAME, ADMIN_SOCKET],
  examples: [["signet task-class show read-only", "one class"]],
  async run(input, output) {
    const name = classNameFrom(input);
    const { taskClass } = await withServer(input, (channel) =>
      channel.client(RegistryService).getTaskClass({ name }),
    );
    if (taskClass === undefined) throw new TypeError("the server answered without a task class");
    output.show(taskClassToJson(taskClass), () => formatTaskClass(taskClass));
  },
};

/** `signet task-class list`. */
export const listCommand: Command = {
  description: "Lists the task classes, a line each: those that come with the server, and yours.",
  flags: [ADMIN_SOCKET],
  examples: [["signet task-class list", "all of them"]],
  async run(input, output) {
    const { taskClasses } = await withServer(input, (channel) =>
      channel.client(RegistryService).listTaskClasses({}),
    );
    output.show({ taskClasses: taskClasses.map(taskClassToJson) }, () =>
      formatTaskClasses(taskClasses),
    );
  },
};

/** `signet task-class delete`. */
export const deleteCommand: Command = {
  description:
    "Deletes a task class that no AI agent names; one that comes with the server is then as it came.",
  args: "[name]",
  flags: [TASK_CLASS_NAME, ADMIN_SOCKET],
  examples: [["signet task-class delete triage", "a class of your own"]],
  async run(input, output) {
    const name = classNameFrom(input);
    const { taskClass } = await withServer(input, (channel) =>
      channel.client(RegistryService).deleteTaskClass({ name }),
    );
    if (taskClass === undefined) throw new TypeError("the server answered without a task class");
    output.show(taskClassToJson(taskClass), () =>
      taskClass.shipped ? `${name} is as it comes with the server` : `${name} is deleted`,
    );
  },
};
