// What keeps an eye on the server: whatever no longer follows the store ends it.
import t from "tap";
import { silentLogger } from "../../runtime/log.ts";
import { type UpkeepOptions, watchStore } from "../../server/upkeep.ts";
import { TestClock } from "../support/clock.ts";

const FOLLOWERS = [
  ...["store", "entries", "nodes", "revocations"],
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
