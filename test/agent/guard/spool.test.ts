// Where events wait for the server: on the disk before anyone is told so, there after a crash, bounded.

import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { Spool } from "../../../agent/guard/spool.ts";
import { Status } from "../../../pki/errors.ts";
import { silentLogger } from "../../../runtime/log.ts";

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const OWNER = "spiffe://north.test/tickets";

function open(folder: string, limitBytes = 1_000_000): Promise<Spool> {
  return Spool.open({ folder, limitBytes, log: silentLogger });
}

async function contentOf(spool: Spool): Promise<string[]> {
  const all: string[] = [];
  for (;;) {
    const batch = await spool.first();
    if (batch === undefined) return all;
    all.push(...batch.payloads.map((payload) => Buffer.from(payload).toString()));
    await spool.remove(batch);
  }
}

const folderOf = (t: Test): string => join(t.testdir(), "spool");

t.test("what was appended is there in its order, once, until it is removed", async (t) => {
  const spool = await open(folderOf(t));
  t.equal(await spool.first(), undefined);
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => spool.append(OWNER, [bytesOf(`a${i}`), bytesOf(`b${i}`)])),
  );
  t.ok(spool.bytes > 0);
  const batch = await spool.first();
  t.same((await spool.first())?.payloads, batch?.payloads, "it stays until it is removed");
  await spool.append(OWNER, [bytesOf("later")]);
  const expected = Array.from({ length: 50 }, (_, i) => [`a${i}`, `b${i}`]).flat();
  t.same(await contentOf(spool), [...expected, "later"]);
  t.equal(spool.bytes, 0);
  await spool.close();
});

t.test("files and their folder are for the node agent's user alone", async (t) => {
  const folder = folderOf(t);
  const spool = await open(folder);
  await spool.append(OWNER, [bytesOf("one")]);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of readdirSync(folder)) {
    t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  }
  await spool.close();
});

t.test("a process that is killed loses nothing that it has acknowledged", async (t) => {
  const folder = folderOf(t);
  const program = `
    import { Spool } from ${JSON.stringify(new URL("../../../agent/guard/spool.ts", import.meta.url).href)};
    const log = { warn() {}, error() {} };
    const spool = await Spool.open({ folder: ${JSON.stringify(folder)}, limitBytes: 1e6, log });
    for (let i = 0; ; i++) {
      await spool.append("o", [Buffer.from(String(i))]);
      process.stdout.write(i + "\\n");
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program]);
  let told = "";
  child.stdout.on("data", (chunk: Buffer) => {
    told += chunk.toString();
    if (told.length > 600) child.kill("SIGKILL");
  });
  child.stderr.on("data", (chunk: Buffer) => t.fail(chunk.toString()));
  await once(child, "close");
  const acknowledged = told.split("\n").filter((line) => line !== "");
  const spool = await open(folder);
  const found = await contentOf(spool);
  t.ok(acknowledged.length > 50);
  t.same(found.slice(0, acknowledged.length - 1), acknowledged.slice(0, -1));
  await spool.close();
});

t.test("what a crash left half-written is left out, what stands before it is not", async (t) => {
  const folder = folderOf(t);
  let spool = await open(folder);
  await spool.append(OWNER, [bytesOf("whole")]);
  await spool.close();
  const path = join(folder, readdirSync(folder)[0] ?? "");
  const whole = readFileSync(path);
  for (const [name, damage] of [
    ["cut in a header", () => appendFileSync(path, whole.subarray(0, 5))],
    ["cut in a payload", () => appendFileSync(path, whole.subarray(0, -1))],
    ["zeros of a page that was never written", () => appendFileSync(path, Buffer.alloc(100))],
    ["a flipped bit", () => appendFileSync(path, flipped(whole))],
  ] as const) {
    writeFileSync(path, whole);
    damage();
    spool = await open(folder);
    const batch = await spool.first();
    t.same(batch?.payloads.map(String), [bytesOf("whole").toString()], name);
    await spool.close();
  }
  truncateSync(path, 0);
  spool = await open(folder);
  t.same(await contentOf(spool), [], "an empty file is no trouble");
  await spool.append(OWNER, [bytesOf("next")]);
  t.same(await contentOf(spool), ["next"]);
  await spool.close();
});

t.test("a full spool takes nothing, and one owner cannot fill it alone", async (t) => {
  const folder = folderOf(t);
  let spool = await open(folder, 4000);
  const refusal = { reason: "GUARD_SPOOL_FULL", code: Status.resourceExhausted };
  await spool.append("greedy", [Buffer.alloc(900)]);
  t.throws(() => spool.append("greedy", [Buffer.alloc(100)]), refusal, "a quarter is its share");
  for (const owner of ["b", "c", "d"]) await spool.append(owner, [Buffer.alloc(900)]);
  t.throws(() => spool.append("e", [Buffer.alloc(900)]), refusal);
  await spool.close();

  t.comment("after a restart it is as full as before");
  spool = await open(folder, 4000);
  t.throws(() => spool.append("greedy", [Buffer.alloc(100)]), refusal);
  t.throws(() => spool.append("e", [Buffer.alloc(900)]), refusal);
  await contentOf(spool);
  await spool.append("greedy", [Buffer.alloc(900)]);
  t.pass("and takes more once the server has what was there");
  await spool.close();
});

t.test("a disk that fails is said so, and nothing is called written that is not", async (t) => {
  const folder = folderOf(t);
  const spool = await open(folder);
  await spool.append(OWNER, [bytesOf("before")]);
  const batch = await spool.first();
  t.equal(batch?.payloads.length, 1);
  await import("node:fs/promises").then(({ rm }) => rm(folder, { recursive: true }));
  await t.rejects(spool.append(OWNER, [bytesOf("lost")]), {
    reason: "GUARD_SPOOL_BROKEN",
    code: Status.unavailable,
  });
  await import("node:fs/promises").then(({ mkdir }) => mkdir(folder));
  await spool.append(OWNER, [bytesOf("after")]);
  if (batch !== undefined) await spool.remove(batch);
  t.same(await contentOf(spool), ["after"]);
  await spool.close();
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(copy.length - 1) ^ 1, copy.length - 1);
  return copy;
}
