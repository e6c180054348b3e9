// How federation relationships are shown, with how their polling fares.

import type { Channel } from "../proto/rpc/client.ts";
import { FederationService, type signet } from "../proto/schema.gen.ts";
import type { Noun } from "./entry-output.ts";
import { formatMoment, formatRecord, formatTable } from "./output.ts";

type Relationship = signet.federation.v1.Relationship;

/** What batches are of. */
export const RELATIONSHIPS: Noun = ["relationship", "relationships"];

/** The relationships of the server, or the one with a trust domain. */
export async function listRelationships(
  channel: Channel,
  trustDomain = "",
): Promise<Relationship[]> {
  const client = channel.client(FederationService);
  const all: Relationship[] = [];
  let pageToken = "";
  do {
    const page = await client.listRelationships({ trustDomain, pageSize: 500, pageToken });
    all.push(...page.relationships);
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  return all;
}

/** A line for each. */
export function formatRelationships(relationships: readonly Relationship[]): string {
  if (relationships.length === 0) return "no federation relationships";
  const rows = relationships.map((one) => [
    one.trustDomain,
    one.bundleEndpointProfile,
    one.bundleEndpointUrl,
    one.static ? "configuration" : "API",
    formatOptional(one.lastSuccess),
    formatOptional(one.nextPoll),
    one.lastError === "" ? (one.hasBundle ? "ok" : "no bundle yet") : "failing",
  ]);
  return formatTable(
    ["TRUST DOMAIN", "PROFILE", "URL", "MADE BY", "FETCHED", "NEXT", "STATE"],
    rows,
  );
}

/** All there is to say of one. */
export function formatRelationship(one: Relationship): string {
  const rows: [string, string][] = [
    ["Trust domain", one.trustDomain],
    ["Bundle endpoint URL", one.bundleEndpointUrl],
    ["Bundle endpoint profile", one.bundleEndpointProfile],
  ];
  if (one.endpointSpiffeId !== "") rows.push(["Endpoint SPIFFE ID", one.endpointSpiffeId]);
  rows.push(
    ["Made by", one.static ? "the configuration" : `the API, ${formatMoment(one.createdAt)}`],
    ["Bundle", one.hasBundle ? `sequence number ${one.sequence || "none"}` : "none"],
    ["Last attempt", formatOptional(one.lastAttempt)],
    ["Last success", formatOptional(one.lastSuccess)],
    ["Next poll", formatOptional(one.nextPoll)],
  );
  if (one.lastError !== "") rows.push(["Last error", one.lastError]);
  return formatRecord(rows);
}

function formatOptional(unixSeconds: number): string {
  return unixSeconds === 0 ? "-" : formatMoment(unixSeconds);
}
