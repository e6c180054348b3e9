// A backup that is put back beside the log that knows better, with real daemons and as docs/operations.md says:
// the end of what was open in it is heard on the node. Who else notices: test/server/restored.test.ts.
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { TaskStatuses } from "../../client/task-status.ts";
import { openTask } from "../../client/tasks/open.ts";
import type { Task } from "../../client/tasks/task.ts";
import { TaskSite } from "../support/task-site.ts";
import { eventually } from "../support/trust-domain.ts";
import { until } from "../support/until.ts";

const SLOW = { timeout: 180_000 };
const LATE_MS = 60_000;

t.test(
  "what was open in a backup ends, on the node too, and what ended stays so",
  SLOW,
  async (t) => {
    const site = await TaskSite.start();
    t.teardown(() => site.stop());
    await site.register("/watcher");
    const aiAgent = await site.registerAiAgent("/agent/researcher");
    const { endpoint } = site;
    const statuses = await eventually(() => TaskStatuses.start({ endpoint }));
    t.teardown(() => statuses.close());
    const open = async (): Promise<Task> => {
      const request = { endpoint, aiAgent, taskClass: "read-only", purpose: "triage 42" };
      const task = await eventually(() => openTask(request));
      t.teardown(() => task.close());
      return task;
    };
    const stateOf = async (task: Task): Promise<string> => {
      const json = await site.admin("task", "show", task.spiffeId.toString(), "--output", "json");
      const { tasks } = JSON.parse(json) as { tasks: { state: string }[] };
      return tasks[0]?.state ?? "";
    };
    const data = join(site.dir, "server");
    const copy = join(site.dir, "copy");
    const putBack = (...parts: string[]): void => {
      for (const part of parts) {
        rmSync(join(data, part), { recursive: true });
        cpSync(join(copy, part), join(data, part), { recursive: true });
      }
    };

    await t.test("beside the log that knows better", SLOW, async (t) => {
      const [kept, completed] = [await open(), await open()];
      await site.stopServer();
      cpSync(data, copy, { recursive: true });
      await site.startServer();
      await eventually(() => completed.complete());
      const later = await open();
      await site.stopServer();
      putBack("store", "keys");
      await site.startServer();

      const [end, endOfLater] = await Promise.all([kept.ended, later.ended]);
      t.same([end.state, endOfLater.state], ["REVOKED", "REVOKED"]);
      for (const task of [kept, completed, later]) {
        await until(() => statuses.verdict(task.spiffeId) === "ended", LATE_MS);
      }
      t.equal(await stateOf(completed), "REVOKED", "it was open in the copy");
      const events = await site.admin("audit", "tail", "--type", "store.restored");
      t.match(events, /store\.restored/);
      t.match(
        await site.admin("audit", "verify", "--dir", join(data, "audit")),
        /\d/,
        "the log is whole",
      );
      const fresh = await open();
      t.equal(await stateOf(fresh), "ACTIVE");
    });
  },
);
