// Durations as people write them in configuration files and flags: "1h", "1h30m", "500ms".

import { runtimeError } from "./errors.ts";

const UNITS = [
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
  ["ms", 1],
] as const;
const GRAMMAR = /^(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,12})ms)?$/;

/** What a duration looks like, for messages. */
export const DURATION_EXPECTED = 'a duration such as "1h", "5m", "1h30m", "30s" or "500ms"';

/**
 * Parses a duration into milliseconds: whole numbers with the units h, m, s, ms, largest first.
 * @throws CONFIG_INVALID
 */
export function parseDuration(text: string): number {
  const match = text.length <= 64 ? GRAMMAR.exec(text) : null;
  if (match === null || text === "") {
    throw runtimeError("CONFIG_INVALID", `"${text.slice(0, 64)}" is not ${DURATION_EXPECTED}`);
  }
  return UNITS.reduce((sum, [, unitMs], i) => sum + Number(match[i + 1] ?? 0) * unitMs, 0);
}

/** Writes milliseconds in the same grammar; the inverse of parseDuration. */
export function formatDuration(ms: number): string {
  let rest = Math.max(0, Math.round(ms));
  const parts = UNITS.map(([unit, unitMs]) => {
    const count = Math.floor(rest / unitMs);
    rest -= count * unitMs;
    return count === 0 ? "" : `${count}${unit}`;
  });
  return parts.join("") || "0s";
}
