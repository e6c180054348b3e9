// Durable, private files: whole or not there at all, whenever the process is killed.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import t from "tap";
import {
  createFileAtomic,
  ensureDir,
  ensureOwnDir,
  readFileBounded,
  readPrivateFile,
  removeFile,
  writeFileAtomic,
} from "../../runtime/files.ts";

t.test("replaces a file and leaves nothing else in the folder", async (t) => {
  const dir = t.testdir();
  const path = join(dir, "a");
  await writeFileAtomic(path, "one");
  await writeFileAtomic(path, "two");
  t.equal(readFileSync(path, "utf8"), "two");
  t.same(readdirSync(dir), ["a"]);
});

t.test("the mode is the one asked for, whatever the umask", async (t) => {
  const path = join(t.testdir(), "a");
  const before = process.umask(0o277);
  t.teardown(() => process.umask(before));
  await writeFileAtomic(path, "x", 0o644);
  t.equal(statSync(path).mode & 0o777, 0o644);
});

t.test("a folder that is missing is a clear error", async (t) => {
  await t.rejects(writeFileAtomic(join(t.testdir(), "no", "a"), "x"), {
    reason: "FILE_UNWRITABLE",
    code: 14,
  });
});

t.test("removes what a killed process left half-written, but nothing young", async (t) => {
  const dir = t.testdir({ ".a.tmp-0011223344556677": "old", ".a.tmp-8899aabbccddeeff": "young" });
  utimesSync(join(dir, ".a.tmp-0011223344556677"), new Date(0), new Date(0));
  await writeFileAtomic(join(dir, "a"), "x");
  t.same(readdirSync(dir), [".a.tmp-8899aabbccddeeff", "a"]);
});

t.test("killed at any instant, the file is the old or the new one, whole", async (t) => {
  const dir = t.testdir();
  const path = join(dir, "state");
  const program = `
    import { writeFileAtomic } from ${JSON.stringify(new URL("../../runtime/files.ts", import.meta.url).href)};
    for (let i = 1; ; i++) { await writeFileAtomic(${JSON.stringify(path)}, String(i).repeat(20000)); console.log(i); }`;
  for (let round = 0; round < 6; round++) {
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const acknowledged = await killAfter(child, 3 + round * 2);
    const text = readFileSync(path, "utf8");
    const number = Number(text.slice(0, text.length / 20000));
    t.equal(text, String(number).repeat(20000), "whole");
    t.ok(number >= acknowledged, `acknowledged ${acknowledged}, found ${number}`);
  }
});

// Kills the child once it has acknowledged `count` writes and answers how many it did by then.
async function killAfter(child: ChildProcess, count: number): Promise<number> {
  let text = "";
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (text.split("\n").length > count) child.kill("SIGKILL");
  }
  return Number(text.slice(0, text.lastIndexOf("\n")).split("\n").at(-1));
}

t.test("of many that create one file, one wins and the others change nothing", async (t) => {
  const dir = t.testdir();
  const path = join(dir, "a");
  const won = await Promise.all(
    Array.from({ length: 20 }, (_, i) => createFileAtomic(path, `${i}`)),
  );
  t.equal(won.filter(Boolean).length, 1);
  t.equal(readFileSync(path, "utf8"), String(won.indexOf(true)));
  t.same(readdirSync(dir), ["a"]);
});

t.test("reads a private file, and refuses one others have access to", async (t) => {
  const path = join(t.testdir({ a: "secret" }), "a");
  chmodSync(path, 0o600);
  t.equal(Buffer.from((await readPrivateFile(path)) ?? []).toString(), "secret");
  chmodSync(path, 0o400);
  t.equal((await readPrivateFile(path))?.length, 6);
  chmodSync(path, 0o660);
  await t.rejects(readPrivateFile(path), { reason: "FILE_EXPOSED", code: 9, hint: /chmod 600/ });
  t.equal(await readPrivateFile(`${path}.none`), undefined);
});

const notRoot = process.getuid?.() === 0 ? false : "needs root to give a file away";
t.test("refuses a secret that belongs to another user", { skip: notRoot }, async (t) => {
  const path = join(t.testdir({ a: "secret" }), "a");
  chmodSync(path, 0o600);
  chownSync(path, 65534, 65534);
  await t.rejects(readPrivateFile(path), { reason: "FILE_EXPOSED", code: 9, message: /uid 65534/ });
});

t.test("reads no more than the limit, and only regular files", async (t) => {
  const dir = t.testdir({ a: "12345" });
  t.equal((await readFileBounded(join(dir, "a"), { limitBytes: 5 }))?.length, 5);
  await t.rejects(readFileBounded(join(dir, "a"), { limitBytes: 4 }), {
    reason: "FILE_TOO_LARGE",
    code: 11,
  });
  await t.rejects(readFileBounded(dir), { reason: "FILE_UNREADABLE", code: 9 });
  execFileSync("mkfifo", [join(dir, "fifo")]);
  await t.rejects(readFileBounded(join(dir, "fifo")), { reason: "FILE_UNREADABLE", code: 9 });
});

t.test("removes a file, and says when there was none", async (t) => {
  const path = join(t.testdir({ a: "" }), "a");
  t.equal(await removeFile(path), true);
  t.equal(await removeFile(path), false);
});

t.test("a folder gets the mode it needs, new or not", async (t) => {
  const dir = t.testdir({ there: {} });
  await ensureDir(join(dir, "there"), 0o711);
  await ensureDir(join(dir, "new", "er"), 0o700);
  t.equal(statSync(join(dir, "there")).mode & 0o777, 0o711);
  t.equal(statSync(join(dir, "new", "er")).mode & 0o777, 0o700);
  writeFileSync(join(dir, "file"), "");
  await t.rejects(ensureDir(join(dir, "file", "x")), { reason: "FILE_UNWRITABLE", code: 14 });
});

t.test("a folder of one's own is made, and a link in its place refused", async (t) => {
  const dir = t.testdir({ theirs: {} });
  await ensureOwnDir(join(dir, "own"), 0o711);
  await ensureOwnDir(join(dir, "own"), 0o711);
  t.equal(statSync(join(dir, "own")).mode & 0o777, 0o711);
  chmodSync(join(dir, "theirs"), 0o755);
  symlinkSync(join(dir, "theirs"), join(dir, "link"));
  await t.rejects(ensureOwnDir(join(dir, "link"), 0o700), { reason: "FILE_EXPOSED", code: 9 });
  t.equal(statSync(join(dir, "theirs")).mode & 0o777, 0o755, "and its target left alone");
});

t.test(
  "a folder that another user has put there is refused",
  { skip: process.getuid?.() === 0 ? false : "needs root to be another user" },
  async (t) => {
    const path = join(t.testdir(), "launch");
    mkdirSync(path, 0o711);
    chownSync(path, 65_534, 65_534);
    await t.rejects(ensureOwnDir(path, 0o711), { reason: "FILE_EXPOSED", message: /uid 65534/ });
    t.equal(lstatSync(path).uid, 65_534);
  },
);
