// `signet bundle count`.

import { BundleService, codecOf } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";
import { formatCount } from "./output.ts";

export const command: Command = {
  description: "Counts the bundles of the server: its own, and those of other trust domains.",
  flags: [ADMIN_SOCKET],
  examples: [["signet bundle count", "how many trust domains are trusted, the own one included"]],
  async run(input, output) {
    const response = await withServer(input, (channel) =>
      channel.client(BundleService).countBundles({}),
    );
    const codec = codecOf("spire.api.server.bundle.v1.CountBundlesResponse");
    output.show(codec.toJson(response), () => formatCount(response.count, "bundle", "bundles"));
  },
};
