// What the link says of tasks: to whom, in which words, and in pages that fit.
import t from "tap";
import { codecOf, TaskVerdict } from "../../../proto/schema.gen.ts";
import { DeltaEncoder, snapshotPages } from "../../../server/link/messages.ts";
import { Session } from "../../../server/link/session.ts";
import { audienceOf, taskStatusOf } from "../../../server/link/task-messages.ts";
import type { KnownTask, TaskRecord, TaskState } from "../../../server/store/task-record.ts";
import { endOfTask, type OpenTask } from "../../../server/tasks/states.ts";

const codec = codecOf("signet.link.v1.WatchResponse");
const cursor = { epoch: "e", revision: 9 };

function task(state: TaskState, version = 1, nodeAgent = "node", reason = ""): KnownTask {
  const common = { id: "T", agentId: "spiffe://north.test/ai/a", state, version, nodeAgent };
  const ended = { ...common, forgetAtUnixSeconds: 1000, reason };
  const open = { ...common, expiresAtMs: 500_500, stateReason: reason };
  const isOpen = ["PENDING", "ACTIVE", "PARKED", "SUSPENDED"].includes(state);
  return (isOpen ? open : ended) as unknown as KnownTask;
}

function bound(pid: number): Pick<TaskRecord, "binding"> {
  return { binding: { pid, uid: 1000, startTime: 5, bootId: "boot" } };
}

t.test("says of a task what verifiers must know", async (t) => {
  t.match(taskStatusOf(task("ACTIVE", 3)), {
    spiffeId: "spiffe://north.test/ai/a/task/T",
    verdict: TaskVerdict.GOOD,
    version: 3,
    forgetAt: 801,
  });
  t.match(taskStatusOf(task("PARKED")), { verdict: TaskVerdict.REFUSED, state: "PARKED" });
  t.match(taskStatusOf(task("SUSPENDED")), { verdict: TaskVerdict.REFUSED });
  t.match(taskStatusOf(task("REVOKED")), { verdict: TaskVerdict.ENDED, forgetAt: 1000 });
});

t.test("says why in the words that were given, without what must not be told", async (t) => {
  const why = (reason: string): unknown =>
    taskStatusOf(task("SUSPENDED", 2, "node", reason)).reason;
  t.equal(why("the ticket was closed"), "the ticket was closed");
  t.equal(String(why("x".repeat(500))).length, 200);
  const token = `eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.${"a".repeat(40)}`;
  t.equal(why(`stolen: ${token}`), "stolen: [redacted]");
  t.match(taskStatusOf(task("REVOKED", 2, "node", "found out")), { reason: "found out" });
  const { task: after, rest } = endOfTask(
    { ...(task("ACTIVE") as OpenTask), lastActiveMs: 0, maxCredentialSeconds: 60 },
    { state: "REVOKED", reason: `stolen: ${token} ${"x".repeat(300)}` },
    new Date(1000),
  );
  t.match(after.stateReason, token, "its record has all of it");
  t.notMatch(rest.reason, token);
  t.equal(rest.reason.length, 200);
});

t.test("tells everyone what is refused or no more so, the holder alone what goes on", async (t) => {
  const rows: [KnownTask | undefined, KnownTask | undefined, string][] = [
    [undefined, task("ACTIVE"), "nobody"],
    [undefined, task("PENDING", 1, ""), "nobody"],
    [task("PENDING", 1, ""), task("ACTIVE", 2), "nobody"],
    [task("ACTIVE", 1), task("ACTIVE", 2), "holder"],
    [task("ACTIVE", 2), task("ACTIVE", 2), "nobody"],
    [task("ACTIVE", 1), { ...task("ACTIVE", 2), ...bound(7) }, "nobody"],
    [{ ...task("ACTIVE", 1), ...bound(6) }, { ...task("ACTIVE", 2), ...bound(7) }, "nobody"],
    [{ ...task("ACTIVE", 1), ...bound(7) }, { ...task("ACTIVE", 2), ...bound(7) }, "holder"],
    [task("ACTIVE", 1), { ...task("ACTIVE", 2, "node", "less"), ...bound(7) }, "holder"],
    [task("PARKED", 2), { ...task("ACTIVE", 3), ...bound(7) }, "everyone"],
    [task("ACTIVE", 1), task("PARKED", 2), "everyone"],
    [task("PARKED", 2), task("ACTIVE", 3), "everyone"],
    [task("ACTIVE", 1), task("COMPLETED", 2), "everyone"],
    [task("PENDING", 1, ""), task("REVOKED", 2, ""), "everyone"],
    [undefined, task("EXPIRED", 2), "everyone"],
    [task("COMPLETED", 2), undefined, "nobody"],
  ];
  for (const [before, after, audience] of rows) {
    t.equal(
      audienceOf({ id: "T", before, after }),
      audience,
      `${before?.state} to ${after?.state}`,
    );
  }
});

t.test("a hundred thousand ended tasks are pages of a size that fits", async (t) => {
  const tasks = Array.from({ length: 100_000 }, (_, i) => ({
    taskId: String(i).padStart(26, "0"),
    spiffeId: `spiffe://north.test/ai/researcher/task/${String(i).padStart(26, "0")}`,
    verdict: TaskVerdict.ENDED,
    version: 2,
    forgetAt: 1_900_000_000,
    state: "COMPLETED",
    reason: "",
  }));
  let count = 0;
  let largest = 0;
  let last = 0;
  for (const page of snapshotPages({ entries: [], bundles: [], tasks, cursor })) {
    largest = Math.max(largest, page.bytes.length);
    const { snapshot } = codec.decode(page.bytes);
    count += snapshot?.tasks.length ?? 0;
    if (snapshot?.last === true) last++;
  }
  t.equal(count, 100_000);
  t.equal(last, 1);
  t.ok(largest < 1024 * 1024, `${largest} bytes`);
});

t.test("a delta of tasks is made once for all who are told the same", async (t) => {
  const encoder = new DeltaEncoder();
  const common = { entries: [], removedEntryIds: [], bundles: [], removedBundles: [] };
  const content = {
    ...common,
    tasks: [taskStatusOf(task("COMPLETED", 2))],
    taskClasses: [{ name: "standard", failMode: "ttl", requirePop: false }],
    removedTaskClasses: ["gone"],
    cursor,
    cursorBefore: { epoch: "e", revision: 8 },
  };
  const [one] = [...encoder.encode(content)];
  const [other] = [...encoder.encode(content)];
  t.equal(one, other);
  const later = { ...content, tasks: [taskStatusOf(task("COMPLETED", 3))] };
  t.not([...encoder.encode(later)][0], one);
  t.match(codec.decode(one?.bytes ?? new Uint8Array()).delta, {
    tasks: [{ taskId: "T", verdict: TaskVerdict.ENDED }],
    taskClasses: [{ name: "standard", failMode: "ttl" }],
    removedTaskClasses: ["gone"],
    cursor,
  });
});

t.test("a session that is told of too many tasks is told everything anew", async (t) => {
  const agent = { id: "spiffe://north.test/spire/agent/x/one", version: "" };
  const session = new Session({ agent, roots: new Set(), maxPending: 2, onProgress: () => {} });
  session.addTask("a");
  session.addTask("b");
  session.addTaskClass("standard");
  t.match(await session.next(), {
    kind: "delta",
    tasks: new Set(["a", "b"]),
    taskClasses: new Set(["standard"]),
  });
  for (const id of ["a", "b", "c"]) session.addTask(id);
  t.match(await session.next(), { kind: "snapshot" });
});
