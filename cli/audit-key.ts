// `signet audit key`: the verifier key of the audit log, to be noted where the server cannot change it.
import { AuditLogService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description:
    "Prints the key with which checkpoints of the audit log are verified. Note it elsewhere: who can change the log can change a key that lies beside it.",
  flags: [
    ADMIN_SOCKET,
    { name: "checkpoint", description: "print the newest signed checkpoint, too" },
  ],
  examples: [
    ["signet audit key", "the key, for --key of 'signet audit verify'"],
    ["signet audit key --checkpoint", "and what it has signed last"],
  ],
  async run(input, output) {
    const { verifierKey, note } = await withServer(input, (channel) =>
      channel.client(AuditLogService).checkpoint({}),
    );
    const withNote = input.isOn("checkpoint");
    output.show({ verifier_key: verifierKey, ...(withNote && { checkpoint: note }) }, () =>
      withNote ? `${verifierKey}\n\n${note.trimEnd()}` : verifierKey,
    );
  },
};
