// `signet entry owners`: whose the entries are of which that was said, by what declared them.

import type { Channel } from "../proto/rpc/client.ts";
import { codecOf, RegistryService, type signet } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command } from "./command.ts";
import { ADMIN_SOCKET } from "./flags.ts";
import { formatTable } from "./output.ts";

type EntryOwner = signet.registry.v1.EntryOwner;

export const command: Command = {
  description:
    "Lists whose the registration entries are: those that 'signet apply' declared, with owner, labels and set.",
  flags: [
    { name: "set", value: "<name>", description: "those that this set declared" },
    ADMIN_SOCKET,
  ],
  examples: [
    ["signet entry owners", "all of them"],
    ["signet entry owners --set team-a", "those of one set"],
  ],
  async run(input, output) {
    const owners = await withServer(input, (channel) => listOwners(channel, input.text("set")));
    const codec = codecOf("signet.registry.v1.ListEntryOwnersResponse");
    output.show({ owners: codec.toJson({ owners })["owners"] }, () => formatOwners(owners));
  },
};

async function listOwners(channel: Channel, set = ""): Promise<EntryOwner[]> {
  const client = channel.client(RegistryService);
  const all: EntryOwner[] = [];
  let pageToken = "";
  do {
    const page = await client.listEntryOwners({ set, pageToken });
    all.push(...page.owners);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return all;
}

function formatOwners(owners: readonly EntryOwner[]): string {
  if (owners.length === 0) return "no entry has an owner";
  const rows = owners.map(({ entryId, owner, managedBy, labels }) => {
    const pairs = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
    return [entryId, owner || "nobody", managedBy, pairs.join(" ")];
  });
  return formatTable(["ENTRY ID", "OWNER", "SET", "LABELS"], rows);
}
