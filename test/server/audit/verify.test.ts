// Verifying a log from its files: what was done to it is found and named, whatever it was; a log that is
// whole is whole, also while it is written. Each damage is done by hand to a copy.
import { generateKeyPairSync } from "node:crypto";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { formatCheckpoint } from "../../../pki/merkle/checkpoint.ts";
import { signNote, verifierKeyOf } from "../../../pki/merkle/note.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { splitNotes } from "../../../server/audit/checkpoint-files.ts";
import { Checkpoints } from "../../../server/audit/checkpoints.ts";
import { STREAMS } from "../../../server/audit/event.ts";
import { type Damage, verifyLog } from "../../../server/audit/verify.ts";
import { TestClock } from "../../support/clock.ts";
import { filesOf, openAudit, readLines } from "../../support/test-audit.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const key = { privateKey, verifier: verifierKeyOf("north.test/audit", publicKey) };
const clock = new TestClock("2030-01-01T00:00:00Z");

/** A log of 40 events with two checkpoints, of 20 and of 40. */
async function makeLog(t: Test): Promise<string> {
  const folder = join(t.testdir(), "audit");
  const audit = await openAudit(t, folder, { clock, more: { maxFileBytes: 1200 } });
  const checkpoints = new Checkpoints({ audit, key, clock, log: silentLogger });
  for (let i = 0; i < 40; i++) {
    const stream = STREAMS[[0, 1, 1, 5, 8][i % 5] ?? 0] ?? "task";
    await audit.append({ stream, type: "test.event", outcome: "ok", detail: { i: `${i}` } });
    if (i % 20 === 19) await checkpoints.sign();
  }
  await audit.close();
  return folder;
}

async function verify(folder: string, more: readonly { source: string; note: string }[] = []) {
  const own = splitNotes(readFileSync(join(folder, "checkpoints"), "utf8")).map((note) => ({
    source: "own",
    note,
  }));
  return verifyLog({ folder, keys: [key.verifier], notes: [...own, ...more] });
}

t.test("a log that is whole is whole", async (t) => {
  const folder = await makeLog(t);
  const verified = await verify(folder);
  t.same(verified.damages, []);
  t.match(verified, { size: 40, checkpoints: 2, signedSize: 40, remarks: [] });
  t.same(Object.fromEntries(verified.streams), {
    identity: 8,
    task: 16,
    data_retrieval: 8,
    admin: 8,
  });
  t.ok(filesOf(folder, "task").length > 1, "over several files");
});

/** Changes the lines of one file of a stream, the last one unless said. */
function edit(
  folder: string,
  stream: string,
  change: (lines: string[]) => string[],
  file = -1,
): void {
  const path = join(folder, filesOf(folder, stream).at(file) ?? "");
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  writeFileSync(
    path,
    change(lines)
      .map((line) => `${line}\n`)
      .join(""),
  );
}

const swap = (lines: string[]): string[] => [lines[1] ?? "", lines[0] ?? "", ...lines.slice(2)];
const rename = (line: string): string => line.replace("test.event", "test.evil!");

t.test("names the first event that is wrong, and what was done", async (t) => {
  const folder = await makeLog(t);
  const withoutHashes = (at: string): void => rmSync(join(at, "tree-00"));
  const rows: readonly {
    name: string;
    harm: (at: string) => void;
    wanted: Partial<Damage>;
  }[] = [
    {
      name: "a byte of a value",
      harm: (at) => edit(at, "task", ([first = "", ...rest]) => [rename(first), ...rest], 0),
      wanted: { kind: "changed", stream: "task", seq: 1, index: 1 },
    },
    {
      name: "the same, with nothing to compare with but the chain",
      harm: (at) => {
        withoutHashes(at);
        edit(at, "task", ([first = "", ...rest]) => [rename(first), ...rest], 0);
      },
      wanted: { kind: "changed", stream: "task", seq: 1, index: 1 },
    },
    {
      name: "a byte of the last event of a stream",
      harm: (at) =>
        edit(at, "admin", (lines) => [...lines.slice(0, -1), rename(lines.at(-1) ?? "")]),
      wanted: { kind: "changed", stream: "admin", seq: 8, index: 39 },
    },
    {
      name: "a line that says of itself that events were lost, and cannot be read",
      harm: (at) => {
        withoutHashes(at);
        const gap = (line = ""): string =>
          line.replace('"type":"test.event"', '"type":"audit.gap"{');
        edit(at, "admin", (lines) => [...lines.slice(0, -1), gap(lines.at(-1))]);
      },
      wanted: { kind: "rewritten" },
    },
    {
      name: "the same, without the stored hashes: the signature shows it",
      harm: (at) => {
        withoutHashes(at);
        edit(at, "admin", (lines) => [...lines.slice(0, -1), rename(lines.at(-1) ?? "")]);
      },
      wanted: { kind: "rewritten" },
    },
    {
      name: "a byte of a chain",
      harm: (at) =>
        edit(
          at,
          "task",
          (lines) =>
            lines.map((line, i) =>
              i === 1 ? line.replace(/prev_hash":"./, 'prev_hash":"x') : line,
            ),
          0,
        ),
      wanted: { kind: "changed", stream: "task", seq: 2 },
    },
    {
      name: "another hash in a chain",
      harm: (at) =>
        edit(
          at,
          "task",
          (lines) =>
            lines.map((line, i) =>
              i === 1 ? line.replace(/prev_hash":".{8}/, 'prev_hash":"00000000') : line,
            ),
          0,
        ),
      wanted: { kind: "changed", stream: "task", seq: 2 },
    },
    {
      name: "a number",
      harm: (at) =>
        edit(at, "task", (lines) => lines.map((line) => line.replace('"seq":2,', '"seq":9,')), 0),
      wanted: { kind: "changed", stream: "task", index: 2 },
    },
    {
      name: "a place in the tree",
      harm: (at) =>
        edit(
          at,
          "task",
          (lines) => lines.map((line) => line.replace('"index":2,', '"index":27,')),
          0,
        ),
      wanted: { kind: "changed", stream: "task", seq: 2 },
    },
    {
      name: "a line that is none",
      harm: (at) => edit(at, "task", ([, ...rest]) => ["garbage", ...rest], 0),
      wanted: { kind: "changed", stream: "task", seq: 1 },
    },
    {
      name: "an event deleted in the middle",
      harm: (at) => edit(at, "task", ([first = "", , ...rest]) => [first, ...rest], 0),
      wanted: { kind: "deleted", stream: "task", seq: 2, index: 2 },
    },
    {
      name: "the first event deleted",
      harm: (at) => edit(at, "identity", ([, ...rest]) => rest, 0),
      wanted: { kind: "deleted", stream: "identity", seq: 1, index: 0 },
    },
    {
      name: "the last event of one stream deleted",
      harm: (at) => edit(at, "identity", (lines) => lines.slice(0, -1)),
      wanted: { kind: "deleted", index: 35 },
    },
    {
      name: "a stream deleted",
      harm: (at) => {
        for (const name of filesOf(at, "data_retrieval")) rmSync(join(at, name));
      },
      wanted: { kind: "deleted", index: 3 },
    },
    {
      name: "a file from the middle of a stream deleted",
      harm: (at) => rmSync(join(at, filesOf(at, "task")[1] ?? "")),
      wanted: { kind: "deleted", stream: "task", seq: 5 },
    },
    {
      name: "two events exchanged",
      harm: (at) => edit(at, "task", swap, 0),
      wanted: { kind: "reordered", stream: "task", seq: 2 },
    },
    {
      name: "an event twice",
      harm: (at) => edit(at, "task", ([first = "", ...rest]) => [first, first, ...rest], 0),
      wanted: { kind: "reordered", stream: "task", seq: 1 },
    },
    {
      name: "the end cut off, everywhere alike",
      harm: (at) => keepFirst(at, 33),
      wanted: { kind: "truncated", index: 33 },
    },
    {
      name: "all but nothing left",
      harm: (at) => keepFirst(at, 0),
      wanted: { kind: "truncated", index: 0 },
    },
  ];
  for (const { name, harm, wanted } of rows) {
    const copy = `${folder}-copy`;
    rmSync(copy, { recursive: true, force: true });
    cpSync(folder, copy, { recursive: true });
    harm(copy);
    const { damages } = await verify(copy);
    t.match(damages[0], wanted, name);
  }
});

/** Leaves the first events alone, as somebody would who knows the format. */
function keepFirst(folder: string, count: number): void {
  for (const stream of STREAMS) {
    for (const [i] of filesOf(folder, stream).entries()) {
      edit(
        folder,
        stream,
        (lines) => lines.filter((line) => Number(/"index":(\d+)/.exec(line)?.[1]) < count),
        i,
      );
    }
  }
}

t.test("finds any one bit that was flipped, and any one byte that was lost", async (t) => {
  const folder = await makeLog(t);
  const names = readdirSync(folder).filter((name) => name.endsWith(".jsonl"));
  for (let round = 0; round < 60; round++) {
    const name = names[round % names.length] ?? "";
    const path = join(folder, name);
    const bytes = readFileSync(path);
    const at = (round * 7919) % bytes.length;
    const bent = Buffer.from(bytes);
    bent[at] = (bent[at] ?? 0) ^ (1 << (round % 8));
    writeFileSync(path, bent);
    if ((await verify(folder)).damages.length === 0)
      t.fail(`bit ${round % 8} of byte ${at} of ${name}`);
    writeFileSync(path, Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]));
    if ((await verify(folder)).damages.length === 0) t.fail(`without byte ${at} of ${name}`);
    writeFileSync(path, bytes);
  }
  t.same((await verify(folder)).damages, []);
});

t.test("a log that was written anew, chains and all, is not the one that was signed", async (t) => {
  const folder = await makeLog(t);
  const signed = splitNotes(readFileSync(join(folder, "checkpoints"), "utf8")).map((note) => ({
    source: "kept",
    note,
  }));
  const other = `${folder}-other`;
  const audit = await openAudit(t, other, { clock });
  for (let i = 0; i < 45; i++)
    await audit.append({ stream: "task", type: "test.other", outcome: "ok" });
  await audit.close();
  const { damages, checkpoints } = await verifyLog({
    folder: other,
    keys: [key.verifier],
    notes: signed,
  });
  t.match(damages, [{ kind: "rewritten", message: /kept/ }]);
  t.equal(checkpoints, 0);
});

t.test("says which checkpoint is forged, and goes on with the others", async (t) => {
  const folder = await makeLog(t);
  const { root } = await verify(folder);
  const foreign = generateKeyPairSync("ed25519");
  const text = formatCheckpoint({ origin: "north.test/audit", size: 40, root });
  const elsewhere = formatCheckpoint({ origin: "south.test/audit", size: 40, root });
  for (const [name, note, problem] of [
    [
      "another key",
      signNote(text, verifierKeyOf("north.test/audit", foreign.publicKey), foreign.privateKey),
      /no key that is trusted/,
    ],
    [
      "another key under the hash of ours",
      signNote(text, key.verifier, foreign.privateKey),
      /signature .* is wrong/,
    ],
    ["another log", signNote(elsewhere, key.verifier, privateKey), /south\.test/],
    ["no checkpoint", signNote("hello\n", key.verifier, privateKey), /origin, a size/],
    ["no note", "hello", /cannot be read/],
  ] as const) {
    const { damages, checkpoints } = await verify(folder, [{ source: "given", note }]);
    t.match(damages, [{ kind: "checkpoint-forged", message: problem }], name);
    t.equal(checkpoints, 2, "the others were verified all the same");
  }
  const larger = formatCheckpoint({ origin: "north.test/audit", size: 50, root });
  const note = signNote(larger, key.verifier, privateKey);
  t.match((await verify(folder, [{ source: "older", note }])).damages, [
    { kind: "truncated", index: 40, message: /events 40 to 49 .*older/ },
  ]);
});

t.test("a log that lost its end says so itself, and is not whole again", async (t) => {
  const folder = await makeLog(t);
  keepFirst(folder, 33);
  const lines: string[] = [];
  const log = {
    ...silentLogger,
    error: (_: unknown, message?: string) => void lines.push(message ?? ""),
  };
  const audit = await openAudit(t, folder, { clock, log });
  t.match(lines, [/shorter than its last checkpoint/]);
  for (let i = 0; i < 20; i++)
    await audit.append({ stream: "task", type: "test.event", outcome: "ok" });
  await audit.close();
  const gap = readLines(folder).rows[33];
  t.match(gap, {
    stream: "admin",
    type: "audit.gap",
    outcome: "failed",
    detail: { found: "33", signed: "40" },
  });
  const { damages, remarks, size } = await verify(folder);
  t.match(damages, [{ kind: "truncated", index: 33, message: new RegExp(String(gap?.id)) }]);
  t.match(remarks, [/events 33 to 39 were lost/]);
  t.equal(size, 54, "the rest was verified");
});

t.test("reads a log that is being written, whole at every moment", async (t) => {
  const folder = join(t.testdir(), "audit");
  const audit = await openAudit(t, folder, { clock, more: { maxFileBytes: 5000 } });
  let isDone = false;
  const writing = (async () => {
    for (let round = 0; round < 150; round++) {
      await Promise.all(
        STREAMS.map((stream) => audit.append({ stream, type: "test.event", outcome: "ok" })),
      );
    }
    isDone = true;
  })();
  let reads = 0;
  let largest = 0;
  while (!isDone) {
    const { damages, size } = await verifyLog({ folder, keys: [], notes: [] });
    if (damages.length > 0) t.fail(JSON.stringify(damages));
    largest = Math.max(largest, size);
    reads++;
  }
  await writing;
  t.ok(largest > 0, `read ${reads} times, up to ${largest} events`);
});
