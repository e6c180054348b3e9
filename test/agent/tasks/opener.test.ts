// How a node agent opens tasks, when the server's answer is of no use.
import t from "tap";
import { HeldTask } from "../../../agent/tasks/held-task.ts";
import { Opener } from "../../../agent/tasks/opener.ts";
import type { BoundProcess } from "../../../agent/tasks/processes.ts";
import type { TaskServer } from "../../../agent/tasks/server.ts";
import type { Ending, Tasks } from "../../../agent/tasks/tasks.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import type { RegistrationEntry } from "../../../proto/types/entry.ts";
import { TestClock } from "../../support/clock.ts";

const AI_AGENT = "spiffe://north.test/ai/researcher";
const ID = "01J0000000000000000000000A";

function setUp(known?: HeldTask) {
  const ends: [taskId: string, ending: Ending][] = [];
  const open = new Set<HeldTask>(known === undefined ? [] : [known]);
  let entered = 0;
  const tasks = {
    get: (id: string) => [...open].find((one) => one.id === id),
    add: (one: HeldTask) => open.add(one),
    save: async () => undefined,
    end: async (one: HeldTask, ending: Ending) => {
      ends.push([one.id, ending]);
      open.delete(one);
    },
    enter: () => {
      entered++;
      return () => entered--;
    },
  };
  const task = { id: ID, spiffeId: `${AI_AGENT}/task/${ID}`, aiAgent: AI_AGENT, host: "" };
  const server = { open: async () => ({ task, svid: undefined }) };
  const opener = new Opener({
    server: server as unknown as TaskServer,
    tasks: tasks as unknown as Tasks,
    orphans: { opening: () => () => undefined, failed: () => undefined },
    clock: new TestClock(),
    random: () => 0.5,
  });
  const call = (csr: Uint8Array) => {
    const process = { pid: 1, uid: 1, startTime: 1, bootId: "", close: () => undefined };
    return opener.open({
      request: { csr, aiAgent: "" } as unknown as Parameters<Opener["open"]>[0]["request"],
      entries: [{ id: "e", spiffeId: AI_AGENT, federatesWith: [] } as unknown as RegistrationEntry],
      process: process as unknown as BoundProcess,
    });
  };
  return { call, ends, open, entered: () => entered };
}

const unreadable = { name: "IdentityError", reason: "SERVER_ANSWER_INVALID" };

t.test("a new task that cannot be handed over is ended", async (t) => {
  const { call, ends } = setUp();
  await t.rejects(call(createCsr(generateP256KeyPair())), unreadable);
  t.match(ends, [[ID, { state: "FAILED" }]]);
});

t.test("the same call again, whose answer cannot be read, ends nothing", async (t) => {
  const pair = generateP256KeyPair();
  const record = {
    ...{ taskId: ID, spiffeId: `${AI_AGENT}/task/${ID}`, aiAgent: AI_AGENT, taskClass: "standard" },
    ...{ spki: Buffer.from(pair.spki).toString("base64"), uid: 1, expiresAtMs: 0 },
    federatesWith: [],
  };
  const leave = (): void => undefined;
  const held = new HeldTask({ record, task: undefined, process: undefined, leave });
  const { call, ends, open, entered } = setUp(held);
  await t.rejects(call(createCsr(pair)), unreadable);
  t.strictSame(ends, [], "its holder goes on");
  t.strictSame([...open], [held]);
  t.equal(entered(), 0, "and it is counted once");
});
