// The tokens of a task: kept, forgotten, presented, against a node that does what the test says.
import t, { type Test } from "tap";
import type { OpenTaskOptions } from "../../../client/tasks/open.ts";
import { authorizeMemberOf } from "../../../client/tls/authorize.ts";
import { presentWit } from "../../../client/wit/present.ts";
import { ReplayCache } from "../../../client/wit/replay-cache.ts";
import { verifyWitRequest } from "../../../client/wit/verify.ts";
import { Status } from "../../../pki/errors.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { verifyDpopProof } from "../../../pki/token/dpop.ts";
import { jwkThumbprint } from "../../../pki/token/thumbprint.ts";
import { TaskState } from "../../../proto/schema.gen.ts";
import { TestClock } from "../../support/clock.ts";
import { AI_AGENT } from "../../support/fake-task-node.ts";
import { MANDATE, openedTask, TICKETS } from "../../support/opened-task.ts";
import { TestAuthority } from "../../support/test-authority.ts";
import { until } from "../../support/until.ts";

const north = await TestAuthority.create();
const refusal = (reason: string) => ({ name: "IdentityError", reason });
const open = (t: Test, options: Partial<OpenTaskOptions> = {}) =>
  openedTask(t, { authority: north, ...options });

t.test("tokens are kept until half of their life is over", async (t) => {
  const clock = new TestClock(new Date());
  const { node, task } = await open(t, { clock });
  const [first, same] = await Promise.all([task.jwtSvid(TICKETS), task.jwtSvid(TICKETS)]);
  t.equal(first.token, same.token);
  t.equal(node.tokensAsked.length, 1, "callers at the same time share one question");
  t.not((await task.jwtSvid("https://other.test/")).token, first.token);
  clock.step(29_000);
  t.equal((await task.jwtSvid(TICKETS)).token, first.token);
  clock.step(2_000);
  t.not((await task.jwtSvid(TICKETS)).token, first.token);

  const bound = await task.accessToken(TICKETS);
  t.equal(bound.tokenType, "DPoP");
  t.match(node.tokensAsked.at(-1), { resource: TICKETS, unbound: false, confirmationJkt: "" });
  const bearer = await task.accessToken(TICKETS, { bound: false });
  t.equal(bearer.tokenType, "Bearer");
  t.not(bearer.token, bound.token, "what is bound is not taken for what is not");
  await task.accessToken(TICKETS, { bound: { jkt: "abc" } });
  t.match(node.tokensAsked.at(-1), { confirmationJkt: "abc", unbound: false });
  await task.accessToken(TICKETS, { mandate: { actions: ["tools/read/one"] } });
  t.match(node.tokensAsked.at(-1), { mandate: { actions: { values: ["tools/read/one"] } } });
  t.equal((await task.accessToken(TICKETS)).token, bound.token);
});

t.test("with the agent away a kept token is used up to its end", async (t) => {
  const clock = new TestClock(new Date());
  const { node, task } = await open(t, { clock });
  const { token } = await task.jwtSvid(TICKETS);
  await node.stop();
  clock.step(40_000);
  const asked = task.jwtSvid(TICKETS);
  while ((await Promise.race([asked, clock.advance(5)])) === undefined);
  t.equal((await asked).token, token);
});

t.test("a request carries the token and a proof of the task's key for it", async (t) => {
  const { node, task } = await open(t);
  const url = "https://mcp.north.test/tickets?id=1";
  const headers = await task.requestHeaders({ method: "POST", url, nonce: "n" });
  const { token } = await task.accessToken(TICKETS);
  t.equal(headers.authorization, `DPoP ${token}`);
  t.match(node.tokensAsked.at(-1), { resource: TICKETS });
  const { spki } = task.x509.svid().leaf;
  const target = { url, method: "POST", accessToken: token, now: new Date() };
  const jkt = jwkThumbprint(spki);
  t.match(await verifyDpopProof(headers.dpop ?? "", { ...target, jkt }), { jkt });
  const again = await task.requestHeaders({ method: "POST", url });
  t.not(again.dpop, headers.dpop, "a proof for each request");
  await t.rejects(verifyDpopProof(again.dpop ?? "", { ...target, method: "GET" }), {
    ...{ reason: "DPOP_PROOF_BINDING", code: Status.unauthenticated },
  });

  const bearer = await task.requestHeaders({ url, resource: TICKETS, bound: false });
  t.match(bearer, { authorization: /^Bearer /, dpop: undefined });
  await task.requestHeaders({ url: "http://127.0.0.1:8080/mcp" });
  await task.requestHeaders({ url: "http://[::1]:8080/mcp" });
  const plain = { reason: "TRANSPORT_NOT_CONFIDENTIAL", code: Status.failedPrecondition };
  await t.rejects(task.requestHeaders({ url: "http://mcp.north.test/tickets" }), plain);
  await t.rejects(task.requestHeaders({ url: "http://127.0.0.1.evil.test/tickets" }), plain);
  await t.rejects(task.requestHeaders({ url: "http://127.0.0.1:8080/mcp", bound: false }), plain);
});

t.test("its WIT-SVID is for the task's key, and is presented with a proof by it", async (t) => {
  const clock = new TestClock(new Date());
  const { node, task } = await open(t, { clock });
  const [svid, same] = await Promise.all([task.witSvid(), task.witSvid()]);
  t.equal(svid.token, same.token);
  t.equal(node.count("FetchTaskWITSVID"), 1, "callers at the same time share one question");
  t.ok(svid.id.equals(task.spiffeId));
  t.same(svid.key.spki, task.x509.svid().leaf.spki);
  clock.step(29_000);
  t.equal((await task.witSvid()).token, svid.token);
  clock.step(2_000);
  t.not((await task.witSvid()).token, svid.token, "renewed at half its life");

  const now = new TestClock(new Date());
  const fields = presentWit({ svid, method: "GET", url: TICKETS, clock: now });
  const incoming = {
    ...{ method: "GET", url: "/tickets", socket: { encrypted: true } },
    rawHeaders: Object.entries(fields).flat(),
  };
  const verified = await verifyWitRequest(incoming, {
    source: node.wits,
    authorize: authorizeMemberOf("north.test"),
    origin: new URL(TICKETS).origin,
    replay: new ReplayCache({ clock: now }),
    clock: now,
  });
  t.ok(verified.id.equals(task.spiffeId), "to an ordinary service it is an ordinary WIT-SVID");

  node.set(task.id, { state: TaskState.SUSPENDED });
  await until(() => task.state === "SUSPENDED");
  await t.rejects(task.witSvid(), refusal("TASK_SUSPENDED"));
  node.set(task.id, { state: TaskState.ACTIVE });
  await until(() => task.state === "ACTIVE");
  t.not((await task.witSvid()).token, svid.token, "what it had before is not kept");
  node.set(task.id, { state: TaskState.REVOKED });
  await task.ended;
  await t.rejects(task.witSvid(), refusal("TASK_ENDED"));
});

t.test("a WIT-SVID of another task, or for another key, is not taken", async (t) => {
  const { node, task } = await open(t);
  const refused = refusal("WORKLOAD_API_RESPONSE_INVALID");
  for (const id of [`${AI_AGENT}/task/01JD9Z5QSA7X8M3V4N2K1P0RTE`, "spiffe://north.test/db"]) {
    node.wrongId = id;
    await t.rejects(task.witSvid(), refused, id);
  }
  node.wrongId = AI_AGENT;
  t.equal((await task.witSvid()).id.toString(), AI_AGENT, "a class may name the AI agent");
  const other = await open(t);
  other.node.wrongKey = generateP256KeyPair().spki;
  await t.rejects(other.task.witSvid(), refused);
});

t.test("narrowing forgets the tokens of before", async (t) => {
  const { node, task } = await open(t);
  const { token } = await task.accessToken(TICKETS);
  const narrow = { ...MANDATE, actions: ["tools/read/one"] };
  t.strictSame(await task.narrow(narrow), narrow);
  t.strictSame(task.mandate, narrow);
  t.not((await task.accessToken(TICKETS)).token, token);
  t.equal(node.count("Narrow"), 1);
});
