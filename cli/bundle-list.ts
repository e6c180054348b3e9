// `signet bundle list`: the bundles of other trust domains that the server keeps.

import { BundleService, type spire } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { bundleToJson, FORMAT, formatterFrom } from "./bundle-output.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description: "Prints the bundles of federated trust domains.",
  flags: [
    { name: "id", value: "<trust domain>", description: "only this one" },
    FORMAT,
    ADMIN_SOCKET,
  ],
  examples: [["signet bundle list --id partner.test", "what is trusted for a partner"]],
  async run(input, output) {
    const format = formatterFrom(input);
    const id = input.text("id");
    const bundles = await withServer(input, async (channel) => {
      const client = channel.client(BundleService);
      if (id !== undefined) {
        return [await client.getFederatedBundle({ trustDomain: id.replace(/^spiffe:\/\//, "") })];
      }
      const all: spire.api.types.Bundle[] = [];
      let pageToken = "";
      do {
        const page = await client.listFederatedBundles({ pageToken });
        all.push(...page.bundles);
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
      return all;
    });
    output.show({ bundles: bundles.map(bundleToJson) }, () => {
      if (bundles.length === 0) return "no federated bundles";
      return bundles.map((bundle) => `# ${bundle.trustDomain}\n${format(bundle)}`).join("\n\n");
    });
  },
};
