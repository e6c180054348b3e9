// The child of log.test.ts: appends to a log without pause and says "written ID" once an event may be
// answered for, "durable ID" once it is on the disk. Signs checkpoints as the server does.
import { generateKeyPairSync, randomBytes, randomInt } from "node:crypto";
import { writeSync } from "node:fs";
import { verifierKeyOf } from "../../../pki/merkle/note.ts";
import { newUlid } from "../../../pki/task-id.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { Checkpoints } from "../../../server/audit/checkpoints.ts";
import { STREAMS } from "../../../server/audit/event.ts";
import { AuditLog } from "../../../server/audit/log.ts";

const [folder = ""] = process.argv.slice(2);
const parts = { clock: systemClock, log: silentLogger };
const audit = await AuditLog.open({
  folder,
  observer: "spiffe://north.test/spire/server",
  maxFileBytes: 40_000,
  ...parts,
});
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const key = { privateKey, verifier: verifierKeyOf("north.test/audit", publicKey) };
const checkpoints = new Checkpoints({ audit, key, ...parts });
void audit.run(new AbortController().signal);
for (let round = 0; ; round++) {
  const durable = randomInt(4) === 0;
  const ids = Array.from({ length: randomInt(1, 40) }, () => newUlid(new Date(), randomBytes(10)));
  await Promise.all(
    ids.map((id) =>
      audit.append(
        {
          stream: STREAMS[randomInt(STREAMS.length)] ?? "task",
          type: "test.event",
          outcome: "ok",
          id,
        },
        { durable },
      ),
    ),
  );
  writeSync(1, ids.map((id) => `${durable ? "durable" : "written"} ${id}\n`).join(""));
  if (round % 20 === 19) {
    const { size } = await checkpoints.sign();
    writeSync(1, `signed ${size}\n`);
  }
}
