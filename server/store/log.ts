// The store as every record module sees it: one ordered key-value log with revisions
// (`get`, `list`, `commit` with preconditions, gap-free `watch`). Engines: engine-level.ts.
// A contract suite (test/contracts/ordered-log.ts) holds every engine to what is said here.

import type { IdentityError } from "../../pki/errors.ts";

/** A value under a key, and the revision of the commit that last put it. */
export interface StoredRecord {
  readonly key: string;
  readonly value: Uint8Array;
  readonly revision: number;
}

/** A precondition: the record under `key` was last put by commit `revision`; 0 means there is none. */
export interface Expectation {
  readonly key: string;
  readonly revision: number;
}

/**
 * What one commit asks for. No key may stand twice among the puts and deletes, and one of them is not
 * empty. Values belong to the log from then on: the caller must not change their bytes.
 */
export interface Commit {
  readonly expect?: readonly Expectation[];
  readonly puts?: readonly { readonly key: string; readonly value: Uint8Array }[];
  readonly deletes?: readonly string[];
}

/** What one commit did. `revision` is the revision of that commit and of every record in `puts`. */
export interface Change {
  readonly revision: number;
  readonly puts: readonly StoredRecord[];
  readonly deletes: readonly string[];
}

/** A page of records in key order. `next`, when there are more, goes into `after` of the next call. */
export interface RecordPage {
  readonly records: readonly StoredRecord[];
  readonly next?: string;
}

/**
 * An ordered log of commits, and the records they leave. Keys are ordered by their UTF-8 bytes.
 * Commits are atomic, durable before they are answered, and totally ordered: revision 1, 2, 3, ...
 * without a gap. A read that starts after a commit was answered sees it.
 */
export interface OrderedLog {
  /** Random, made once with the store: a cursor into another store (restored, copied) is told apart by it. */
  readonly storeId: string;
  /** The revision of the last commit this process knows of; 0 in an empty store. */
  readonly revision: number;
  /** Set once a write failed: nothing is committed any more until the store is opened again. */
  readonly failure: IdentityError | undefined;

  get(key: string): Promise<StoredRecord | undefined>;
  /** Like `get` for many keys, answers in the order of `keys`. */
  getMany(keys: readonly string[]): Promise<(StoredRecord | undefined)[]>;
  /** Records whose key begins with `prefix`, in key order, those after the key `after`, at most `limit` (default 1000). */
  list(
    prefix: string,
    page?: { readonly after?: string; readonly limit?: number },
  ): Promise<RecordPage>;
  /**
   * Applies all puts and deletes or nothing, and returns the revision of this commit.
   * @throws STORE_CONFLICT when a precondition does not hold, STORE_FAILED, STORE_CLOSED. After
   * STORE_FAILED it is unknown whether this commit survives a restart.
   */
  commit(commit: Commit): Promise<number>;
  /**
   * Every change after `afterRevision`, in order, without a gap, then those to come; ends when `signal` aborts.
   * @throws STORE_COMPACTED when changes after `afterRevision` are no longer kept (or it lies in the future),
   * STORE_FAILED, STORE_CLOSED
   */
  watch(afterRevision: number, signal: AbortSignal): AsyncIterable<Change>;
  close(): Promise<void>;
}
