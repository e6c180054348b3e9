// What the commits of one write come to: decided one after another, each against the state that the
// ones before it leave. Writing them is engine-level.ts.

import type { IdentityError } from "../../pki/errors.ts";
import { serverError } from "../errors.ts";
import { encodeChange } from "./change-record.ts";
import { changeKey, RECORD, withRevision } from "./level-keys.ts";
import type { Change, Commit, StoredRecord } from "./log.ts";

/** A write to LevelDB. */
export type Operation =
  | { readonly type: "put"; readonly key: string; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: string };

/** A commit that is part of the write, with the size of its change record, or one that is refused. */
export type Outcome =
  | { readonly change: Change; readonly bytes: number; readonly conflict?: never }
  | { readonly conflict: IdentityError; readonly change?: never };

export interface Group {
  readonly operations: Operation[];
  /** One for each commit, in their order. */
  readonly outcomes: Outcome[];
}

/**
 * Plans one write. `revisions` holds the present revision (0: absent) of every record that a commit
 * expects something of, and is changed; `last` is the revision of the commit before.
 */
export function planGroup(
  commits: readonly Commit[],
  revisions: Map<string, number>,
  last: number,
): Group {
  const operations: Operation[] = [];
  const outcomes: Outcome[] = [];
  let revision = last;
  for (const commit of commits) {
    const failed = commit.expect?.find(
      (expected) => revisions.get(expected.key) !== expected.revision,
    );
    if (failed !== undefined) {
      const message = `the record "${failed.key}" was changed by another commit`;
      outcomes.push({ conflict: serverError("STORE_CONFLICT", message) });
      continue;
    }
    revision++;
    const puts: StoredRecord[] = [];
    for (const { key, value } of commit.puts ?? []) {
      operations.push({ type: "put", key: RECORD + key, value: withRevision(value, revision) });
      revisions.set(key, revision);
      puts.push({ key, value, revision });
    }
    for (const key of commit.deletes ?? []) {
      operations.push({ type: "del", key: RECORD + key });
      revisions.set(key, 0);
    }
    const value = encodeChange(commit);
    operations.push({ type: "put", key: changeKey(revision), value });
    const change: Change = { revision, puts, deletes: commit.deletes ?? [] };
    outcomes.push({ change, bytes: value.byteLength });
  }
  return { operations, outcomes };
}

/** Throws a TypeError for a commit that our own code must not make. */
export function requireWellFormed(commit: Commit): void {
  const keys = [...(commit.puts ?? []).map(({ key }) => key), ...(commit.deletes ?? [])];
  if (keys.length === 0) throw new TypeError("a commit that changes nothing");
  if (new Set(keys).size !== keys.length) throw new TypeError("a key stands twice in one commit");
}
