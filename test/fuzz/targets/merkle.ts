// Proofs of Merkle trees. A second tree, built as RFC 6962 s2.1 defines it and of every leaf, knows what is true:
// a proof that verifies proves nothing else.
import { createHash } from "node:crypto";
import { Frontier } from "../../../pki/merkle/frontier.ts";
import { leafHash } from "../../../pki/merkle/hash.ts";
import {
  consistencyRanges,
  inclusionRanges,
  type LeafRange,
  verifyConsistency,
  verifyInclusion,
} from "../../../pki/merkle/proof.ts";
import { type FuzzTarget, holds } from "../target.ts";

const SIZE = 23;
const HASH_BYTES = 32;
const leaves = Array.from({ length: SIZE }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));

/** MTH of RFC 6962. */
function rootOf(hashes: readonly Uint8Array[]): Buffer {
  const [first] = hashes;
  if (first === undefined) return createHash("sha256").digest();
  if (hashes.length === 1) return Buffer.from(first);
  let half = 1;
  while (half * 2 < hashes.length) half *= 2;
  const [left, right] = [rootOf(hashes.slice(0, half)), rootOf(hashes.slice(half))];
  return createHash("sha256").update(Buffer.of(1)).update(left).update(right).digest();
}

const roots = Array.from({ length: SIZE + 1 }, (_, size) => rootOf(leaves.slice(0, size)));
const hashesOf = (ranges: readonly LeafRange[]): Buffer[] =>
  ranges.map(({ start, end }) => rootOf(leaves.slice(start, end)));

/** Which proof, of what, in a tree of which size; then its hashes. */
function input(kind: number, of: number, size: number, path: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(kind, of, size), ...path]);
}

export const merkle: FuzzTarget = {
  name: "merkle-proof",
  reads: "proofs that an event is in an audit log, and that a log only grew",
  maxBytes: 512,
  seeds: () => [
    ...[0, 6, 22].map((i) => input(0, i, SIZE, hashesOf(inclusionRanges(i, SIZE)))),
    ...[0, 1, 8, 13, 23].map((old) => input(1, old, SIZE, hashesOf(consistencyRanges(old, SIZE)))),
    input(0, 0, 1, []),
    input(1, 16, 16, []),
    Buffer.concat([input(2, 5, 9, []), Buffer.alloc(HASH_BYTES, 1)]),
  ],
  run(data) {
    const [kind = 0, of = 0, size = 0] = data;
    const path: Uint8Array[] = [];
    for (let at = 3; at < data.length; at += HASH_BYTES) {
      path.push(data.subarray(at, at + HASH_BYTES));
    }
    const root = roots[size] ?? path.shift() ?? Buffer.alloc(HASH_BYTES);
    if (kind % 3 === 0) checkInclusion(of, size, path, root);
    else if (kind % 3 === 1) checkConsistency(of, size, path, root);
    else checkNonsense(data, path);
    const tree = new Frontier();
    for (const leaf of leaves.slice(0, of)) tree.append(leaf);
    if (of <= SIZE) holds(tree.root().equals(roots[of] ?? root), "the frontier has another root");
  },
};

function checkInclusion(
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): void {
  for (const [i, leaf] of leaves.entries()) {
    if (!verifyInclusion(leaf, index, size, path, root)) continue;
    holds(i === index && index < size, "a leaf that does not stand there is proved");
    const expected = hashesOf(inclusionRanges(index, size));
    holds(Buffer.concat(expected).equals(Buffer.concat(path)), "a second proof of one leaf");
  }
  // A node is no leaf, and neither is anything in the proof.
  for (const hash of path) {
    const isLeaf = leaves.some((leaf) => leaf.equals(hash));
    const isProved = verifyInclusion(hash, index, size, path, root);
    holds(isLeaf || !isProved, "a node is proved to be a leaf");
  }
  if (index >= size || size > SIZE) return;
  const leaf = leaves[index] ?? root;
  const whole = hashesOf(inclusionRanges(index, size));
  holds(verifyInclusion(leaf, index, size, whole, root), "a true proof is refused");
  for (const [i] of whole.entries()) {
    const less = whole.filter((_, j) => j !== i);
    holds(!verifyInclusion(leaf, index, size, less, root), "a part of a proof is enough");
  }
}

function checkConsistency(
  old: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): void {
  for (const [i, oldRoot] of roots.entries()) {
    if (!verifyConsistency(old, oldRoot, size, root, path)) continue;
    holds(i === old && old <= size, "a log that was rewritten is said to have grown");
    const expected = hashesOf(consistencyRanges(old, size));
    holds(Buffer.concat(expected).equals(Buffer.concat(path)), "a second proof of one log");
  }
  if (old > size || size > SIZE) return;
  const whole = hashesOf(consistencyRanges(old, size));
  const oldRoot = roots[old] ?? root;
  holds(verifyConsistency(old, oldRoot, size, root, whole), "a true proof is refused");
}

/** Sizes beyond every log: answered at once, and never with yes. */
function checkNonsense(data: Uint8Array, path: readonly Uint8Array[]): void {
  const bytes = Buffer.alloc(16, data);
  const [index, size] = [bytes.readDoubleBE(0), bytes.readDoubleBE(8)];
  const leaf = leaves[0] ?? bytes;
  for (const [of, all] of [
    [index, size],
    [2 ** 53 - 2, 2 ** 53 - 1],
    [-1, 1],
    [0.5, 2],
    [0, 2 ** 60],
  ] as const) {
    const isProved = verifyInclusion(leaf, of, all, path, roots[SIZE] ?? bytes);
    holds(!isProved, "a leaf beyond the log is proved");
    const grew = verifyConsistency(of, roots[3] ?? bytes, all, roots[SIZE] ?? bytes, path);
    holds(!grew || (of === 3 && all === SIZE), "a log beyond the log is proved");
  }
}
