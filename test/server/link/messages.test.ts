// The link's messages: pages, pieces, and bytes that many agents share.
import t from "tap";
import type { Bundle } from "../../../pki/bundle/bundle.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { codecOf } from "../../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../../proto/types/entry.ts";
import { DeltaEncoder, snapshotPages } from "../../../server/link/messages.ts";

const codec = codecOf("signet.link.v1.WatchResponse");
const bundle: Bundle = {
  trustDomain: TrustDomain.parse("north.test"),
  x509Authorities: [],
  jwtAuthorities: [],
  witAuthorities: [],
  sequence: 1n,
  refreshHintSeconds: 300,
};

function entry(id: string, valueLength = 10, revisionNumber = 0): RegistrationEntry {
  return {
    id,
    spiffeId: "spiffe://north.test/web",
    parentId: "spiffe://north.test/node",
    selectors: [{ type: "unix", value: "€".repeat(valueLength) }],
    x509SvidTtlSeconds: 0,
    jwtSvidTtlSeconds: 0,
    federatesWith: [],
    admin: false,
    downstream: false,
    expiresAtUnixSeconds: 0,
    dnsNames: [],
    revisionNumber,
    storeSvid: false,
    hint: "",
    createdAtUnixSeconds: 1,
    disableX509SvidPrefetch: false,
    jwtSvidIncludeJti: false,
  };
}

const cursor = { epoch: "store", revision: 7 };
const cursorBefore = { epoch: "store", revision: 6 };
const NOTHING = { entries: [], removedEntryIds: [], bundles: [], removedBundles: [] };

t.test("an empty snapshot is one page, the last", async (t) => {
  const pages = [...snapshotPages({ entries: [], bundles: [], cursor })];
  t.equal(pages.length, 1);
  t.match(codec.decode(pages[0]?.bytes ?? Buffer.of()).snapshot, { last: true, cursor });
});

t.test("pages and pieces stay below about 1 MiB, whatever is in them", async (t) => {
  const entries = Array.from({ length: 1000 }, (_, i) => entry(`e${i}`, 4000));
  const pages = [...snapshotPages({ entries, bundles: [bundle], cursor })];
  const pieces = [...new DeltaEncoder().encode({ ...NOTHING, entries, cursor, cursorBefore })];
  for (const { bytes } of [...pages, ...pieces]) t.ok(bytes.length < 1.1 * 1024 * 1024);
  const decoded = pages.map(({ bytes }) => codec.decode(bytes).snapshot);
  t.equal(decoded.flatMap((page) => page?.entries ?? []).length, 1000);
  t.same(decoded.map((page) => page?.last).indexOf(true), decoded.length - 1);
  const deltas = pieces.map(({ bytes }) => codec.decode(bytes).delta);
  t.equal(deltas.flatMap((delta) => delta?.entries ?? []).length, 1000);
  t.ok(
    deltas.slice(0, -1).every((delta) => delta?.cursor?.revision === 6),
    "who loses the link in between is no further than before",
  );
  t.equal(deltas.at(-1)?.cursor?.revision, 7);
});

t.test("agents that are told the same get the same bytes", async (t) => {
  const encoder = new DeltaEncoder();
  const encode = (entries: RegistrationEntry[], revision = 7, removedEntryIds: string[] = []) => {
    const at = { epoch: "store", revision };
    const content = { ...NOTHING, entries, removedEntryIds, cursor: at, cursorBefore };
    return [...encoder.encode(content)][0];
  };
  const first = encode([entry("a")]);
  t.equal(encode([entry("a")]), first);
  t.not(encode([entry("a", 10, 1)]), first, "a later state of the entry");
  t.not(encode([entry("b")]), first);
  t.not(encode([entry("a")], 8), first, "a later cursor");
  t.not(encode([], 7, ["a"]), first, "its removal");
  for (let revision = 100; revision < 200; revision++) encode([entry("a")], revision);
  t.not(encode([entry("a")]), first, "only the latest are kept");
});
