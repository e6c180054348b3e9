// Proofs of a Merkle tree, RFC 6962 s2.1.1 and s2.1.2: that a leaf is in it, and that it only adds to a
// smaller one. What a proof is made of is told as ranges of leaves, since where hashes are kept is not
// known here; verifying needs nothing but the proof.
import { emptyRoot, HASH_BYTES, nodeHash } from "./hash.ts";

/** Leaves from `start` to before `end`: those below one node of the tree. */
export interface LeafRange {
  readonly start: number;
  readonly end: number;
}

/** The ranges whose roots prove that the leaf at `index` is in a tree of `size` leaves, bottom first. */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  if (!(index >= 0 && index < size)) throw new TypeError(`no leaf ${index} among ${size}`);
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + split(end - start);
    ranges.unshift(index < middle ? { start: middle, end } : { start, end: middle });
    [start, end] = index < middle ? [start, middle] : [middle, end];
  }
  return ranges;
}

/** The ranges whose roots prove that a tree of `size` leaves adds to its first `oldSize`, bottom first. */
export function consistencyRanges(oldSize: number, size: number): LeafRange[] {
  if (!(oldSize >= 0 && oldSize <= size)) throw new TypeError(`no tree of ${oldSize} in ${size}`);
  if (oldSize === 0) return [];
  const ranges: LeafRange[] = [];
  let [start, end] = [0, size];
  while (end > oldSize) {
    const middle = start + split(end - start);
    ranges.unshift(oldSize <= middle ? { start: middle, end } : { start, end: middle });
    [start, end] = oldSize <= middle ? [start, middle] : [middle, end];
  }
  if (start > 0) ranges.unshift({ start, end });
  return ranges;
}

/** The complete subtrees that a range consists of, left to right, each by its height and number. */
export function subtreesOf({ start, end }: LeafRange): { height: number; index: number }[] {
  const subtrees: { height: number; index: number }[] = [];
  for (let at = start; at < end; ) {
    const height = Math.floor(Math.log2(end - at));
    // Log2 of large numbers may round up.
    const fits = at + 2 ** height <= end ? height : height - 1;
    subtrees.push({ height: fits, index: at / 2 ** fits });
    at += 2 ** fits;
  }
  return subtrees;
}

/** Whether `path` proves that the leaf with this hash stands at `index` in the tree of this size and root. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  path: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  if (!areSizes(index, size) || index >= size || !areHashes([leaf, root, ...path])) return false;
  const rest = [...path];
  const rootOf = (at: number, count: number): Uint8Array | undefined => {
    if (count === 1) return rest.length === 0 ? leaf : undefined;
    const sibling = rest.pop();
    const middle = split(count);
    const below = at < middle ? rootOf(at, middle) : rootOf(at - middle, count - middle);
    if (sibling === undefined || below === undefined) return undefined;
    return at < middle ? nodeHash(below, sibling) : nodeHash(sibling, below);
  };
  const found = rootOf(index, size);
  return found !== undefined && Buffer.compare(found, root) === 0;
}

/** Whether `path` proves that the tree of `size` and `root` begins with that of `oldSize` and `oldRoot`. */
export function verifyConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  size: number,
  root: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (!areSizes(oldSize, size) || oldSize > size) return false;
  if (!areHashes([oldRoot, root, ...path])) return false;
  // Every tree adds to the empty one, which has one root alone.
  if (oldSize === 0) return path.length === 0 && Buffer.compare(oldRoot, emptyRoot()) === 0;
  const rest = [...path];
  /** The root over the old leaves of a node, and over all of it. */
  const rootsOf = (
    old: number,
    count: number,
    isWhole: boolean,
  ): readonly [Uint8Array, Uint8Array] | undefined => {
    if (old === count) {
      const hash = isWhole ? oldRoot : rest.pop();
      return hash === undefined || rest.length > 0 ? undefined : [hash, hash];
    }
    const sibling = rest.pop();
    const middle = split(count);
    const below =
      old <= middle ? rootsOf(old, middle, isWhole) : rootsOf(old - middle, count - middle, false);
    if (sibling === undefined || below === undefined) return undefined;
    const [was, is] = below;
    return old <= middle
      ? [was, nodeHash(is, sibling)]
      : [nodeHash(sibling, was), nodeHash(sibling, is)];
  };
  const found = rootsOf(oldSize, size, true);
  if (found === undefined) return false;
  return Buffer.compare(found[0], oldRoot) === 0 && Buffer.compare(found[1], root) === 0;
}

/** The largest power of two below. */
function split(count: number): number {
  let power = 2 ** Math.floor(Math.log2(count));
  if (power > count) power /= 2;
  return power === count ? power / 2 : power;
}

function areSizes(...sizes: number[]): boolean {
  return sizes.every((size) => Number.isSafeInteger(size) && size >= 0);
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.length <= 256 && hashes.every(({ length }) => length === HASH_BYTES);
}
