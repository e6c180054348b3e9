// `signet entry list`: a line for each entry that matches.

import { codecOf } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { FILTER_FLAGS, filterFrom, listEntries } from "./entry-filter.ts";
import { formatEntries } from "./entry-output.ts";
import { ADMIN_SOCKET } from "./flags.ts";

export const command: Command = {
  description: "Lists registration entries, a line each.",
  flags: [...FILTER_FLAGS, ADMIN_SOCKET],
  examples: [
    ["signet entry list", "all of them"],
    ["signet entry list --selector unix:uid:1000", "what user 1000 can get"],
  ],
  async run(input, output) {
    const filter = filterFrom(input);
    const entries = await withServer(input, (channel) => listEntries(channel, filter));
    const codec = codecOf("spire.api.server.entry.v1.ListEntriesResponse");
    output.show({ entries: codec.toJson({ entries })["entries"] }, () => formatEntries(entries));
  },
};
