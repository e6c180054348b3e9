// `signet agent validate`: checks a configuration file without starting anything.

import { agentConfigSchema } from "../agent/config.ts";
import type { Command } from "./command.ts";
import { configFrom } from "./daemon.ts";
import { CONFIG } from "./flags.ts";

export const command: Command = {
  description: "Checks the agent's configuration file; every problem is reported with its line.",
  flags: [CONFIG],
  examples: [["signet agent validate --config /etc/signet/agent.yaml", "before a restart"]],
  async run(input, output) {
    await configFrom(input, agentConfigSchema);
    output.show({ valid: true }, () => "the configuration is valid");
  },
};
