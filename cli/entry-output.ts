// How registration entries, and the outcome of a batch of them, are shown.

import type { spire } from "../proto/schema.gen.ts";
import { formatSelector } from "../proto/types/selector.ts";
import { cliError } from "./errors.ts";
import { formatCount, formatMoment, formatRecord, formatTable } from "./output.ts";

type Entry = spire.api.types.Entry;

/** A line for each entry. */
export function formatEntries(entries: readonly Entry[]): string {
  if (entries.length === 0) return "no entries";
  const rows = entries.map((entry) => [
    entry.id,
    formatId(entry.spiffeId),
    formatId(entry.parentId),
    entry.selectors.map(formatSelector).join(" "),
  ]);
  return formatTable(["ENTRY ID", "SPIFFE ID", "PARENT ID", "SELECTORS"], rows);
}

/** All there is to say of one entry. */
export function formatEntry(entry: Entry): string {
  const rows: [string, string][] = [
    ["Entry ID", entry.id],
    ["SPIFFE ID", formatId(entry.spiffeId)],
    ["Parent ID", formatId(entry.parentId)],
    ["Selectors", entry.selectors.map(formatSelector).join("\n")],
    ["X509-SVID TTL", formatTtl(entry.x509SvidTtl)],
    ["JWT-SVID TTL", formatTtl(entry.jwtSvidTtl)],
    ["Revision", String(entry.revisionNumber)],
    ["Created", formatMoment(entry.createdAt)],
    ["Expires", formatMoment(entry.expiresAt)],
  ];
  if (entry.hint !== "") rows.push(["Hint", entry.hint]);
  if (entry.dnsNames.length > 0) rows.push(["DNS names", entry.dnsNames.join("\n")]);
  if (entry.federatesWith.length > 0) rows.push(["Federates with", entry.federatesWith.join("\n")]);
  const { additionalAttributes: attributes } = entry;
  const flags = [
    entry.admin && "admin",
    entry.downstream && "downstream",
    entry.storeSvid && "store-svid",
    attributes?.disableX509SvidPrefetch && "disable-x509-svid-prefetch",
    attributes?.jwtSvidIncludeJti && "jwt-svid-include-jti",
  ].filter((flag) => typeof flag === "string");
  if (flags.length > 0) rows.push(["Flags", flags.join(", ")]);
  return formatRecord(rows);
}

/** The text of a SPIFFE ID on the wire. */
export function formatId(id: spire.api.types.SPIFFEID | undefined): string {
  return id === undefined ? "" : `spiffe://${id.trustDomain}${id.path}`;
}

function formatTtl(seconds: number): string {
  return seconds === 0 ? "default" : `${seconds} s`;
}

/** One outcome of a batch. */
export interface Outcome {
  readonly status: spire.api.types.Status | undefined;
  /** What it was about. */
  readonly name: string;
}

/** What a batch is of: "entry", "entries". */
export type Noun = readonly [one: string, many: string];

/** @throws BATCH_FAILED naming each item that failed; the others were done */
export function requireSuccess(
  outcomes: readonly Outcome[],
  verb: string,
  [one, many]: Noun = ["entry", "entries"],
): void {
  const failed = outcomes.filter(({ status }) => (status?.code ?? 0) !== 0);
  if (failed.length === 0) return;
  const [only] = failed;
  if (only !== undefined && outcomes.length === 1) {
    const why = `${only.name} could not be ${verb}: ${only.status?.message}`;
    throw cliError("BATCH_FAILED", `the ${one} ${why}`);
  }
  const lines = failed.map(({ status, name }) => `  ${name}: ${status?.message}`);
  const count = `${failed.length} of ${formatCount(outcomes.length, one, many)}`;
  throw cliError("BATCH_FAILED", `${count} could not be ${verb}\n${lines.join("\n")}`);
}
