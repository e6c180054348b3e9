// SVIDs of tasks whose holders have the keys: renewed at half their life while somebody watches, in batches, and
// replaced when the authority above them is withdrawn.
import t from "tap";
import { HeldTask } from "../../../agent/tasks/held-task.ts";
import { Renewals } from "../../../agent/tasks/renewals.ts";
import type { TaskServer } from "../../../agent/tasks/server.ts";
import { IdentityError, Status } from "../../../pki/errors.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { createCsr, parseCsr } from "../../../pki/x509/csr.ts";
import { issueX509Svid } from "../../../pki/x509/issue.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { settle, TestClock } from "../../support/clock.ts";
import { NORTH } from "../../support/test-agent.ts";
import { createSigner } from "../../support/test-signing.ts";

async function frame() {
  const clock = new TestClock("2030-01-01T00:00:00Z");
  const signer = await createSigner(NORTH, clock.now());
  const batches: string[][] = [];
  const refreshed: string[] = [];
  const state = { isAway: false, isWithdrawn: false, spiffeId: idOf, behindMs: 0 };
  const signX509: TaskServer["signX509"] = async (requests) => {
    batches.push(requests.map(({ taskId }) => taskId));
    if (state.isAway) throw new IdentityError("SERVER_UNREACHABLE", Status.unavailable, "away");
    const nowMs = clock.now().getTime() - state.behindMs;
    return Promise.all(
      requests.map(async ({ taskId, csr }) => [
        await issueX509Svid(signer.x509, {
          spki: parseCsr(csr).spki,
          spiffeId: SpiffeId.parse(state.spiffeId(taskId)),
          dnsNames: [],
          notBefore: new Date(nowMs - 10_000),
          notAfter: new Date(nowMs + 300_000),
        }),
      ]),
    );
  };
  const renewals = new Renewals({
    server: { signX509 } as TaskServer,
    isWithdrawn: () => state.isWithdrawn,
    refresh: (ids) => void refreshed.push(...ids),
    clock,
    random: () => 0.5,
    log: silentLogger,
  });
  return { clock, renewals, batches, refreshed, state };
}

const idOf = (id: string): string => `spiffe://north.test/ai/a/task/${id}`;

function heldTask(taskId: string): HeldTask {
  const pair = generateP256KeyPair();
  const record = {
    taskId,
    spiffeId: idOf(taskId),
    aiAgent: "spiffe://north.test/ai/a",
    taskClass: "standard",
    spki: Buffer.from(pair.spki).toString("base64"),
    uid: 1000,
    expiresAtMs: 0,
    federatesWith: [],
  };
  const held = new HeldTask({
    record,
    task: undefined,
    process: undefined,
    leave: () => undefined,
  });
  held.csr = createCsr(pair);
  return held;
}

t.test("renews at half life while somebody watches", async (t) => {
  const { clock, renewals, batches } = await frame();
  const [a, b] = [heldTask("a"), heldTask("b")];
  const unwatch = [renewals.watch(a), renewals.watch(b), renewals.watch(a)];
  await clock.advance(10);
  t.strictSame(batches.flat(), ["a", "b"], "each once, however many watch");
  const first = a.svid;
  t.equal(first?.notAfter.getTime(), clock.now().getTime() - 10 + 300_000);
  await clock.advance(120_000);
  t.equal(batches.flat().length, 2);
  await clock.advance(60_000);
  t.equal(batches.flat().length, 4);
  t.not(a.svid, first);
  for (const stop of unwatch) stop();
  const before = batches.length;
  await clock.advance(600_000);
  t.equal(batches.length, before, "nobody watches: no sign of life is made up");
});

t.test("what is wanted in one turn goes to the server in one batch", async (t) => {
  const { renewals, batches } = await frame();
  const wanted = ["a", "b", "c"].map(heldTask);
  await Promise.all(wanted.map((held) => renewals.sign(held, held.csr ?? new Uint8Array())));
  t.strictSame(batches, [["a", "b", "c"]]);
});

t.test("asks again with delays while the server is away, and keeps what there is", async (t) => {
  const { clock, renewals, batches, refreshed, state } = await frame();
  const held = heldTask("a");
  renewals.watch(held);
  await clock.advance(10);
  const { svid } = held;
  state.isAway = true;
  await clock.advance(200_000);
  t.ok(batches.length > 3);
  t.equal(held.svid, svid);
  t.ok(refreshed.includes("a"), "it may have ended");
  state.isAway = false;
  renewals.resume();
  await clock.advance(10);
  t.not(held.svid, svid);
  renewals.stop();
});

t.test("a task that is refused, or has ended, is not renewed", async (t) => {
  const { clock, renewals, batches } = await frame();
  const held = heldTask("a");
  renewals.watch(held);
  held.end("REVOKED", "", clock.now());
  await clock.advance(600_000);
  t.strictSame(batches, []);
});

t.test("a clock that is ahead of the server's makes no loop", async (t) => {
  const { clock, renewals, batches, state } = await frame();
  state.behindMs = 3_600_000;
  const held = heldTask("a");
  renewals.watch(held);
  await clock.advance(60_000);
  t.ok(batches.length > 2 && batches.length < 12, `${batches.length} times`);
  state.behindMs = 0;
  await clock.advance(60_000);
  t.ok((held.svid?.notAfter ?? 0) > clock.now(), "set right, it is renewed as ever");
  const before = batches.length;
  await clock.advance(60_000);
  t.equal(batches.length, before);
  renewals.stop();
});

t.test("what hangs from a withdrawn authority is replaced at once, not in a loop", async (t) => {
  const { clock, renewals, batches, state } = await frame();
  const held = heldTask("a");
  renewals.watch(held);
  await clock.advance(10);
  state.isWithdrawn = true;
  renewals.bundleChanged();
  await clock.advance(10);
  t.equal(batches.length, 2);
  await clock.advance(60_000);
  t.ok(batches.length > 2 && batches.length < 12, `${batches.length} times`);
  renewals.stop();
});

t.test("an answer for another task, or another key, is not taken", async (t) => {
  const { renewals, state } = await frame();
  const held = heldTask("a");
  state.spiffeId = () => idOf("b");
  await t.rejects(renewals.sign(held, held.csr ?? new Uint8Array()), {
    name: "IdentityError",
    reason: "SERVER_ANSWER_INVALID",
  });
  state.spiffeId = idOf;
  await t.rejects(renewals.sign(held, createCsr(generateP256KeyPair())), {
    name: "IdentityError",
    reason: "SERVER_ANSWER_INVALID",
  });
  await settle();
});
