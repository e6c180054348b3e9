// The orchestrator's door: tasks made and ended over mutual TLS, in the library and from the command line.
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { createTask, TaskOrchestrator } from "../../../client/tasks/orchestrator.ts";
import { authorizeMemberOf } from "../../../client/tls/authorize.ts";
import { createTlsServer } from "../../../client/tls/server.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import type { Init } from "../../../proto/codec.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import { type signet, TaskControlService, TaskState } from "../../../proto/schema.gen.ts";
import { command } from "../../support/command.ts";
import { AI_AGENT } from "../../support/fake-task-node.ts";
import { FakeWorkloadApi, x509Response } from "../../support/fake-workload-api.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { TestTlsSource } from "../../support/tls-source.ts";

const north = await TestAuthority.create("north.test");
const anchorsOf = TestAuthority.anchorsOf(north);
const PLANNER = await north.issue("/planner");
const ID = "01JD9Z0000000000000000000A";
const TASK: Init<signet.task.v1.Task> = {
  ...{ id: ID, spiffeId: `${AI_AGENT}/task/${ID}`, aiAgent: AI_AGENT, taskClass: "standard" },
  ...{ purpose: "close", state: TaskState.PENDING, openedAtMs: 1, expiresAtMs: 2, version: 1 },
  mandate: { environment: { values: ["production"] } },
};

/** A server that says yes to /planner alone, and what it was asked. */
async function serve(
  t: Test,
  path = "/spire/server",
): Promise<{ server: { host: string; port: number }; requests: object[] }> {
  const requests: object[] = [];
  const note = (request: object, peer: unknown): void => {
    if (peer !== PLANNER.id.toString()) {
      throw new IdentityError("TEST_NOT_ALLOWED", Status.permissionDenied, `not for ${peer}`);
    }
    requests.push(request);
  };
  const rpc = createRpcServer({ onInternalError: (error) => t.error(error) });
  rpc.add(TaskControlService, {
    createTask: async (request, { peer }) => {
      note(request, peer);
      return { task: TASK };
    },
    getTask: async (request, { peer }) => {
      note(request, peer);
      return { task: TASK };
    },
    listTasks: async (request, { peer }) => {
      note(request, peer);
      return { tasks: [TASK], nextPageToken: request.pageToken === "" ? "more" : "" };
    },
    revokeTask: async (request, { peer }) => {
      note(request, peer);
      return { ended: [{ ...TASK, state: TaskState.REVOKED, stateReason: request.reason }] };
    },
    completeTask: async (request, { peer }) => {
      note(request, peer);
      return { task: { ...TASK, state: request.outcome } };
    },
  });
  const listener = createTlsServer({
    source: new TestTlsSource(await north.issue(path), anchorsOf),
    authorize: authorizeMemberOf("north.test"),
    alpnProtocols: ["h2"],
    onConnection: (socket, peer) => rpc.inject(socket, peer?.id.toString()),
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  t.teardown(async () => {
    listener.close();
    await rpc.close(0);
  });
  return {
    server: { host: "127.0.0.1", port: (listener.address() as AddressInfo).port },
    requests,
  };
}

t.test("an orchestrator makes, sees and ends tasks with its own SVID", async (t) => {
  const { server, requests } = await serve(t);
  const source = new TestTlsSource(PLANNER, anchorsOf);
  using tasks = new TaskOrchestrator({ server, source });
  const made = await tasks.create({
    ...{ aiAgent: AI_AGENT, taskClass: "standard", purpose: "close", ttlSeconds: 60 },
    mandate: { uses: 3 },
  });
  t.match(made, { id: ID, state: "PENDING", aiAgent: AI_AGENT });
  t.match(requests[0], {
    aiAgent: AI_AGENT,
    task: {
      ...{ taskClass: "standard", purpose: "close", ttlSeconds: 60, csr: { length: 0 } },
      ...{ idempotencyKey: /^[0-9a-f-]{36}$/, mandate: { uses: { value: 3 } } },
    },
  });
  t.equal((await tasks.get(ID)).id, ID);
  let listed = 0;
  for await (const task of tasks.list({ states: ["ACTIVE"] })) listed += task.id === ID ? 1 : 0;
  t.equal(listed, 2, "page by page");
  t.match(requests[2], { states: [TaskState.ACTIVE] });
  t.equal((await tasks.complete(ID, { outcome: "FAILED" })).state, "FAILED");
  t.match(await tasks.revoke(ID, "over"), [{ state: "REVOKED", stateReason: "over" }]);
  const one = { aiAgent: AI_AGENT, taskClass: "standard", purpose: "close" };
  t.equal((await createTask({ ...one, server, source, idempotencyKey: "mine" })).id, ID);
  t.match(requests.at(-1), { task: { idempotencyKey: "mine" } });
});

t.test(
  "the server's word reaches the caller, and nobody else is taken for the server",
  async (t) => {
    const { server, requests } = await serve(t);
    const other = new TestTlsSource(await north.issue("/stranger"), anchorsOf);
    const one = { aiAgent: AI_AGENT, taskClass: "standard", purpose: "close" };
    await t.rejects(createTask({ ...one, server, source: other }), {
      ...{ reason: "TEST_NOT_ALLOWED", code: Status.permissionDenied },
    });
    const impostor = await serve(t, "/planner");
    const source = new TestTlsSource(PLANNER, anchorsOf);
    await t.rejects(createTask({ ...one, server: impostor.server, source }), {
      ...{ reason: "PEER_NOT_AUTHORIZED", code: Status.permissionDenied },
    });
    await t.rejects(
      createTask({ ...one, server, source: new TestTlsSource(undefined, anchorsOf) }),
      { reason: "SOURCE_NOT_READY", code: Status.unavailable },
    );
    t.strictSame([...requests, ...impostor.requests], []);
  },
);

t.test("signet task --server asks with the SVID that the process has", async (t) => {
  const { server, requests } = await serve(t);
  const api = await FakeWorkloadApi.start(t);
  api.x509.set(await x509Response(north, ["/planner"]));
  const at = ["--server", `${server.host}:${server.port}`, "--socket", api.endpoint];
  const made = await command(
    ...["task", "create", "--ai-agent", AI_AGENT, "--class", "standard", "--purpose", "close"],
    ...at,
  );
  t.equal(made.code, 0, made.err);
  t.match(made.out, ID);
  t.equal((await command("task", "complete", ID, ...at)).out, `task ${ID}: completed\n`);
  t.equal(requests.length, 2);
  const api2 = await FakeWorkloadApi.start(t);
  api2.x509.set(await x509Response(north, ["/stranger"]));
  const refused = await command("task", "show", ID, ...at.slice(0, 2), "--socket", api2.endpoint);
  t.equal(refused.code, 1);
  t.match(refused.err, /not for spiffe:\/\/north.test\/stranger \(TEST_NOT_ALLOWED\)/);
  const absent = await command(
    "task",
    "show",
    ID,
    "--server",
    "127.0.0.1:1",
    "--socket",
    api.endpoint,
  );
  t.match(
    absent.err,
    /no server answers at "127.0.0.1:1" \(DAEMON_UNREACHABLE\)\nhint: check --server/,
  );
});
