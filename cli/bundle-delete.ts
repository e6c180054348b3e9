// `signet bundle delete`: takes the bundle of another trust domain from the server.

import {
  BundleService,
  codecOf,
  BatchDeleteFederatedBundleRequestMode as Mode,
} from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { parseTrustDomain } from "./bundle-input.ts";
import type { Command } from "./command.ts";
import { requireSuccess } from "./entry-output.ts";
import { ADMIN_SOCKET, parseWord, required } from "./flags.ts";

const MODES = {
  restrict: Mode.RESTRICT,
  dissociate: Mode.DISSOCIATE,
  delete: Mode.DELETE,
} as const;

export const command: Command = {
  description:
    "Deletes the bundle of another trust domain. A federation relationship fetches it again: end that with 'signet federation delete'.",
  flags: [
    { name: "id", value: "<trust domain>", description: "whose bundle it is" },
    {
      name: "mode",
      value: "<mode>",
      description:
        "what becomes of entries that federate with it: restrict (keep the bundle while there is one), dissociate (end their federation) or delete (delete them)",
      defaultValue: "restrict",
    },
    ADMIN_SOCKET,
  ],
  examples: [
    [
      "signet bundle delete --id partner.test --mode dissociate",
      "nobody trusts partner.test any more",
    ],
  ],
  async run(input, output) {
    const { name } = parseTrustDomain(required(input, "id", "--id"), "--id");
    const mode = parseWord(input.text("mode") ?? "restrict", MODES, "--mode");
    const response = await withServer(input, (channel) =>
      channel.client(BundleService).batchDeleteFederatedBundle({ trustDomains: [name], mode }),
    );
    requireSuccess([{ status: response.results[0]?.status, name }], "deleted", [
      "bundle",
      "bundles",
    ]);
    const codec = codecOf("spire.api.server.bundle.v1.BatchDeleteFederatedBundleResponse");
    output.show(codec.toJson(response), () => `bundle of ${name} deleted`);
  },
};
