// `signet federation list`: the trust domains whose bundles the server fetches.

import { codecOf } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { formatRelationships, listRelationships } from "./federation-output.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description:
    "Lists the federation relationships, those of the configuration too, and how they fare.",
  flags: [ADMIN_SOCKET],
  examples: [["signet federation list", "all of them, a line each"]],
  async run(input, output) {
    const relationships = await withServer(input, (channel) => listRelationships(channel));
    const codec = codecOf("signet.federation.v1.ListRelationshipsResponse");
    output.show({ relationships: codec.toJson({ relationships })["relationships"] }, () =>
      formatRelationships(relationships),
    );
  },
};
