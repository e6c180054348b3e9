// `signet entry count`.

import { EntryService } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { FILTER_FLAGS, filterFrom } from "./entry-filter.ts";
import { ADMIN_SOCKET } from "./flags.ts";
import { formatCount } from "./output.ts";

export const command: Command = {
  description: "Counts registration entries.",
  flags: [...FILTER_FLAGS, ADMIN_SOCKET],
  examples: [
    ["signet entry count --parent-id spiffe://example.test/node", "those of a group of nodes"],
  ],
  async run(input, output) {
    const filter = filterFrom(input);
    const { count } = await withServer(input, (channel) =>
      channel.client(EntryService).countEntries({ filter }),
    );
    output.show({ count }, () => formatCount(count, "entry", "entries"));
  },
};
