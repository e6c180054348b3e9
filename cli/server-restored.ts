// `signet server restored`: an operator says that the store was put back from a backup, for when nothing
// else can tell. Writes to the store itself, under its lock: no server runs on it yet.

import { systemClock } from "../runtime/clock.ts";
import { serverConfigSchema } from "../server/config.ts";
import { markRestored } from "../server/main/restored.ts";
import type { Command } from "./command.ts";
import { configFrom } from "./daemon.ts";
import { CONFIG } from "./flags.ts";
import { formatCount } from "./output.ts";

export const command: Command = {
  description:
    "Says that data_dir was put back from a backup, after the copy and before the next start: that start ends every open task before it serves, since the copy does not know which of them have ended. A server that finds out by itself does the same; say it when the audit log was put back too. Saying it twice is saying it once.",
  flags: [CONFIG],
  examples: [
    ["signet server restored --config /etc/signet/server.yaml", "then start the server again"],
  ],
  async run(input, output) {
    const config = await configFrom(input, serverConfigSchema);
    const { wasMarked, openTasks } = await markRestored(config, systemClock);
    output.show({ was_marked: wasMarked, open_tasks: openTasks }, () => {
      const ends = `the next start ends ${formatCount(openTasks, "open task", "open tasks")}, and then serves`;
      return wasMarked ? `it was known already; ${ends}` : ends;
    });
  },
};
