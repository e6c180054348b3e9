// What a guard writes down: never arguments, and never so many refusals of one that others are shut out.

import t from "tap";
import type { AuditEvent } from "../../guard/node.ts";
import type { PresentedTask } from "../../guard/presented.ts";
import { GuardRecorder } from "../../guard/recorder.ts";
import { TestClock } from "../support/clock.ts";

const taskOf = (id: string): PresentedTask => ({
  taskId: id,
  spiffeId: `spiffe://north.test/bot/task/${id}`,
  agent: "spiffe://north.test/bot",
  principal: "https://idp.test/alice",
  credential: { kind: "access-token", name: "j1", sha256: "a".repeat(64) },
  expiresAt: new Date("2030-01-01T01:00:00Z"),
  mandate: undefined,
  isBound: false,
  failMode: undefined,
  assurance: undefined,
});

function setUp(): { recorder: GuardRecorder; clock: TestClock; events: AuditEvent[] } {
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const events: AuditEvent[] = [];
  const node = { record: async (some: readonly AuditEvent[]) => void events.push(...some) };
  const recorder = new GuardRecorder({ node, resource: "https://x.test/mcp", clock });
  return { recorder, clock, events };
}

t.test("a call has a decision and an end, with the digest of its arguments alone", async (t) => {
  const { recorder, events } = setUp();
  const call = { action: "tools/read/x", args: { b: "the password", a: 1 } };
  const other = recorder.decisionOf(taskOf("A"), { ...call, args: { a: 1, b: "the password" } });
  const decision = recorder.decisionOf(taskOf("A"), call);
  t.equal(decision.argsDigest, other.argsDigest, "whichever order they come in");
  await recorder.allowed(decision);
  await recorder.called(decision, "ok");
  t.match(events, [
    { stream: "decision", outcome: "ok", principal: "https://idp.test/alice" },
    { stream: "tool_call", type: "tool.called", outcome: "ok", decisionId: decision.id },
  ]);
  t.notMatch(JSON.stringify(events), "password");
  t.equal(new Set(events.map(({ id }) => id)).size, 2);
});

t.test("one who is refused again and again does not use up the record for others", async (t) => {
  const { recorder, clock, events } = setUp();
  const refuse = (id: string): Promise<void> =>
    recorder.denied(recorder.decisionOf(taskOf(id), { action: "x" }), new Error(), undefined);
  for (let i = 0; i < 500; i++) await refuse("greedy");
  t.equal(events.length, 20);
  await refuse("calm");
  t.equal(events.length, 21);
  await clock.advance(1000);
  t.equal(events.length, 22, "though it is never refused again");
  t.match(events.at(-1), { task: taskOf("greedy").spiffeId, detail: { left_out: "479" } });
  t.equal(clock.timers, 0, "nothing is kept of it");
  await refuse("greedy");
  t.notOk(events.at(-1)?.detail?.["left_out"]);
});

t.test("attempts of nobody in particular are fewer, and are counted too", async (t) => {
  const { recorder, clock, events } = setUp();
  const attempt = { kind: "token-kind-confused", task: undefined, reason: "TOKEN_KIND_WRONG" };
  for (let i = 0; i < 100; i++) await recorder.attempted(attempt);
  t.equal(events.length, 5);
  await recorder.attempted({ ...attempt, kind: "wrong-audience", task: taskOf("A") });
  t.match(events.at(-1), { task: taskOf("A").spiffeId, detail: { kind: "wrong-audience" } });
  await clock.advance(1000);
  t.same(events.at(-1)?.detail, { kind: "token-kind-confused", left_out: "94" });
});
