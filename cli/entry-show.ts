// `signet entry show`: one entry by its ID, or all that match, in full.

import { codecOf, EntryService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { FILTER_FLAGS, filterFrom, listEntries } from "./entry-filter.ts";
import { formatEntry } from "./entry-output.ts";
import { ADMIN_SOCKET } from "./flags.ts";
import { formatCount } from "./output.ts";

export const command: Command = {
  description: "Shows registration entries in full: one by its ID, or all that match.",
  args: "[entry-id]",
  flags: [
    { name: "entry-id", value: "<id>", description: "the entry to show" },
    ...FILTER_FLAGS,
    ADMIN_SOCKET,
  ],
  examples: [
    ["signet entry show 6d2f", "one entry"],
    ["signet entry show --spiffe-id spiffe://example.test/web", "the entries for an identity"],
  ],
  async run(input, output) {
    const id = input.args[0] ?? input.text("entryId");
    const entries = await withServer(input, async (channel) =>
      id === undefined
        ? listEntries(channel, filterFrom(input))
        : [await channel.client(EntryService).getEntry({ id })],
    );
    const codec = codecOf("spire.api.server.entry.v1.ListEntriesResponse");
    output.show({ entries: codec.toJson({ entries })["entries"] }, () =>
      [...entries.map(formatEntry), formatCount(entries.length, "entry", "entries")].join("\n\n"),
    );
  },
};
