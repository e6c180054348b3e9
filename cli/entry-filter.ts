// Flags that choose among registration entries, as `entry list`, `show` and `count` take them.

import type { Init } from "../proto/codec.ts";
import type { Channel } from "../proto/rpc/client.ts";
import { EntryService, SelectorMatchBehavior as Match, type spire } from "../proto/schema.gen.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import type { Flag, Input } from "./command.ts";
import { selectorsFrom } from "./entry-flags.ts";
import { parseId, parseWord } from "./flags.ts";

type Filter = Init<spire.api.server.entry.v1.ListEntriesRequest.Filter>;

/** How what is asked for compares to what an entry or agent has. */
export const MATCHES: Readonly<Record<string, number>> = {
  exact: Match.MATCH_EXACT,
  any: Match.MATCH_ANY,
  superset: Match.MATCH_SUPERSET,
  subset: Match.MATCH_SUBSET,
};

export const FILTER_FLAGS: readonly Flag[] = [
  { name: "parent-id", value: "<id>", description: "entries under this parent" },
  { name: "spiffe-id", value: "<id>", description: "entries for this SPIFFE ID" },
  {
    name: "selector",
    value: "<type:value>",
    description: "entries with this selector",
    isRepeated: true,
  },
  {
    name: "match-selectors-on",
    value: "<how>",
    description: "exact, any, superset (the entry has these and may have more) or subset",
    defaultValue: "superset",
  },
  {
    name: "federates-with",
    value: "<trust domain>",
    description: "entries that federate with it",
    isRepeated: true,
  },
  {
    name: "match-federates-with-on",
    value: "<how>",
    description: "exact, any, superset or subset",
    defaultValue: "superset",
  },
  { name: "downstream", description: "entries of downstream servers" },
  { name: "hint", value: "<text>", description: "entries with this hint" },
];

export function filterFrom(input: Input): Filter {
  const spiffeId = input.text("spiffeId");
  const parentId = input.text("parentId");
  const hint = input.text("hint");
  const selectors = selectorsFrom(input);
  const trustDomains = input.list("federatesWith");
  const how = (flag: string, spelled: string): number =>
    parseWord(input.text(flag) ?? "superset", MATCHES, spelled);
  const onSelectors = how("matchSelectorsOn", "--match-selectors-on");
  const onDomains = how("matchFederatesWithOn", "--match-federates-with-on");
  return {
    bySpiffeId:
      spiffeId === undefined ? undefined : spiffeIdToWire(parseId(spiffeId, "--spiffe-id")),
    byParentId:
      parentId === undefined ? undefined : spiffeIdToWire(parseId(parentId, "--parent-id")),
    bySelectors: selectors.length === 0 ? undefined : { selectors, match: onSelectors },
    byFederatesWith: trustDomains.length === 0 ? undefined : { trustDomains, match: onDomains },
    byHint: hint === undefined ? undefined : { value: hint },
    byDownstream: input.has("downstream") ? { value: input.isOn("downstream") } : undefined,
  };
}

/** Every entry that the filter lets through, page by page. */
export async function listEntries(
  channel: Channel,
  filter: Filter,
): Promise<spire.api.types.Entry[]> {
  const client = channel.client(EntryService);
  const entries: spire.api.types.Entry[] = [];
  let pageToken = "";
  do {
    const page = await client.listEntries({ filter, pageSize: 500, pageToken });
    entries.push(...page.entries);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return entries;
}
