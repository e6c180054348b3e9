// A checker of histories: clients work on a few keys at once, and note when each call began and ended.
// Afterwards every answer must be explained by one serial order: the order of revisions.

import { IdentityError } from "../../pki/errors.ts";
import type { Change, Commit, OrderedLog } from "../../server/store/log.ts";

/** Between which commits a call took effect: those acknowledged before it began, those begun before it ended. */
interface Window {
  readonly from: number;
  to: number;
}

interface Read extends Window {
  /** What was seen: key -> revision, over all keys. */
  readonly seen: ReadonlyMap<string, number>;
  readonly keys: readonly string[];
}

interface Conflict extends Window {
  readonly commit: Commit;
}

interface Success extends Window {
  readonly commit: Commit;
  readonly revision: number;
}

export interface History {
  readonly reads: Read[];
  readonly conflicts: Conflict[];
  readonly successes: Success[];
  /** What a watcher from the beginning saw. */
  readonly changes: Change[];
}

/** A small generator of pseudo-random numbers, so that a failing history can be made again (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export async function recordHistory(
  log: OrderedLog,
  shape: {
    readonly clients: number;
    readonly operationsEach: number;
    readonly keys: number;
    readonly seed: number;
  },
): Promise<History> {
  const history: History = { reads: [], conflicts: [], successes: [], changes: [] };
  const pick = random(shape.seed);
  const keys = Array.from({ length: shape.keys }, (_, i) => `k${i}`);
  let acknowledged = 0;
  const open = new Set<Window>();
  const stop = new AbortController();
  const watching = (async () => {
    for await (const change of log.watch(0, stop.signal)) history.changes.push(change);
  })();

  const read = async (): Promise<void> => {
    const from = acknowledged;
    const key = keys[pick(keys.length)] as string;
    const whole = pick(2) === 0;
    const records = whole ? (await log.list("k")).records : [await log.get(key)];
    const seen = new Map<string, number>();
    for (const record of records) if (record !== undefined) seen.set(record.key, record.revision);
    history.reads.push({ from, to: log.revision + open.size, seen, keys: whole ? keys : [key] });
  };

  const write = async (): Promise<void> => {
    const expected = keys.filter(() => pick(3) === 0);
    const records = await log.getMany(expected);
    const stale = pick(4) === 0;
    const expect = expected.map((key, i) => ({
      key,
      revision: Math.max(0, (records[i]?.revision ?? 0) - (stale ? 1 : 0)),
    }));
    const touched = keys.filter(() => pick(3) === 0);
    const deletes = touched.filter(() => pick(4) === 0);
    const puts = touched
      .filter((key) => !deletes.includes(key))
      .map((key) => ({ key, value: Uint8Array.of(pick(256)) }));
    if (puts.length + deletes.length === 0) return;
    const commit = { expect, puts, deletes };
    const window: Window = { from: acknowledged, to: 0 };
    open.add(window);
    try {
      const revision = await log.commit(commit);
      acknowledged = Math.max(acknowledged, revision);
      history.successes.push({ ...window, to: log.revision, commit, revision });
    } catch (error) {
      if (!(error instanceof IdentityError) || error.reason !== "STORE_CONFLICT") throw error;
      history.conflicts.push({ ...window, to: log.revision + open.size, commit });
    } finally {
      open.delete(window);
    }
  };

  const client = async (): Promise<void> => {
    for (let i = 0; i < shape.operationsEach; i++) await (pick(3) === 0 ? read() : write());
  };
  await Promise.all(Array.from({ length: shape.clients }, client));
  while (history.changes.length < log.revision)
    await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await watching;
  return history;
}

/** What no serial order explains, in words; empty when all is well. */
export function checkHistory(history: History): string[] {
  const wrong: string[] = [];
  const states: ReadonlyMap<string, number>[] = [new Map()];
  for (const [i, change] of history.changes.entries()) {
    if (change.revision !== i + 1)
      wrong.push(`the watch gave revision ${change.revision} where ${i + 1} was due`);
    const state = new Map(states.at(-1));
    for (const { key } of change.puts) state.set(key, change.revision);
    for (const key of change.deletes) state.delete(key);
    states.push(state);
  }
  const between = ({ from, to }: Window): ReadonlyMap<string, number>[] =>
    states.slice(from, to + 1);
  const holds = (commit: Commit, state: ReadonlyMap<string, number>): boolean =>
    (commit.expect ?? []).every(({ key, revision }) => (state.get(key) ?? 0) === revision);

  for (const success of history.successes) {
    const { commit, revision, from } = success;
    if (revision <= from)
      wrong.push(
        `commit ${revision} came before commit ${from}, which was answered before it began`,
      );
    const before = states[revision - 1];
    if (before === undefined || !holds(commit, before))
      wrong.push(`commit ${revision} succeeded against its preconditions`);
    const change = history.changes[revision - 1];
    const same =
      JSON.stringify(change?.puts.map(({ key, value }) => [key, ...value])) ===
        JSON.stringify(commit.puts?.map(({ key, value }) => [key, ...value])) &&
      JSON.stringify(change?.deletes) === JSON.stringify(commit.deletes);
    if (!same) wrong.push(`the watch shows commit ${revision} as something else`);
  }
  for (const conflict of history.conflicts) {
    if (between(conflict).every((state) => holds(conflict.commit, state))) {
      wrong.push(
        `a commit between ${conflict.from} and ${conflict.to} was refused although it held throughout`,
      );
    }
  }
  for (const read of history.reads) {
    const explained = between(read).some((state) =>
      read.keys.every((key) => state.get(key) === read.seen.get(key)),
    );
    if (!explained)
      wrong.push(
        `a read between ${read.from} and ${read.to} saw ${JSON.stringify([...read.seen])}`,
      );
  }
  return wrong;
}
