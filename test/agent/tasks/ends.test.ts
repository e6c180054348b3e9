// Ends of tasks on their way to the server: what it does not take of an end keeps none from being one.
import t from "tap";
import { Ends } from "../../../agent/tasks/ends.ts";
import { TaskJournal } from "../../../agent/tasks/journal.ts";
import type { ChangeRequest, TaskServer } from "../../../agent/tasks/server.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { type signet, TaskState } from "../../../proto/schema.gen.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { settle, TestClock } from "../../support/clock.ts";

const DONE = { id: "01" } as signet.task.v1.Task;

async function ends(
  t: { testdir(): string },
  answer: (request: ChangeRequest) => Error | undefined | Promise<undefined>,
) {
  const journal = await TaskJournal.open(`${t.testdir()}/held.jsonl`, silentLogger);
  const asked: ChangeRequest[] = [];
  const change: TaskServer["change"] = async (request) => {
    asked.push(request);
    const refusal = await answer(request);
    if (refusal !== undefined) throw refusal;
    return DONE;
  };
  const server = { change } as TaskServer;
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const told = new Ends({ server, journal, clock, random: () => 0.5, log: silentLogger });
  return { ends: told, asked, clock, journal };
}

const end = {
  taskId: "01",
  state: "COMPLETED",
  reason: "said by a later release",
  summaryDigest: "",
  spiffeId: "spiffe://north.test/ai/a/task/01",
  forgetAtMs: Date.parse("2030-01-02T00:00:00Z"),
} as const;

t.test("words that the server refuses are left out, and the end is told", async (t) => {
  const refused = new IdentityError(
    "TASK_REQUEST_INVALID",
    Status.invalidArgument,
    "no such words",
  );
  const { ends: told, asked } = await ends(t, ({ reason }) => (reason ? refused : undefined));
  t.equal(await told.send(end), DONE);
  t.match(asked[1], { taskId: "01", to: TaskState.COMPLETED, reason: undefined });
  t.equal(told.waiting, 0);
});

t.test("what has ended otherwise is told no second time", async (t) => {
  const over = new IdentityError("TASK_ENDED", Status.failedPrecondition, "it is over");
  const { ends: told, asked } = await ends(t, () => over);
  t.equal(await told.send(end), undefined);
  t.equal(asked.length, 1);
  t.equal(told.waiting, 0);
});

t.test(
  "who ends a task does not wait for a server that does not answer; it is told later",
  async (t) => {
    const answered = Promise.withResolvers<undefined>();
    const { ends: told, clock, journal } = await ends(t, () => answered.promise);
    const over = told.send(end);
    await journal.sync(); // written down by then
    await clock.advance(3000);
    t.equal(await over, undefined);
    t.equal(told.waiting, 1);
    answered.resolve(undefined);
    while (told.waiting > 0) await settle();
    t.equal(journal.ends.size, 0);
  },
);
