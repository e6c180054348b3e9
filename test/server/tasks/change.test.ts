// What becomes of tasks: narrowing, parking, suspension, ends, and what no order of calls can do.
import fc from "fast-check";
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { serverError } from "../../../server/errors.ts";
import { isEnded, type KnownTask, type TaskState } from "../../../server/store/task-record.ts";
import type { Ending } from "../../../server/tasks/orders.ts";
import { statusBits } from "../../../server/tasks/status-index.ts";
import {
  AGENT,
  NODE,
  OTHER_ENTRY,
  OTHER_NODE,
  refusal,
  TaskServer,
  TERMS,
  TOOLS,
} from "../../support/task-server.ts";
import { until } from "../../support/until.ts";

const HOLDER = { by: NODE, nodeAgent: NODE };
const ADMIN = { by: "uid:0" };
const DONE: Ending = { state: "COMPLETED", reason: "done" };

t.test("narrows to what is within, and never back", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open({ mandate: { uses: 10 } });
  const narrow = (mandate: object) => server.tasks.narrow(task.id, HOLDER, mandate);
  const narrowed = await narrow({ locations: [TOOLS], uses: 5 });
  t.same(narrowed.mandate.locations, [TOOLS]);
  t.equal(narrowed.mandate.uses, 5);
  t.equal(narrowed.version, 2);
  t.not(narrowed.grantHash, task.grantHash);
  t.same(narrowed.mandate.actions, task.mandate.actions, "what is left out stays");
  for (const mandate of [{ uses: 6 }, { locations: ["https://files.test"] }, { depth: 2 }]) {
    await t.rejects(narrow(mandate), refusal("MANDATE_EXCEEDED"));
  }
  t.equal(server.reports.length, 3);
  t.match(server.reports[0], { kind: "mandate-exceeded", task: task.id });
  t.match(server.tasks.get(task.id), { version: 2, mandate: { uses: 5 } });
  t.same(server.eventsOf(task.id), ["task.opened", "task.narrowed"]);
});

t.test("parks, and goes on with what it had or less", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open();
  const csr = createCsr(generateP256KeyPair());
  t.match(await server.tasks.park(task.id, HOLDER, "waiting"), { state: "PARKED", version: 2 });
  t.match(await server.tasks.park(task.id, HOLDER, "waiting"), { version: 2 }, "asked twice");
  t.match(await server.tasks.signX509(NODE, [{ id: task.id, csr }]), [{ reason: "TASK_PARKED" }]);
  t.throws(() => server.tasks.noteUse(task.id), refusal("TASK_PARKED"));
  const beyond = { locations: ["https://elsewhere.test"] };
  await t.rejects(server.tasks.resume(task.id, HOLDER, beyond), refusal("MANDATE_EXCEEDED"));
  t.match(server.tasks.get(task.id), { state: "PARKED" }, "who asks for more stays parked");
  const resumed = await server.tasks.resume(task.id, HOLDER, { locations: [TOOLS] });
  t.match(resumed, { state: "ACTIVE", version: 3, mandate: { locations: [TOOLS] } });
  t.match(await server.tasks.resume(task.id, HOLDER), { version: 3 }, "asked twice");
  t.match(await server.tasks.signX509(NODE, [{ id: task.id, csr }]), [{ chain: Array }]);
  t.same(server.eventsOf(task.id), ["task.opened", "task.parked", "task.resumed"]);
});

t.test("suspends whatever is open, and lets go on what was", async (t) => {
  const server = await TaskServer.start(t);
  const active = (await server.open()).task;
  const parked = (await server.open()).task;
  await server.tasks.park(parked.id, HOLDER, "");
  const order = { agentId: AGENT, terms: TERMS, by: "uid:0", isOperator: true };
  const pending = await server.tasks.create(order);
  for (const { id } of [active, parked, pending]) {
    t.match(await server.tasks.suspend(id, ADMIN, "look"), { state: "SUSPENDED" });
    await server.tasks.suspend(id, ADMIN, "look");
    t.throws(() => server.tasks.noteUse(id), refusal("TASK_SUSPENDED"));
    await t.rejects(server.tasks.park(id, ADMIN, ""), refusal("TASK_SUSPENDED"));
    await t.rejects(server.tasks.resume(id, ADMIN), refusal("TASK_SUSPENDED"));
    await t.rejects(server.tasks.narrow(id, ADMIN, {}), refusal("TASK_SUSPENDED"));
  }
  t.match(await server.tasks.unsuspend(active.id, ADMIN, ""), { state: "ACTIVE" });
  t.match(await server.tasks.unsuspend(parked.id, ADMIN, ""), { state: "PARKED" });
  t.match(await server.tasks.unsuspend(pending.id, ADMIN, ""), { state: "PENDING" });
  await t.rejects(server.tasks.unsuspend(active.id, ADMIN, ""), refusal("TASK_STATE_WRONG"));
});

t.test("lets a node agent change what it holds, and nothing else", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open();
  const stranger = { by: OTHER_NODE, nodeAgent: OTHER_NODE };
  const calls: (() => Promise<unknown>)[] = [
    () => server.tasks.narrow(task.id, stranger, {}),
    () => server.tasks.park(task.id, stranger, ""),
    () => server.tasks.resume(task.id, stranger),
    () => server.tasks.end(task.id, stranger, DONE),
    () => server.tasks.bind(task.id, stranger, { pid: 1, uid: 1, startTime: 1, bootId: "" }),
    () => server.tasks.newJwtSvid(OTHER_NODE, task.id, [TOOLS]),
  ];
  for (const call of calls) await t.rejects(call(), refusal("TASK_HELD_ELSEWHERE"));
  const csr = createCsr(generateP256KeyPair());
  const orders = [{ id: task.id, csr }];
  t.match(await server.tasks.signX509(OTHER_NODE, orders), [{ reason: "TASK_HELD_ELSEWHERE" }]);
  t.match(server.tasks.get(task.id), { version: 1 });
  t.equal(server.tasks.serialsOf(task.id).length, 1);
});

t.test("ends once: what has ended stays as it ended", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open();
  const digest = "a".repeat(64);
  const [ended] = await server.tasks.end(task.id, HOLDER, { ...DONE, summaryDigest: digest });
  t.match(ended, { state: "COMPLETED", stateReason: "done", version: 2, summaryDigest: digest });
  t.equal(ended?.endedAtMs, server.clock.now().getTime());
  t.match(await server.tasks.end(task.id, HOLDER, DONE), [{ version: 2 }], "told twice");
  const revoked: Ending = { state: "REVOKED", reason: "" };
  await t.rejects(server.tasks.end(task.id, ADMIN, revoked), refusal("TASK_ENDED"));
  const calls: (() => Promise<unknown>)[] = [
    () => server.tasks.narrow(task.id, HOLDER, {}),
    () => server.tasks.park(task.id, HOLDER, ""),
    () => server.tasks.resume(task.id, HOLDER),
    () => server.tasks.suspend(task.id, ADMIN, ""),
    () => server.tasks.unsuspend(task.id, ADMIN, ""),
    () => server.tasks.newJwtSvid(NODE, task.id, [TOOLS]),
  ];
  for (const call of calls) await t.rejects(call(), refusal("TASK_ENDED"));
  const known = server.tasks.get(task.id);
  t.match(known, { state: "COMPLETED", version: 2 });
  t.same(server.eventsOf(task.id), ["task.opened", "task.ended"]);
  t.match(await server.tasks.find(task.id), { state: "COMPLETED", purpose: "a test" });
  t.match(await server.tasks.find(`${AGENT}/task/${task.id}`), { id: task.id });
  await t.rejects(server.tasks.find("01JD0000000000000000000001"), refusal("TASK_NOT_FOUND"));
  await t.rejects(server.tasks.end(task.id, ADMIN, { ...DONE, reason: "a\nb" }), {
    ...refusal("TASK_REQUEST_INVALID"),
  });
});

t.test(
  "is known to verifiers until its last credential has expired, and some minutes more",
  async (t) => {
    const server = await TaskServer.start(t);
    const { task } = await server.open();
    await server.tasks.end(task.id, HOLDER, DONE);
    const known = server.tasks.get(task.id);
    const nowSeconds = server.clock.now().getTime() / 1000;
    t.ok(known && isEnded(known));
    if (known === undefined || !isEnded(known)) return;
    t.equal(known.forgetAtUnixSeconds, nowSeconds + 300 + 300);
    t.same([...server.tasks.refused()], [known]);
    const short = (await server.open({ ttlSeconds: 20 })).task;
    await server.tasks.end(short.id, HOLDER, DONE);
    t.match(server.tasks.get(short.id), { forgetAtUnixSeconds: nowSeconds + 20 + 300 });
  },
);

t.test("of changes that cross, what has ended stays ended", async (t) => {
  const server = await TaskServer.start(t);
  for (let round = 0; round < 15; round++) {
    const { task } = await server.open();
    const endings: Ending[] = [
      { state: "COMPLETED", reason: "" },
      { state: "REVOKED", reason: "" },
      { state: "FAILED", reason: "" },
    ];
    const calls = [
      ...endings.map((ending) => server.tasks.end(task.id, ADMIN, ending)),
      server.tasks.park(task.id, ADMIN, ""),
      server.tasks.suspend(task.id, ADMIN, ""),
      server.tasks.narrow(task.id, ADMIN, { uses: 3 }),
    ];
    const done = await Promise.allSettled(calls);
    const ends = done.slice(0, 3).filter(({ status }) => status === "fulfilled");
    t.equal(ends.length, 1);
    t.equal(server.eventsOf(task.id).filter((type) => type === "task.ended").length, 1);
    t.match(server.events.at(-1), { detail: {} });
    const known = server.tasks.get(task.id);
    t.ok(known !== undefined && isEnded(known));
  }
});

t.test("ends all of an AI agent, and all on a node agent", async (t) => {
  const server = await TaskServer.start(t);
  for (let i = 0; i < 5; i++) await server.open();
  await server.open({}, { nodeAgent: OTHER_NODE });
  const other = (await server.open({}, { entryIds: [OTHER_ENTRY] })).task;
  t.equal(await server.tasks.endAllOn(OTHER_NODE, "REVOKED", "banned", "server"), 1);
  t.equal(await server.tasks.endAllOf(AGENT, "REVOKED", "disabled", "uid:0"), 5);
  t.equal(server.store.size, 1);
  t.match(server.tasks.get(other.id), { state: "ACTIVE" });
  t.equal(await server.tasks.endAllOf(AGENT, "REVOKED", "disabled", "uid:0"), 0);
});

t.test("an end that cannot be recorded is an end all the same", async (t) => {
  const server = await TaskServer.start(t);
  const { task } = await server.open();
  server.auditFailure = serverError("AUDIT_UNWRITABLE", "disk full");
  await t.rejects(server.tasks.end(task.id, HOLDER, DONE), refusal("AUDIT_UNWRITABLE"));
  t.match(server.tasks.get(task.id), { state: "COMPLETED" });
});

t.test("has a place of its own in the status list of its hour", async (t) => {
  const server = await TaskServer.start(t);
  const opened = await Promise.all(Array.from({ length: 50 }, () => server.open()));
  const indexes = opened.map(({ task }) => task.status.index);
  t.equal(new Set(indexes).size, 50);
  t.notSame(
    indexes,
    [...indexes].sort((a, b) => a - b),
    "in no order",
  );
  await server.clock.advance(3_600_000);
  const later = (await server.open()).task;
  t.equal(later.status.list, "2030-01-01T01");
  t.equal(statusBits(later), 0);
  await server.tasks.park(later.id, HOLDER, "");
  t.equal(statusBits(server.tasks.get(later.id) ?? later), 2);
  await server.tasks.end(later.id, HOLDER, DONE);
  t.equal(statusBits(server.tasks.get(later.id) ?? later), 1);
});

// A small model: what is possible from where, written once more.
const MODEL: Readonly<Record<string, Readonly<Partial<Record<TaskState, TaskState>>>>> = {
  park: { ACTIVE: "PARKED", PARKED: "PARKED" },
  resume: { PARKED: "ACTIVE", ACTIVE: "ACTIVE" },
  suspend: { ACTIVE: "SUSPENDED", PARKED: "SUSPENDED", SUSPENDED: "SUSPENDED" },
  unsuspend: { SUSPENDED: "ACTIVE" },
  narrow: { ACTIVE: "ACTIVE" },
  complete: { ACTIVE: "COMPLETED", PARKED: "COMPLETED", SUSPENDED: "COMPLETED" },
  revoke: { ACTIVE: "REVOKED", PARKED: "REVOKED", SUSPENDED: "REVOKED" },
  expire: { ACTIVE: "EXPIRED", PARKED: "EXPIRED", SUSPENDED: "EXPIRED" },
};

t.test("whatever is called in whatever order, it does what the model does", async (t) => {
  const server = await TaskServer.start(t);
  const versions = new Map<string, number>();
  const ends = new Map<string, string>();
  server.tasks.onChange((changes) => {
    for (const { id, after } of changes) {
      if (after === undefined) continue;
      if ((versions.get(id) ?? 0) >= after.version) t.fail(`version of ${id} does not grow`);
      if (ends.has(id)) t.fail(`${id} reopened as ${after.state}`);
      versions.set(id, after.version);
      if (isEnded(after)) ends.set(id, after.state);
    }
  });
  const step = fc.constantFrom(...Object.keys(MODEL));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const { task } = await server.open({ ttlSeconds: 20 });
      let state: TaskState = "ACTIVE";
      let from: TaskState = "ACTIVE";
      for (const one of steps) {
        const next: TaskState | undefined = MODEL[one]?.[state];
        const done = await run(server, one, task.id);
        if (one === "suspend" && next !== undefined && state !== "SUSPENDED") from = state;
        if (next !== undefined) state = one === "unsuspend" ? from : next;
        const isAgain =
          one === "complete" ? state === "COMPLETED" : one === "revoke" && state === "REVOKED";
        if (next === undefined && done && !isAgain && one !== "expire") {
          throw new Error(`${one} was possible in ${state}`);
        }
        if (next !== undefined && !done) throw new Error(`${one} was not possible`);
        const known: KnownTask | undefined = server.tasks.get(task.id);
        if (known?.state !== state) throw new Error(`${one}: ${known?.state}, expected ${state}`);
      }
    }),
    { numRuns: 60 },
  );
});

async function run(server: TaskServer, step: string, id: string): Promise<boolean> {
  const { tasks } = server;
  const calls: Record<string, () => Promise<unknown>> = {
    park: () => tasks.park(id, HOLDER, ""),
    resume: () => tasks.resume(id, HOLDER),
    suspend: () => tasks.suspend(id, ADMIN, ""),
    unsuspend: () => tasks.unsuspend(id, ADMIN, ""),
    narrow: () => tasks.narrow(id, HOLDER, {}),
    complete: () => tasks.end(id, HOLDER, DONE),
    revoke: () => tasks.end(id, ADMIN, { state: "REVOKED", reason: "" }),
    expire: async () => {
      await server.clock.advance(21_000);
      await until(() => server.store.size === 0);
    },
  };
  try {
    await calls[step]?.();
    return true;
  } catch {
    return false;
  }
}
