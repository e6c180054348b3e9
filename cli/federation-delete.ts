// `signet federation delete`: ends the federation with a trust domain.

import { codecOf, TrustDomainService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { requireSuccess } from "./entry-output.ts";
import { trustDomainFrom } from "./federation-flags.ts";
import { RELATIONSHIPS } from "./federation-output.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description:
    "Ends the federation with a trust domain: its bundle is deleted and fetched no more, entries federate with it no longer, and workloads stop trusting it at once.",
  args: "[trust-domain]",
  flags: [{ name: "id", value: "<trust domain>", description: "the trust domain" }, ADMIN_SOCKET],
  examples: [["signet federation delete partner.test", "no workload trusts partner.test any more"]],
  async run(input, output) {
    const name = trustDomainFrom(input, "id", "--id");
    const response = await withServer(input, (channel) =>
      channel
        .client(TrustDomainService)
        .batchDeleteFederationRelationship({ trustDomains: [name] }),
    );
    requireSuccess([{ status: response.results[0]?.status, name }], "deleted", RELATIONSHIPS);
    const codec = codecOf(
      "spire.api.server.trustdomain.v1.BatchDeleteFederationRelationshipResponse",
    );
    output.show(codec.toJson(response), () => `federation with ${name} has ended`);
  },
};
