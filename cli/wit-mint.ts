// `signet wit mint`: a WIT-SVID and its key, as files.

import { generateKeyPair } from "../pki/keys.ts";
import { formatPrivateJwk } from "../pki/wit/private-jwk.ts";
import { SvidService } from "../proto/schema.gen.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET, asMisuse } from "./flags.ts";
import { KEY_TYPE, readKeyType, readMintFlags, requireFolder, SPIFFE_ID, TTL } from "./mint.ts";
import { formatMoment } from "./output.ts";
import { writeFiles } from "./write-files.ts";

export const command: Command = {
  description:
    "Makes a key here and has the server make a WIT-SVID for it. The server issues them behind the flag wit-svid.",
  flags: [
    SPIFFE_ID,
    TTL,
    KEY_TYPE,
    {
      name: "signing-algorithm",
      value: "<name>",
      description: "what its holder proves with; by default the usual one of the key",
    },
    {
      name: "write",
      value: "<folder>",
      description: "where svid.wit and key.jwk, a private JWK, go (0600)",
    },
    ADMIN_SOCKET,
  ],
  examples: [
    [
      "signet wit mint --spiffe-id spiffe://example.test/tool --write /tmp/tool",
      "for a tool that no agent serves",
    ],
  ],
  async run(input, output) {
    const { id, ttl } = readMintFlags(input);
    const folder = requireFolder(input);
    const pair = await generateKeyPair(readKeyType(input));
    const alg = input.text("signingAlgorithm");
    const privateJwk = asMisuse("--signing-algorithm", () =>
      formatPrivateJwk(pair.privateKey, alg),
    );
    const request = {
      id: spiffeIdToWire(id),
      publicKey: pair.spki,
      ttl,
      signingAlgorithm: alg ?? "",
    };
    const { svid } = await withServer(input, (channel) =>
      channel.client(SvidService).mintWITSVID(request),
    );
    const files = await writeFiles(folder, [
      { name: "svid.wit", text: `${svid?.token ?? ""}\n`, mode: 0o600 },
      { name: "key.jwk", text: `${privateJwk}\n`, mode: 0o600 },
    ]);
    const expiresAt = formatMoment(svid?.expiresAt ?? 0);
    output.show({ spiffeId: id.toString(), expiresAt, files }, () =>
      [...files.map((file) => `wrote ${file}`), `valid until ${expiresAt}`].join("\n"),
    );
  },
};
