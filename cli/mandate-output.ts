// How a mandate is shown: what it allows, a line each.

import type { signet } from "../proto/schema.gen.ts";
import { formatMoment } from "./output.ts";

type Mandate = signet.mandate.v1.Mandate;
type MandateSet = signet.mandate.v1.Set;

/** Rows for a record; what a mandate does not bound is left out. */
export function mandateRows(mandate: Mandate | undefined): [name: string, value: string][] {
  const rows: [string, string][] = [
    ["Locations", formatSet(mandate?.locations)],
    ["Actions", formatSet(mandate?.actions)],
    ["Data types", formatSet(mandate?.datatypes)],
    ["Max. sensitivity", String(mandate?.maxSensitivity?.value ?? 0)],
    ["Environment", formatSet(mandate?.environment)],
    ["Handed on", formatTimes(Number(mandate?.depth?.value ?? 0))],
  ];
  if (mandate?.uses !== undefined) rows.push(["Uses", `at most ${mandate.uses.value}`]);
  if (mandate?.until) rows.push(["Until", formatMoment(mandate.until)]);
  return rows;
}

/** The values of a set, a line each. */
export function formatSet(set: MandateSet | undefined): string {
  if (set?.any === true) return "any";
  return set === undefined || set.values.length === 0 ? "none" : set.values.join("\n");
}

function formatTimes(count: number): string {
  if (count === 0) return "not at all";
  return count === 1 ? "once" : `up to ${count} times`;
}
