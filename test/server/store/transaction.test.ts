// Read, decide, write as one step: decisions are taken again until nothing came in between.

import t from "tap";
import { transact } from "../../../server/store/transaction.ts";
import { openTestLog } from "../../support/test-store.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const number = (value: Uint8Array | undefined): number =>
  value === undefined ? 0 : Number(decoder.decode(value));

t.test("a counter that many add to at once counts all of them", async (t) => {
  const log = await openTestLog(t);
  const add = () =>
    transact(log, async (transaction) => {
      const next = number(await transaction.get("n")) + 1;
      transaction.put("n", encoder.encode(String(next)));
      return next;
    });
  const results = await Promise.all(Array.from({ length: 100 }, add));
  t.equal(number((await log.get("n"))?.value), 100);
  t.strictSame(
    results.map(({ result }) => result).sort((a, b) => a - b),
    Array.from({ length: 100 }, (_, i) => i + 1),
  );
  t.ok(results.every(({ result, revision }) => result === revision));
});

t.test("a decision that rests on absence is taken again when it was wrong", async (t) => {
  const log = await openTestLog(t);
  await log.commit({ puts: [{ key: "taken", value: encoder.encode("1") }] });
  let attempts = 0;
  const { result } = await transact(log, async (transaction) => {
    attempts++;
    await transaction.assumeAbsent(["taken"]);
    if (transaction.peek("taken") !== undefined) return "there";
    transaction.put("taken", encoder.encode("2"));
    return "made";
  });
  t.equal(result, "there");
  t.equal(attempts, 2);
  t.equal(decoder.decode((await log.get("taken"))?.value), "1");
});

t.test("a decision by what memory has is taken again when that was out of date", async (t) => {
  const log = await openTestLog(t);
  const put = (value: string) => log.commit({ puts: [{ key: "n", value: encoder.encode(value) }] });
  const old = await put("1");
  await put("2");
  const seen: string[] = [];
  const add = (memory: string, revision: number) =>
    transact(log, async (transaction) => {
      const is = transaction.assume("n", revision) ? memory : "read";
      seen.push(is);
      const before = is === "read" ? number(await transaction.get("n")) : Number(memory);
      transaction.put("n", encoder.encode(String(before + 1)));
    });
  await add("1", old);
  t.strictSame(seen, ["1", "read"]);
  t.equal(number((await log.get("n"))?.value), 3);
  await add("3", log.revision);
  t.strictSame(seen, ["1", "read", "3"], "what holds is not read");
  t.equal(number((await log.get("n"))?.value), 4);
});

t.test("memory is not mixed with what was read or written", async (t) => {
  const log = await openTestLog(t);
  await transact(log, async (transaction) => {
    t.ok(transaction.assume("a", 0));
    t.ok(transaction.assume("b", 0), "memory is of one moment");
    await transaction.load(["c"]);
    t.notOk(transaction.assume("d", 0));
  });
  await transact(log, async (transaction) => {
    transaction.put("a", encoder.encode("1"));
    t.notOk(transaction.assume("a", 0), "its own write counts");
  });
});

t.test("reads its own writes, and commits the outcome of them", async (t) => {
  const log = await openTestLog(t);
  await log.commit({ puts: ["a", "b"].map((key) => ({ key, value: encoder.encode("1") })) });
  await transact(log, async (transaction) => {
    await transaction.load(["a", "b", "c"]);
    transaction.delete("a");
    t.equal(transaction.peek("a"), undefined);
    transaction.put("a", encoder.encode("2"));
    transaction.put("c", encoder.encode("3"));
    transaction.delete("c");
    transaction.delete("b");
    t.equal(decoder.decode(await transaction.get("a")), "2");
  });
  const { records } = await log.list("");
  t.strictSame(
    records.map(({ key, value }) => [key, decoder.decode(value)]),
    [["a", "2"]],
  );
  t.equal(log.revision, 2);
});

t.test("commits nothing when nothing is to be written, or the decision throws", async (t) => {
  const log = await openTestLog(t);
  t.equal((await transact(log, async (transaction) => transaction.get("a"))).revision, 0);
  const failing = transact(log, async (transaction) => {
    transaction.put("a", encoder.encode("1"));
    throw new RangeError("no");
  });
  await t.rejects(failing, RangeError);
  t.equal(log.revision, 0);
});

t.test("a peek at what was not loaded is a mistake of ours", async (t) => {
  const log = await openTestLog(t);
  await t.rejects(
    transact(log, async (transaction) => transaction.peek("a")),
    TypeError,
  );
});
