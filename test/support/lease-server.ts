// A process that lends uses of one task from a store on the disk, to be killed by a test: it says the
// task's ID once it is ready, then answers {n, request, node} with {n, answer}.
import { createLogger } from "../../runtime/log.ts";
import { openLevelLog } from "../../server/store/engine-level.ts";
import { TaskStore } from "../../server/store/tasks.ts";
import { Budgets } from "../../server/tasks/budgets.ts";
import { TestClock } from "./clock.ts";
import { addTask, MANDATE } from "./task-records.ts";

const [folder = "", uses = "0"] = process.argv.slice(2);
const log = await openLevelLog({ folder });
const store = await TaskStore.start(log);
const [known] = store.values();
const task = known ?? (await addTask(store, { mandate: { ...MANDATE, uses: Number(uses) } }));
const logger = createLogger({ level: "silent" });
const budgets = new Budgets({ store, log, clock: new TestClock(), logger });

interface Question {
  readonly n: number;
  readonly request: { readonly taskId: string; readonly count: number; readonly leaseId: string };
  readonly node: string;
}

process.on("message", ({ n, request, node }: Question) => {
  const { taskId, count, leaseId } = request;
  budgets.lease(taskId, count, leaseId, node).then(
    (answer) => process.send?.({ n, answer }),
    (error: unknown) => process.send?.({ n, error: String(error) }),
  );
});
process.on("disconnect", () => process.exit(0));
process.send?.(task.id);
