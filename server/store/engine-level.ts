// The ordered log over LevelDB, embedded: one process, one folder. Commits that arrive while a write is
// under way are checked in their order and written together, with one fsync (group commit). A write
// that fails closes the log for commits until it is opened again: after a failed write or fsync nobody
// knows what the disk holds. Keys and opening: level-files.ts; what watchers read: change-log.ts.

import type { IdentityError } from "../../pki/errors.ts";
import { serverError } from "../errors.ts";
import { ChangeLog, type Retention } from "./change-log.ts";
import { decodeChange } from "./change-record.ts";
import { type Database, openDatabase, writeFailed } from "./level-files.ts";
import { planGroup, requireWellFormed } from "./level-group.ts";
import { CHANGE, changeKey, endOf, RECORD, revisionOfChange, toRecord } from "./level-keys.ts";
import type { Change, Commit, OrderedLog, RecordPage, StoredRecord } from "./log.ts";

export interface LevelLogOptions {
  /** Where the store lies; made 0700 if it does not exist. */
  readonly folder: string;
  /** How many changes a watcher may be behind. */
  readonly retention?: Retention;
}

interface QueuedCommit {
  readonly commit: Commit;
  readonly resolve: (revision: number) => void;
  readonly reject: (error: unknown) => void;
}

const DEFAULT_RETENTION: Retention = { changes: 10_000, bytes: 16 * 1024 * 1024 };
const MAX_GROUP_COMMITS = 1000;
const MAX_GROUP_BYTES = 8 * 1024 * 1024;
const LIST_LIMIT = 1000;
const READ_CHANGES = 64;
/** What one trip to LevelDB's thread may bring: its default of 16 KiB makes long lists several times slower. */
const READ_AHEAD_BYTES = 1024 * 1024;

/**
 * Opens the store and holds it alone.
 * @throws STORE_LOCKED, STORE_FORMAT_UNKNOWN, STORE_CORRUPT, STORE_UNUSABLE
 */
export async function openLevelLog(options: LevelLogOptions): Promise<OrderedLog> {
  const { database, storeId } = await openDatabase(options.folder);
  const changes = new ChangeLog(options.retention ?? DEFAULT_RETENTION);
  try {
    const revision = await restoreChanges(database, changes);
    return new LevelLog(database, storeId, revision, changes);
  } catch (error) {
    await database.close();
    throw error;
  }
}

/**
 * Notes the kept changes and returns the newest revision. LevelDB skips damaged parts of its log when it
 * opens: a gap in the revisions is where commits were lost, and such a store must not be served.
 */
async function restoreChanges(database: Database, changes: ChangeLog): Promise<number> {
  let newest = 0;
  for await (const [key, value] of database.iterator({ gte: CHANGE, lt: endOf(CHANGE) })) {
    const revision = revisionOfChange(key);
    if (newest !== 0 && revision !== newest + 1) {
      const message = `the store lost the commits ${newest + 1} to ${revision - 1}: it is damaged`;
      throw serverError("STORE_CORRUPT", message, { hint: "restore it from a backup" });
    }
    newest = revision;
    changes.restore(revision, value.byteLength);
  }
  return newest;
}

class LevelLog implements OrderedLog {
  readonly storeId: string;
  readonly #database: Database;
  readonly #changes: ChangeLog;
  readonly #sleepers = new Set<() => void>();
  #queue: QueuedCommit[] = [];
  #writing: Promise<void> | undefined;
  #forgotten: readonly number[];
  #revision: number;
  #failure: IdentityError | undefined;
  #closing = false;
  #closed = false;

  constructor(database: Database, storeId: string, revision: number, changes: ChangeLog) {
    this.#database = database;
    this.storeId = storeId;
    this.#revision = revision;
    this.#changes = changes;
    this.#forgotten = changes.forget();
  }

  get revision(): number {
    return this.#revision;
  }

  get failure(): IdentityError | undefined {
    return this.#failure;
  }

  async get(key: string): Promise<StoredRecord | undefined> {
    const stored = await this.#read(() => this.#database.get(RECORD + key));
    return stored === undefined ? undefined : toRecord(key, stored);
  }

  async getMany(keys: readonly string[]): Promise<(StoredRecord | undefined)[]> {
    const stored = await this.#read(() => this.#database.getMany(keys.map((key) => RECORD + key)));
    return keys.map((key, i) => {
      const value = stored[i];
      return value === undefined ? undefined : toRecord(key, value);
    });
  }

  async list(
    prefix: string,
    page: { readonly after?: string; readonly limit?: number } = {},
  ): Promise<RecordPage> {
    const limit = page.limit ?? LIST_LIMIT;
    const from = RECORD + prefix;
    const after = page.after === undefined || page.after < prefix ? undefined : RECORD + page.after;
    const range = { ...(after === undefined ? { gte: from } : { gt: after }), lt: endOf(from) };
    const rows = await this.#read(() =>
      this.#database
        .iterator({ ...range, limit: limit + 1, highWaterMarkBytes: READ_AHEAD_BYTES })
        .all(),
    );
    const records = rows
      .slice(0, limit)
      .map(([key, stored]) => toRecord(key.slice(RECORD.length), stored));
    const last = records.at(-1);
    return rows.length > limit && last !== undefined ? { records, next: last.key } : { records };
  }

  commit(commit: Commit): Promise<number> {
    requireWellFormed(commit);
    const refusal = this.#refusal();
    if (refusal !== undefined) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push({ commit, resolve, reject });
      this.#writing ??= this.#drain();
    });
  }

  async *watch(
    afterRevision: number,
    signal: AbortSignal,
  ): AsyncGenerator<Change, void, undefined> {
    let at = afterRevision;
    if (at > this.#revision) throw compacted(at, this.#revision);
    while (!signal.aborted) {
      if (at === this.#revision) {
        const refusal = this.#refusal();
        if (refusal !== undefined) throw refusal;
        await this.#sleep(signal);
        continue;
      }
      for (const change of this.#changes.recentAfter(at) ?? (await this.#readChanges(at))) {
        if (signal.aborted) return;
        at = change.revision;
        yield change;
      }
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#writing;
    this.#closed = true;
    this.#wake();
    await this.#database.close();
  }

  /** Why nothing can be committed any more, if so. */
  #refusal(): IdentityError | undefined {
    return this.#failure ?? (this.#closing ? closed() : undefined);
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const taken = this.#take();
      try {
        await this.#writeGroup(taken);
      } catch (error) {
        for (const queued of taken) queued.reject(error);
      }
    }
    this.#writing = undefined;
  }

  /** The commits of the next write: as many as wait, within bounds of number and size. */
  #take(): QueuedCommit[] {
    let bytes = 0;
    let count = 0;
    for (const { commit } of this.#queue) {
      for (const put of commit.puts ?? []) bytes += put.value.byteLength;
      if (count > 0 && (count === MAX_GROUP_COMMITS || bytes > MAX_GROUP_BYTES)) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #writeGroup(taken: readonly QueuedCommit[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const revisions = await this.#revisionsOf(taken);
    const { operations, outcomes } = planGroup(
      taken.map(({ commit }) => commit),
      revisions,
      this.#revision,
    );
    if (operations.length > 0) {
      const forgotten = this.#forgotten.map((old) => ({
        type: "del" as const,
        key: changeKey(old),
      }));
      try {
        await this.#database.batch([...operations, ...forgotten], { sync: true });
      } catch (cause) {
        this.#failure = writeFailed(cause);
        this.#wake();
        throw this.#failure;
      }
    }
    for (const outcome of outcomes) {
      if (outcome.change === undefined) continue;
      this.#revision = outcome.change.revision;
      this.#changes.add(outcome.change, outcome.bytes);
    }
    if (operations.length > 0) this.#forgotten = this.#changes.forget();
    this.#wake();
    for (const [i, { change, conflict }] of outcomes.entries()) {
      if (change !== undefined) taken[i]?.resolve(change.revision);
      else taken[i]?.reject(conflict);
    }
  }

  /** The revisions, before this write, of every record that one of its commits expects something of. */
  async #revisionsOf(taken: readonly QueuedCommit[]): Promise<Map<string, number>> {
    const revisions = new Map<string, number>();
    for (const { commit } of taken)
      for (const { key } of commit.expect ?? []) revisions.set(key, 0);
    const keys = [...revisions.keys()];
    if (keys.length === 0) return revisions;
    for (const record of await this.getMany(keys)) {
      if (record !== undefined) revisions.set(record.key, record.revision);
    }
    return revisions;
  }

  /** Reads kept changes after `at` from disk. @throws STORE_COMPACTED when the next one is gone */
  async #readChanges(at: number): Promise<Change[]> {
    const range = { gt: changeKey(at), lt: endOf(CHANGE), limit: READ_CHANGES };
    const rows =
      at + 1 < this.#changes.oldest
        ? []
        : await this.#read(() => this.#database.iterator(range).all());
    const changes: Change[] = [];
    for (const [key, value] of rows) {
      const revision = revisionOfChange(key);
      if (revision !== at + changes.length + 1) break;
      if (revision > this.#revision) break; // written, but not answered yet
      changes.push(decodeChange(value, revision));
    }
    if (changes.length === 0) throw compacted(at, this.#revision);
    return changes;
  }

  async #read<T>(run: () => Promise<T>): Promise<T> {
    if (this.#closed) throw closed();
    try {
      return await run();
    } catch (cause) {
      if (this.#closed) throw closed();
      throw serverError("STORE_FAILED", "the store could not be read", {
        hint: "check the disk",
        cause,
      });
    }
  }

  #sleep(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#sleepers.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#sleepers.add(wake);
      signal.addEventListener("abort", wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#sleepers]) wake();
  }
}

function closed(): IdentityError {
  return serverError("STORE_CLOSED", "the store is closed");
}

function compacted(at: number, newest: number): IdentityError {
  const message =
    at > newest
      ? `there is no revision ${at} yet, the newest is ${newest}`
      : `the changes after revision ${at} are no longer kept`;
  return serverError("STORE_COMPACTED", message, { hint: "read the state again, then follow it" });
}
