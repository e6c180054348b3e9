// Tasks whose opening was never answered: who is said to hold them and does not has them ended, and never one that
// is being opened.
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import {
  AGENT,
  ENTRY,
  NODE,
  OTHER_NODE,
  refusal,
  TaskServer,
  TERMS,
} from "../../support/task-server.ts";

const MINUTE_MS = 60_000;

async function frame(t: Parameters<typeof TaskServer.start>[0]) {
  const server = await TaskServer.start(t);
  const { tasks, clock } = server;
  const mark = async (node = NODE): Promise<string> => (await tasks.endOrphans(node, "", [])).mark;
  const stateOf = (id: string): string | undefined => tasks.get(id)?.state;
  return { server, tasks, clock, mark, stateOf };
}

t.test("what its node agent does not hold is ended, and nothing else", async (t) => {
  const { server, tasks, clock, mark, stateOf } = await frame(t);
  const [lost, held, parked] = [await server.open(), await server.open(), await server.open()];
  const other = await server.open({}, { nodeAgent: OTHER_NODE });
  await tasks.park(parked.task.id, { by: NODE, nodeAgent: NODE }, "");
  const created = { agentId: AGENT, terms: TERMS, by: "uid:0", isOperator: true };
  const pending = await tasks.create(created);
  await clock.advance(MINUTE_MS);
  const now = await mark();
  t.match(await tasks.endOrphans(NODE, now, [held.task.id]), { open: 3, left: 0 });
  t.match(tasks.get(lost.task.id), { state: "ABANDONED" });
  t.match(server.events.at(-1), { type: "task.ended", detail: { by: "server" } });
  t.same(
    [held, parked, other].map(({ task }) => stateOf(task.id)),
    ["ACTIVE", "PARKED", "ACTIVE"],
  );
  t.equal(stateOf(pending.id), "PENDING");
});

t.test(
  "one that was opened since the mark is left alone, however late the question comes",
  async (t) => {
    const { server, tasks, clock, mark, stateOf } = await frame(t);
    const before = await mark();
    const { task } = await server.open();
    const created = { agentId: AGENT, terms: TERMS, by: "uid:0", isOperator: true };
    const { id } = await tasks.create(created);
    const csr = createCsr(generateP256KeyPair());
    const order = { id, nodeAgent: NODE, entryIds: [ENTRY], agentId: "", binding: undefined, csr };
    await tasks.claim(order);
    await clock.advance(5 * MINUTE_MS);
    t.match(await tasks.endOrphans(NODE, before, []), { left: 2 });
    t.same([stateOf(task.id), stateOf(id)], ["ACTIVE", "ACTIVE"]);
    t.match(await tasks.endOrphans(NODE, await mark(), []), { left: 0 });
    t.same([stateOf(task.id), stateOf(id)], ["ABANDONED", "ABANDONED"]);
  },
);

t.test("one that is asked for again goes on", async (t) => {
  const { server, tasks, clock, mark, stateOf } = await frame(t);
  const again = { pair: generateP256KeyPair() };
  const { task } = await server.open({ idempotencyKey: "0123456789abcdef" }, again);
  await clock.advance(30_000);
  t.match(await tasks.endOrphans(NODE, await mark(), []), { left: 1 }, "it still may be");
  await clock.advance(30_000);
  const before = await mark();
  t.equal((await server.open({ idempotencyKey: "0123456789abcdef" }, again)).task.id, task.id);
  await clock.advance(MINUTE_MS);
  t.match(await tasks.endOrphans(NODE, before, []), { left: 1 }, "answered since the mark");
  t.equal(stateOf(task.id), "ACTIVE");
});

t.test(
  "after a restart of the server marks are void, and what it finds is judged anew",
  async (t) => {
    const { server, mark } = await frame(t);
    const { task } = await server.open();
    const old = await mark();
    const next = await TaskServer.start(t, { former: server });
    await next.clock.advance(MINUTE_MS);
    for (const mark of [old, "x", ".", `${old}0x`]) {
      await t.rejects(next.tasks.endOrphans(NODE, mark, []), refusal("TASK_REQUEST_INVALID"));
    }
    const { mark: now } = await next.tasks.endOrphans(NODE, "", []);
    await next.tasks.endOrphans(NODE, now, []);
    t.equal(next.tasks.get(task.id)?.state, "ABANDONED");
  },
);
