// The child of ledger.test.ts: notes documents without pause and says "noted N" once each may be let out.
import { randomInt } from "node:crypto";
import { writeSync } from "node:fs";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { Ledger } from "../../../server/ledger/ledger.ts";

const [folder = ""] = process.argv.slice(2);
const ledger = await Ledger.open({ folder, clock: systemClock, log: silentLogger });
for (;;) {
  const numbers = Array.from({ length: randomInt(1, 60) }, () => randomInt(2 ** 40));
  const now = Math.floor(Date.now() / 1000);
  await ledger.add(
    numbers.map((number) => ({
      kind: "x509" as const,
      name: new Uint8Array(16),
      authorityId: "ab",
      spiffeId: `spiffe://north.test/${number}`,
      agentId: "",
      issuedAtUnixSeconds: now,
      expiresAtUnixSeconds: now + 3600,
    })),
  );
  writeSync(1, numbers.map((number) => `noted ${number}\n`).join(""));
}
