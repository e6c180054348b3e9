// `signet svid release`.

import { codecOf, RevocationService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { formatId } from "./entry-output.ts";
import { ADMIN_SOCKET, misuse } from "./flags.ts";

export const command: Command = {
  description:
    "Lets the holder of a revoked SVID have new ones again. What was revoked stays revoked.",
  args: "[id]",
  flags: [
    {
      name: "id",
      value: "<id>",
      description: "which revocation: 'signet svid revocations --held' lists them",
    },
    ADMIN_SOCKET,
  ],
  examples: [["signet svid release 3f9a51c2e07d4b86", "the workload was cleaned up"]],
  async run(input, output) {
    const id = input.args[0] ?? input.text("id");
    if (!id) {
      throw misuse("the ID of the revocation is missing", {
        hint: "'signet svid revocations --held' shows who is held back, and by which one",
      });
    }
    const response = await withServer(input, (channel) =>
      channel.client(RevocationService).releaseHold({ id }),
    );
    const codec = codecOf("signet.revocation.v1.ReleaseHoldResponse");
    const { hold } = response.revocation;
    output.show(codec.toJson(response), () =>
      hold === undefined
        ? `revocation ${id} holds nothing back`
        : `released ${formatId(hold.spiffeId)}: new SVIDs are issued, unless another revocation holds it back`,
    );
  },
};
