// The flags that describe a registration entry, and the wire entry they make: only fields that were
// given are in it, so that an update knows what it means to change.

import type { Init } from "../proto/codec.ts";
import type { spire } from "../proto/schema.gen.ts";
import { parseSelector } from "../proto/types/selector.ts";
import { spiffeIdToWire } from "../proto/types/spiffe-id.ts";
import type { Flag, Input } from "./command.ts";
import { asMisuse, misuse, parseId, parseMoment, parseSeconds } from "./flags.ts";

/** Fields of a wire entry, those that were given. */
export type EntryDraft = {
  -readonly [K in keyof Init<spire.api.types.Entry>]: Init<spire.api.types.Entry>[K];
};

export const ENTRY_FLAGS: readonly Flag[] = [
  {
    name: "parent-id",
    value: "<id>",
    description: "SPIFFE ID of the node agent, or of a group of nodes",
  },
  { name: "spiffe-id", value: "<id>", description: "SPIFFE ID to issue" },
  {
    name: "selector",
    value: "<type:value>",
    description: "what the workload must be, such as unix:uid:1000; all of them must hold",
    isRepeated: true,
  },
  { name: "ttl", value: "<duration>", description: "lifetime of both kinds of SVID, such as 30m" },
  { name: "x509-svid-ttl", value: "<duration>", description: "lifetime of X509-SVIDs" },
  { name: "jwt-svid-ttl", value: "<duration>", description: "lifetime of JWT-SVIDs" },
  { name: "dns", value: "<name>", description: "DNS name in X509-SVIDs", isRepeated: true },
  {
    name: "federates-with",
    value: "<trust domain>",
    description: "trust domain whose bundle the workload gets",
    isRepeated: true,
  },
  {
    name: "hint",
    value: "<text>",
    description: "tells the workload which of its identities this is",
  },
  {
    name: "entry-expiry",
    value: "<moment>",
    description: "when the entry ends, such as 2027-01-31T12:00:00Z",
  },
  { name: "admin", description: "the identity may administrate the server" },
  { name: "downstream", description: "the identity may be a downstream server" },
  { name: "store-svid", description: "SVIDs are meant for a secret store" },
  { name: "disable-x509-svid-prefetch", description: "make no X509-SVID before one is asked for" },
  { name: "jwt-svid-include-jti", description: "every JWT-SVID has a jti claim, and is made anew" },
];

/** What the flags say. Lists that were given empty (--dns "") are empty lists. */
export function draftFromFlags(input: Input): EntryDraft {
  const draft: EntryDraft = {};
  const text = (flag: string, use: (value: string) => void): void => {
    const value = input.text(flag);
    if (input.has(flag) && value !== undefined) use(value);
  };
  text("spiffeId", (value) => {
    draft.spiffeId = spiffeIdToWire(parseId(value, "--spiffe-id"));
  });
  text("parentId", (value) => {
    draft.parentId = spiffeIdToWire(parseId(value, "--parent-id"));
  });
  text("ttl", (value) => {
    draft.x509SvidTtl = parseSeconds(value, "--ttl");
    draft.jwtSvidTtl = draft.x509SvidTtl;
  });
  text("x509SvidTtl", (value) => {
    draft.x509SvidTtl = parseSeconds(value, "--x509-svid-ttl");
  });
  text("jwtSvidTtl", (value) => {
    draft.jwtSvidTtl = parseSeconds(value, "--jwt-svid-ttl");
  });
  text("hint", (value) => {
    draft.hint = value;
  });
  text("entryExpiry", (value) => {
    draft.expiresAt = parseMoment(value, "--entry-expiry");
  });
  if (input.has("selector")) draft.selectors = selectorsFrom(input);
  if (input.has("dns")) draft.dnsNames = input.list("dns");
  if (input.has("federatesWith")) draft.federatesWith = input.list("federatesWith");
  if (input.has("admin")) draft.admin = input.isOn("admin");
  if (input.has("downstream")) draft.downstream = input.isOn("downstream");
  if (input.has("storeSvid")) draft.storeSvid = input.isOn("storeSvid");
  const attributes = attributesFrom(input);
  if (attributes !== undefined) draft.additionalAttributes = attributes;
  return draft;
}

function attributesFrom(input: Input): EntryDraft["additionalAttributes"] {
  const names = ["disableX509SvidPrefetch", "jwtSvidIncludeJti"] as const;
  const given = names.filter((name) => input.has(name));
  if (given.length === 0) return undefined;
  return Object.fromEntries(given.map((name) => [name, input.isOn(name)]));
}

/** The values of --selector. */
export function selectorsFrom(input: Input): Init<spire.api.types.Selector>[] {
  return input.list("selector").map((text) => asMisuse("--selector", () => parseSelector(text)));
}

/** @throws USAGE_INVALID when flags and a file both describe entries */
export function refuseFlagsBesideData(input: Input): void {
  const camel = (name: string): string =>
    name.replace(/-([a-z0-9])/g, (_, c: string) => c.toUpperCase());
  const given = ENTRY_FLAGS.find((flag) => input.has(camel(flag.name)));
  if (given !== undefined) throw misuse(`--data and --${given.name} exclude each other`);
}
