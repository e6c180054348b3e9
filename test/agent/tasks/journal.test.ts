// What an agent writes down of its tasks: read back as it was, whatever instant it was killed at.
import { appendFileSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { type HeldRecord, TaskJournal } from "../../../agent/tasks/journal.ts";
import { Status } from "../../../pki/errors.ts";
import { createLogger, silentLogger } from "../../../runtime/log.ts";

const UNSAVED = { reason: "TASKS_UNSAVED", code: Status.unavailable };

function record(taskId: string): HeldRecord {
  return {
    taskId,
    spiffeId: `spiffe://north.test/ai/a/task/${taskId}`,
    aiAgent: "spiffe://north.test/ai/a",
    taskClass: "standard",
    spki: "AAAA",
    uid: 1000,
    expiresAtMs: 1,
    federatesWith: [],
    binding: { pid: 7, uid: 1000, startTime: 8, bootId: "boot" },
  };
}

function end(taskId: string) {
  const { spiffeId } = record(taskId);
  const ending = { state: "ABANDONED", reason: "gone", summaryDigest: "" } as const;
  return { taskId, spiffeId, forgetAtMs: 1, ...ending };
}

t.test("what is held and what has ended is there after a kill", async (t) => {
  const path = join(t.testdir(), "held.jsonl");
  const journal = await TaskJournal.open(path, silentLogger);
  await Promise.all(["a", "b", "c"].map((id) => journal.hold(record(id))));
  await journal.end(end("b"));
  await journal.drop("c");
  // Never closed, as one that is killed.
  const again = await TaskJournal.open(path, silentLogger);
  t.strictSame([...again.held.values()], [record("a")]);
  t.strictSame([...again.ends.values()], [end("b")]);
  t.equal(statSync(path).mode & 0o777, 0o600);
  await again.drop("b");
  await again.sync();
  const third = await TaskJournal.open(path, silentLogger);
  t.equal(third.ends.size, 0);
  for (const one of [journal, again, third]) await one.close();
});

t.test(
  "half a line at the end is no loss; one in the middle is said, and the others are read",
  async (t) => {
    const path = join(t.testdir(), "held.jsonl");
    const lines: string[] = [];
    const log = createLogger({ destination: { write: (line) => lines.push(line) } });
    writeFileSync(path, `${JSON.stringify({ hold: record("a") })}\nnot JSON\nnull\n`);
    appendFileSync(path, `${JSON.stringify({ hold: record("b") })}\n{"hold":{"taskId":"c`);
    const journal = await TaskJournal.open(path, log);
    t.strictSame([...journal.held.keys()], ["a", "b"]);
    t.equal(lines.filter((line) => line.includes("unreadable")).length, 2);
    await journal.hold(record("d"));
    const again = await TaskJournal.open(path, silentLogger);
    t.strictSame([...again.held.keys()], ["a", "b", "d"]);
    await journal.close();
    await again.close();
  },
);

t.test("history is thrown away, and nothing that counts with it", async (t) => {
  const path = join(t.testdir(), "held.jsonl");
  const journal = await TaskJournal.open(path, silentLogger);
  await journal.hold(record("kept"));
  for (let round = 0; round < 30; round++) {
    const ids = Array.from({ length: 250 }, (_, i) => `${round}-${i}`);
    await Promise.all(ids.flatMap((id) => [journal.hold(record(id)), journal.drop(id)]));
  }
  t.ok(readFileSync(path, "utf8").split("\n").length < 12_000);
  const again = await TaskJournal.open(path, silentLogger);
  t.strictSame([...again.held.keys()], ["kept"]);
  await journal.close();
  await again.close();
});

t.test("what cannot be written at the start is written as soon as it can", async (t) => {
  // As on a full disk: nothing can be made there.
  const folder = join(t.testdir(), "later");
  const path = join(folder, "held.jsonl");
  const lines: string[] = [];
  const log = createLogger({ destination: { write: (line) => lines.push(line) } });
  const journal = await TaskJournal.open(path, log);
  t.match(lines.join(""), /cannot be written down/);
  await t.rejects(journal.hold(record("a")), UNSAVED);
  await t.rejects(journal.end(end("b")), UNSAVED);
  mkdirSync(folder);
  await journal.hold(record("c"));
  const again = await TaskJournal.open(path, silentLogger);
  t.strictSame([...again.held.keys()], ["a", "c"], "what was refused meanwhile too");
  t.strictSame([...again.ends.keys()], ["b"]);
  for (const one of [journal, again]) await one.close();
});

t.test("an agent that cannot write its file anew has what is in it, and adds to it", async (t) => {
  // No name is left for the file that would take its place.
  const path = join(t.testdir(), "x".repeat(250));
  writeFileSync(path, `${JSON.stringify({ hold: record("a") })}\n`, { mode: 0o600 });
  const journal = await TaskJournal.open(path, silentLogger);
  t.strictSame([...journal.held.keys()], ["a"]);
  await t.rejects(journal.hold(record("b")), UNSAVED);
  await journal.close();
});
