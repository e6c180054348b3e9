// `signet svid revocations`: what is revoked and has not expired, and who is held back.

import { codecOf, RevocationService, type signet } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";
import { formatRevocations } from "./svid-output.ts";

const PAGE = 500;

export const command: Command = {
  description:
    "Lists revocations, newest first: those of which something has not expired, and those that hold back new SVIDs.",
  flags: [{ name: "held", description: "those alone that hold back new SVIDs now" }, ADMIN_SOCKET],
  examples: [
    ["signet svid revocations", "everything that is revoked"],
    ["signet svid revocations --held", "who gets no new SVIDs"],
  ],
  async run(input, output) {
    const heldOnly = input.isOn("held");
    const revocations = await withServer(input, async (channel) => {
      const client = channel.client(RevocationService);
      const all: signet.revocation.v1.RevocationRecord[] = [];
      let pageToken = "";
      do {
        const page = await client.listRevocations({ heldOnly, pageSize: PAGE, pageToken });
        all.push(...page.revocations);
        pageToken = page.nextPageToken;
        if (pageToken !== "") output.note(`${all.length} revocations so far`);
      } while (pageToken !== "");
      return all;
    });
    const codec = codecOf("signet.revocation.v1.ListRevocationsResponse");
    output.show({ revocations: codec.toJson({ revocations })["revocations"] }, () =>
      formatRevocations(revocations),
    );
  },
};
