// Rows in memory and on disk: what goes in comes out, what expired goes, names go with the last row.
import { randomBytes } from "node:crypto";
import t from "tap";
import { decodeBlock, encodeBlock } from "../../../server/ledger/block.ts";
import { type IssuedDocument, jtiDigest, tokenDigest } from "../../../server/ledger/document.ts";
import { Names } from "../../../server/ledger/names.ts";
import { BUCKET_SECONDS, bucketOf, LedgerTable } from "../../../server/ledger/table.ts";

function document(changes: Partial<IssuedDocument> = {}): IssuedDocument {
  return {
    kind: "x509",
    name: Uint8Array.from(randomBytes(16)),
    authorityId: "ab".repeat(20),
    spiffeId: "spiffe://north.test/web",
    agentId: "spiffe://north.test/spire/agent/a",
    issuedAtUnixSeconds: 1000,
    expiresAtUnixSeconds: 5000,
    ...changes,
  };
}

const SAMPLES: readonly IssuedDocument[] = [
  document(),
  document({ kind: "jwt", authorityId: "", jti: jtiDigest("j1") }),
  document({ kind: "wit", authorityId: "", jti: jtiDigest("j2"), agentId: "" }),
  document({
    spiffeId: `spiffe://north.test/${"é".repeat(3)}`,
    expiresAtUnixSeconds: 4_294_967_295,
  }),
];

t.test("finds documents by whatever names them", async (t) => {
  const table = new LedgerTable();
  for (const one of SAMPLES) table.add(one);
  const [x509, jwt, wit] = SAMPLES;
  t.same(table.find({}, 0), SAMPLES);
  t.same(table.find({ kind: "x509", name: x509?.name ?? new Uint8Array() }, 0), [x509]);
  t.same(table.find({ kind: "token", name: x509?.name ?? new Uint8Array() }, 0), []);
  t.same(table.find({ jti: jtiDigest("j1") }, 0), [jwt]);
  t.same(table.find({ jti: jtiDigest("j3") }, 0), []);
  t.same(table.find({ agentId: "" }, 0), [wit]);
  t.same(table.find({ spiffeId: "spiffe://north.test/web", agentId: "" }, 0), [wit]);
  t.same(table.find({ spiffeId: "spiffe://north.test/other" }, 0), []);
  t.same(table.find({}, 5000), [SAMPLES[3]], "what has expired is not found");
});

t.test("ten thousand rows take 64 bytes each at most, and names are held once", async (t) => {
  const table = new LedgerTable();
  for (let i = 0; i < 10_000; i++) table.add(document({ expiresAtUnixSeconds: 5000 + (i % 900) }));
  t.equal(table.size, 10_000);
  t.ok(table.bytes / table.size <= 64, `${table.bytes / table.size} bytes`);
});

t.test("drops whole buckets, and with them names that nobody else has", async (t) => {
  const table = new LedgerTable();
  table.add(document({ spiffeId: "spiffe://north.test/short", expiresAtUnixSeconds: 100 }));
  table.add(document({ expiresAtUnixSeconds: 100 + BUCKET_SECONDS }));
  table.dropBefore(bucketOf(100 + BUCKET_SECONDS));
  t.equal(table.size, 1);
  t.same(table.find({ spiffeId: "spiffe://north.test/short" }, 0), []);
  table.add(document({ spiffeId: "spiffe://north.test/next", expiresAtUnixSeconds: 5000 }));
  t.equal(table.find({ spiffeId: "spiffe://north.test/next" }, 0).length, 1);
  t.equal(table.find({ spiffeId: "spiffe://north.test/web" }, 0).length, 1, "others kept theirs");
});

t.test("a name lives as long as a row names it", async (t) => {
  const names = new Names();
  const first = names.take("a");
  t.equal(names.take("a"), first);
  names.release(first);
  t.equal(names.find("a"), first);
  names.release(first);
  t.equal(names.find("a"), undefined);
  t.equal(names.take("b"), first, "its number is used again");
  t.equal(names.at(first), "b");
  t.equal(names.size, 1);
});

t.test("a block says what was put into it", async (t) => {
  t.same(decodeBlock("x", encodeBlock(SAMPLES)), SAMPLES);
  t.same(decodeBlock("x", encodeBlock([])), []);
  const many = Array.from({ length: 2000 }, (_, i) =>
    document({ spiffeId: `spiffe://north.test/${i}` }),
  );
  t.same(decodeBlock("x", encodeBlock(many)), many);
});

t.test("a block that is damaged is refused, wherever it is", async (t) => {
  const block = encodeBlock(SAMPLES);
  const bad = { reason: "LEDGER_DAMAGED", code: 15, hint: /backup/ };
  for (const length of [0, 1, 2, 3, 10, block.length - 1]) {
    t.throws(() => decodeBlock("x", block.subarray(0, length)), bad, `cut to ${length}`);
  }
  const strange = Uint8Array.from(block);
  strange[0] = 9;
  t.throws(() => decodeBlock("x", strange), bad, "of another format");
});

t.test("a token is named by what its signature covers", async (t) => {
  t.same(tokenDigest("a.b.c"), tokenDigest("a.b.another signature"));
  t.notSame(tokenDigest("a.b.c"), tokenDigest("a.x.c"));
  t.equal(tokenDigest("a.b.c").length, 16);
});
