// The engine when its process is killed, and when its disk is full: what was acknowledged is there,
// nothing is there by halves, and after a failed write nothing more is accepted.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import t, { type Test } from "tap";
import { openLevelLog } from "../../../server/store/engine-level.ts";
import type { OrderedLog } from "../../../server/store/log.ts";

const WRITER = fileURLToPath(new URL("crash-writer.ts", import.meta.url));
const ROUNDS = 6;
const IN_FLIGHT = 50;

/** Acknowledged commits: number -> revision. */
type Acknowledged = Map<number, number>;

function startWriter(folder: string, first: number, valueBytes = 200): ChildProcess {
  return spawn(
    process.execPath,
    [WRITER, folder, String(first), String(IN_FLIGHT), String(valueBytes)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
}

/** Lets a writer run until it has acknowledged `count` more commits, kills it, and notes all it said. */
async function runAndKill(
  folder: string,
  acknowledged: Acknowledged,
  count: number,
): Promise<void> {
  const first = Math.max(-1, ...acknowledged.keys()) + 1 + IN_FLIGHT;
  const child = startWriter(folder, acknowledged.size === 0 ? 0 : first);
  const closed = once(child, "close");
  let seen = 0;
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    const [n = Number.NaN, revision = Number.NaN] = line.split(" ").map(Number);
    if (Number.isNaN(n) || Number.isNaN(revision)) continue;
    acknowledged.set(n, revision);
    if (++seen === count) child.kill("SIGKILL");
  }
  await closed;
}

/** Compares what is in the store with what was acknowledged; returns how many commits were in doubt. */
async function check(t: Test, log: OrderedLog, acknowledged: Acknowledged): Promise<number> {
  const state = new Map<string, number>();
  let last = 0;
  let gaps = 0;
  const byRevision = new Map<number, string[]>();
  for await (const change of log.watch(0, AbortSignal.timeout(10_000))) {
    if (change.revision !== last + 1) gaps++;
    last = change.revision;
    for (const { key } of change.puts) state.set(key, change.revision);
    for (const key of change.deletes) state.delete(key);
    byRevision.set(
      change.revision,
      change.puts.map(({ key }) => key),
    );
    if (last === log.revision) break;
  }
  t.equal(gaps, 0, "no gap in the revisions");
  const lost = [...acknowledged].filter(([n, revision]) => {
    const keys = byRevision.get(revision);
    return keys?.[0] !== `n/${n}` || keys[1] !== `twin/${n}`;
  });
  t.strictSame(lost, [], "every acknowledged commit is there, whole, under its revision");
  const records: [string, number][] = [];
  for (let after: string | undefined; ; ) {
    const page = await log.list("", { limit: 5000, ...(after === undefined ? {} : { after }) });
    for (const { key, revision } of page.records) records.push([key, revision]);
    if (page.next === undefined) break;
    after = page.next;
  }
  const byKey = (a: [string, number], b: [string, number]): number => (a[0] < b[0] ? -1 : 1);
  t.strictSame(
    records.sort(byKey),
    [...state].sort(byKey),
    "the records are what the changes leave",
  );
  return log.revision - acknowledged.size;
}

t.test("kill -9 while commits are under way loses nothing that was acknowledged", async (t) => {
  const folder = join(t.testdir(), "store");
  const acknowledged: Acknowledged = new Map();
  let inDoubt = 0;
  let storeId: string | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    await runAndKill(folder, acknowledged, 100 + round * 137);
    const log = await openLevelLog({ folder });
    storeId ??= log.storeId;
    t.equal(log.storeId, storeId);
    inDoubt = await check(t, log, acknowledged);
    await log.close();
  }
  t.comment(`${ROUNDS} rounds: ${acknowledged.size} acknowledged, ${inDoubt} in doubt and found`);
  t.ok(inDoubt <= ROUNDS * IN_FLIGHT, "no more than were under way were found besides");
});

t.test("a full disk refuses commits until the store is opened again, and loses none", async (t) => {
  const folder = t.testdir();
  if (!mountTmpfs(folder, "3m")) {
    t.comment("skipped: mounting a small tmpfs needs root");
    return;
  }
  try {
    await fillAndReopen(t, folder);
  } finally {
    execFileSync("umount", [folder]);
  }
});

async function fillAndReopen(t: Test, folder: string): Promise<void> {
  const acknowledged: Acknowledged = new Map();
  const child = startWriter(join(folder, "store"), 0, 4000);
  const closed = once(child, "close");
  const said: string[] = [];
  for await (const line of createInterface({ input: child.stdout ?? process.stdin })) {
    const [n = Number.NaN, revision = Number.NaN] = line.split(" ").map(Number);
    if (Number.isNaN(n) || Number.isNaN(revision)) said.push(line);
    else acknowledged.set(n, revision);
  }
  await closed;
  t.strictSame(said, ["failed STORE_FAILED", "then STORE_FAILED"]);
  execFileSync("mount", ["-o", "remount,size=64m", folder]);
  const log = await openLevelLog({ folder: join(folder, "store") });
  try {
    t.ok(acknowledged.size > 10, `${acknowledged.size} were acknowledged before`);
    await check(t, log, acknowledged);
    t.equal(await log.commit({ puts: [{ key: "again", value: new Uint8Array() }] }), log.revision);
  } finally {
    await log.close();
  }
}

function mountTmpfs(folder: string, size: string): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder], {
      stdio: "ignore",
    });
    return true;
  } catch {
    return false;
  }
}
