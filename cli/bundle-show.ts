// `signet bundle show`: what others verify this trust domain's SVIDs with.

import { BundleService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { bundleToJson, FORMAT, formatterFrom } from "./bundle-output.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description: "Prints the bundle of the server's own trust domain.",
  flags: [FORMAT, ADMIN_SOCKET],
  examples: [
    ["signet bundle show > bundle.pem", "what an agent starts with (trust_bundle_file)"],
    ["signet bundle show --format spiffe", "for a federated trust domain"],
  ],
  async run(input, output) {
    const format = formatterFrom(input);
    const bundle = await withServer(input, (channel) =>
      channel.client(BundleService).getBundle({}),
    );
    output.show(bundleToJson(bundle), () => format(bundle));
  },
};
