// `signet server run`.

import { serverConfigSchema } from "../server/config.ts";
import { start } from "../server/main.ts";
import type { Command } from "./command.ts";
import { configFrom, daemonLog, runDaemon } from "./daemon.ts";
import { CONFIG } from "./flags.ts";
import { readVersion } from "./package-version.ts";

export const command: Command = {
  description:
    "Runs the server: the certificate authority, the registration entries, the agents' counterpart.",
  flags: [CONFIG],
  examples: [
    ["signet server run --config /etc/signet/server.yaml", "in the foreground; SIGTERM stops it"],
  ],
  async run(input) {
    const config = await configFrom(input, serverConfigSchema);
    const log = daemonLog("server", config.logLevel);
    await runDaemon(log, (signal) => start(config, { log, signal, version: readVersion() }));
  },
};
