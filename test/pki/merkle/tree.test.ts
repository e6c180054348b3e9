// The Merkle tree against the published example of RFC 6962 implementations, and against one that follows
// the definitions of its section 2.1 word for word and shares nothing with ours.
import { createHash } from "node:crypto";
import fc from "fast-check";
import t from "tap";
import { Frontier, subtreeHeights } from "../../../pki/merkle/frontier.ts";
import { emptyRoot, foldRoots, leafHash, prefixedLeafHash } from "../../../pki/merkle/hash.ts";
import {
  consistencyRanges,
  inclusionRanges,
  subtreesOf,
  verifyConsistency,
  verifyInclusion,
} from "../../../pki/merkle/proof.ts";

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The largest power of two below n. */
function k(n: number): number {
  let power = 1;
  while (power * 2 < n) power *= 2;
  return power;
}

/** MTH(D[n]). */
function mth(d: readonly Uint8Array[]): Buffer {
  if (d.length === 0) return sha256(Buffer.alloc(0));
  if (d.length === 1) return sha256(Buffer.of(0), d[0] ?? Buffer.alloc(0));
  const half = k(d.length);
  return sha256(Buffer.of(1), mth(d.slice(0, half)), mth(d.slice(half)));
}

/** PATH(m, D[n]). */
function path(m: number, d: readonly Uint8Array[]): Buffer[] {
  if (d.length === 1) return [];
  const half = k(d.length);
  return m < half
    ? [...path(m, d.slice(0, half)), mth(d.slice(half))]
    : [...path(m - half, d.slice(half)), mth(d.slice(0, half))];
}

/** SUBPROOF(m, D[n], b). */
function subproof(m: number, d: readonly Uint8Array[], b: boolean): Buffer[] {
  if (m === d.length) return b ? [] : [mth(d)];
  const half = k(d.length);
  return m <= half
    ? [...subproof(m, d.slice(0, half), b), mth(d.slice(half))]
    : [...subproof(m - half, d.slice(half), false), mth(d.slice(0, half))];
}

const LEAVES = [
  "",
  "00",
  "10",
  "2021",
  "3031",
  "40414243",
  "5051525354555657",
  "606162636465666768696a6b6c6d6e6f",
].map((hex) => Buffer.from(hex, "hex"));
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

function grow(leaves: readonly Uint8Array[]): Frontier {
  const tree = new Frontier();
  for (const leaf of leaves) tree.append(leafHash(leaf));
  return tree;
}

const leavesOf = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, i) => Buffer.from(`leaf ${i}`));

t.test("has the published roots", async (t) => {
  for (const [size, root] of ROOTS.entries()) {
    t.equal(grow(LEAVES.slice(0, size)).root().toString("hex"), root, `${size} leaves`);
    t.equal(mth(LEAVES.slice(0, size)).toString("hex"), root, "and so has the other one");
  }
  t.equal(emptyRoot().toString("hex"), ROOTS[0]);
  t.same(prefixedLeafHash(Buffer.from("\nabc")), leafHash(Buffer.from("abc")).toString("hex"));
});

t.test("tells of every node above the leaves once, when it is complete", async (t) => {
  const nodes = new Map<number, string[]>();
  const tree = new Frontier();
  for (const leaf of leavesOf(37)) {
    tree.append(leafHash(leaf), (height, hash) => {
      nodes.set(height, [...(nodes.get(height) ?? []), hash.toString("hex")]);
    });
  }
  for (const height of [1, 2, 3, 4, 5]) {
    const span = 2 ** height;
    const wanted = Array.from({ length: Math.floor(37 / span) }, (_, i) =>
      mth(leavesOf(37).slice(i * span, (i + 1) * span)).toString("hex"),
    );
    t.same(nodes.get(height), wanted, `height ${height}`);
  }
  t.equal(nodes.get(6), undefined);
});

t.test("goes on from its complete subtrees alone, and a copy goes on by itself", async (t) => {
  for (const size of [0, 1, 5, 8, 13]) {
    const first = grow(leavesOf(size));
    const again = new Frontier(first.size, first.roots());
    const copy = first.copy();
    again.append(leafHash(Buffer.from(`leaf ${size}`)));
    t.same(again.root(), mth(leavesOf(size + 1)));
    t.same(copy.root(), mth(leavesOf(size)));
  }
  t.throws(() => new Frontier(3, [Buffer.alloc(32)]), TypeError);
  t.same(subtreeHeights(2 ** 40 + 1), [40, 0], "beyond 32 bits");
});

const rangeRoot = (leaves: readonly Uint8Array[]) => (range: { start: number; end: number }) =>
  mth(leaves.slice(range.start, range.end));

t.test("proofs are those of the definitions, for every size up to 34", async (t) => {
  const all = leavesOf(34);
  for (let size = 1; size <= all.length; size++) {
    const leaves = all.slice(0, size);
    const root = mth(leaves);
    for (let at = 0; at < size; at++) {
      const proof = inclusionRanges(at, size).map(rangeRoot(leaves));
      if (!Buffer.concat(proof).equals(Buffer.concat(path(at, leaves)))) t.fail(`${at} of ${size}`);
      const leaf = leafHash(leaves[at] ?? root);
      if (!verifyInclusion(leaf, at, size, proof, root)) t.fail(`refused: ${at} of ${size}`);
    }
    for (let old = 0; old <= size; old++) {
      const proof = consistencyRanges(old, size).map(rangeRoot(leaves));
      const wanted = old === 0 ? [] : subproof(old, leaves, true);
      if (!Buffer.concat(proof).equals(Buffer.concat(wanted))) t.fail(`${old} to ${size}`);
      if (!verifyConsistency(old, mth(leaves.slice(0, old)), size, root, proof)) {
        t.fail(`refused: ${old} to ${size}`);
      }
    }
  }
  t.pass("every one");
});

t.test("a tree adds to the empty one, which has one root alone", async (t) => {
  const root = mth(leavesOf(3));
  t.equal(verifyConsistency(0, mth([]), 3, root, []), true);
  t.equal(verifyConsistency(0, root, 3, root, []), false);
});

t.test("ranges come apart into complete subtrees", async (t) => {
  const leaves = leavesOf(100);
  for (const range of inclusionRanges(70, 100)) {
    const roots = subtreesOf(range).map(({ height, index }) =>
      mth(leaves.slice(index * 2 ** height, (index + 1) * 2 ** height)),
    );
    t.same(foldRoots(roots), mth(leaves.slice(range.start, range.end)));
  }
  t.same(subtreesOf({ start: 0, end: 2 ** 48 - 1 }).length, 48, "no rounding");
});

t.test("a proof holds for nothing else: other leaf, place, size, root or hashes", async (t) => {
  const sizes = fc.integer({ min: 1, max: 200 });
  const wrong = fc.record({
    size: sizes,
    at: fc.nat(),
    flip: fc.nat(),
    how: fc.constantFrom("leaf", "root", "path", "short", "long", "index", "size"),
  });
  fc.assert(
    fc.property(wrong, ({ size, at: any, flip, how }) => {
      const at = any % size;
      const leaves = leavesOf(size);
      const proof = path(at, leaves);
      const [leaf, root] = [leafHash(leaves[at] ?? Buffer.alloc(0)), mth(leaves)];
      const bent = (hash: Buffer): Buffer => {
        const copy = Buffer.from(hash);
        const byte = flip % 32;
        copy[byte] = (copy[byte] ?? 0) ^ (1 << (flip % 8));
        return copy;
      };
      if (how === "leaf") return !verifyInclusion(bent(leaf), at, size, proof, root);
      if (how === "root") return !verifyInclusion(leaf, at, size, proof, bent(root));
      if (how === "long") return !verifyInclusion(leaf, at, size, [...proof, leaf], root);
      if (how === "index")
        return !verifyInclusion(leaf, (at + 1) % size, size, proof, root) || size === 1;
      if (how === "size") return !verifyInclusion(leaf, at, at, proof, root);
      if (proof.length === 0) return true;
      if (how === "short") return !verifyInclusion(leaf, at, size, proof.slice(1), root);
      const i = flip % proof.length;
      const other = proof.map((hash, n) => (n === i ? bent(hash) : hash));
      return !verifyInclusion(leaf, at, size, other, root);
    }),
    { numRuns: 300 },
  );
  const old = leavesOf(11);
  const now = leavesOf(23);
  const proof = subproof(11, now, true);
  const [oldRoot, root] = [mth(old), mth(now)];
  t.ok(verifyConsistency(11, oldRoot, 23, root, proof));
  const rewritten = mth([Buffer.from("other"), ...old.slice(1)]);
  for (const [what, verdict] of [
    ["another old root", verifyConsistency(11, rewritten, 23, root, proof)],
    ["another new root", verifyConsistency(11, oldRoot, 23, mth(old), proof)],
    ["another old size", verifyConsistency(10, oldRoot, 23, root, proof)],
    ["one hash less", verifyConsistency(11, oldRoot, 23, root, proof.slice(1))],
    ["one hash more", verifyConsistency(11, oldRoot, 23, root, [...proof, root])],
    ["the same size and another root", verifyConsistency(11, oldRoot, 11, root, [])],
    ["smaller than before", verifyConsistency(23, root, 11, oldRoot, [])],
    ["something for nothing", verifyConsistency(0, oldRoot, 23, root, proof)],
    ["a hash that is none", verifyConsistency(11, oldRoot, 23, root, [Buffer.alloc(31)])],
    ["no number", verifyInclusion(root, Number.NaN, 23, proof, root)],
    ["a place beyond", verifyInclusion(root, 23, 23, proof, root)],
  ] as const) {
    t.equal(verdict, false, what);
  }
  t.throws(() => inclusionRanges(3, 3), TypeError);
  t.throws(() => consistencyRanges(4, 3), TypeError);
});
