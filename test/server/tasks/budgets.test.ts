// Budgets under concurrency, faults and crashes: whatever happens, no more uses are granted than there are.
import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import fc from "fast-check";
import t, { type Test } from "tap";
import { UseBlocks } from "../../../agent/guard/use-blocks.ts";
import { Status } from "../../../pki/errors.ts";
import { protoError } from "../../../proto/errors.ts";
import type { signet } from "../../../proto/schema.gen.ts";
import { createLogger } from "../../../runtime/log.ts";
import type { OrderedLog } from "../../../server/store/log.ts";
import { isOpen } from "../../../server/store/task-record.ts";
import { TaskStore } from "../../../server/store/tasks.ts";
import { Budgets } from "../../../server/tasks/budgets.ts";
import { endOfTask, requireOpen } from "../../../server/tasks/states.ts";
import { TestClock } from "../../support/clock.ts";
import { addTask, MANDATE, NODE } from "../../support/task-records.ts";
import { openTestLog } from "../../support/test-store.ts";

type Request = signet.nodetask.v1.LeaseUsesRequest;
type Response = signet.nodetask.v1.LeaseUsesResponse;

const logger = createLogger({ level: "silent" });
const anId = (): string => randomBytes(16).toString("base64url");

class Server {
  readonly log: OrderedLog;
  readonly store: TaskStore;
  readonly budgets: Budgets;
  readonly clock = new TestClock();

  constructor(log: OrderedLog, store: TaskStore) {
    this.log = log;
    this.store = store;
    this.budgets = new Budgets({ store, log, clock: this.clock, logger });
    store.onChange(this.budgets.changed);
  }

  static async start(t: Test): Promise<Server> {
    const log = await openTestLog(t);
    const store = await TaskStore.start(log);
    t.teardown(() => store.stop());
    return new Server(log, store);
  }

  async add(uses: number | undefined): Promise<string> {
    return (await addTask(this.store, { mandate: { ...MANDATE, uses } })).id;
  }

  taken(id: string): number {
    const task = this.store.get(id);
    return task !== undefined && isOpen(task) ? task.usesTaken : Number.NaN;
  }

  async end(id: string): Promise<void> {
    await this.store.transact(async (tasks) => {
      const found = await tasks.get(id);
      if (found === undefined) throw new Error("no such task");
      const open = requireOpen(found, this.clock.now());
      const { task, rest } = endOfTask(open, { state: "COMPLETED", reason: "" }, this.clock.now());
      tasks.end(task, rest);
    });
  }

  node(name: string, around: Around = (call) => call()): UseBlocks {
    return new UseBlocks({
      clock: this.clock,
      lease: (request) => around(() => this.lease(request, name)),
    });
  }

  async lease({ taskId, count, leaseId }: Request, node: string): Promise<Response> {
    const { lent, left } = await this.budgets.lease(taskId, count, leaseId, node);
    return { lent, left };
  }
}

/** What happens on the way to the server and back. */
type Around = (call: () => Promise<Response>) => Promise<Response>;

/** Loses some calls on the way there, and some answers on the way back. */
function lossy(share: number): Around {
  const lost = (): void => {
    if (Math.random() < share) throw protoError("CONNECTION_UNAVAILABLE", "lost by the test");
  };
  return async (call) => {
    lost();
    const answer = await call();
    lost();
    return answer;
  };
}

/** Spends as a guard does: a spending that fails is tried again under its ID. */
async function spend(node: UseBlocks, taskId: string, count: number, tries = 1): Promise<boolean> {
  const spendId = anId();
  for (let left = tries; ; left--) {
    try {
      return await node.spend(taskId, count, spendId);
    } catch (error) {
      if (left <= 1) throw error;
    }
  }
}

t.test("many who spend on several nodes get exactly the budget between them", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(300);
  const nodes = ["a", "b", "c"].map((name) => server.node(name));
  const all = Array.from({ length: 600 }, (_, i) => spend(nodes[i % 3] ?? server.node("d"), id, 1));
  const granted = (await Promise.all(all)).filter(Boolean).length;
  t.ok(granted <= 300, `${granted} were granted`);
  t.equal(server.taken(id), 300);
  // What is left in the blocks of one node another cannot have, and its own spenders can.
  const rest = nodes.flatMap((node) => Array.from({ length: 100 }, () => spend(node, id, 1)));
  const more = (await Promise.all(rest)).filter(Boolean).length;
  t.equal(granted + more, 300, "none is lost while no node is");
});

t.test("with calls and answers lost, never more is granted than there is", async (t) => {
  const server = await Server.start(t);
  for (let round = 0; round < 5; round++) {
    const id = await server.add(100);
    const nodes = ["a", "b", "c", "d"].map((name) => server.node(`${name}${round}`, lossy(0.3)));
    let granted = 0;
    // All who wait on a node share the fate of its one question: they ask until it is answered.
    const all = Array.from({ length: 200 }, async (_, i) => {
      const count = 1 + (i % 3);
      const [node] = [nodes[i % 4]];
      if (node && (await spend(node, id, count, 30).catch(() => false))) granted += count;
    });
    await Promise.all(all);
    t.ok(granted > 50 && granted <= 100, `${granted} of 100`);
    t.ok(server.taken(id) <= 100 && server.taken(id) >= granted);
  }
});

t.test("a block whose answer was lost is found again, not borrowed twice", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(10);
  let isLost = true;
  const node = server.node("a", async (call) => {
    const answer = await call();
    if (isLost) throw protoError("CALL_DEADLINE_EXCEEDED", "lost by the test");
    return answer;
  });
  for (let i = 0; i < 3; i++) await t.rejects(spend(node, id, 10), /lost by the test/);
  t.equal(server.taken(id), 10, "all is borrowed");
  isLost = false;
  t.equal(await spend(node, id, 10), true, "and here it is");
});

t.test("a node that is lost forfeits its block", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(100);
  let granted = 0;
  // Each node dies with what it has.
  for (let i = 0; i < 200; i++) {
    const node = server.node(`n${i}`);
    for (let k = 0; k < 3; k++) if (await spend(node, id, 1)) granted++;
  }
  t.ok(granted <= 100 && granted > 30, `${granted} of 100: the limit may be reached early`);
  t.equal(server.taken(id), 100);
});

t.test("a spending that is sent again is charged once, for ten minutes", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(3);
  const node = server.node("a");
  const spendId = anId();
  t.equal(await node.spend(id, 1, spendId), true);
  const again = await Promise.all(Array.from({ length: 50 }, () => node.spend(id, 1, spendId)));
  t.ok(again.every(Boolean));
  t.equal(await node.spend(id, 2, spendId), true, "another count under the same ID is charged");
  t.equal(await node.spend(id, 1, anId()), false);
  t.equal(await node.spend(id, 1, spendId), true, "still the answer of then");
  await server.clock.advance(601_000);
  t.equal(await node.spend(id, 1, spendId), false, "forgotten: charged anew, and nothing is left");
});

t.test("a lease that is asked for again is lent once, to the same node alone", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(10);
  const leaseId = anId();
  const first = await server.budgets.lease(id, 4, leaseId, "a");
  t.same(first, { lent: 4, left: 6 });
  t.same(await server.budgets.lease(id, 4, leaseId, "a"), { lent: 4, left: 6 });
  t.equal(server.taken(id), 4);
  t.same(await server.budgets.lease(id, 4, leaseId, "b"), { lent: 4, left: 2 }, "another node's");
  t.same(await server.budgets.lease(id, 4, anId(), "b"), { lent: 2, left: 0 }, "what is left");
  t.same(await server.budgets.lease(id, 4, anId(), "b"), { lent: 0, left: 0 });
  t.same(
    await server.budgets.lease(id, 4, leaseId, "a"),
    { lent: 4, left: 0 },
    "after the end too",
  );
});

t.test("many questions at once for one lease are one lease", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(1000);
  const leaseId = anId();
  const all = Array.from({ length: 40 }, () => server.budgets.lease(id, 5, leaseId, "a"));
  for (const { lent } of await Promise.all(all)) t.equal(lent, 5);
  t.equal(server.taken(id), 5);
});

t.test("lends only of a task that goes on, and what makes sense", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(10);
  const lease = (task: string, count: number, leaseId = anId()): Promise<unknown> =>
    server.budgets.lease(task, count, leaseId, NODE);
  await t.rejects(lease("01JQZX3V6TQ0WJ1N9PC1W9V8Y7", 1), {
    reason: "TASK_NOT_FOUND",
    code: Status.notFound,
  });
  const invalid = { reason: "TASK_REQUEST_INVALID", code: Status.invalidArgument };
  for (const count of [0, -1, 10_001, Number.NaN]) await t.rejects(lease(id, count), invalid);
  for (const bad of ["", "short", "x".repeat(65), "a".repeat(20).concat("/")]) {
    await t.rejects(lease(id, 1, bad), invalid, bad);
  }
  const parked = await addTask(server.store, { state: "PARKED" });
  await t.rejects(lease(parked.id, 1), { reason: "TASK_PARKED", code: Status.failedPrecondition });
  const suspended = await addTask(server.store, { state: "SUSPENDED", suspendedFrom: "ACTIVE" });
  await t.rejects(lease(suspended.id, 1), {
    reason: "TASK_SUSPENDED",
    code: Status.permissionDenied,
  });
  await lease(id, 1);
  await server.end(id);
  await t.rejects(lease(id, 1), { reason: "TASK_ENDED", code: Status.permissionDenied });
  await server.budgets.close();
  t.same((await server.log.list("task-uses/")).records, [], "leases of an ended task are gone");
  const over = await server.add(5);
  await server.clock.advance(3_600_000);
  await t.rejects(
    lease(over, 1),
    { reason: "TASK_ENDED", code: Status.permissionDenied },
    "its time has come",
  );
});

t.test("leases that a crash left behind are swept at the start", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(10);
  await server.budgets.lease(id, 1, anId(), "a");
  const other = Buffer.from("[]");
  await server.log.commit({
    puts: [{ key: "task-uses/01JQZX3V6TQ0WJ1N9PC1W9V8Y7", value: other }],
  });
  await server.budgets.sweep();
  const { records } = await server.log.list("task-uses/");
  t.same(
    records.map(({ key }) => key),
    [`task-uses/${id}`],
  );
});

t.test("a mandate without a limit is lent without end, and counted", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(undefined);
  const node = server.node("a");
  for (let i = 0; i < 300; i++) t.ok(await spend(node, id, 7));
  t.ok(server.taken(id) >= 2100);
});

t.test("what the server refuses is refused to all who wait, and a node asks rarely", async (t) => {
  const server = await Server.start(t);
  const id = await server.add(1000);
  let calls = 0;
  const node = server.node("a", (call) => {
    calls++;
    return call();
  });
  for (let i = 0; i < 500; i++) t.ok(await spend(node, id, 1));
  t.ok(calls < 60, `${calls} calls for 500 uses`);
  await server.end(id);
  node.forget(id);
  const refused = Array.from({ length: 10 }, () => spend(node, id, 1));
  for (const one of await Promise.allSettled(refused)) {
    t.match(one, { status: "rejected", reason: { reason: "TASK_ENDED" } });
  }
});

t.test("any order of spending, losing and crashing keeps within the budget", async (t) => {
  const server = await Server.start(t);
  const step = fc.record({
    node: fc.nat(2),
    count: fc.integer({ min: 1, max: 9 }),
    what: fc.constantFrom("spend", "spend", "spend", "lose-answer", "lose-call", "restart"),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 60 }),
      fc.array(step, { maxLength: 30 }),
      async (uses, steps) => {
        const id = await server.add(uses);
        let fault = "";
        const make = (n: number): UseBlocks =>
          server.node(`n${n}`, async (call) => {
            const now = fault;
            fault = "";
            if (now === "lose-call") throw protoError("CONNECTION_UNAVAILABLE", "lost");
            const answer = await call();
            if (now === "lose-answer") throw protoError("CALL_DEADLINE_EXCEEDED", "lost");
            return answer;
          });
        const nodes = [make(0), make(1), make(2)];
        let granted = 0;
        for (const { node, count, what } of steps) {
          if (what === "restart") nodes[node] = make(node);
          else fault = what;
          if (await nodes[node]?.spend(id, count, anId()).catch(() => false)) granted += count;
        }
        return granted <= uses && server.taken(id) <= uses && server.taken(id) >= granted;
      },
    ),
    { numRuns: 60 },
  );
  t.pass();
});

t.test("a server that is killed between writing and answering lends no use twice", async (t) => {
  const folder = join(t.testdir(), "store");
  const uses = 400;
  let granted = 0;
  const program = new URL("../../support/lease-server.ts", import.meta.url).pathname;
  const clock = new TestClock();
  let child = fork(program, [folder, String(uses)], { execArgv: [] });
  let [taskId] = (await once(child, "message")) as [string];
  const waiting = new Map<number, PromiseWithResolvers<Response>>();
  let calls = 0;
  const listen = (): void => {
    child.on("message", ({ n, answer }: { n: number; answer: Response }) => {
      waiting.get(n)?.resolve(answer);
      waiting.delete(n);
    });
  };
  listen();
  const nodeOf = (name: string): UseBlocks =>
    new UseBlocks({
      clock,
      lease: (request) => {
        const answer = Promise.withResolvers<Response>();
        const n = calls++;
        waiting.set(n, answer);
        child.send({ n, request, node: name });
        return answer.promise;
      },
    });
  const nodes = ["a", "b", "c"].map(nodeOf);
  for (let kill = 0; kill < 3; kill++) {
    const spending = Array.from({ length: 60 }, async (_, i) => {
      const [node] = [nodes[i % 3]];
      if (await node?.spend(taskId, 1 + (i % 5), anId()).catch(() => false)) granted += 1 + (i % 5);
    });
    // In the middle of it: some are written, some answered, some on their way.
    await new Promise((resolve) => setTimeout(resolve, kill * 3));
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
    for (const { reject } of waiting.values())
      reject(protoError("CONNECTION_UNAVAILABLE", "killed"));
    waiting.clear();
    await Promise.all(spending);
    child = fork(program, [folder, String(uses)], { execArgv: [] });
    [taskId] = (await once(child, "message")) as [string];
    listen();
  }
  const last = Array.from({ length: 600 }, async (_, i) => {
    const [node] = [nodes[i % 3]];
    if (await node?.spend(taskId, 1, anId())) granted++;
  });
  await Promise.all(last);
  t.ok(granted <= uses, `${granted} of ${uses}`);
  t.ok(granted > uses / 2, "and most of it was to be had");
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
});
