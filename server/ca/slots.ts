// The authorities of one kind, by what they are doing: at most one prepared, one active, any number
// of old ones. Pure functions over the journal's records; who applies them is authority.ts.

import type { AuthorityKindName, AuthorityRecord, AuthorityStatus } from "../store/journal.ts";

export interface AuthoritySlots {
  readonly prepared: AuthorityRecord | undefined;
  readonly active: AuthorityRecord | undefined;
  /** The one that was active last comes first. */
  readonly old: readonly AuthorityRecord[];
}

/** The authorities of a kind in their slots. */
export function slotsOf(
  authorities: readonly AuthorityRecord[],
  kind: AuthorityKindName,
): AuthoritySlots {
  const own = authorities.filter((authority) => authority.kind === kind);
  return {
    prepared: own.find(({ status }) => status === "prepared"),
    active: own.find(({ status }) => status === "active"),
    old: own.filter(({ status }) => status === "old").toReversed(),
  };
}

/** Puts an authority into a slot. It goes to the end of the list: the order is that of the last change. */
export function moved(
  authorities: readonly AuthorityRecord[],
  authority: AuthorityRecord,
  status: AuthorityStatus,
): readonly AuthorityRecord[] {
  return [...without(authorities, authority), { ...authority, status }];
}

/** Makes an authority the active one of its kind, and the one that was active an old one. */
export function activated(
  authorities: readonly AuthorityRecord[],
  authority: AuthorityRecord,
): readonly AuthorityRecord[] {
  const { active } = slotsOf(authorities, authority.kind);
  const retired = active === undefined ? authorities : moved(authorities, active, "old");
  return moved(retired, authority, "active");
}

/** The list without one authority. */
export function without(
  authorities: readonly AuthorityRecord[],
  { authorityId }: AuthorityRecord,
): readonly AuthorityRecord[] {
  return authorities.filter((other) => other.authorityId !== authorityId);
}
