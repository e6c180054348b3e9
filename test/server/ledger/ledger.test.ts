// The ledger over its files: what was noted is found after a restart, after kill -9 and after a torn
// write; what cannot be written is refused, and the ledger goes on when the disk has room again.
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { silentLogger } from "../../../runtime/log.ts";
import type { IssuedDocument } from "../../../server/ledger/document.ts";
import { Ledger } from "../../../server/ledger/ledger.ts";
import { TestClock } from "../../support/clock.ts";

const WRITER = fileURLToPath(new URL("ledger-writer.ts", import.meta.url));
const START = "2030-01-01T00:00:00Z";
const startSeconds = Date.parse(START) / 1000;

function document(number: number, lifetime = 3600): IssuedDocument {
  const name = Buffer.alloc(16);
  name.writeUInt32BE(number, 0);
  return {
    kind: "x509",
    name: Uint8Array.from(name),
    authorityId: "ab",
    spiffeId: `spiffe://north.test/${number}`,
    agentId: "spiffe://north.test/spire/agent/a",
    issuedAtUnixSeconds: startSeconds,
    expiresAtUnixSeconds: startSeconds + lifetime,
  };
}

async function open(t: Test, folder: string, clock = new TestClock(START)): Promise<Ledger> {
  const ledger = await Ledger.open({ folder, clock, log: silentLogger });
  t.teardown(() => ledger.close().catch(() => undefined));
  return ledger;
}

const files = (folder: string): string[] => readdirSync(folder).sort();

t.test("is read back at the start, by the owner alone", async (t) => {
  const folder = join(t.testdir(), "ledger");
  const first = await open(t, folder);
  await first.add([document(1), document(2, 60)]);
  await first.add([document(3)]);
  await first.add([]);
  await first.close();
  const again = await open(t, folder);
  t.same(again.find({ spiffeId: "spiffe://north.test/1" }), [document(1)]);
  t.equal(again.size, 3);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  for (const name of files(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
});

t.test("drops what has expired, in memory and on disk, with a grace", async (t) => {
  const folder = join(t.testdir(), "ledger");
  const clock = new TestClock(START);
  const ledger = await open(t, folder, clock);
  await ledger.add([document(1, 60), document(2, 7200)]);
  await clock.advance(120_000);
  await ledger.prune();
  t.equal(ledger.size, 2, "kept for a while: clocks differ");
  t.same(ledger.find({ spiffeId: "spiffe://north.test/1" }), [], "but not found any more");
  await clock.advance(3_600_000);
  await ledger.prune();
  t.equal(ledger.size, 1);
  t.equal(files(folder).length, 1);
  await ledger.close();
  const again = await open(t, folder, clock);
  t.equal(again.size, 1);
  clock.step(startSeconds * 1000 - clock.now().getTime());
  t.equal(again.find({}).length, 1, "a clock that was set back finds what is left");
});

t.test("a frame that was cut off is the end of its file, and of nothing else", async (t) => {
  const folder = join(t.testdir(), "ledger");
  const ledger = await open(t, folder);
  await ledger.add([document(1)]);
  await ledger.add([document(2)]);
  await ledger.close();
  const [name = ""] = files(folder);
  const whole = readFileSync(join(folder, name));
  for (const cut of [1, 7, 20]) {
    writeFileSync(join(folder, name), whole.subarray(0, whole.length - cut));
    const again = await open(t, folder);
    t.same(again.find({}), [document(1)], `${cut} bytes less`);
    await again.close();
  }
  writeFileSync(join(folder, name), whole);
  appendFileSync(join(folder, name), Buffer.from("ffffffff00000000aa", "hex"));
  const again = await open(t, folder);
  t.equal(again.size, 2, "an absurd length is not believed");
  await again.add([document(3)]);
  await again.close();
  t.equal((await open(t, folder)).size, 3, "the next process writes files of its own");
});

t.test("a frame with other bytes than were written is not believed", async (t) => {
  const folder = join(t.testdir(), "ledger");
  const ledger = await open(t, folder);
  await ledger.add([document(1)]);
  await ledger.close();
  const [name = ""] = files(folder);
  const bytes = readFileSync(join(folder, name));
  bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
  writeFileSync(join(folder, name), bytes);
  t.equal((await open(t, folder)).size, 0);
});

function startWriter(folder: string): ChildProcess {
  return spawn(process.execPath, [WRITER, folder], { stdio: ["ignore", "pipe", "inherit"] });
}

t.test("kill -9 loses nothing that was let out", async (t) => {
  const folder = join(t.testdir(), "ledger");
  const noted = new Set<number>();
  for (let round = 0; round < 3; round++) {
    const child = startWriter(folder);
    const closed = once(child, "close");
    let seen = 0;
    for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
      if (line.startsWith("noted ")) noted.add(Number(line.slice(6)));
      if (++seen === 200 + round * 77) child.kill("SIGKILL");
    }
    await closed;
  }
  const ledger = await open(t, folder, new TestClock(new Date()));
  const found = new Set(ledger.find({}).map(({ spiffeId }) => Number(spiffeId.split("/").at(-1))));
  t.same(
    [...noted].filter((number) => !found.has(number)),
    [],
  );
  t.ok(noted.size > 600, `${noted.size} noted, ${found.size} found`);
});

t.test("a full disk: nothing is let out; with room again it goes on by itself", async (t) => {
  const folder = t.testdir();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "none", folder], { stdio: "ignore" });
  } catch {
    t.comment("skipped: mounting a small tmpfs needs root");
    return;
  }
  try {
    const ledger = await open(t, join(folder, "ledger"));
    let noted = 0;
    const full = (async () => {
      for (;;) await ledger.add([document(noted)]).then(() => noted++);
    })();
    const refused = { reason: "LEDGER_UNWRITABLE", code: 14, hint: /disk/ };
    await t.rejects(full, refused);
    t.ok(noted > 100, `${noted} fit`);
    t.ok(ledger.failure, "it says so");
    const before = noted;
    await t.rejects(ledger.add([document(noted)]), refused, "again");
    execFileSync("mount", ["-o", "remount,size=4m", folder]);
    for (let i = 0; i < 50; i++) await ledger.add([document(noted++)]);
    t.equal(ledger.failure, undefined);
    await ledger.close();
    const again = await open(t, join(folder, "ledger"));
    t.equal(again.size, before + 50, "each row that was let out, and none by halves");
    await again.close();
  } finally {
    execFileSync("umount", [folder]);
  }
});
