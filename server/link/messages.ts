// The messages of the link: a snapshot in pages and deltas in pieces, each far below gRPC's limit of
// 4 MiB. A delta that goes to many agents alike is encoded once. What is due: session.ts and hub.ts.
import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { Init } from "../../proto/codec.ts";
import { Encoded } from "../../proto/rpc/service.ts";
import { codecOf, type signet } from "../../proto/schema.gen.ts";
import { bundleToWire } from "../../proto/types/bundle.ts";
import { entryToWire, type RegistrationEntry } from "../../proto/types/entry.ts";

// Counted in UTF-16 units of their strings, which take up to three bytes each: at most about 1 MiB.
const PAGE_SIZE = 340_000;
/** Deltas kept encoded: those of the latest change are all that many agents can share. */
const MAX_SHARED = 16;

const codec = codecOf("signet.link.v1.WatchResponse");

type Cursor = Init<signet.link.v1.Cursor>;

/** Everything an agent holds, as pages; the last one carries the cursor. */
export function* snapshotPages(content: {
  readonly entries: readonly RegistrationEntry[];
  readonly bundles: readonly Bundle[];
  readonly cursor: Cursor;
}): Generator<Encoded, void, undefined> {
  const entryPages = pagesOf(content.entries, entrySize);
  const bundlePages = pagesOf(content.bundles, bundleSize);
  const pages: { entries?: RegistrationEntry[]; bundles?: Bundle[] }[] = [
    ...bundlePages.map((bundles) => ({ bundles })),
    ...entryPages.map((entries) => ({ entries })),
  ];
  if (pages.length === 0) pages.push({});
  for (const [i, { entries = [], bundles = [] }] of pages.entries()) {
    const last = i === pages.length - 1;
    yield Encoded.of(codec, {
      snapshot: {
        entries: entries.map((entry) => entryToWire(entry)),
        entryOrders: entries.map(orderOf),
        bundles: bundles.map((bundle) => bundleToWire(bundle)),
        last,
        ...(last && { cursor: content.cursor }),
      },
    });
  }
}

/** What changed: entries and bundles as they are now, and the names of those that are gone. */
export interface DeltaContent {
  readonly entries: readonly RegistrationEntry[];
  readonly removedEntryIds: readonly string[];
  readonly bundles: readonly Bundle[];
  readonly removedBundles: readonly string[];
  readonly cursor: Cursor;
  /** The cursor of all pieces but the last: until that one arrives the agent is no further. */
  readonly cursorBefore: Cursor;
}

/** Encodes deltas. Keeps the latest, so that agents which are told the same share the bytes. */
export class DeltaEncoder {
  readonly #shared = new Map<string, Encoded>();

  /** The pieces of a delta. */
  *encode(content: DeltaContent): Generator<Encoded, void, undefined> {
    const pages = pagesOf(content.entries, entrySize);
    for (const entries of pages.slice(0, -1)) {
      yield encodeDelta({ ...EMPTY, entries, cursor: content.cursorBefore });
    }
    const last = { ...content, entries: pages.at(-1) ?? [] };
    yield pages.length <= 1 ? this.#share(last) : encodeDelta(last);
  }

  #share(content: Omit<DeltaContent, "cursorBefore">): Encoded {
    const key = keyOf(content);
    let encoded = this.#shared.get(key);
    if (encoded !== undefined) return encoded;
    encoded = encodeDelta(content);
    for (const oldest of this.#shared.keys()) {
      if (this.#shared.size < MAX_SHARED) break;
      this.#shared.delete(oldest);
    }
    this.#shared.set(key, encoded);
    return encoded;
  }
}

const EMPTY = { removedEntryIds: [], bundles: [], removedBundles: [] };

function encodeDelta(content: Omit<DeltaContent, "cursorBefore">): Encoded {
  return Encoded.of(codec, {
    delta: {
      entries: content.entries.map((entry) => entryToWire(entry)),
      entryOrders: content.entries.map(orderOf),
      removedEntryIds: content.removedEntryIds,
      bundles: content.bundles.map((bundle) => bundleToWire(bundle)),
      removedBundles: content.removedBundles,
      cursor: content.cursor,
    },
  });
}

/** Tells apart whatever encodes differently: an entry's content is fixed by its revision and creation. */
function keyOf(content: Omit<DeltaContent, "cursorBefore">): string {
  return JSON.stringify([
    content.cursor.revision,
    content.entries.map(({ id, revisionNumber, createdAtUnixSeconds }) => [
      id,
      revisionNumber,
      createdAtUnixSeconds,
    ]),
    content.removedEntryIds,
    content.bundles.map(({ trustDomain, sequence }) => [trustDomain.name, `${sequence}`]),
    content.removedBundles,
  ]);
}

/** Cuts a list into pages by the size of its items; a larger item has a page to itself. */
function pagesOf<T>(items: readonly T[], sizeOf: (item: T) => number): T[][] {
  const pages: T[][] = [];
  let page: T[] = [];
  let size = 0;
  for (const item of items) {
    const itemSize = sizeOf(item);
    if (page.length > 0 && size + itemSize > PAGE_SIZE) {
      pages.push(page);
      page = [];
      size = 0;
    }
    page.push(item);
    size += itemSize;
  }
  if (page.length > 0) pages.push(page);
  return pages;
}

function orderOf({ creationOrder = 0 }: RegistrationEntry): number {
  return creationOrder;
}

function entrySize(entry: RegistrationEntry): number {
  let size = 100 + entry.id.length + entry.spiffeId.length + entry.parentId.length;
  size += entry.hint.length;
  for (const { type, value } of entry.selectors) size += type.length + value.length + 8;
  for (const name of entry.dnsNames) size += name.length + 4;
  for (const name of entry.federatesWith) size += name.length + 4;
  return size;
}

function bundleSize(bundle: Bundle): number {
  let size = 300;
  for (const { der } of bundle.x509Authorities) size += der.length + 8;
  const keys = [...bundle.jwtAuthorities, ...bundle.witAuthorities];
  for (const { spki, keyId } of keys) size += spki.length + keyId.length + 16;
  return size;
}
