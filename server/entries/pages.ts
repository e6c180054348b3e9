// Cutting lists of entries into messages that stay well below gRPC's limit of 4 MiB, whatever the
// entries hold: by number, and by a bound on their size on the wire.

import type { RegistrationEntry } from "../../proto/types/entry.ts";

/** Most entries of one message, as in SPIRE, whose agents count on it. */
export const PAGE_ENTRIES = 500;
const PAGE_BYTES = 2 * 1024 * 1024;
/** Field tags, lengths, numbers and times of one entry, with room to spare. */
const FIXED_BYTES = 128;
/** Tags and lengths around one string or one selector. */
const FRAME_BYTES = 16;

/** Cuts entries into pages, at least one even when there are none; each page has at least one entry if any is left. */
export function* pagesOf(
  entries: readonly RegistrationEntry[],
): Generator<readonly RegistrationEntry[], void, undefined> {
  let from = 0;
  do {
    const count = pageLength(entries, from);
    yield entries.slice(from, from + count);
    from += count;
  } while (from < entries.length);
}

/** How many entries, from the index `from` on, fit into one message. */
export function pageLength(entries: readonly RegistrationEntry[], from = 0): number {
  let bytes = 0;
  let count = 0;
  for (let i = from; i < entries.length && count < PAGE_ENTRIES; i++) {
    bytes += maxWireBytes(entries[i] as RegistrationEntry);
    if (count > 0 && bytes > PAGE_BYTES) break;
    count++;
  }
  return count;
}

/** No less than the entry's bytes on the wire. IDs and DNS names are ASCII; a UTF-16 unit is at most 3 bytes. */
function maxWireBytes(entry: RegistrationEntry): number {
  let bytes =
    FIXED_BYTES +
    entry.id.length +
    entry.spiffeId.length +
    entry.parentId.length +
    3 * entry.hint.length;
  for (const { type, value } of entry.selectors)
    bytes += FRAME_BYTES + 3 * (type.length + value.length);
  for (const name of entry.federatesWith) bytes += FRAME_BYTES + name.length;
  for (const name of entry.dnsNames) bytes += FRAME_BYTES + name.length;
  return bytes;
}
