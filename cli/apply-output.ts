// How changes are shown: a line for each object, + comes, ~ changes, - goes, and below it its fields.

import type { signet } from "../proto/schema.gen.ts";
import { formatCount, visible } from "./output.ts";

type Change = signet.registry.v1.AppliedChange;
type FieldChange = signet.registry.v1.FieldChange;
type Summary = signet.registry.v1.ApplySummary;

/** Signs and colours (SGR) by action. */
const SIGNS: Readonly<Record<string, readonly [sign: string, colour: number]>> = {
  create: ["+", 32],
  update: ["~", 33],
  delete: ["-", 31],
};
/** Of a first line; the fields of so many new objects would hide the rest. */
const MAX_CREATED_IN_FULL = 100;

/** All changes. */
export function formatChanges(changes: readonly Change[], isColoured: boolean): string {
  const created = changes.filter(({ action }) => action === "create").length;
  const isBrief = created > MAX_CREATED_IN_FULL;
  return changes.map((change) => formatChange(change, isBrief, isColoured)).join("\n");
}

function formatChange(change: Change, isBrief: boolean, isColoured: boolean): string {
  const { kind, name, action, fields, entryId } = change;
  const [sign, colour] = SIGNS[action] ?? ["?", 0];
  const which = entryId === "" ? "" : ` (${entryId})`;
  const lines = [`${sign} ${kind} ${visible(name)}${which}`];
  if (action !== "create" || !isBrief) {
    for (const field of fields) lines.push(`    ${formatField(field, action)}`);
  }
  const text = lines.join("\n");
  return isColoured ? `\u001b[${colour}m${text}\u001b[0m` : text;
}

function formatField({ field, before, after }: FieldChange, action: string): string {
  const name = visible(field);
  if (action === "create") return `${name}: ${visible(after)}`;
  return `${name}: ${visible(before || "nothing")} -> ${visible(after || "nothing")}`;
}

/** "2 created, 1 changed, 3 unchanged", or that there is nothing to do. */
export function formatSummary({ dryRun, created, updated, deleted, unchanged }: Summary): string {
  const done = dryRun ? ["to create", "to change", "to delete"] : ["created", "changed", "deleted"];
  const parts = [created, updated, deleted]
    .map((count, i) => (count === 0 ? "" : `${count} ${done[i]}`))
    .filter((part) => part !== "");
  const rest = `${formatCount(unchanged, "object is", "objects are")} as declared`;
  if (parts.length === 0) return `nothing to change: ${rest}`;
  return unchanged === 0 ? parts.join(", ") : `${parts.join(", ")}; ${rest}`;
}
