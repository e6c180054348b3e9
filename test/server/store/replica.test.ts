// The replica of a prefix in memory: follows the log, in order, and finds back when it fell behind.

import { setImmediate as soon } from "node:timers/promises";
import t, { type Test } from "tap";
import { serverError } from "../../../server/errors.ts";
import type { Change, OrderedLog } from "../../../server/store/log.ts";
import { Replica } from "../../../server/store/replica.ts";
import { openTestLog } from "../../support/test-store.ts";

interface Item {
  readonly id: string;
  readonly text: string;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function put(key: string, text: string): { key: string; value: Uint8Array } {
  return { key, value: encoder.encode(text) };
}

async function follow(t: Test, log: OrderedLog): Promise<Replica<Item>> {
  const replica = await Replica.start<Item>({
    log,
    prefix: "a/",
    decode: ({ key, value }) => ({ id: key.slice(2), text: decoder.decode(value) }),
    idOf: ({ id }) => id,
  });
  t.teardown(() => replica.stop());
  return replica;
}

function texts(replica: Replica<Item>): string[] {
  return [...replica.values()].map(({ id, text }) => `${id}=${text}`).sort();
}

t.test("holds what is under its prefix and follows commits in order", async (t) => {
  const log = await openTestLog(t);
  await log.commit({ puts: [put("a/1", "x"), put("b/1", "other"), put("a", "not under it")] });
  const replica = await follow(t, log);
  t.strictSame(texts(replica), ["1=x"]);
  const seen: string[] = [];
  const end = replica.onChange((changes, revision) => {
    for (const { id, before, after } of changes)
      seen.push(`${revision} ${id}: ${before?.text} -> ${after?.text}`);
  });
  await log.commit({ puts: [put("a/1", "y"), put("a/2", "z")], deletes: ["b/1"] });
  await log.commit({ puts: [put("b/2", "other")] });
  const last = await log.commit({ deletes: ["a/1", "a/none"] });
  await replica.reached(last);
  end();
  t.strictSame(seen, ["2 1: x -> y", "2 2: undefined -> z", "4 1: y -> undefined"]);
  t.strictSame(texts(replica), ["2=z"]);
  t.equal(replica.get("2")?.text, "z");
  t.equal(replica.size, 1);
  t.equal(replica.revision, 4);
});

t.test("reads all pages at the start", async (t) => {
  const log = await openTestLog(t);
  await log.commit({ puts: Array.from({ length: 12_001 }, (_, i) => put(`a/${i}`, "x")) });
  t.equal((await follow(t, log)).size, 12_001);
});

t.test("commits made while it reads are neither lost nor undone", async (t) => {
  const log = await openTestLog(t);
  await log.commit({ puts: [put("a/1", "old"), put("a/2", "old")] });
  const meddled = meddle(log, async () => {
    await log.commit({ puts: [put("a/1", "new")], deletes: ["a/2"] });
    await log.commit({ puts: [put("a/3", "new")] });
  });
  t.strictSame(texts(await follow(t, meddled)), ["1=new", "3=new"]);
});

t.test(
  "reads everything again when the changes it missed are no longer kept, and tells the difference",
  async (t) => {
    const log = await openTestLog(t);
    await log.commit({ puts: [put("a/gone", "x"), put("a/kept", "x"), put("a/changed", "x")] });
    let fallBehind = false;
    const forgetful: OrderedLog = wrap(log, {
      async *watch(after, signal) {
        if (fallBehind) {
          fallBehind = false;
          throw serverError("STORE_COMPACTED", "gone");
        }
        for await (const change of log.watch(after, signal)) {
          if (!fallBehind) yield change;
          else throw serverError("STORE_COMPACTED", "gone");
        }
      },
    });
    const replica = await follow(t, forgetful);
    const seen: string[] = [];
    replica.onChange((changes) => {
      for (const { id, before, after } of changes)
        seen.push(`${id}: ${before?.text} -> ${after?.text}`);
    });
    fallBehind = true;
    await log.commit({ puts: [put("a/changed", "y"), put("a/new", "y")], deletes: ["a/gone"] });
    const last = await log.commit({ puts: [put("b/1", "other")] });
    await replica.reached(last);
    t.strictSame(seen.sort(), ["changed: x -> y", "gone: x -> undefined", "new: undefined -> y"]);
    t.strictSame(texts(replica), ["changed=y", "kept=x", "new=y"]);
    const next = await log.commit({ puts: [put("a/new", "z")] });
    await replica.reached(next);
    t.equal(replica.get("new")?.text, "z", "it follows again");
  },
);

t.test("says so when it can follow no longer, to those who wait too", async (t) => {
  const log = await openTestLog(t);
  const replica = await follow(t, log);
  t.equal(replica.failure, undefined);
  const waiting = replica.reached(99);
  const rejected = t.rejects(waiting, { name: "IdentityError", reason: "STORE_CLOSED" });
  await log.close();
  await rejected;
  t.match(replica.failure, { reason: "STORE_CLOSED" });
  await t.rejects(replica.reached(99), { name: "IdentityError", reason: "STORE_CLOSED" });
});

t.test("a record that cannot be read stops it, loudly", async (t) => {
  const log = await openTestLog(t);
  const decode = (): Item => {
    throw serverError("STORE_CORRUPT", "damaged");
  };
  const replica = await Replica.start<Item>({ log, prefix: "a/", decode, idOf: ({ id }) => id });
  t.teardown(() => replica.stop());
  const revision = await log.commit({ puts: [put("a/1", "x")] });
  await t.rejects(replica.reached(revision), { name: "IdentityError", reason: "STORE_CORRUPT" });
  await t.rejects(Replica.start<Item>({ log, prefix: "a/", decode, idOf: ({ id }) => id }), {
    name: "IdentityError",
    reason: "STORE_CORRUPT",
  });
});

t.test("after it was stopped it changes no more", async (t) => {
  const log = await openTestLog(t);
  const replica = await follow(t, log);
  await replica.stop();
  await log.commit({ puts: [put("a/1", "x")] });
  await soon();
  t.equal(replica.size, 0);
});

/** A log whose first listing is followed by commits that others make. */
function meddle(log: OrderedLog, others: () => Promise<void>): OrderedLog {
  let done = false;
  return wrap(log, {
    async list(prefix, page) {
      if (!done) {
        done = true;
        const before = await log.list(prefix, page);
        await others();
        return before;
      }
      return log.list(prefix, page);
    },
  });
}

function wrap(log: OrderedLog, changed: Partial<OrderedLog>): OrderedLog {
  return {
    storeId: log.storeId,
    get revision() {
      return log.revision;
    },
    get failure() {
      return log.failure;
    },
    get: (key) => log.get(key),
    getMany: (keys) => log.getMany(keys),
    list: (prefix, page) => log.list(prefix, page),
    commit: (commit) => log.commit(commit),
    watch: (after: number, signal: AbortSignal): AsyncIterable<Change> => log.watch(after, signal),
    close: () => log.close(),
    ...changed,
  };
}
