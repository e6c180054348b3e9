// JWT-SVIDs in the agent: cached by entry and audience, refreshed behind the scenes, served while the
// server is away, dropped when their key is withdrawn.

import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { settle } from "../../support/clock.ts";
import { entryOf, NORTH, TestAgent, TestPeer } from "../../support/test-agent.ts";
import { bundleOf, createSigner } from "../../support/test-signing.ts";

async function frame(t: { teardown(fn: () => unknown): void }, entries = [entryOf("db")]) {
  const agent = await TestAgent.create(t, entries);
  const client = await agent.connect();
  const fetch = async (...audience: string[]): Promise<string[]> =>
    (await client.fetchJWTSVID({ audience: audience.length === 0 ? ["x"] : audience })).svids.map(
      ({ svid }) => svid,
    );
  return { agent, client, fetch };
}

t.test("a token is asked for once per entry and audience", async (t) => {
  const { agent, fetch } = await frame(t, [entryOf("a"), entryOf("b")]);
  const tokens = await fetch();
  t.strictSame(await fetch(), tokens);
  t.equal(agent.signing.tokens.length, 2);
  t.notSame(await fetch("y"), tokens);
  t.notSame(await fetch("x", "y"), tokens);
  t.notSame(await fetch("y", "x"), await fetch("x", "y"), "the order is part of it");
});

t.test("callers that ask at the same time share one call to the server", async (t) => {
  const { agent, fetch } = await frame(t);
  const gate = Promise.withResolvers<void>();
  agent.signing.gate = gate.promise;
  const asking = Promise.all(Array.from({ length: 20 }, () => fetch()));
  await new Promise((resolve) => setTimeout(resolve, 50));
  gate.resolve();
  t.equal(new Set((await asking).flat()).size, 1);
  t.equal(agent.signing.tokens.length, 1);
});

t.test("from half its lifetime on a token is refreshed, and nobody waits for that", async (t) => {
  const { agent, fetch } = await frame(t);
  const before = await fetch();
  await agent.clock.advance(140_000);
  t.strictSame(await fetch(), before);
  await agent.clock.advance(20_000);
  t.strictSame(await fetch(), before, "answered at once with what is held");
  await settle();
  const after = await fetch();
  t.notSame(after, before);
  t.equal(agent.signing.tokens.length, 2);
});

t.test("while the server is away a token is served until it expires", async (t) => {
  const { agent, fetch } = await frame(t);
  const before = await fetch();
  agent.signing.isAway = true;
  await agent.clock.advance(295_000);
  t.strictSame(await fetch(), before);
  await t.rejects(fetch("never asked for"), { code: Status.unavailable });
  await agent.clock.advance(6000);
  await t.rejects(fetch(), { code: Status.unavailable }, "an expired token is not served");
  agent.signing.isAway = false;
  t.equal((await fetch()).length, 1);
});

t.test("one identity that the server refuses does not spoil the others", async (t) => {
  const { agent, fetch } = await frame(t, [entryOf("a"), entryOf("b")]);
  agent.signing.refused.add("a");
  t.equal((await fetch()).length, 1);
  t.strictSame(agent.signing.tokens, ["b"]);
});

t.test("when the default identity's token cannot be had, no other takes its place", async (t) => {
  const { agent, client, fetch } = await frame(t, [entryOf("a"), entryOf("b")]);
  const spiffeId = "spiffe://north.test/b";
  await client.fetchJWTSVID({ audience: ["x"], spiffeId });
  agent.signing.isAway = true;
  await t.rejects(fetch(), { code: Status.unavailable });
  t.equal((await client.fetchJWTSVID({ audience: ["x"], spiffeId })).svids.length, 1);
});

t.test("a tainted or revoked key has its tokens replaced at once", async (t) => {
  const { agent, fetch } = await frame(t);
  const before = await fetch();
  const next = await createSigner(NORTH, agent.clock.now());
  agent.signing.signer = next;
  agent.delta({ bundles: [bundleOf(NORTH, [agent.signer, next])] });
  t.strictSame(await fetch(), before, "a further key changes nothing");
  agent.delta({ bundles: [bundleOf(NORTH, [agent.signer, next], [agent.signer])] });
  const after = await fetch();
  t.notSame(after, before);
  agent.delta({ bundles: [bundleOf(NORTH, [next])] });
  t.strictSame(await fetch(), after);
});

t.test("a removed entry takes its tokens along, a changed one gets new ones", async (t) => {
  const { agent, fetch } = await frame(t);
  const before = await fetch();
  agent.delta({ entries: [entryOf("db", { revisionNumber: 1, hint: "h" })] });
  t.strictSame(await fetch(), before, "the hint is not in the token");
  agent.delta({ entries: [entryOf("db", { revisionNumber: 2, jwtSvidTtlSeconds: 60 })] });
  t.notSame(await fetch(), before);
  agent.delta({ removedEntryIds: ["db"] });
  t.equal(agent.jwtSvids.size, 0);
});

t.test("entries that want a token ID get a token of its own each time", async (t) => {
  const { agent, fetch } = await frame(t, [entryOf("db", { jwtSvidIncludeJti: true })]);
  await fetch();
  await fetch();
  t.equal(agent.signing.tokens.length, 2);
  t.equal(agent.jwtSvids.size, 0);
});

t.test("the cache keeps to its limit, the least recently used leave first", async (t) => {
  const agent = await TestAgent.create(t, [entryOf("db")], { jwtLimit: 3 });
  const client = await agent.connect(new TestPeer());
  const fetch = (audience: string) => client.fetchJWTSVID({ audience: [audience] });
  for (const audience of ["a", "b", "c", "a", "d"]) await fetch(audience);
  t.equal(agent.jwtSvids.size, 3);
  t.equal(agent.signing.tokens.length, 4);
  await fetch("a");
  t.equal(agent.signing.tokens.length, 4, "used last, so still there");
  await fetch("b");
  t.equal(agent.signing.tokens.length, 5);
});

t.test("a token of another identity than the one asked for is not passed on", async (t) => {
  const { agent, fetch } = await frame(t);
  const issue = agent.signing.newJwtSvid.bind(agent.signing);
  agent.signing.newJwtSvid = async (...args) => ({
    ...(await issue(...args)),
    spiffeId: "spiffe://north.test/else",
  });
  await t.rejects(fetch(), { code: Status.unavailable, reason: "SERVER_ANSWER_INVALID" });
});
