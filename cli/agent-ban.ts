// `signet agent ban`.

import { AgentService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { AGENT_FLAG, agentFrom } from "./agent-flags.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description:
    "Bans a node agent: its connection ends at once, its certificate is refused, what it was given for its workloads is revoked, and it cannot attest again until it is evicted.",
  args: "[spiffe-id]",
  flags: [AGENT_FLAG, ADMIN_SOCKET],
  examples: [
    ["signet agent ban spiffe://example.test/spire/agent/join_token/0b6f", "a node was taken over"],
  ],
  async run(input, output) {
    const { text, wire } = agentFrom(input);
    await withServer(input, (channel) => channel.client(AgentService).banAgent({ id: wire }));
    output.show({ spiffeId: text, banned: true }, () =>
      [
        `banned ${text}`,
        "what it was given is revoked: 'signet svid revocations' says how much",
      ].join("\n"),
    );
  },
};
