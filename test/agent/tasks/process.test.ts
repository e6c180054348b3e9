// What a task is bound to, with real processes: it ends with the one that opened it, however that one ends, and
// nobody but it and its descendants may call for it.
import { chmodSync } from "node:fs";
import t from "tap";
import { createChannel } from "../../../proto/rpc/client.ts";
import { GuardService, TaskState } from "../../../proto/schema.gen.ts";
import { HEADER } from "../../support/test-agent.ts";
import { TestHolder } from "../../support/test-holder.ts";
import { TestTasks, TOOLS } from "../../support/test-tasks.ts";
import { eventually } from "../../support/trust-domain.ts";

const tasks = await TestTasks.start(t);
const asRoot = process.getuid?.() === 0 ? false : "needs root to become other users";
const abandoned = (id: string): Promise<void> =>
  eventually(async () => {
    const { state } = await tasks.get(id);
    if (state !== TaskState.ABANDONED) throw new Error(`it is ${state}`);
  });

/** Resolves once such an attempt on a task is in the server's audit log. */
function attempted(id: string, kind: string): Promise<void> {
  return eventually(async () => {
    const found = (await tasks.attempts()).some(
      ({ reason, task, observer }) =>
        reason === kind && task?.endsWith(id) && observer?.includes("/spire/agent/"),
    );
    if (!found) throw new Error(`no ${kind} was written down`);
  });
}

/** Resolves when a guard on the node is told that the task has ended. */
async function refusedOnNode(t: { teardown(fn: () => unknown): void }, id: string): Promise<void> {
  const channel = createChannel({ address: { unix: tasks.socket }, metadata: HEADER });
  t.teardown(() => channel.close());
  for await (const { tasks: found } of channel.client(GuardService).watchStatus({})) {
    if (found.some((one) => one.taskId === id && one.verdict === 2)) return;
  }
}

t.test(
  "a task ends when its process is killed, though a child of it holds the connection",
  async (t) => {
    const holder = TestHolder.start(t, tasks.socket);
    const { id } = await holder.tell({ do: "open" });
    t.equal((await tasks.get(id)).binding?.pid, holder.child.pid);
    const { pid } = await holder.tell({ do: "fork" });
    t.teardown(() => process.kill(pid, "SIGKILL"));
    const told = refusedOnNode(t, id);
    await new Promise((resolve) => setTimeout(resolve, 100));
    t.equal((await tasks.get(id)).state, TaskState.ACTIVE);
    await holder.kill();
    const killedMs = performance.now();
    await told;
    t.ok(
      performance.now() - killedMs < 5000,
      "guards on the node know at once, on a slow machine too",
    );
    await abandoned(id);
    t.doesNotThrow(() => process.kill(pid, 0), "the child still holds it");
    t.match((await tasks.get(id)).stateReason, /has ended/);
  },
);

t.test("its descendants may call for it; others may not, with the key or without", async (t) => {
  const holder = TestHolder.start(t, tasks.socket);
  const other = TestHolder.start(t, tasks.socket);
  const { id, key } = await holder.tell({ do: "open" });
  const own = await other.tell({ do: "open" });
  const call = { id, key, audience: TOOLS };
  t.equal((await holder.tell({ do: "token", ...call })).said, "ok");
  t.equal((await holder.tell({ do: "child-token", ...call })).said, "ok", "a child of it");
  t.equal((await other.tell({ do: "token", ...call, key: own.key })).said, "TASK_PROCESS_MISMATCH");
  t.equal((await other.tell({ do: "token", ...call })).said, "TASK_PROCESS_MISMATCH");
  t.equal((await other.tell({ do: "child-token", ...call })).said, "TASK_PROCESS_MISMATCH");
  // Nobody can have the task of another suspended by guessing at it.
  t.equal((await holder.tell({ do: "token", ...call })).said, "ok");
  await attempted(id, "not-owner");
  await attempted(id, "process-mismatch");
  // Its own process, with a key that is not its own, is another matter.
  t.equal((await holder.tell({ do: "token", ...call, key: own.key })).said, "TASK_PROOF_UNTRUSTED");
  await attempted(id, "key-mismatch");
  await eventually(async () => {
    const { state } = await tasks.get(id);
    if (state !== TaskState.SUSPENDED) throw new Error(`it is ${state}`);
  });
});

t.test(
  "a task that is open is opened anew by its own process alone, whoever has its key",
  async (t) => {
    const holder = TestHolder.start(t, tasks.socket);
    const other = TestHolder.start(t, tasks.socket);
    const { id, key } = await holder.tell({ do: "open" });
    t.equal((await holder.tell({ do: "claim", id, key })).said, "ok");
    t.equal((await other.tell({ do: "claim", id, key })).said, "TASK_PROCESS_MISMATCH");
    await attempted(id, "process-mismatch");
    t.equal((await holder.tell({ do: "token", id, key, audience: TOOLS })).said, "ok");
  },
);

t.test(
  "a class may bind its tasks to no process: then the key counts, and who is its AI agent",
  async (t) => {
    const holder = TestHolder.start(t, tasks.socket);
    const other = TestHolder.start(t, tasks.socket);
    const { id, key, said } = await holder.tell({ do: "open", taskClass: "unbound" });
    t.equal(said, undefined);
    const call = { id, key, audience: TOOLS };
    t.equal((await other.tell({ do: "token", ...call })).said, "ok");
    await holder.kill();
    t.equal(
      (await other.tell({ do: "token", ...call })).said,
      "ok",
      "it does not end with a process",
    );
  },
);

t.test(
  "who goes on using a task that has ended is told so, and that is written down",
  async (t) => {
    const holder = TestHolder.start(t, tasks.socket);
    const { id, key } = await holder.tell({ do: "open" });
    await tasks.control.revokeTask({ id, reason: "enough" });
    await refusedOnNode(t, id);
    const call = { id, key, audience: TOOLS };
    t.equal((await holder.tell({ do: "token", ...call })).said, "TASK_ENDED");
    await attempted(id, "used-after-end");
  },
);

t.test("another user's process is none of the AI agent", { skip: asRoot }, async (t) => {
  const holder = TestHolder.start(t, tasks.socket);
  const { id, key } = await holder.tell({ do: "open" });
  chmodSync(tasks.domain.folder, 0o711);
  const stranger = TestHolder.start(t, tasks.socket, { uid: 4321, gid: 4321 });
  const call = { id, key, audience: TOOLS };
  t.equal((await stranger.tell({ do: "token", ...call })).said, "TASK_NOT_OWNER");
  await attempted(id, "not-owner");
  t.match((await stranger.tell({ do: "open" })).said, /no identity issued/);
});

t.test(
  "an end that the server cannot be told holds at once, and reaches it when it is back",
  async (t) => {
    const holder = TestHolder.start(t, tasks.socket);
    const { id } = await holder.tell({ do: "open" });
    await tasks.domain.server?.stop();
    const told = refusedOnNode(t, id);
    await holder.kill();
    await told;
    await tasks.domain.startServer();
    await abandoned(id);
  },
);
