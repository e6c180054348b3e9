// `signet ai-agent update`: changes what is given and nothing else.

import { RegistryService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { AI_AGENT_FLAGS, aiAgentFromFlags, aiAgentIdFrom } from "./ai-agent-flags.ts";
import { aiAgentToJson, formatAiAgent } from "./ai-agent-output.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description:
    "Changes an AI agent. What is not given stays as it is; a list that is given replaces the former one. It holds for tasks that are opened from then on.",
  args: "[spiffe-id]",
  flags: [...AI_AGENT_FLAGS, ADMIN_SOCKET],
  examples: [
    [
      "signet ai-agent update spiffe://example.test/agent/researcher --until 90d",
      "more time, from now",
    ],
    [
      'signet ai-agent update spiffe://example.test/agent/researcher --action "tools/read/*" --uses 20',
      "narrow what its tasks may get",
    ],
  ],
  async run(input, output) {
    const spiffeId = aiAgentIdFrom(input);
    const { aiAgent } = await withServer(input, async (channel) => {
      const client = channel.client(RegistryService);
      const { aiAgent: before } = await client.getAiAgent({ spiffeId });
      if (before === undefined) throw new TypeError("the server answered without an AI agent");
      const changed = { ...aiAgentFromFlags(input, before), spiffeId };
      return client.updateAiAgent({ aiAgent: changed, expectedVersion: before.version });
    });
    if (aiAgent === undefined) throw new TypeError("the server answered without an AI agent");
    output.show(aiAgentToJson(aiAgent), () => formatAiAgent(aiAgent));
  },
};
