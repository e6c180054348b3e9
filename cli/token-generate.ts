// `signet token generate`.

import { AgentService, codecOf } from "../proto/schema.gen.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET, misuse, parseId, parseSeconds } from "./flags.ts";
import { formatMoment } from "./output.ts";

export const command: Command = {
  description: "Makes a join token: one node agent attests with it, once.",
  flags: [
    {
      name: "ttl",
      value: "<duration>",
      description: "how long it can be used",
      defaultValue: "10m",
    },
    {
      name: "spiffe-id",
      value: "<id>",
      description:
        "a second SPIFFE ID for the node, stable over new tokens: the parent ID of entries",
    },
    ADMIN_SOCKET,
  ],
  examples: [
    [
      "signet token generate --spiffe-id spiffe://example.test/node",
      "a token for a node of that group",
    ],
    [
      "signet token generate > /run/credentials/join-token",
      "only the token goes to standard output",
    ],
  ],
  async run(input, output) {
    const id = input.text("spiffeId");
    const ttl = parseSeconds(input.text("ttl") ?? "10m", "--ttl");
    if (ttl < 1) throw misuse("--ttl: a token lives for a second or longer");
    const agentId = id === undefined ? undefined : spiffeIdToWire(parseId(id, "--spiffe-id"));
    const token = await withServer(input, (channel) =>
      channel.client(AgentService).createJoinToken({ ttl, agentId }),
    );
    output.show(codecOf("spire.api.types.JoinToken").toJson(token), () => token.value);
    if (!output.isJson) {
      output.note(
        `for one agent, until ${formatMoment(token.expiresAt)}: join_token_file or SIGNET_JOIN_TOKEN`,
      );
    }
  },
};
