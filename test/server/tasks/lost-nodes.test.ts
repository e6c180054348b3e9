// Node agents that are banned or evicted take their tasks with them: all of them, whatever comes in between.
import t from "tap";
import { systemClock } from "../../../runtime/clock.ts";
import { silentLogger } from "../../../runtime/log.ts";
import type { NodeRecord } from "../../../server/store/node-record.ts";
import type { ReplicaChange, ReplicaHandler } from "../../../server/store/replica.ts";
import type { KnownTask } from "../../../server/store/task-record.ts";
import { endTasksOfLostNodes } from "../../../server/tasks/lost-nodes.ts";
import { settle } from "../../support/clock.ts";
import { NODE, TaskServer } from "../../support/task-server.ts";
import { until } from "../../support/until.ts";

async function frame(t: Parameters<typeof TaskServer.start>[0]) {
  const server = await TaskServer.start(t);
  const nodes = new Map<string, Pick<NodeRecord, "banned">>([[NODE, { banned: false }]]);
  const handlers = new Set<ReplicaHandler<NodeRecord>>();
  const stop = endTasksOfLostNodes({
    tasks: server.tasks,
    nodes: {
      get: (id) => nodes.get(id),
      onChange: (handler) => {
        handlers.add(handler);
        return () => handlers.delete(handler);
      },
    },
    clock: server.clock,
    log: silentLogger,
  });
  t.teardown(stop);
  const evict = (): void => {
    const before = nodes.get(NODE) as NodeRecord;
    nodes.delete(NODE);
    const change = { id: NODE, before, after: undefined } as unknown as ReplicaChange<NodeRecord>;
    for (const handler of handlers) handler([change], 1);
  };
  return { server, evict };
}

t.test("its tasks end with it", async (t) => {
  const { server, evict } = await frame(t);
  const { task } = await server.open();
  evict();
  await until(() => server.store.size === 0);
  t.match(server.tasks.get(task.id), { state: "REVOKED" });
});

t.test("so does one that was being opened when it was evicted", async (t) => {
  const { server, evict } = await frame(t);
  evict();
  // Whoever let the call in had seen the node agent a moment ago.
  const { task } = await server.open();
  await until(() => server.store.size === 0);
  t.match(server.tasks.get(task.id), { state: "REVOKED" });
});

t.test("all of them, while nothing can be written into the audit log", async (t) => {
  const { server, evict } = await frame(t);
  for (let i = 0; i < 21; i++) await Promise.all(Array.from({ length: 10 }, () => server.open()));
  t.equal(server.store.size, 210, "more than are ended at once");
  server.auditFailure = new Error("no space left on the device");
  evict();
  await until(() => server.store.size === 0);
});

t.test("one that comes as soon as none are left ends too", async (t) => {
  for (let turns = 0; turns < 12; turns++) {
    const handlers: ReplicaHandler<KnownTask>[] = [];
    let open = 1;
    const opened = { after: { state: "ACTIVE", nodeAgent: NODE } };
    const stop = endTasksOfLostNodes({
      tasks: {
        values: () => [opened.after as KnownTask].values(),
        endAllOn: async () => {
          const count = open;
          open = 0;
          return count;
        },
        onChange: (handler) => {
          handlers.push(handler);
          return () => undefined;
        },
      },
      nodes: { get: () => undefined, onChange: () => () => undefined },
      clock: systemClock,
      log: silentLogger,
    });
    for (let i = 0; i < turns; i++) await Promise.resolve();
    open++;
    for (const handler of handlers) handler([opened as ReplicaChange<KnownTask>], 1);
    await settle();
    t.equal(open, 0, `${turns} microtasks later`);
    await stop();
  }
});
