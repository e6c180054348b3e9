// `signet agent show`.

import { AgentService, codecOf } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { AGENT_FLAG, agentFrom, formatAgent } from "./agent-flags.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description: "Shows one node agent.",
  args: "[spiffe-id]",
  flags: [AGENT_FLAG, ADMIN_SOCKET],
  examples: [["signet agent show spiffe://example.test/spire/agent/join_token/0b6f", "one agent"]],
  async run(input, output) {
    const { wire } = agentFrom(input);
    const agent = await withServer(input, (channel) =>
      channel.client(AgentService).getAgent({ id: wire }),
    );
    output.show(codecOf("spire.api.types.Agent").toJson(agent), () => formatAgent(agent));
  },
};
