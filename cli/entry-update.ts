// `signet entry update`: changes what is given and nothing else.

import type { Init } from "../proto/codec.ts";
import type { Channel } from "../proto/rpc/client.ts";
import { codecOf, EntryService, type spire } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command, Input } from "./command.ts";
import { readDrafts } from "./entry-data.ts";
import {
  draftFromFlags,
  ENTRY_FLAGS,
  type EntryDraft,
  refuseFlagsBesideData,
} from "./entry-flags.ts";
import { formatEntry, requireSuccess } from "./entry-output.ts";
import { ADMIN_SOCKET, misuse } from "./flags.ts";

type Mask = Init<spire.api.types.EntryMask>;
type Result = spire.api.server.entry.v1.BatchUpdateEntryResponse.Result;

export const command: Command = {
  description:
    "Changes a registration entry. What is not given stays as it is; a list that is given replaces the former one.",
  args: "[entry-id]",
  flags: [
    { name: "entry-id", value: "<id>", description: "the entry to change" },
    ...ENTRY_FLAGS,
    {
      name: "data",
      value: "<file>",
      description: 'entries in JSON, with IDs and what is to change; "-" is standard input',
    },
    ADMIN_SOCKET,
  ],
  examples: [
    ["signet entry update 6d2f --ttl 10m", "only the lifetimes change"],
    ["signet entry update 6d2f --admin=false --dns ''", "take a right away, and all DNS names"],
  ],
  async run(input, output) {
    const drafts = await draftsOf(input);
    const results = await withServer(input, async (channel) => {
      const all: Result[] = [];
      // One call has one mask for all its entries, so each entry gets its own.
      for (const draft of drafts) all.push(await update(channel, draft));
      return all;
    });
    const codec = codecOf("spire.api.server.entry.v1.BatchUpdateEntryResponse");
    output.show(codec.toJson({ results }), () =>
      results
        .flatMap(({ entry, status }) => (entry && status?.code === 0 ? [formatEntry(entry)] : []))
        .join("\n\n"),
    );
    requireSuccess(
      results.map(({ status }, i) => ({ status, name: drafts[i]?.id ?? "" })),
      "updated",
    );
  },
};

async function update(channel: Channel, draft: EntryDraft): Promise<Result> {
  const client = channel.client(EntryService);
  const { id = "", ...changes } = draft;
  const mask: Record<string, boolean> = {};
  for (const field of Object.keys(changes)) mask[field] = true;
  const { additionalAttributes } = changes;
  if (additionalAttributes !== undefined && Object.keys(additionalAttributes).length < 2) {
    // A mask means all of them or none: the others are sent as they are.
    const now = await client.getEntry({ id, outputMask: { additionalAttributes: true } });
    changes.additionalAttributes = { ...now.additionalAttributes, ...additionalAttributes };
  }
  const inputMask: Mask = mask;
  const { results } = await client.batchUpdateEntry({ entries: [{ ...changes, id }], inputMask });
  const [result] = results;
  if (result === undefined) throw new TypeError("the server answered without a result");
  return result;
}

async function draftsOf(input: Input): Promise<EntryDraft[]> {
  const data = input.text("data");
  if (data !== undefined) {
    refuseFlagsBesideData(input);
    const drafts = await readDrafts(data);
    if (drafts.some(({ id }) => !id)) throw misuse("--data: every entry needs its ID");
    return drafts;
  }
  const id = input.args[0] ?? input.text("entryId");
  if (!id)
    throw misuse("the ID of the entry is missing", { hint: "'signet entry list' shows the IDs" });
  const draft = draftFromFlags(input);
  if (Object.keys(draft).length === 0) throw misuse("nothing is given that could change");
  return [{ ...draft, id }];
}
