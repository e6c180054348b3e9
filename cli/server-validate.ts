// `signet server validate`: checks a configuration file without starting anything.

import { serverConfigSchema } from "../server/config.ts";
import type { Command } from "./command.ts";
import { configFrom } from "./daemon.ts";
import { CONFIG } from "./flags.ts";

export const command: Command = {
  description: "Checks the server's configuration file; every problem is reported with its line.",
  flags: [CONFIG],
  examples: [["signet server validate --config /etc/signet/server.yaml", "before a restart"]],
  async run(input, output) {
    await configFrom(input, serverConfigSchema);
    output.show({ valid: true }, () => "the configuration is valid");
  },
};
