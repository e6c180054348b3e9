// The serial numbers that are revoked, in memory: what the server asks of its own callers. They are 126
// random bits, so that the number alone names a certificate of this trust domain; those of other trust
// domains are theirs to revoke.
import type { RevocationRecord } from "../store/revocation-record.ts";
import type { RevocationStore } from "../store/revocations.ts";

export class RevokedSerials {
  /** How many revocations name each. */
  readonly #serials = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;

  constructor(revocations: Pick<RevocationStore, "values" | "onChange">) {
    for (const record of revocations.values()) this.#count(record, 1);
    this.#unsubscribe = revocations.onChange((changes) => {
      const sizeBefore = this.#serials.size;
      for (const { before, after } of changes) {
        // The new first: what both name is revoked all the time.
        if (after !== undefined) this.#count(after, 1);
        if (before !== undefined) this.#count(before, -1);
      }
      if (this.#serials.size > sizeBefore) for (const listener of this.#listeners) listener();
    });
  }

  /** How many there are. */
  get size(): number {
    return this.#serials.size;
  }

  /** Whether a certificate of this trust domain is revoked; `serialHex` has lowercase digits. */
  has(serialHex: string): boolean {
    return this.#serials.size > 0 && this.#serials.has(serialHex.replace(/^0+/, ""));
  }

  /** Calls `listener` when more were revoked; returns its end. */
  onRevoked(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  stop(): void {
    this.#unsubscribe();
  }

  #count({ certificates }: RevocationRecord, by: 1 | -1): void {
    for (const { serial } of certificates) {
      const bare = serial.replace(/^0+/, "");
      const count = (this.#serials.get(bare) ?? 0) + by;
      if (count > 0) this.#serials.set(bare, count);
      else this.#serials.delete(bare);
    }
  }
}
