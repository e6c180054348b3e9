// What every engine of the ordered log must do, as a suite over a factory. Engines run it from their
// own test files (test/server/store/).

import type { Test } from "tap";
import type { Change, OrderedLog } from "../../server/store/log.ts";
import { checkHistory, recordHistory } from "./ordered-log-history.ts";

/** One empty store: `open` opens it (again, after the log before was closed). */
export interface LogUnderTest {
  open(retention?: { readonly changes: number; readonly bytes: number }): Promise<OrderedLog>;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function put(key: string, value: string): { key: string; value: Uint8Array } {
  return { key, value: encoder.encode(value) };
}

/** The next `count` changes of a watch, as "revision:+key=value -key". */
async function next(log: OrderedLog, after: number, count: number): Promise<string[]> {
  const seen: string[] = [];
  if (count === 0) return seen;
  for await (const change of log.watch(after, AbortSignal.timeout(5000))) {
    if (seen.push(show(change)) === count) break;
  }
  return seen;
}

function show(change: Change): string {
  const puts = change.puts.map(({ key, value }) => `+${key}=${decoder.decode(value)}`);
  return [`${change.revision}:`, ...puts, ...change.deletes.map((key) => `-${key}`)].join(" ");
}

/** Runs the suite. `fresh` makes an empty store for each test. */
export function orderedLogContract(t: Test, fresh: (t: Test) => LogUnderTest): void {
  const test = (
    name: string,
    run: (t: Test, log: OrderedLog, store: LogUnderTest) => Promise<void>,
  ): void =>
    void t.test(name, async (t) => {
      const store = fresh(t);
      const log = await store.open();
      t.teardown(() => log.close());
      await run(t, log, store);
    });

  test("counts commits from 1 and gives each record the revision of its commit", async (t, log) => {
    t.equal(log.revision, 0);
    t.equal(await log.commit({ puts: [put("a", "1"), put("b", "1")] }), 1);
    t.equal(await log.commit({ puts: [put("b", "2")], deletes: ["never-there"] }), 2);
    t.equal(log.revision, 2);
    t.equal((await log.get("a"))?.revision, 1);
    const b = await log.get("b");
    t.equal(b?.revision, 2);
    t.equal(decoder.decode(b?.value), "2");
    t.equal(await log.get("c"), undefined);
    const many = await log.getMany(["c", "b", "a"]);
    t.strictSame(
      many.map((record) => record?.revision),
      [undefined, 2, 1],
    );
  });

  test("keeps empty values, and values that are not text", async (t, log) => {
    const value = Uint8Array.from({ length: 256 }, (_, i) => i);
    await log.commit({
      puts: [
        { key: "bytes", value },
        { key: "empty", value: new Uint8Array() },
      ],
    });
    t.strictSame([...((await log.get("bytes"))?.value ?? [])], [...value]);
    t.equal((await log.get("empty"))?.value.byteLength, 0);
    for await (const change of log.watch(0, AbortSignal.timeout(5000))) {
      t.strictSame([...(change.puts[0]?.value ?? [])], [...value]);
      break;
    }
  });

  test("lists a prefix in key order, in pages, and nothing beside it", async (t, log) => {
    await log.commit({
      puts: ["p/c", "p/a", "p0", "o", "p/b", "p/", "q", "p.", "p/b/x"].map((key) => put(key, key)),
    });
    const all = await log.list("p/");
    t.strictSame(
      all.records.map(({ key }) => key),
      ["p/", "p/a", "p/b", "p/b/x", "p/c"],
    );
    t.equal(all.next, undefined);
    const pages: string[][] = [];
    for (let after: string | undefined; ; ) {
      const page = await log.list("p/", { limit: 2, ...(after === undefined ? {} : { after }) });
      pages.push(page.records.map(({ key }) => key));
      if (page.next === undefined) break;
      after = page.next;
    }
    t.strictSame(pages, [["p/", "p/a"], ["p/b", "p/b/x"], ["p/c"]]);
    t.strictSame(
      (await log.list("p/", { after: "a" })).records.length,
      5,
      "a start before the prefix",
    );
    t.strictSame(
      (await log.list("p/", { after: "z" })).records.length,
      0,
      "a start behind the prefix",
    );
    t.strictSame((await log.list("none/")).records, []);
  });

  test("refuses a commit whose precondition does not hold, and changes nothing", async (t, log) => {
    await log.commit({ puts: [put("a", "1")] });
    await log.commit({ puts: [put("a", "2")] });
    const conflict = { name: "IdentityError", reason: "STORE_CONFLICT" };
    await t.rejects(
      log.commit({ expect: [{ key: "a", revision: 1 }], puts: [put("b", "x")] }),
      conflict,
    );
    await t.rejects(
      log.commit({ expect: [{ key: "a", revision: 0 }], puts: [put("b", "x")] }),
      conflict,
    );
    await t.rejects(
      log.commit({ expect: [{ key: "b", revision: 1 }], puts: [put("b", "x")] }),
      conflict,
    );
    t.equal(await log.get("b"), undefined);
    t.equal(log.revision, 2, "a refused commit has no revision");
    t.equal(
      await log.commit({
        expect: [
          { key: "a", revision: 2 },
          { key: "b", revision: 0 },
        ],
        puts: [put("b", "y")],
      }),
      3,
    );
    t.equal(await log.commit({ expect: [{ key: "a", revision: 2 }], deletes: ["a"] }), 4);
    t.equal(await log.commit({ expect: [{ key: "a", revision: 0 }], puts: [put("a", "new")] }), 5);
  });

  test("decides commits made at once in their order: of those with one precondition, the first wins", async (t, log) => {
    const tries = Array.from({ length: 200 }, (_, i) =>
      log.commit({ expect: [{ key: "one", revision: 0 }], puts: [put("one", String(i))] }),
    );
    const results = await Promise.allSettled(tries);
    t.strictSame(results.map(({ status }) => status).indexOf("fulfilled"), 0);
    t.equal(results.filter(({ status }) => status === "fulfilled").length, 1);
    t.equal(decoder.decode((await log.get("one"))?.value), "0");
  });

  test("gives commits made at once their own revisions, without a gap", async (t, log) => {
    const revisions = await Promise.all(
      Array.from({ length: 300 }, (_, i) => log.commit({ puts: [put(`k${i}`, "v")] })),
    );
    t.strictSame(
      [...revisions].sort((a, b) => a - b),
      Array.from({ length: 300 }, (_, i) => i + 1),
    );
    for (const [i, revision] of revisions.entries())
      t.equal((await log.get(`k${i}`))?.revision, revision);
  });

  test("refuses a commit our own code must not make", async (t, log) => {
    const twice = { puts: [put("a", "1"), put("a", "2")] };
    await t.rejects(async () => log.commit(twice), TypeError);
    await t.rejects(async () => log.commit({ puts: [put("a", "1")], deletes: ["a"] }), TypeError);
    await t.rejects(async () => log.commit({}), TypeError);
  });

  test("a watch gives every change after a revision, then those to come", async (t, log) => {
    await log.commit({ puts: [put("a", "1")] });
    await log.commit({ puts: [put("a", "2"), put("b", "1")] });
    const seen = next(log, 1, 3);
    await log.commit({ deletes: ["a"] });
    await log.commit({ puts: [put("c", "1")], deletes: ["b"] });
    t.strictSame(await seen, ["2: +a=2 +b=1", "3: -a", "4: +c=1 -b"]);
    t.strictSame(await next(log, 0, 4), ["1: +a=1", "2: +a=2 +b=1", "3: -a", "4: +c=1 -b"]);
  });

  test("a watch ends when its signal aborts, also while it waits", async (t, log) => {
    const stop = new AbortController();
    const seen: string[] = [];
    const done = (async () => {
      for await (const change of log.watch(0, stop.signal)) seen.push(show(change));
    })();
    await log.commit({ puts: [put("a", "1")] });
    await new Promise((resolve) => setImmediate(resolve));
    stop.abort();
    await done;
    t.strictSame(seen, ["1: +a=1"]);
    await log.commit({ puts: [put("a", "2")] });
    t.strictSame(seen, ["1: +a=1"]);
  });

  test("a slow watcher misses nothing that is still kept", async (t, log) => {
    const seen: number[] = [];
    const watching = (async () => {
      for await (const change of log.watch(0, AbortSignal.timeout(20_000))) {
        seen.push(change.revision);
        if (seen.length % 500 === 0) await new Promise((resolve) => setImmediate(resolve));
        if (seen.length === 5000) break;
      }
    })();
    for (let i = 0; i < 10; i++) {
      await Promise.all(
        Array.from({ length: 500 }, (_, k) => log.commit({ puts: [put(`k${k}`, `${i}`)] })),
      );
    }
    await watching;
    t.strictSame(
      seen,
      Array.from({ length: 5000 }, (_, i) => i + 1),
    );
  });

  test("a watch from the future or from what is no longer kept is refused", async (t, log, store) => {
    await t.rejects(next(log, 1, 1), { name: "IdentityError", reason: "STORE_COMPACTED" });
    await log.close();
    const short = await store.open({ changes: 5, bytes: 1 << 20 });
    t.teardown(() => short.close());
    for (let i = 0; i < 20; i++) await short.commit({ puts: [put("a", String(i))] });
    await t.rejects(next(short, 3, 1), { reason: "STORE_COMPACTED", code: 11 });
    t.equal((await next(short, 15, 5)).length, 5);
  });

  test("bounds what it keeps for watchers by bytes too, but always keeps the newest change", async (t, log, store) => {
    await log.close();
    const short = await store.open({ changes: 1000, bytes: 4000 });
    t.teardown(() => short.close());
    for (let i = 0; i < 20; i++) await short.commit({ puts: [put("a", "x".repeat(1000))] });
    await t.rejects(next(short, 10, 1), { name: "IdentityError", reason: "STORE_COMPACTED" });
    await short.commit({ puts: [put("big", "x".repeat(10_000))] });
    t.equal((await next(short, 20, 1)).length, 1);
  });

  test("everything is there after closing and opening again, and revisions go on", async (t, log, store) => {
    await log.commit({ puts: [put("a", "1"), put("gone", "1")] });
    await log.commit({ puts: [put("b", "2")], deletes: ["gone"] });
    const { storeId } = log;
    await log.close();
    const again = await store.open();
    t.teardown(() => again.close());
    t.equal(again.storeId, storeId, "it is the same store");
    t.equal(again.revision, 2);
    t.strictSame(
      (await again.list("")).records.map(({ key, revision }) => [key, revision]),
      [
        ["a", 1],
        ["b", 2],
      ],
    );
    t.strictSame(await next(again, 0, 2), ["1: +a=1 +gone=1", "2: +b=2 -gone"]);
    t.equal(await again.commit({ expect: [{ key: "a", revision: 1 }], puts: [put("a", "2")] }), 3);
  });

  test("keeps counting after a store of deletes only was opened again", async (t, log, store) => {
    await log.commit({ puts: [put("a", "1")] });
    await log.commit({ deletes: ["a"] });
    await log.close();
    const again = await store.open({ changes: 1, bytes: 1 });
    t.teardown(() => again.close());
    t.equal(again.revision, 2);
    t.equal(await again.commit({ puts: [put("a", "1")] }), 3);
  });

  test("refuses work once it is closed, and ends its watchers", async (t, log) => {
    await log.commit({ puts: [put("a", "1")] });
    const watching = next(log, 1, 1);
    const inFlight = log.commit({ puts: [put("b", "1")] });
    const closing = log.close();
    t.equal(await inFlight, 2, "a commit under way is finished");
    await watching;
    await closing;
    const closed = { name: "IdentityError", reason: "STORE_CLOSED" };
    await t.rejects(log.commit({ puts: [put("a", "1")] }), closed);
    await t.rejects(log.get("a"), closed);
    await t.rejects(log.list("a"), closed);
    await t.rejects(next(log, 2, 1), closed);
  });

  test("every answer of a random history is explained by one serial order", async (t, log) => {
    const history = await recordHistory(log, {
      clients: 8,
      operationsEach: 60,
      keys: 6,
      seed: 20_260,
    });
    t.strictSame(checkHistory(history), []);
    t.ok(history.changes.length > 50, `${history.changes.length} commits succeeded`);
    t.ok(history.conflicts.length > 10, `${history.conflicts.length} were refused`);
  });
}
