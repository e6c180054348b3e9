// What of a growing Merkle tree is needed to add to it and to know its root: the roots of the complete
// subtrees, largest first, at most one of each height. Proofs need more: proof.ts.
import { emptyRoot, nodeHash } from "./hash.ts";

/** Told of each node above the leaves when its subtree is complete. */
export type OnNode = (height: number, hash: Buffer) => void;

export class Frontier {
  #size: number;
  /** Left to right: the subtrees that the bits of the size stand for, the highest bit first. */
  readonly #roots: Buffer[];

  /** The frontier of a tree of `size` leaves, whose complete subtrees, largest first, have these roots. */
  constructor(size = 0, roots: readonly Uint8Array[] = []) {
    if (roots.length !== subtreeHeights(size).length) {
      throw new TypeError(`${roots.length} roots are no frontier of ${size} leaves`);
    }
    this.#size = size;
    this.#roots = roots.map((root) => Buffer.from(root));
  }

  /** How many leaves there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds a leaf, by its hash. */
  append(leaf: Buffer, onNode?: OnNode): void {
    let hash = leaf;
    let height = 0;
    for (let rest = this.#size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
      const left = this.#roots.pop();
      if (left === undefined) throw new TypeError("a frontier without its roots");
      hash = nodeHash(left, hash);
      onNode?.(++height, hash);
    }
    this.#roots.push(hash);
    this.#size++;
  }

  /** The root of the tree. */
  root(): Buffer {
    const last = this.#roots.at(-1);
    if (last === undefined) return emptyRoot();
    return this.#roots.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last);
  }

  /** The roots of the complete subtrees, largest first. */
  roots(): readonly Buffer[] {
    return [...this.#roots];
  }

  /** A tree of its own from here on. */
  copy(): Frontier {
    return new Frontier(this.#size, this.#roots);
  }
}

/** Heights of the complete subtrees of a tree, left to right. */
export function subtreeHeights(size: number): number[] {
  const bits = size.toString(2);
  return [...(size === 0 ? "" : bits)].flatMap((bit, i) =>
    bit === "1" ? bits.length - 1 - i : [],
  );
}
