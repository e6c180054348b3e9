// `signet bundle list`: the bundles of other trust domains that the server keeps; as a bundle map, its
// own with them.

import { BundleService, type spire } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { bundleToJson, LIST_FORMAT, listFormatterFrom, mapOf } from "./bundle-output.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description:
    "Prints the bundles of federated trust domains; as a bundle map, that of the own one too.",
  flags: [
    { name: "id", value: "<trust domain>", description: "only this one" },
    LIST_FORMAT,
    ADMIN_SOCKET,
  ],
  examples: [
    ["signet bundle list --id partner.test", "what is trusted for a partner"],
    ["signet bundle list --format map > map.new && mv map.new map.json", "for who has no agent"],
  ],
  async run(input, output) {
    const format = listFormatterFrom(input, output);
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
      if (format === undefined) all.push(await client.getBundle({}));
      return all;
    });
    if (format === undefined) {
      output.show(undefined, () => mapOf(bundles));
      return;
    }
    output.show({ bundles: bundles.map(bundleToJson) }, () => {
      if (bundles.length === 0) return "no federated bundles";
      return bundles.map((bundle) => `# ${bundle.trustDomain}\n${format(bundle)}`).join("\n\n");
    });
  },
};
