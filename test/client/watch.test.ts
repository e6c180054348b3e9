import t from "tap";
import { watch } from "../../client/watch.ts";
import { IdentityError, Status } from "../../pki/errors.ts";
import { ImpatientClock } from "../support/impatient-clock.ts";

const failure = (code: Status) => new IdentityError("TEST", code, "a test says so");

/** Streams that a test scripts: each attempt yields its messages, then throws its error or ends. */
function script(attempts: readonly (readonly (string | Error)[])[]) {
  let attempt = 0;
  const open = async function* (): AsyncGenerator<string> {
    const steps = attempts[attempt++] ?? [];
    for (const step of steps) {
      if (typeof step !== "string") throw step;
      yield step;
    }
  };
  return { open, attempts: () => attempt };
}

const read = (message: string) => {
  if (message === "bad") throw failure(Status.dataLoss);
  return message.toUpperCase();
};

t.test("reconnects after every end and error but the final ones", async (t) => {
  const { open, attempts } = script([
    ["a"],
    [failure(Status.unavailable)],
    [failure(Status.permissionDenied)],
    ["b", failure(Status.unavailable)],
    [failure(Status.resourceExhausted)],
    [failure(Status.internal)],
    ["c", failure(Status.unimplemented)],
  ]);
  const clock = new ImpatientClock();
  const seen: string[] = [];
  const errors: Status[] = [];
  const states = watch(
    { open, read, nothing: "-" },
    { clock, onError: ({ code }) => errors.push(code) },
  );
  await t.rejects(
    (async () => {
      for await (const state of states) seen.push(state);
    })(),
    { reason: "TEST", code: Status.unimplemented },
  );
  t.strictSame(seen, ["A", "-", "B", "C"]);
  t.strictSame(errors, [14, 7, 14, 8, 13]);
  t.equal(attempts(), 7);
});

t.test(
  "waits longer after each failure, from 0.2 s to 5 s, and shortly again after a state",
  async (t) => {
    const failures = Array.from({ length: 12 }, () => [failure(Status.unavailable)]);
    const { open } = script([...failures, ["a"], [failure(Status.invalidArgument)]]);
    const clock = new ImpatientClock();
    await t.rejects(async () => {
      for await (const _ of watch({ open, read, nothing: "-" }, { clock }));
    }, failure(Status.invalidArgument));
    t.equal(clock.sleeps.length, 13);
    clock.sleeps.forEach((ms, index) => {
      const full = index === 12 ? 200 : Math.min(5000, 200 * 2 ** index);
      t.ok(ms >= full / 2 && ms <= full, `${ms} of ${full}`);
    });
  },
);

t.test("a message that cannot be read is told of, and the next one counts", async (t) => {
  const { open, attempts } = script([["a", "bad", "b"]]);
  const errors: Status[] = [];
  const seen: string[] = [];
  for await (const state of watch(
    { open, read, nothing: "-" },
    { onError: ({ code }) => errors.push(code) },
  )) {
    seen.push(state);
    if (state === "B") break;
  }
  t.strictSame(seen, ["A", "B"]);
  t.strictSame(errors, [Status.dataLoss]);
  t.equal(attempts(), 1);
});

t.test("a withdrawal is told once, and not when nothing was held", async (t) => {
  const denied = [failure(Status.permissionDenied)];
  const { open } = script([denied, denied, ["a", ...denied], denied, denied, ["b"]]);
  const seen: string[] = [];
  for await (const state of watch({ open, read, nothing: "-" }, { clock: new ImpatientClock() })) {
    seen.push(state);
    if (state === "B") break;
  }
  t.strictSame(seen, ["A", "-", "B"]);
});

t.test("ends without an error when its signal aborts, in a call or in a wait", async (t) => {
  const abort = new AbortController();
  const open = async function* (signal: AbortSignal): AsyncGenerator<string> {
    yield "a";
    signal.throwIfAborted();
    await new Promise((_, reject) => signal.addEventListener("abort", reject));
  };
  for await (const _ of watch({ open, read, nothing: "-" }, { signal: abort.signal }))
    abort.abort();
  const waiting = new AbortController();
  const { open: empty } = script([]);
  const onError = () => {};
  setTimeout(() => waiting.abort(), 20);
  for await (const _ of watch(
    { open: empty, read, nothing: "-" },
    { signal: waiting.signal, onError },
  ));
  t.pass("both ended");
});

t.test("the call is cancelled when the iteration stops", async (t) => {
  let cancelled = false;
  const open = async function* (signal: AbortSignal): AsyncGenerator<string> {
    signal.addEventListener("abort", () => {
      cancelled = true;
    });
    yield "a";
  };
  for await (const _ of watch({ open, read, nothing: "-" })) break;
  t.ok(cancelled);
});

t.test("a fault of our own is not retried", async (t) => {
  const { open } = script([["a"]]);
  const broken = () => {
    throw new TypeError("a bug");
  };
  await t.rejects(async () => {
    for await (const _ of watch({ open, read: broken, nothing: "-" }));
  }, TypeError);
});
