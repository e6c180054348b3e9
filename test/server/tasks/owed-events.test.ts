// Ends of tasks that the audit log could not take when they happened: they are written later, once, and with
// their time.
import { join } from "node:path";
import t, { type Test } from "tap";
import { silentLogger } from "../../../runtime/log.ts";
import type { AuditLog } from "../../../server/audit/log.ts";
import { serverError } from "../../../server/errors.ts";
import { OwedEvents } from "../../../server/tasks/owed-events.ts";
import { NODE, TaskServer } from "../../support/task-server.ts";
import { filesOf, openAudit, readLines } from "../../support/test-audit.ts";
import { until } from "../../support/until.ts";

const HOLDER = { by: NODE, nodeAgent: NODE };
const FIRST = { epoch: 0, fromRevision: 0 };

/** A log that takes no lines while its disk is full. */
class Disk {
  isFull = false;
  readonly folder: string;
  readonly audit: AuditLog;

  private constructor(folder: string, audit: AuditLog) {
    this.folder = folder;
    this.audit = audit;
  }

  static async open(t: Test, server: TaskServer, maxFileBytes = 1_000_000): Promise<Disk> {
    const folder = join(server.ca.folder, "..", "audit-log");
    const storePosition = (): string => `0.${server.ca.log.revision}`;
    const more = { storePosition, maxFileBytes };
    const audit = await openAudit(t, folder, { clock: server.clock, more });
    return new Disk(folder, audit);
  }

  get log(): ConstructorParameters<typeof OwedEvents>[0]["audit"] {
    const { audit, folder } = this;
    return {
      folder,
      append: async (event, options) => {
        if (this.isFull) throw serverError("AUDIT_UNWRITABLE", "disk full");
        await audit.append(event, options);
      },
      sync: () => audit.sync(),
      onWritten: (listener) => audit.onWritten(listener),
    };
  }

  rows() {
    return readLines(this.folder).rows;
  }
}

t.test("what the log does not take is owed, and written when it takes lines again", async (t) => {
  const server = await TaskServer.start(t);
  const disk = await Disk.open(t, server);
  const owed = new OwedEvents({ audit: disk.log, clock: server.clock, log: silentLogger });
  t.teardown(() => owed.close());
  const task = "spiffe://north.test/ai/one/task/01M83E42CG3FK8DX668XXD6PSG";
  const event = { stream: "task", type: "task.ended", outcome: "ok", task } as const;
  disk.isFull = true;
  const happened = server.clock.now().toISOString();
  await t.rejects(owed.append(event, { durable: true }), { reason: "AUDIT_UNWRITABLE", code: 14 });
  t.ok(owed.isOwed(task));
  await owed.pay();
  t.equal(owed.size, 1, "still");

  await server.clock.advance(3_600_000);
  disk.isFull = false;
  await disk.audit.append({ stream: "admin", type: "audit.resumed", outcome: "ok" });
  await until(() => owed.size === 0);
  t.notOk(owed.isOwed(task));
  t.match(
    disk.rows().map(({ type, time }) => [type, time]),
    [["audit.resumed"], ["task.ended", happened]],
    "with the time at which it happened",
  );
});

t.test("a start finds the ends that are not in the log", async (t) => {
  const server = await TaskServer.start(t);
  const disk = await Disk.open(t, server);
  const owed = new OwedEvents({ audit: disk.log, clock: server.clock, log: silentLogger });
  t.teardown(() => owed.close());
  const [written, lost, open] = [await server.open(), await server.open(), await server.open()];
  await owed.load(server.store, FIRST);
  t.equal(owed.size, 0);
  await disk.audit.append({ stream: "task", type: "task.opened", outcome: "ok" });
  const end = { state: "COMPLETED", reason: "done" } as const;
  for (const { task } of [written, lost]) await server.tasks.end(task.id, HOLDER, end);
  const nameOf = ({ task }: typeof lost): string => `${task.agentId}/task/${task.id}`;
  const event = { stream: "task", type: "task.ended", outcome: "ok" } as const;
  await disk.audit.append({ ...event, task: nameOf(written) });
  const endedAt = server.clock.now().toISOString();
  await server.clock.advance(60_000);

  disk.isFull = true;
  await owed.load(server.store, FIRST);
  t.ok(owed.isOwed(nameOf(lost)));
  t.notOk(owed.isOwed(nameOf(written)));
  t.notOk(owed.isOwed(nameOf(open)));
  disk.isFull = false;
  await owed.pay();
  t.match(disk.rows().at(-1), {
    ...{ type: "task.ended", task: nameOf(lost), time: endedAt },
    detail: { by: "unknown", state: "COMPLETED", why: "done" },
  });
  await owed.load(server.store, FIRST);
  t.equal(disk.rows().filter(({ type }) => type === "task.ended").length, 2, "once");

  await owed.load(server.store, { epoch: 7, fromRevision: server.ca.log.revision });
  t.equal(owed.size, 0, "of before a backup was put back nothing is owed");
});

t.test("an end is found missing also when the log has gone on in another file since", async (t) => {
  const server = await TaskServer.start(t);
  const disk = await Disk.open(t, server, 1);
  const owed = new OwedEvents({ audit: disk.log, clock: server.clock, log: silentLogger });
  t.teardown(() => owed.close());
  const [lost, written] = [await server.open(), await server.open()];
  await disk.audit.append({ stream: "task", type: "task.opened", outcome: "ok" });
  const end = { state: "COMPLETED", reason: "done" } as const;
  for (const { task } of [lost, written]) await server.tasks.end(task.id, HOLDER, end);
  const nameOf = ({ task }: typeof lost): string => `${task.agentId}/task/${task.id}`;
  // What is owed is being written, and a kill comes in between.
  const event = { stream: "task", type: "task.ended", outcome: "ok" } as const;
  await disk.audit.append({ ...event, task: nameOf(written) });
  t.equal(filesOf(disk.folder, "task").length, 2);
  await owed.load(server.store, FIRST);
  t.match(disk.rows().slice(1), [{ task: nameOf(written) }, { task: nameOf(lost) }]);
});
