// The messages of the link: a snapshot in pages and deltas in pieces, each far below gRPC's limit of
// 4 MiB. A delta that goes to many agents alike is encoded once. What is due: session.ts and hub.ts.
import type { Bundle } from "../../pki/bundle/bundle.ts";
import type { Init } from "../../proto/codec.ts";
import { Encoded } from "../../proto/rpc/service.ts";
import { codecOf, type signet } from "../../proto/schema.gen.ts";
import { bundleToWire } from "../../proto/types/bundle.ts";
import { entryToWire, type RegistrationEntry } from "../../proto/types/entry.ts";
import type { CrlRecord } from "../store/crls.ts";
import type { RevocationRecord } from "../store/revocation-record.ts";
import type { TaskClassRules, TaskStatus } from "./task-messages.ts";

// Counted in UTF-16 units of their strings, which take up to three bytes each: at most about 1 MiB.
const PAGE_SIZE = 340_000;
/** Deltas kept encoded: those of the latest change are all that many agents can share. */
const MAX_SHARED = 16;

const codec = codecOf("signet.link.v1.WatchResponse");

type Cursor = Init<signet.link.v1.Cursor>;
type Token = Init<signet.link.v1.TokenRevocation>;

/** Everything an agent holds, as pages; the last one carries the cursor. */
export function* snapshotPages(content: {
  readonly entries: readonly RegistrationEntry[];
  readonly bundles: readonly Bundle[];
  readonly crls?: readonly CrlRecord[];
  readonly revocations?: readonly RevocationRecord[];
  /** Those that are to be refused. */
  readonly tasks?: readonly TaskStatus[];
  readonly taskClasses?: readonly TaskClassRules[];
  readonly cursor: Cursor;
}): Generator<Encoded, void, undefined> {
  const revoked = (content.revocations ?? []).flatMap(tokensToWire);
  // What is revoked comes before what could be used: an agent that starts serving knows of it.
  const pages: Page[] = [
    ...pagesOf(content.bundles, bundleSize).map((bundles) => ({ bundles })),
    ...pagesOf(content.crls ?? [], crlSize).map((crls) => ({ crls })),
    ...pagesOf(revoked, tokenSize).map((tokens) => ({ tokens })),
    ...pagesOf(content.tasks ?? [], taskSize).map((tasks) => ({ tasks })),
    ...pagesOf(content.entries, entrySize).map((entries) => ({ entries })),
  ];
  if (pages.length === 0) pages.push({});
  for (const [i, page] of pages.entries()) {
    const { entries = [], bundles = [], crls = [], tokens = [], tasks = [] } = page;
    const last = i === pages.length - 1;
    yield Encoded.of(codec, {
      snapshot: {
        entries: entries.map((entry) => entryToWire(entry)),
        entryOrders: entries.map(orderOf),
        bundles: bundles.map((bundle) => bundleToWire(bundle)),
        crls: crls.map(({ authorityId, der }) => ({ authorityId, der })),
        tokens,
        tasks,
        taskClasses: i === 0 ? (content.taskClasses ?? []) : [],
        last,
        ...(last && { cursor: content.cursor }),
      },
    });
  }
}

interface Page {
  readonly entries?: RegistrationEntry[];
  readonly bundles?: Bundle[];
  readonly crls?: CrlRecord[];
  readonly tokens?: Token[];
  readonly tasks?: TaskStatus[];
}

/** What changed: entries and bundles as they are now, and the names of those that are gone. */
export interface DeltaContent {
  readonly entries: readonly RegistrationEntry[];
  readonly removedEntryIds: readonly string[];
  readonly bundles: readonly Bundle[];
  readonly removedBundles: readonly string[];
  readonly crls?: readonly CrlRecord[];
  /** IDs of authorities with nothing on their list. */
  readonly removedCrls?: readonly string[];
  readonly revocations?: readonly RevocationRecord[];
  readonly tasks?: readonly TaskStatus[];
  readonly taskClasses?: readonly TaskClassRules[];
  readonly removedTaskClasses?: readonly string[];
  readonly reask?: boolean;
  readonly cursor: Cursor;
  /** The cursor of all pieces but the last: until that one arrives the agent is no further. */
  readonly cursorBefore: Cursor;
}

/** Encodes deltas. Keeps the latest, so that agents which are told the same share the bytes. */
export class DeltaEncoder {
  readonly #shared = new Map<string, Encoded>();

  /** The pieces of a delta. */
  *encode(content: DeltaContent): Generator<Encoded, void, undefined> {
    const cursor = content.cursorBefore;
    const { crls, tokens } = fitting(content);
    for (const page of pagesOf(crls.ahead, crlSize)) yield this.#shareCrls(page, cursor);
    for (const page of pagesOf(tokens.ahead, tokenSize)) {
      yield encodeDelta({ ...EMPTY, tokens: page, cursor });
    }
    const tasks = pagesOf(content.tasks ?? [], taskSize);
    for (const page of tasks.slice(0, -1)) yield this.#share({ ...EMPTY, tasks: page, cursor });
    const pages = pagesOf(content.entries, entrySize);
    for (const entries of pages.slice(0, -1)) yield encodeDelta({ ...EMPTY, entries, cursor });
    const last = {
      ...EMPTY,
      ...content,
      entries: pages.at(-1) ?? [],
      crls: crls.along,
      tokens: tokens.along,
      tasks: tasks.at(-1) ?? [],
    };
    yield pages.length <= 1 ? this.#share(last) : encodeDelta(last);
  }

  /** A large list is a message by itself, with no cursor but the former: the same for many agents. */
  #shareCrls(crls: readonly CrlRecord[], cursor: Cursor): Encoded {
    return this.#share({ ...EMPTY, crls, cursor });
  }

  #share(content: DeltaPiece): Encoded {
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

/** One message. */
interface DeltaPiece extends Required<Omit<DeltaContent, "cursorBefore" | "revocations">> {
  readonly tokens: readonly Token[];
}

const EMPTY = {
  entries: [],
  removedEntryIds: [],
  bundles: [],
  removedBundles: [],
  crls: [],
  removedCrls: [],
  tokens: [],
  tasks: [],
  taskClasses: [],
  removedTaskClasses: [],
  reask: false,
};

/** What fits beside the rest of the last message, and what has to go ahead of it. */
function fitting({ crls = [], revocations = [] }: DeltaContent): {
  readonly crls: { readonly ahead: readonly CrlRecord[]; readonly along: readonly CrlRecord[] };
  readonly tokens: { readonly ahead: readonly Token[]; readonly along: readonly Token[] };
} {
  const tokens = revocations.flatMap(tokensToWire);
  const sumOf = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0);
  const crlsFit = sumOf(crls.map(crlSize)) <= PAGE_SIZE;
  const tokensFit = sumOf(tokens.map(tokenSize)) <= PAGE_SIZE;
  return {
    crls: crlsFit ? { ahead: [], along: crls } : { ahead: crls, along: [] },
    tokens: tokensFit ? { ahead: [], along: tokens } : { ahead: tokens, along: [] },
  };
}

function encodeDelta(content: DeltaPiece): Encoded {
  return Encoded.of(codec, {
    delta: {
      entries: content.entries.map((entry) => entryToWire(entry)),
      entryOrders: content.entries.map(orderOf),
      removedEntryIds: content.removedEntryIds,
      bundles: content.bundles.map((bundle) => bundleToWire(bundle)),
      removedBundles: content.removedBundles,
      crls: content.crls.map(({ authorityId, der }) => ({ authorityId, der })),
      removedCrls: content.removedCrls,
      tokens: content.tokens,
      tasks: content.tasks,
      taskClasses: content.taskClasses,
      removedTaskClasses: content.removedTaskClasses,
      reask: content.reask,
      cursor: content.cursor,
    },
  });
}

/** Tells apart whatever encodes differently: an entry's content is fixed by its revision and creation. */
function keyOf(content: DeltaPiece): string {
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
    content.crls.map(({ authorityId, number }) => [authorityId, `${number}`]),
    content.removedCrls,
    content.tokens.map(({ jti, digest, spiffeId, issuedUntil }) => [
      jti ?? spiffeId ?? Buffer.from(digest ?? []).toString("base64"),
      issuedUntil,
    ]),
    content.tasks.map(({ taskId, version }) => [taskId, `${version}`]),
    content.taskClasses.map(({ name, failMode, requirePop }) => [name, failMode, requirePop]),
    content.removedTaskClasses,
    content.reask,
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

function crlSize({ authorityId, der }: CrlRecord): number {
  // Bytes of a message against UTF-16 units elsewhere: a third, as those are counted at three bytes each.
  return authorityId.length + der.length / 3 + 16;
}

function tokenSize({ jti, spiffeId }: Token): number {
  return 32 + (jti?.length ?? 0) + (spiffeId?.length ?? 0);
}

function taskSize({ spiffeId, reason }: TaskStatus): number {
  return 80 + (spiffeId?.length ?? 0) + (reason?.length ?? 0);
}

/** The tokens that a revocation is about. */
function tokensToWire({ tokens, tokensOf, expiresAtUnixSeconds }: RevocationRecord): Token[] {
  const wire = tokens.map(({ by, value, expiresAtUnixSeconds: expiresAt }): Token => {
    return by === "jti"
      ? { jti: value, expiresAt }
      : { digest: Uint8Array.from(Buffer.from(value, "hex")), expiresAt };
  });
  if (tokensOf === undefined) return wire;
  const { spiffeId, issuedUntilUnixSeconds: issuedUntil } = tokensOf;
  return [...wire, { spiffeId, issuedUntil, expiresAt: expiresAtUnixSeconds }];
}
