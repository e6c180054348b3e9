// The child of crash.test.ts: commits without pause, many at once, and writes one line for each commit
// that was acknowledged: "N REVISION". Commit N puts "n/N" and "twin/N", and deletes what N-500 put.
// Also started for a store on a full disk: prints "failed REASON" when a commit is refused, and stays.

import { writeSync } from "node:fs";
import { IdentityError } from "../../../pki/errors.ts";
import { openLevelLog } from "../../../server/store/engine-level.ts";

const [folder = "", first = "0", inFlight = "50", valueBytes = "200"] = process.argv.slice(2);
const log = await openLevelLog({ folder });
let next = Number(first);

async function write(): Promise<void> {
  for (;;) {
    const n = next++;
    const value = new Uint8Array(Number(valueBytes)).fill(n % 256);
    const deletes = n >= 500 ? [`n/${n - 500}`, `twin/${n - 500}`] : [];
    const puts = [
      { key: `n/${n}`, value },
      { key: `twin/${n}`, value },
    ];
    const revision = await log.commit({ puts, deletes });
    writeSync(1, `${n} ${revision}\n`);
  }
}

try {
  await Promise.all(Array.from({ length: Number(inFlight) }, write));
} catch (error) {
  if (!(error instanceof IdentityError)) throw error;
  writeSync(1, `failed ${error.reason}\n`);
  const again = await log
    .commit({ puts: [{ key: "after", value: new Uint8Array() }] })
    .catch((e: unknown) => e);
  writeSync(1, `then ${again instanceof IdentityError ? again.reason : "accepted"}\n`);
}
