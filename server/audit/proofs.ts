// Makes proofs from the stored hashes of the tree.
import { foldRoots, HASH_BYTES, nodeHash } from "../../pki/merkle/hash.ts";
import {
  consistencyRanges,
  inclusionRanges,
  type LeafRange,
  subtreesOf,
} from "../../pki/merkle/proof.ts";
import type { TreeFiles } from "./tree-files.ts";

const STEP = 8;

/** That the leaf at `index` is in the tree of the first `size` leaves. */
export function inclusionProof(hashes: TreeFiles, index: number, size: number): Promise<Buffer[]> {
  return Promise.all(inclusionRanges(index, size).map((range) => rootOf(hashes, range)));
}

/** That the tree of the first `size` leaves adds to that of the first `oldSize`. */
export function consistencyProof(
  hashes: TreeFiles,
  oldSize: number,
  size: number,
): Promise<Buffer[]> {
  return Promise.all(consistencyRanges(oldSize, size).map((range) => rootOf(hashes, range)));
}

async function rootOf(hashes: TreeFiles, range: LeafRange): Promise<Buffer> {
  const subtrees = subtreesOf(range);
  return foldRoots(
    await Promise.all(subtrees.map(({ height, index }) => completeRoot(hashes, height, index))),
  );
}

/** Of a complete subtree: from the hashes of the next lower height that is stored. */
async function completeRoot(hashes: TreeFiles, height: number, index: number): Promise<Buffer> {
  const stored = Math.floor(height / STEP) * STEP;
  const count = 2 ** (height - stored);
  const bytes = await hashes.read(stored, index * count, count);
  let level = Array.from({ length: count }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
  while (level.length > 1) {
    level = Array.from({ length: level.length / 2 }, (_, i) =>
      nodeHash(level[2 * i] ?? bytes, level[2 * i + 1] ?? bytes),
    );
  }
  return level[0] ?? bytes;
}
