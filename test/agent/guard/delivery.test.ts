// The way of events from the spool to the server: in order, again and again until it has them.

import { join } from "node:path";
import t, { type Test } from "tap";
import { Delivery } from "../../../agent/guard/delivery.ts";
import { Spool } from "../../../agent/guard/spool.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { newUlid } from "../../../pki/task-id.ts";
import { AuditLogService, type signet } from "../../../proto/schema.gen.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { TestClock } from "../../support/clock.ts";

type Event = signet.audit.v1.Event;
const { request } = AuditLogService.methods.append;

async function setUp(t: Test, send: (events: readonly Event[]) => Promise<void>) {
  const folder = join(t.testdir(), "spool");
  const spool = await Spool.open({ folder, limitBytes: 10_000_000, log: silentLogger });
  const clock = new TestClock("2030-01-01T00:00:00Z");
  let refused = 0;
  const delivery = new Delivery({
    spool,
    send,
    clock,
    random: () => 0.5,
    log: silentLogger,
    onRefused: () => refused++,
  });
  const abort = new AbortController();
  const running = delivery.run(abort.signal);
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    abort.abort();
    await running;
    await spool.close();
  };
  t.teardown(stop);
  const append = (...types: string[]): Promise<void> =>
    spool.append(
      "guard",
      types.map((type) => request.encode({ events: [{ id: ulidOf(type), type }] })),
    );
  return { spool, clock, append, stop, refused: () => refused };
}

function ulidOf(name: string): string {
  return newUlid(new Date(0), Buffer.from(name.padEnd(10).slice(0, 10)));
}

async function until(isSo: () => boolean, clock: TestClock): Promise<void> {
  for (let i = 0; !isSo(); i++) {
    if (i > 500) throw new Error("it never came to that");
    await new Promise((resolve) => setTimeout(resolve, 2));
    await clock.advance(1000);
  }
}

t.test("events arrive in order, and again after the server was away", async (t) => {
  const got: string[] = [];
  let isAway = true;
  const { append, clock, spool } = await setUp(t, async (events) => {
    if (isAway) throw new IdentityError("SERVER_UNREACHABLE", Status.unavailable, "away");
    got.push(...events.map(({ type }) => type));
  });
  await append("one", "two");
  await append("three");
  await new Promise((resolve) => setTimeout(resolve, 20));
  t.same(got, []);
  isAway = false;
  await until(() => got.length >= 3, clock);
  t.same(got, ["one", "two", "three"]);
  await append("four");
  await until(() => spool.bytes === 0, clock);
  t.same(got, ["one", "two", "three", "four"], "each once");
});

t.test("an event that the server will never take holds up no other", async (t) => {
  const got: string[] = [];
  const { append, clock, spool, refused } = await setUp(t, async (events) => {
    if (events.some(({ type }) => type === "bad")) {
      throw new IdentityError("AUDIT_EVENT_INVALID", Status.invalidArgument, "bad");
    }
    got.push(...events.map(({ type }) => type));
  });
  await append("one", "bad", "two");
  await until(() => spool.bytes === 0, clock);
  t.same(got, ["one", "two"]);
  t.equal(refused(), 1, "and it is counted");
});

t.test("what was not acknowledged is sent again by the next process, with its ID", async (t) => {
  const sent: string[][] = [];
  const first = await setUp(t, async (events) => {
    sent.push(events.map(({ id }) => id));
    throw new IdentityError("UNAVAILABLE", Status.unavailable, "the answer was lost");
  });
  await first.append("one");
  await until(() => sent.length > 0, first.clock);
  await first.stop();
  const folder = join(t.testdirName, "spool");
  const spool = await Spool.open({ folder, limitBytes: 10_000_000, log: silentLogger });
  const batch = await spool.first();
  const events = request.decode(Buffer.concat(batch?.payloads ?? [])).events;
  t.same([events.map(({ id }) => id)], sent.slice(0, 1));
  await spool.close();
});
