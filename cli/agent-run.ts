// `signet agent run`.

import { agentConfigSchema } from "../agent/config.ts";
import { start } from "../agent/main.ts";
import type { Command } from "./command.ts";
import { configFrom, daemonLog, runDaemon } from "./daemon.ts";
import { CONFIG } from "./flags.ts";
import { readVersion } from "./package-version.ts";

export const command: Command = {
  description:
    "Runs the node agent: it attests this machine to the server and serves the Workload API.",
  flags: [CONFIG],
  examples: [
    ["signet agent run --config /etc/signet/agent.yaml", "in the foreground; SIGTERM stops it"],
    [
      "SIGNET_JOIN_TOKEN=$(cat token) signet agent run --config /etc/signet/agent.yaml",
      "the first time on a machine",
    ],
  ],
  async run(input) {
    const config = await configFrom(input, agentConfigSchema);
    const log = daemonLog("agent", config.logLevel);
    await runDaemon(log, () => start(config, { log, version: readVersion() }));
  },
};
