// What is asked of the server about tasks for guards: once for all who ask, and never forgotten.
import t from "tap";
import type { TaskStatus } from "../../../agent/cache/task-status.ts";
import { TaskDescriptions } from "../../../agent/guard/describe.ts";
import type { signet } from "../../../proto/schema.gen.ts";
import { TestClock } from "../../support/clock.ts";

const ULID = "01JD9Z5QSA7X8M3V4N2K1P0RTE";
const NEWS: TaskStatus = {
  taskId: ULID,
  spiffeId: `spiffe://north.test/ai/a/task/${ULID}`,
  verdict: "good",
  version: 2,
  forgetAt: new Date("2031-01-01T00:00:00Z"),
  state: "ACTIVE",
  reason: "",
};

t.test("what changed is asked for again at once, not when it has become old", async (t) => {
  let version = 1;
  const descriptions = new TaskDescriptions({
    ask: async () => [{ id: ULID, spiffeId: NEWS.spiffeId, version } as signet.task.v1.Task],
    isFresh: () => true,
    clock: new TestClock("2030-01-01T00:00:00Z"),
  });
  t.match(await descriptions.describe(ULID), { version: 1 });
  version = 2;
  t.match(await descriptions.describe(ULID), { version: 1 }, "kept for a moment");
  descriptions.changed({ tasks: [NEWS] });
  t.match(await descriptions.describe(ULID), { version: 2 });
});

t.test("whoever asked before there was news is answered with those who ask after it", async (t) => {
  const asked: string[][] = [];
  const descriptions = new TaskDescriptions({
    ask: async (ids) => {
      asked.push([...ids]);
      return [];
    },
    isFresh: () => true,
    clock: new TestClock("2030-01-01T00:00:00Z"),
  });
  const before = descriptions.describe(ULID);
  descriptions.changed({ tasks: [NEWS] });
  const after = descriptions.describe(ULID);
  t.same(await Promise.all([before, after]), [undefined, undefined]);
  t.same(asked, [[ULID]], "one question, which was not sent before the news");
});
