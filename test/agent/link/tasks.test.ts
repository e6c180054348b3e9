// What a node agent asks of its server for tasks, when nothing comes back: who asked the agent must not take it
// for the agent's own silence.
import t from "tap";
import type { ServerSigning } from "../../../agent/link/signing.ts";
import { ServerTasks } from "../../../agent/link/tasks.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";

function failing(error: IdentityError): ServerTasks {
  const held = (): Promise<never> => Promise.reject(error);
  return new ServerTasks({ client: () => ({ held }) } as unknown as ServerSigning);
}

for (const [reason, code] of [
  ["CONNECTION_UNAVAILABLE", Status.unavailable],
  ["CALL_DEADLINE_EXCEEDED", Status.deadlineExceeded],
] as const) {
  t.test(`${reason} is said of the server`, async (t) => {
    await t.rejects(failing(new IdentityError(reason, code, "Connection dropped")).held(["1"]), {
      ...{ reason: "SERVER_UNREACHABLE", code: Status.unavailable },
      message: "the server did not answer: Connection dropped",
      hint: /check that the server can be reached/,
    });
  });
}

t.test("what the server says is passed on as it is", async (t) => {
  const said = new IdentityError("TASK_NOT_FOUND", Status.notFound, "no such task");
  t.equal(
    await failing(said)
      .held(["1"])
      .catch((error: unknown) => error),
    said,
  );
});
