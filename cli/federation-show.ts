// `signet federation show`: one relationship, and how the fetching of its bundle fares.

import { codecOf } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { trustDomainFrom } from "./federation-flags.ts";
import { formatRelationship, listRelationships } from "./federation-output.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description:
    "Shows the relationship with a trust domain: where its bundle is fetched, when that worked last, and when it is tried next.",
  args: "[trust-domain]",
  flags: [{ name: "trust-domain", value: "<name>", description: "the trust domain" }, ADMIN_SOCKET],
  examples: [["signet federation show partner.test", "how the federation with a partner fares"]],
  async run(input, output) {
    const name = trustDomainFrom(input, "trustDomain", "--trust-domain");
    const [relationship] = await withServer(input, (channel) => listRelationships(channel, name));
    if (relationship === undefined) throw new TypeError("the server answered nothing");
    output.show(codecOf("signet.federation.v1.Relationship").toJson(relationship), () =>
      formatRelationship(relationship),
    );
  },
};
