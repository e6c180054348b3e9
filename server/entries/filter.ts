// Which entries a list or count asks for: the filters of SPIRE's entry API, and its four ways to
// compare two sets.

import { TrustDomain } from "../../pki/spiffe-id.ts";
import type { spire } from "../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../proto/types/entry.ts";
import { type Selector, selectorsFromWire } from "../../proto/types/selector.ts";
import { spiffeIdFromWire } from "../../proto/types/spiffe-id.ts";
import { serverError } from "../errors.ts";
import type { EntryQuery } from "./index.ts";

/**
 * How the set of an entry compares to the set that was asked for: the same, a part of it, all of it
 * and perhaps more, or at least one in common.
 */
export type SetMatch = "exact" | "subset" | "superset" | "any";

/** What is asked for; what is left out is not asked. */
export interface EntryFilter {
  readonly parentId?: string;
  readonly spiffeId?: string;
  readonly selectors?: { readonly match: SetMatch; readonly selectors: readonly Selector[] };
  readonly federatesWith?: { readonly match: SetMatch; readonly trustDomains: readonly string[] };
  readonly hint?: string;
  readonly downstream?: boolean;
}

/** By their number on the wire. */
const MATCHES: readonly SetMatch[] = ["exact", "subset", "superset", "any"];
const MAX_TRUST_DOMAINS = 256;

/**
 * The filter of a request. Lists and counts have messages of their own for it, with the same fields.
 * @throws FILTER_INVALID, SELECTOR_INVALID, SPIFFE_ID_INVALID, TRUST_DOMAIN_INVALID
 */
export function filterFromWire(
  wire: spire.api.server.entry.v1.ListEntriesRequest.Filter | undefined,
): EntryFilter {
  if (wire === undefined) return {};
  const { byParentId, bySpiffeId, bySelectors, byFederatesWith, byHint, byDownstream } = wire;
  return {
    ...(byParentId === undefined ? {} : { parentId: spiffeIdFromWire(byParentId).toString() }),
    ...(bySpiffeId === undefined ? {} : { spiffeId: spiffeIdFromWire(bySpiffeId).toString() }),
    ...(bySelectors === undefined ? {} : { selectors: selectorMatch(bySelectors) }),
    ...(byFederatesWith === undefined
      ? {}
      : { federatesWith: federatesWithMatch(byFederatesWith) }),
    ...(byHint === undefined ? {} : { hint: byHint.value }),
    ...(byDownstream === undefined ? {} : { downstream: byDownstream.value }),
  };
}

function selectorMatch(wire: spire.api.types.SelectorMatch): EntryFilter["selectors"] & object {
  if (wire.selectors.length === 0) throw empty("selectors");
  return { match: matchOf(wire.match), selectors: selectorsFromWire(wire.selectors) };
}

function federatesWithMatch(
  wire: spire.api.types.FederatesWithMatch,
): EntryFilter["federatesWith"] & object {
  if (wire.trustDomains.length === 0) throw empty("trust domains");
  if (wire.trustDomains.length > MAX_TRUST_DOMAINS) {
    throw serverError(
      "FILTER_INVALID",
      `the filter names more than ${MAX_TRUST_DOMAINS} trust domains`,
    );
  }
  const trustDomains = wire.trustDomains.map((name) => TrustDomain.parse(name).name);
  return { match: matchOf(wire.match), trustDomains };
}

function matchOf(number: number): SetMatch {
  const match = MATCHES[number];
  if (match === undefined)
    throw serverError("FILTER_INVALID", `there is no match behaviour ${number}`);
  return match;
}

function empty(what: string): Error {
  return serverError("FILTER_INVALID", `the filter names no ${what}`, {
    hint: "name at least one, or leave the filter out",
  });
}

/** The query that finds what the filter asks for. */
export function queryOf(filter: EntryFilter): EntryQuery {
  const { parentId, spiffeId, selectors, federatesWith, hint, downstream } = filter;
  const tests: ((entry: RegistrationEntry) => boolean)[] = [];
  if (selectors !== undefined) {
    const wanted = new Set(selectors.selectors.map(text));
    tests.push((entry) => compareSets(entry.selectors.map(text), wanted, selectors.match));
  }
  if (federatesWith !== undefined) {
    const wanted = new Set(federatesWith.trustDomains);
    tests.push((entry) => compareSets(entry.federatesWith, wanted, federatesWith.match));
  }
  if (hint !== undefined) tests.push((entry) => entry.hint === hint);
  if (downstream !== undefined) tests.push((entry) => entry.downstream === downstream);
  return {
    ...(parentId === undefined ? {} : { parentId }),
    ...(spiffeId === undefined ? {} : { spiffeId }),
    ...(tests.length === 0 ? {} : { where: (entry) => tests.every((test) => test(entry)) }),
  };
}

/** Compares the set of a candidate, without repetitions, to the wanted one. An empty candidate is a subset of nothing. */
export function compareSets(
  candidate: readonly string[],
  wanted: ReadonlySet<string>,
  match: SetMatch,
): boolean {
  let common = 0;
  for (const member of candidate) if (wanted.has(member)) common++;
  switch (match) {
    case "exact":
      return common === candidate.length && common === wanted.size;
    case "subset":
      return common > 0 && common === candidate.length;
    case "superset":
      return common === wanted.size;
    case "any":
      return common > 0;
  }
}

function text({ type, value }: Selector): string {
  return `${type}:${value}`;
}
