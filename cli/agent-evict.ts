// `signet agent evict`.

import { AgentService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { AGENT_FLAG, agentFrom } from "./agent-flags.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description:
    "Removes a node agent. It has to attest again; one that attested by a join token needs a new token.",
  args: "[spiffe-id]",
  flags: [AGENT_FLAG, ADMIN_SOCKET],
  examples: [
    ["signet agent evict spiffe://example.test/spire/agent/join_token/0b6f", "a node is gone"],
  ],
  async run(input, output) {
    const { text, wire } = agentFrom(input);
    await withServer(input, (channel) => channel.client(AgentService).deleteAgent({ id: wire }));
    output.show({ spiffeId: text, evicted: true }, () => `evicted ${text}`);
  },
};
