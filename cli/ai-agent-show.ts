// `signet ai-agent show`.

import { RegistryService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { AI_AGENT_ID, aiAgentIdFrom } from "./ai-agent-flags.ts";
import { aiAgentToJson, formatAiAgent } from "./ai-agent-output.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description: "Shows an AI agent: its owner, its state, and what its tasks may get at most.",
  args: "[spiffe-id]",
  flags: [AI_AGENT_ID, ADMIN_SOCKET],
  examples: [["signet ai-agent show spiffe://example.test/agent/researcher", "one AI agent"]],
  async run(input, output) {
    const spiffeId = aiAgentIdFrom(input);
    const { aiAgent } = await withServer(input, (channel) =>
      channel.client(RegistryService).getAiAgent({ spiffeId }),
    );
    if (aiAgent === undefined) throw new TypeError("the server answered without an AI agent");
    output.show(aiAgentToJson(aiAgent), () => formatAiAgent(aiAgent));
  },
};
