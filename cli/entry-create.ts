// `signet entry create`.

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
import { formatEntry, formatId, requireSuccess } from "./entry-output.ts";
import { ADMIN_SOCKET, misuse, required } from "./flags.ts";
import { formatCount } from "./output.ts";

/** As many as SPIRE's server takes at once. */
export const BATCH = 500;

export const command: Command = {
  description:
    "Registers who gets which identity: workloads with all the selectors, on nodes under the parent.",
  flags: [
    {
      name: "entry-id",
      value: "<id>",
      description: "ID of the entry; by default the server makes one",
    },
    ...ENTRY_FLAGS,
    { name: "node", description: "the entry groups nodes: its selectors are those of node agents" },
    {
      name: "data",
      value: "<file>",
      description: 'entries in JSON instead of flags; "-" is standard input',
    },
    ADMIN_SOCKET,
  ],
  examples: [
    [
      "signet entry create --parent-id spiffe://example.test/node --spiffe-id spiffe://example.test/web --selector unix:uid:1000",
      "processes of user 1000 are spiffe://example.test/web",
    ],
    [
      "signet entry create --parent-id spiffe://example.test/node --spiffe-id spiffe://example.test/agent/planner --selector unix:uid:1000 --selector launch:name:planner",
      "what 'signet run --name planner' starts as user 1000",
    ],
    [
      "signet entry list --output json | ssh other signet entry create --data -",
      "copy all entries",
    ],
  ],
  async run(input, output) {
    const drafts = await draftsOf(input);
    const results = await withServer(input, async (channel) => {
      const entries = channel.client(EntryService);
      const all: spire.api.server.entry.v1.BatchCreateEntryResponse.Result[] = [];
      for (let at = 0; at < drafts.length; at += BATCH) {
        const part = await entries.batchCreateEntry({ entries: drafts.slice(at, at + BATCH) });
        all.push(...part.results);
      }
      return all;
    });
    const created = results.flatMap(({ status, entry }) =>
      status?.code === 0 && entry ? [entry] : [],
    );
    const codec = codecOf("spire.api.server.entry.v1.BatchCreateEntryResponse");
    output.show(codec.toJson({ results }), () => {
      if (created.length > 10) return `${formatCount(created.length, "entry", "entries")} created`;
      return created.map(formatEntry).join("\n\n");
    });
    requireSuccess(
      results.map(({ status, entry }, i) => ({ status, name: nameOf(drafts[i], entry) })),
      "created",
    );
  },
};

async function draftsOf(input: Input): Promise<EntryDraft[]> {
  const data = input.text("data");
  if (data !== undefined) {
    refuseFlagsBesideData(input);
    return await readDrafts(data);
  }
  required(input, "spiffeId", "--spiffe-id");
  const draft = draftFromFlags(input);
  const id = input.text("entryId");
  if (id !== undefined) draft.id = id;
  if (input.isOn("node")) {
    if (draft.parentId !== undefined) throw misuse("--node and --parent-id exclude each other");
    draft.parentId = { trustDomain: draft.spiffeId?.trustDomain, path: "/spire/server" };
  }
  if (draft.parentId === undefined) {
    throw misuse("--parent-id is missing", {
      hint: "name the node agent ('signet agent list') or a group of nodes; --node makes such a group",
    });
  }
  if ((draft.selectors ?? []).length === 0) {
    throw misuse("--selector is missing", { hint: "such as --selector unix:uid:1000" });
  }
  return [draft];
}

/** The entry that was wanted, and the one that is there already. */
function nameOf(
  draft: EntryDraft | undefined,
  existing: spire.api.types.Entry | undefined,
): string {
  const { trustDomain = "", path = "" } = draft?.spiffeId ?? {};
  const wanted = formatId({ trustDomain, path });
  return existing === undefined ? wanted : `${wanted} (entry ${existing.id})`;
}
