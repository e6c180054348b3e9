// What a node agent takes of its server's answers as the WIT-SVID of a task: nothing that would hand one task the
// name of another, or a name for a key that is not the task's.
import t from "tap";
import { acceptWit } from "../../../agent/tasks/server.ts";
import { proofKey, TestWit } from "../../support/test-wit.ts";

const ULID = "01JD9Z5QSA7X8M3V4N2K1P0RTE";
const TASK = `/agent/a/task/${ULID}`;
const key = proofKey();
const of = { spiffeId: `spiffe://north.test${TASK}`, spki: key.spki };
const answer = (path: string, more = {}): { token: string } => ({
  token: new TestWit().issue(path, { key, ...more }).token,
});
const refusal = { name: "IdentityError", reason: "SERVER_ANSWER_INVALID" };

t.test("the task's, or its AI agent's, for the task's key", async (t) => {
  const own = answer(TASK);
  t.equal(acceptWit(own, of), own);
  t.ok(acceptWit(answer("/agent/a"), of));
});

t.test("of nobody else, and for no other key", async (t) => {
  for (const path of ["/agent/b", `/agent/b/task/${ULID}`, "/agent", `${TASK.slice(0, -1)}F`]) {
    t.throws(() => acceptWit(answer(path), of), refusal, path);
  }
  t.throws(() => acceptWit(answer(TASK, { key: proofKey() }), of), refusal, "another key");
  t.throws(() => acceptWit({ token: "x" }, of), {
    name: "IdentityError",
    reason: "WIT_SVID_MALFORMED",
  });
});
