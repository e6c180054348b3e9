// The link's messages: pages, pieces, and bytes that many agents share.
import t from "tap";
import type { Bundle } from "../../../pki/bundle/bundle.ts";
import { TrustDomain } from "../../../pki/spiffe-id.ts";
import { codecOf } from "../../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../../proto/types/entry.ts";
import { DeltaEncoder, snapshotPages } from "../../../server/link/messages.ts";
import type { CrlRecord } from "../../../server/store/crls.ts";
import type { RevocationRecord } from "../../../server/store/revocation-record.ts";

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

const crl = (authorityId: string, bytes: number, number = 1n): CrlRecord => ({
  authorityId,
  number,
  thisUpdate: new Date(0),
  nextUpdate: new Date(1),
  size: 1,
  content: "",
  der: new Uint8Array(bytes),
});

t.test("what is revoked comes before the entries, in messages that fit", async (t) => {
  const tokens = Array.from({ length: 30_000 }, (_, i) => ({
    by: "digest" as const,
    value: i.toString(16).padStart(32, "0"),
    expiresAtUnixSeconds: 9,
  }));
  const revocation: RevocationRecord = {
    id: "r",
    target: { kind: "agent", value: "spiffe://north.test/spire/agent/a" },
    reason: "unspecified",
    revokedAtUnixMs: 0,
    revokedBy: "local",
    certificates: [],
    tokens,
    tokensOf: { spiffeId: "spiffe://north.test/web", issuedUntilUnixSeconds: 5 },
    expiresAtUnixSeconds: 9,
  };
  const crls = [crl("aa", 3_700_000), crl("bb", 100), crl("cc", 600_000)];
  const revoked = { crls, revocations: [revocation] };
  const entries = [entry("e")];
  const pages = [...snapshotPages({ entries, bundles: [bundle], ...revoked, cursor })];
  const delta = { ...NOTHING, entries, ...revoked, removedCrls: ["dd"], reask: true };
  const pieces = [...new DeltaEncoder().encode({ ...delta, cursor, cursorBefore })];
  for (const { bytes } of [...pages, ...pieces]) t.ok(bytes.length < 4 * 1024 * 1024);
  const snapshots = pages.flatMap(({ bytes }) => codec.decode(bytes).snapshot ?? []);
  const deltas = pieces.flatMap(({ bytes }) => codec.decode(bytes).delta ?? []);
  for (const told of [snapshots, deltas]) {
    t.same(
      told.flatMap((one) => one.crls.map(({ authorityId }) => authorityId)),
      ["aa", "bb", "cc"],
    );
    t.equal(told.flatMap((one) => one.tokens).length, 30_001);
    t.equal(told.at(-1)?.entries.length, 1, "entries last");
    t.equal(told.at(-1)?.cursor?.revision, 7);
  }
  t.ok(deltas.slice(0, -1).every((one) => one.cursor?.revision === 6 && !one.reask));
  t.match(deltas.at(-1), { removedCrls: ["dd"], reask: true });
});

t.test("a newer list, and other tokens, are other bytes", async (t) => {
  const encoder = new DeltaEncoder();
  const encode = (more: object) =>
    [...encoder.encode({ ...NOTHING, cursor, cursorBefore, ...more })][0];
  const first = encode({ crls: [crl("aa", 10)] });
  t.equal(encode({ crls: [crl("aa", 10)] }), first);
  t.not(encode({ crls: [crl("aa", 10, 2n)] }), first);
  t.not(encode({ removedCrls: ["aa"] }), first);
  t.not(encode({ reask: true }), encode({}));
});
