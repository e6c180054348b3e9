// What keeps an eye on the server: whatever no longer follows the store ends it.
import t from "tap";
import { silentLogger } from "../../runtime/log.ts";
import { BundleStore } from "../../server/store/bundles.ts";
import { CrlStore } from "../../server/store/crls.ts";
import { type UpkeepOptions, watchStore } from "../../server/upkeep.ts";
import { TestClock } from "../support/clock.ts";
import { openTestLog } from "../support/test-store.ts";
import { until } from "../support/until.ts";

const FOLLOWERS = [
  ...["store", "entries", "nodes", "bundles", "crls", "revocations"],
  ...["aiAgents", "taskClasses", "entryOwners", "tasks"],
];

t.test("ends when one of those in memory no longer follows the store", async (t) => {
  for (const name of FOLLOWERS) {
    const failure = new Error(name);
    const parts = Object.fromEntries(FOLLOWERS.map((one) => [one, {}]));
    const clock = new TestClock("2030-01-01T00:00:00Z");
    const upkeep = { ...parts, [name]: { failure }, clock, log: silentLogger };
    await t.rejects(
      watchStore(upkeep as unknown as UpkeepOptions, AbortSignal.timeout(2000)),
      failure,
      name,
    );
  }
});

t.test("a bundle that cannot be read is such a failure", async (t) => {
  const log = await openTestLog(t);
  const bundles = await BundleStore.start(log);
  const crls = await CrlStore.start(log);
  t.teardown(() => Promise.all([bundles.stop(), crls.stop()]));
  await log.commit({
    puts: [
      { key: "bundle/north.test", value: Buffer.from("no bundle") },
      { key: "crl/one", value: Buffer.from("no list") },
    ],
  });
  await until(() => bundles.failure !== undefined && crls.failure !== undefined);
  t.match([bundles.failure, crls.failure], [{ name: "IdentityError" }, { name: "IdentityError" }]);
});
