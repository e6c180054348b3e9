// `signet audit proof EVENT-ID`: a proof that an event is in the log, to be given to somebody who has
// nothing but the verifier key.
import { writeFile } from "node:fs/promises";
import { parseCheckpointInsecurely } from "../pki/merkle/checkpoint.ts";
import { AuditLogService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import { checkpointsFrom } from "./audit-files.ts";
import { formatProofFile } from "./audit-proof-file.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET, misuse } from "./flags.ts";

export const command: Command = {
  description:
    "Writes a proof that an event is in the audit log: 'signet audit verify --proof' verifies it anywhere, with the verifier key alone.",
  args: "<event-id>",
  flags: [
    {
      name: "checkpoint",
      value: "<file>",
      description: "an older checkpoint: proves that the log has only grown since, too",
    },
    { name: "write", value: "<file>", description: "where to; EVENT-ID.proof.json unless said" },
    ADMIN_SOCKET,
  ],
  examples: [["signet audit proof 01J8ZQ4V6W3Q5R7T9Y1B2C3D4E", "for the event with this ID"]],
  async run(input, output) {
    const [eventId] = input.args;
    if (eventId === undefined) throw misuse("the ID of the event is missing");
    const path = input.text("checkpoint");
    const old = path === undefined ? undefined : (await checkpointsFrom([path])).at(-1)?.note;
    const oldSize = old === undefined ? 0n : BigInt(parseCheckpointInsecurely(old).size);
    const proof = await withServer(input, (channel) =>
      channel.client(AuditLogService).prove({ eventId, oldSize }),
    );
    const target = input.text("write") || `${eventId}.proof.json`;
    await writeFile(target, formatProofFile(proof, old));
    output.show({ file: target }, () => `wrote ${target}`);
  },
};
