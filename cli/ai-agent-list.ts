// `signet ai-agent list`.

import { withServer } from "./admin-channel.ts";
import { aiAgentToJson, formatAiAgents, listAiAgents } from "./ai-agent-output.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET, pairsOf } from "./flags.ts";

export const command: Command = {
  description: "Lists AI agents, a line each.",
  flags: [
    { name: "owner", value: "<name>", description: "those of this owner" },
    {
      name: "label",
      value: "<name=value>",
      description: "those with this label; with all of them",
      isRepeated: true,
    },
    ADMIN_SOCKET,
  ],
  examples: [
    ["signet ai-agent list", "all of them"],
    ["signet ai-agent list --owner team:support", "those of a team"],
  ],
  async run(input, output) {
    const filter = {
      owner: input.text("owner") ?? "",
      labels: pairsOf(input.list("label"), "--label"),
    };
    const agents = await withServer(input, (channel) => listAiAgents(channel, filter));
    output.show({ aiAgents: agents.map(aiAgentToJson) }, () => formatAiAgents(agents));
  },
};
