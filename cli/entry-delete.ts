// `signet entry delete`.

import { codecOf, EntryService, type spire } from "../proto/schema.gen.ts";
import { withServer } from "./admin-channel.ts";
import type { Command, Input } from "./command.ts";
import { BATCH } from "./entry-create.ts";
import { requireSuccess } from "./entry-output.ts";
import { ADMIN_SOCKET, misuse } from "./flags.ts";
import { formatCount } from "./output.ts";
import { readInput } from "./read-input.ts";

export const command: Command = {
  description:
    "Deletes registration entries. Their identities are withdrawn from workloads at once.",
  args: "[entry-ids...]",
  flags: [
    { name: "entry-id", value: "<id>", description: "the entry to delete", isRepeated: true },
    {
      name: "file",
      value: "<file>",
      description: 'IDs, a line each or as {"ids": [...]}; "-" is standard input',
    },
    ADMIN_SOCKET,
  ],
  examples: [
    ["signet entry delete 6d2f", "one entry"],
    [
      "signet entry list --output json | jq -r .entries[].id | signet entry delete --file -",
      "all of them",
    ],
  ],
  async run(input, output) {
    const ids = await idsOf(input);
    const results = await withServer(input, async (channel) => {
      const client = channel.client(EntryService);
      const all: spire.api.server.entry.v1.BatchDeleteEntryResponse.Result[] = [];
      for (let at = 0; at < ids.length; at += BATCH) {
        all.push(...(await client.batchDeleteEntry({ ids: ids.slice(at, at + BATCH) })).results);
      }
      return all;
    });
    const deleted = results.filter(({ status }) => status?.code === 0).length;
    const codec = codecOf("spire.api.server.entry.v1.BatchDeleteEntryResponse");
    output.show(
      codec.toJson({ results }),
      () => `${formatCount(deleted, "entry", "entries")} deleted`,
    );
    requireSuccess(
      results.map(({ status, id }) => ({ status, name: id })),
      "deleted",
    );
  },
};

async function idsOf(input: Input): Promise<string[]> {
  const ids = [...input.args, ...input.list("entryId")];
  const file = input.text("file");
  if (file !== undefined)
    ids.push(...readIds(await readInput(file, "--file", 16 * 1024 * 1024), file));
  if (ids.length === 0) {
    throw misuse("the ID of the entry is missing", { hint: "'signet entry list' shows the IDs" });
  }
  return ids;
}

function readIds(text: string, path: string): string[] {
  if (!text.trimStart().startsWith("{")) return text.split(/\s+/).filter((id) => id !== "");
  try {
    const { ids } = JSON.parse(text) as { ids?: unknown };
    if (Array.isArray(ids) && ids.every((id) => typeof id === "string")) return ids;
  } catch {
    // said below
  }
  throw misuse(`--file: ${path} is no JSON with a list "ids"`);
}
