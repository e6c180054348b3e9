// What a clock that is ahead for a while does to revocations: nothing that lasts.
import t from "tap";
import { silentLogger } from "../../../runtime/log.ts";
import { Crls } from "../../../server/ca/crls.ts";
import { Revoker } from "../../../server/revocation/revoke.ts";
import { RevokedSerials } from "../../../server/revocation/revoked-serials.ts";
import { CrlStore } from "../../../server/store/crls.ts";
import { EntryStore } from "../../../server/store/entries.ts";
import { NodeStore } from "../../../server/store/nodes.ts";
import type { RevocationRecord } from "../../../server/store/revocation-record.ts";
import { RevocationStore } from "../../../server/store/revocations.ts";
import { startTestCa } from "../../support/test-ca.ts";

const HOUR_MS = 3600_000;

t.test("a clock that was ahead makes nothing good again that was revoked", async (t) => {
  const ca = await startTestCa(t);
  const { log, clock, authorities } = ca;
  const now = (): Date => clock.now();
  const entries = await EntryStore.start({ log, now });
  const nodes = await NodeStore.start({ log, now, entries });
  const revocations = await RevocationStore.start(log);
  const store = await CrlStore.start(log);
  const revoked = new RevokedSerials(revocations);
  const crls = new Crls({ authorities, revocations, store, clock, logger: silentLogger });
  const revoker = new Revoker({
    ...{ revocations, nodes, crls, clock, log: silentLogger },
    ledger: { find: () => [] },
    holds: { announce: () => () => undefined },
    horizon: (kind) => authorities.horizon(kind),
  });
  const stop = new AbortController();
  const running = revoker.run(stop.signal);
  t.teardown(async () => {
    stop.abort();
    revoked.stop();
    await Promise.all([running, store.stop(), revocations.stop(), nodes.stop(), entries.stop()]);
    await ca.stop();
  });
  const [authorityId = ""] = crls.ids();
  const listed = async (): Promise<number | undefined> => {
    await crls.check();
    return store.get(authorityId)?.size;
  };

  const nowMs = clock.now().getTime();
  const expiresAtUnixSeconds = Math.floor((nowMs + HOUR_MS) / 1000);
  const record: RevocationRecord = {
    id: "0123456789abcdef",
    target: { kind: "serial", value: "7f" },
    reason: "key-compromise",
    revokedAtUnixMs: nowMs,
    revokedBy: "test",
    certificates: [{ authorityId, serial: "7f", expiresAtUnixSeconds }],
    tokens: [],
    expiresAtUnixSeconds,
  };
  await revocations.add(record);
  t.equal(await listed(), 1);

  clock.step(4 * HOUR_MS);
  await clock.advance(61_000);
  t.equal(await listed(), 0, "by this clock it has expired");
  clock.step(-4 * HOUR_MS);
  await clock.advance(61_000);
  t.equal(await listed(), 1, "and by the right one it has not");
  t.ok(revoked.has("7f"));

  clock.step(26 * HOUR_MS);
  await clock.advance(61_000);
  const deleted = new Promise<void>((resolve) => {
    if (revocations.size === 0) resolve();
    revocations.onChange(() => resolve());
  });
  await deleted;
  t.equal(revocations.size, 0, "in the end it goes");
});
