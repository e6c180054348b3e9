// `signet bundle set`: gives the server the bundle of another trust domain.

import { BundleService, codecOf } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { MAX_BUNDLE_FILE_BYTES, parseTrustDomain, readBundle } from "./bundle-input.ts";
import { FORMAT } from "./bundle-output.ts";
import type { Command } from "./command.ts";
import { requireSuccess } from "./entry-output.ts";
import { ADMIN_SOCKET, required } from "./flags.ts";
import { readInput } from "./read-input.ts";

export const command: Command = {
  description:
    "Stores the bundle of another trust domain, over one that is there. A federation relationship replaces it at its next refresh.",
  flags: [
    { name: "id", value: "<trust domain>", description: "whose bundle it is" },
    {
      name: "path",
      value: "<file>",
      description: 'the bundle; "-" is standard input',
      defaultValue: "-",
    },
    FORMAT,
    ADMIN_SOCKET,
  ],
  examples: [
    [
      "signet bundle set --id partner.test --path partner.json --format spiffe",
      "trust partner.test's SVIDs where entries federate with it",
    ],
  ],
  async run(input, output) {
    const trustDomain = parseTrustDomain(required(input, "id", "--id"), "--id");
    const text = await readInput(input.text("path") ?? "-", "--path", MAX_BUNDLE_FILE_BYTES);
    const format = input.text("format") ?? "pem";
    const bundle = readBundle(trustDomain, text, format, "--path", output.note);
    const response = await withServer(input, (channel) =>
      channel.client(BundleService).batchSetFederatedBundle({ bundle: [bundle] }),
    );
    const [result] = response.results;
    requireSuccess([{ status: result?.status, name: trustDomain.name }], "set", [
      "bundle",
      "bundles",
    ]);
    const codec = codecOf("spire.api.server.bundle.v1.BatchSetFederatedBundleResponse");
    output.show(codec.toJson(response), () => `bundle of ${trustDomain} set`);
  },
};
