// Hashes of a Merkle tree, RFC 6962 s2.1: SHA-256, with a first byte that tells a leaf from what is
// above it, so that no node can be passed off as a leaf.
import { hash } from "node:crypto";

/** Bytes of a hash. */
export const HASH_BYTES = 32;

const LEAF = 0x00;
const NODE = 0x01;
// One at a time: hashing is synchronous.
const pair = Buffer.alloc(1 + 2 * HASH_BYTES, NODE);

/** The hash of a leaf. */
export function leafHash(data: Uint8Array): Buffer {
  const prefixed = Buffer.allocUnsafe(data.length + 1);
  prefixed[0] = LEAF;
  prefixed.set(data, 1);
  return hash("sha256", prefixed, "buffer");
}

/**
 * As {@link leafHash}, in hexadecimal, of bytes with room for the first byte before them: spares a copy, and
 * the memory that Node takes for a hash outside its heap.
 */
export function prefixedLeafHash(bytes: Buffer): string {
  bytes[0] = LEAF;
  return hash("sha256", bytes, "hex");
}

/** The hash of two nodes, left and right. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  pair.set(left, 1);
  pair.set(right, 1 + HASH_BYTES);
  return hash("sha256", pair, "buffer");
}

/** As {@link nodeHash}, of two nodes that stand side by side in `nodes`, from `at` on, and written over the left. */
export function foldNodes(nodes: Buffer, at: number): void {
  nodes.copy(pair, 1, at, at + 2 * HASH_BYTES);
  nodes.write(hash("sha256", pair, "binary"), at, "binary");
}

/** The root of what stands side by side, left to right, largest first. */
export function foldRoots(roots: readonly Buffer[]): Buffer {
  const last = roots.at(-1);
  if (last === undefined) throw new TypeError("there is nothing to fold");
  return roots.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
}

/** The hash of a tree without leaves. */
export function emptyRoot(): Buffer {
  return hash("sha256", "", "buffer");
}
