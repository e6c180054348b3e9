// The files of the ledger when there are more lifetimes than files may be open.
import { readdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { LedgerFiles } from "../../../server/store/ledger-files.ts";

const OPEN_AT_MOST = 32;

function descriptorsIn(folder: string): number {
  const files = readdirSync("/proc/self/fd");
  return files.filter((name) => linkOf(name).startsWith(folder)).length;
}

function linkOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ""; // of the listing itself, gone by now
  }
}

t.test("files make room for others while they are brought to the disk", async (t) => {
  const folder = join(t.testdir(), "ledger");
  const files = await LedgerFiles.open(folder, 0, () => undefined);
  for (let bucket = 0; bucket < OPEN_AT_MOST; bucket++) files.append(bucket, Buffer.from("old"));
  const syncing = files.sync();
  for (let bucket = 0; bucket < 5; bucket++) files.append(100 + bucket, Buffer.from("new"));
  await t.resolves(syncing, "none of those that are left to do is closed");
  t.notOk(files.mustSync);
  t.ok(descriptorsIn(folder) <= OPEN_AT_MOST, `${descriptorsIn(folder)} are open`);
  await files.close();
  t.equal(descriptorsIn(folder), 0);

  const blocks: number[] = [];
  const again = await LedgerFiles.open(folder, 0, (_file, bucket) => void blocks.push(bucket));
  t.equal(blocks.length, OPEN_AT_MOST + 5, "all is there");
  await again.close();
});
