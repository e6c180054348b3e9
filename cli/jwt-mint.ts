// `signet jwt mint`: a JWT-SVID, printed, or written to a file that nobody else may read.

import { SvidService } from "../proto/schema.gen.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import { writeFileAtomic } from "../runtime/files.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET, misuse } from "./flags.ts";
import { readMintFlags, SPIFFE_ID, TTL } from "./mint.ts";
import { formatMoment } from "./output.ts";

export const command: Command = {
  description: "Has the server make a JWT-SVID. Whoever holds it is taken for its subject.",
  flags: [
    SPIFFE_ID,
    {
      name: "audience",
      value: "<name>",
      description: "who will receive the token; several also separated by commas",
      isRepeated: true,
    },
    TTL,
    { name: "write", value: "<file>", description: "write the token there (0600), print nothing" },
    ADMIN_SOCKET,
  ],
  examples: [
    [
      "signet jwt mint --spiffe-id spiffe://example.test/tool --audience reports",
      "only the token goes to standard output",
    ],
  ],
  async run(input, output) {
    const { id, ttl } = readMintFlags(input);
    const audience = input.list("audience").flatMap((text) => text.split(","));
    if (audience.length === 0 || audience.includes("")) {
      throw misuse("--audience is missing", {
        hint: "name the service that will receive the token",
      });
    }
    const { svid } = await withServer(input, (channel) =>
      channel.client(SvidService).mintJWTSVID({ id: spiffeIdToWire(id), audience, ttl }),
    );
    const token = svid?.token ?? "";
    const expiresAt = formatMoment(svid?.expiresAt ?? 0);
    const file = input.text("write");
    const facts = { spiffeId: id.toString(), audience, expiresAt };
    if (file === undefined) {
      output.show({ ...facts, token }, () => token);
      return;
    }
    await writeFileAtomic(file, Buffer.from(`${token}\n`), 0o600);
    output.show({ ...facts, file }, () => `wrote ${file}\nvalid until ${expiresAt}`);
  },
};
