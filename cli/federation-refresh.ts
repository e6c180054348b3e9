// `signet federation refresh`: fetches a bundle now.

import { TrustDomainService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { trustDomainFrom } from "./federation-flags.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description: "Fetches the bundle of a federated trust domain now, and says whether it worked.",
  args: "[trust-domain]",
  flags: [{ name: "id", value: "<trust domain>", description: "the trust domain" }, ADMIN_SOCKET],
  examples: [["signet federation refresh partner.test", "a partner has changed its authorities"]],
  async run(input, output) {
    const trustDomain = trustDomainFrom(input, "id", "--id");
    await withServer(input, (channel) =>
      channel.client(TrustDomainService).refreshBundle({ trustDomain }),
    );
    output.show({ trustDomain }, () => `bundle of ${trustDomain} fetched`);
  },
};
