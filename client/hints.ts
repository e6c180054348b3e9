// Hints: how the operator tells a workload with several identities which one is for what (Workload API
// s5.2.1, s8). An unknown hint is an error: an identity picked by chance would be a wrong one some day.

import { clientError } from "./errors.ts";

interface Hinted {
  readonly hint: string;
  readonly id: { toString(): string };
}

/** Of several with the same hint the first stays; those without a hint all stay. */
export function withoutRepeatedHints<T extends { readonly hint: string }>(
  items: readonly T[],
): readonly T[] {
  const seen = new Set<string>();
  return items.filter(({ hint }) => {
    if (hint === "") return true;
    if (seen.has(hint)) return false;
    seen.add(hint);
    return true;
  });
}

/**
 * The item with this hint, or the first, which is the default identity, when no hint is given.
 * @throws IDENTITY_NOT_FOUND
 */
export function pickByHint<T extends Hinted>(items: readonly T[], hint: string | undefined): T {
  const item = hint === undefined ? items[0] : items.find((one) => one.hint === hint);
  if (item !== undefined) return item;
  const known = items.map((one) => `${one.id} (hint ${JSON.stringify(one.hint)})`).join(", ");
  throw clientError(
    "IDENTITY_NOT_FOUND",
    `no identity of this workload has the hint ${JSON.stringify(hint ?? "")}`,
    { hint: known === "" ? "check its registration entries" : `it has ${known}` },
  );
}
