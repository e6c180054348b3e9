// What of a growing Merkle tree is needed to add to it and to know its root: the roots of the complete
// subtrees, largest first, at most one of each height. Proofs need more: proof.ts.
import { emptyRoot, foldNodes, foldRoots, HASH_BYTES } from "./hash.ts";

/** Told of each node above the leaves when its subtree is complete. The hash is good until it returns. */
export type OnNode = (height: number, hash: Buffer) => void;

/** Of a tree whose size is counted exactly, with room for one more. */
const MAX_ROOTS = 54;

export class Frontier {
  #size: number;
  /** Left to right: the roots of the subtrees that the bits of the size stand for, the highest bit first. */
  readonly #roots: Buffer = Buffer.alloc(MAX_ROOTS * HASH_BYTES);
  #count: number;

  /** The frontier of a tree of `size` leaves, whose complete subtrees, largest first, have these roots. */
  constructor(size = 0, roots: readonly Uint8Array[] = []) {
    if (roots.length !== subtreeHeights(size).length) {
      throw new TypeError(`${roots.length} roots are no frontier of ${size} leaves`);
    }
    this.#size = size;
    this.#count = roots.length;
    for (const [i, root] of roots.entries()) this.#roots.set(root, i * HASH_BYTES);
  }

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf, by its hash. */
  append(leaf: Uint8Array, onNode?: OnNode): void {
    let at = this.#count * HASH_BYTES;
    this.#roots.set(leaf, at);
    let height = 0;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) {
      at -= HASH_BYTES;
      foldNodes(this.#roots, at);
      onNode?.(++height, this.#roots.subarray(at, at + HASH_BYTES));
    }
    this.#count = at / HASH_BYTES + 1;
    this.#size++;
  }

  /** The root of the tree. */
  root(): Buffer {
    return this.#count === 0 ? emptyRoot() : foldRoots(this.roots());
  }

  /** The roots of the complete subtrees, largest first. */
  roots(): Buffer[] {
    return Array.from({ length: this.#count }, (_, i) =>
      Buffer.from(this.#roots.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES)),
    );
  }

  /** A tree of its own from here on. */
  copy(): Frontier {
    return new Frontier(this.#size, this.roots());
  }
}

/** Heights of the complete subtrees of a tree, left to right. */
export function subtreeHeights(size: number): number[] {
  const bits = size.toString(2);
  return [...(size === 0 ? "" : bits)].flatMap((bit, i) =>
    bit === "1" ? bits.length - 1 - i : [],
  );
}
