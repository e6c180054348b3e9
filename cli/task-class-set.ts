// `signet task-class set`: makes a class, or changes what is given of one.

import { IdentityError } from "../pki/errors.ts";
import type { ClientOf } from "../proto/rpc/client.ts";
import { RegistryService, type signet } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";
import { classNameFrom, TASK_CLASS_FLAGS, taskClassFromFlags } from "./task-class-flags.ts";
import { formatTaskClass, taskClassToJson } from "./task-class-output.ts";

export const command: Command = {
  description:
    "Makes a task class, or changes one: what is not given stays as it is. It holds for tasks that are opened from then on.",
  args: "[name]",
  flags: [...TASK_CLASS_FLAGS, ADMIN_SOCKET],
  examples: [
    [
      'signet task-class set triage --description "reads and sorts tickets" --location any --action "tools/read/**" --action tools/write/set_label --ttl 10m --max-ttl 30m',
      "a class of your own",
    ],
    [
      "signet task-class set sensitive --max-ttl 15m --reaction mandate-exceeded=suspend",
      "change one that comes with the server",
    ],
  ],
  async run(input, output) {
    const name = classNameFrom(input);
    const { taskClass } = await withServer(input, async (channel) => {
      const client = channel.client(RegistryService);
      const before = await existing(client, name);
      const changed = { ...taskClassFromFlags(input, before ?? {}), name };
      return client.setTaskClass({ taskClass: changed, expectedVersion: before?.version ?? 0 });
    });
    if (taskClass === undefined) throw new TypeError("the server answered without a task class");
    if (isEmpty(taskClass.maximum)) {
      output.note("its tasks may do nothing: --location and --action say what they may");
    }
    output.show(taskClassToJson(taskClass), () => formatTaskClass(taskClass));
  },
};

/** Without a place or without an action nothing is allowed. */
function isEmpty(maximum: signet.mandate.v1.Mandate | undefined): boolean {
  return [maximum?.locations, maximum?.actions].some(
    (set) => set === undefined || (!set.any && set.values.length === 0),
  );
}

async function existing(
  client: ClientOf<typeof RegistryService>,
  name: string,
): Promise<signet.registry.v1.TaskClass | undefined> {
  try {
    return (await client.getTaskClass({ name })).taskClass;
  } catch (error) {
    if (error instanceof IdentityError && error.reason === "TASK_CLASS_NOT_FOUND") return undefined;
    throw error;
  }
}
