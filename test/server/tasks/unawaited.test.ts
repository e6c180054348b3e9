// Calls that waited at the server for longer than their caller did: a server that was stopped for a while, or
// is overloaded, must not open tasks that nobody knows of.
import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { AGENT, ENTRY, NODE, TaskServer, TERMS } from "../../support/task-server.ts";

const cancelled = { reason: "CALL_CANCELLED", code: Status.cancelled };

t.test(
  "nobody waits any more: no task is opened, and nothing is left of the attempt",
  async (t) => {
    const server = await TaskServer.start(t, { config: { maxOpenPerAiAgent: 1 } });
    await t.rejects(server.open({}, { signal: AbortSignal.abort() }), cancelled);
    t.equal(server.store.size, 0);
    t.strictSame(server.events, []);
    // With its key, and within the number of tasks that the AI agent may have.
    const { task } = await server.open({}, { signal: new AbortController().signal });
    t.equal(task.state, "ACTIVE");
  },
);

t.test("nor is one taken up that waits to be claimed", async (t) => {
  const server = await TaskServer.start(t);
  const made = { agentId: AGENT, terms: TERMS, by: "uid:0", isOperator: true };
  const { id } = await server.tasks.create(made);
  const order = {
    ...{ id, nodeAgent: NODE, entryIds: [ENTRY], agentId: "", binding: undefined },
    csr: createCsr(generateP256KeyPair()),
  };
  await t.rejects(server.tasks.claim({ ...order, signal: AbortSignal.abort() }), cancelled);
  t.match(server.tasks.get(id), { state: "PENDING", nodeAgent: "" });
  t.equal((await server.tasks.claim(order)).task.state, "ACTIVE", "it is there for who comes next");
});
