// Which entries a list or count asks for: the filters of SPIRE's entry API, and its four ways to
// compare two sets.

import type { RegistrationEntry } from "../../proto/types/entry.ts";
import type { Selector } from "../../proto/types/selector.ts";
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
