// The end of AI agents: disabled, deleted, expired. What they had is gone when the answer comes, and a
// process that is killed in between leaves it to the next one.
import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { serverError } from "../../../server/errors.ts";
import { AiAgentHolds } from "../../../server/registry/holds.ts";
import {
  aiAgent,
  entryOf,
  RESEARCHER,
  refused,
  seconds,
  startRegistry,
  type TestRegistry,
} from "../../support/test-registry.ts";

const action = { spiffeId: RESEARCHER, reason: "misbehaves" };
const WEB = "spiffe://north.test/web";

function holdsOf({ agents, clock }: TestRegistry) {
  const others = { refusal: () => undefined, tokenRefusal: () => undefined };
  const holds = new AiAgentHolds({ agents, others, clock });
  return (spiffeId = RESEARCHER) => holds.refusal(spiffeId, "")?.reason;
}

t.test(
  "disabled: what it was issued is revoked and its tasks end, before the answer",
  async (t) => {
    const registry = await startRegistry(t);
    const { client, asked } = registry;
    const held = holdsOf(registry);
    await client.createAiAgent({ aiAgent: aiAgent() });
    t.equal(held(), undefined);
    const { aiAgent: disabled } = await client.disableAiAgent(action);
    t.match(disabled, { disabled: true, disabledReason: "misbehaves", version: 2 });
    t.same(asked, [
      `revoke ${RESEARCHER} privilege-withdrawn`,
      `end ${RESEARCHER} REVOKED its AI agent was disabled: misbehaves`,
      `end hosted by ${RESEARCHER} REVOKED the AI agent that hosts it was disabled: misbehaves`,
    ]);
    t.equal(held(), "AI_AGENT_DISABLED");
    t.equal(held(`${RESEARCHER}/task/01ARZ3NDEKTSV4RRFFQ69G5FAV`), "AI_AGENT_DISABLED");
    t.equal(held(WEB), undefined);
    t.equal(held(`${WEB}/task/x`), undefined);
    t.equal(held("spiffe://north.test/agent/researcher2"), undefined);

    await client.disableAiAgent(action);
    t.equal(asked.length, 3, "once is enough");
    const { aiAgent: enabled } = await client.enableAiAgent({ spiffeId: RESEARCHER });
    t.match(enabled, { disabled: false, disabledReason: "" });
    t.equal(held(), undefined);
    await client.disableAiAgent(action);
    t.equal(asked.length, 6, "and again when there may be something again");
    await t.rejects(
      client.disableAiAgent({ ...action, spiffeId: WEB }),
      refused("AI_AGENT_NOT_FOUND"),
    );
    await t.rejects(
      client.disableAiAgent({ ...action, reason: "a\nb" }),
      refused("AI_AGENT_INVALID"),
    );
  },
);

t.test("killed in between, a restart goes on with it", async (t) => {
  const before = await startRegistry(t);
  const { client, log, clock } = before;
  await client.createAiAgent({ aiAgent: aiAgent(), entry: entryOf("/agent/researcher") });
  before.failure = serverError("LEDGER_UNWRITABLE", "no space");
  await t.rejects(client.disableAiAgent(action), "who asked is told that it is not done");
  t.equal(holdsOf(before)(), "AI_AGENT_DISABLED", "but nothing more is issued");
  t.match(before.agents.get(RESEARCHER)?.end, { isSettled: false });
  await before.stop();

  const after = await startRegistry(t, { log, clock });
  t.same(after.asked, []);
  after.run();
  await settled(after);
  t.match(after.asked, [/^revoke/, /^end .* REVOKED/]);
  t.match(after.agents.get(RESEARCHER)?.end, { cause: "disabled", isSettled: true });

  after.failure = serverError("LEDGER_UNWRITABLE", "no space");
  await t.rejects(after.client.deleteAiAgent({ ...action, withEntries: true }));
  t.equal(after.entries.size, 0, "the entries are gone with the same commit");
  t.match(after.agents.get(RESEARCHER)?.end, { cause: "deleted", isSettled: false });
  const again = after.client.createAiAgent({ aiAgent: aiAgent() });
  await t.rejects(again, refused("AI_AGENT_EXISTS"), "not while it is being deleted");
  after.failure = undefined;
  await clock.advance(5000);
  await settled(after);
  t.equal(after.agents.get(RESEARCHER), undefined, "tried again by itself");
});

t.test("its time ends to the second, without polling", async (t) => {
  const registry = await startRegistry(t);
  const { client, clock, asked } = registry;
  const held = holdsOf(registry);
  registry.run();
  const validUntil = seconds("2030-01-01T01:00:00Z");
  await client.createAiAgent({ aiAgent: aiAgent({ validUntil }) });
  const later = "spiffe://north.test/agent/later";
  await client.createAiAgent({ aiAgent: aiAgent({ spiffeId: later, validUntil: validUntil + 1 }) });
  await clock.advance(3_599_999);
  t.equal(clock.timers, 1, "one timer for all of them");
  t.equal(held(), undefined);
  t.same(asked, []);
  await clock.advance(1);
  await noticed(registry);
  t.equal(held(), "AI_AGENT_EXPIRED");
  t.equal(held(later), undefined);
  t.same(asked, [
    `revoke ${RESEARCHER} cessation-of-operation`,
    `end ${RESEARCHER} EXPIRED the time of its AI agent is over`,
    `end hosted by ${RESEARCHER} EXPIRED the time of the AI agent that hosts it is over`,
    `note ai-agent.expired ${RESEARCHER}`,
  ]);
  await clock.advance(1000);
  await noticed(registry, later);
  t.equal(held(later), "AI_AGENT_EXPIRED", "and the next timer is set");

  await t.rejects(client.enableAiAgent({ spiffeId: RESEARCHER }), {
    reason: "AI_AGENT_EXPIRED",
    code: Status.permissionDenied,
    hint: /--until/,
  });
  const more = aiAgent({ validUntil: validUntil + 7200 });
  const { aiAgent: extended } = await client.updateAiAgent({ aiAgent: more });
  t.match(extended, { disabled: false });
  t.equal(held(), undefined);
  await clock.advance(7_200_000);
  await noticed(registry);
  t.equal(held(), "AI_AGENT_EXPIRED", "it ends again");
});

t.test("nothing is issued from its last moment on, whoever is late to notice", async (t) => {
  const registry = await startRegistry(t);
  await registry.client.createAiAgent({
    aiAgent: aiAgent({ validUntil: seconds("2030-01-01T00:00:10Z") }),
  });
  const held = holdsOf(registry);
  await registry.clock.advance(9_999);
  t.equal(held(), undefined);
  await registry.clock.advance(1);
  t.equal(held(), "AI_AGENT_EXPIRED");
  t.equal(registry.agents.get(RESEARCHER)?.end, undefined, "nobody has noticed");
});

t.test("more time does not enable one that was disabled by hand", async (t) => {
  const registry = await startRegistry(t);
  const { client } = registry;
  await client.createAiAgent({ aiAgent: aiAgent() });
  await client.disableAiAgent(action);
  await client.updateAiAgent({ aiAgent: aiAgent({ validUntil: seconds("2031-01-01T00:00:00Z") }) });
  t.equal(holdsOf(registry)(), "AI_AGENT_DISABLED");
});

t.test("deleting a disabled one does not give its processes SVIDs again", async (t) => {
  const registry = await startRegistry(t);
  const { client, asked, entryClient } = registry;
  await client.createAiAgent({ aiAgent: aiAgent(), entry: entryOf("/agent/researcher") });
  await client.disableAiAgent(action);
  await t.rejects(client.deleteAiAgent({ spiffeId: RESEARCHER }), {
    reason: "AI_AGENT_HAS_ENTRIES",
    code: Status.failedPrecondition,
    hint: /--with-entries/,
  });
  await client.enableAiAgent({ spiffeId: RESEARCHER });
  asked.length = 0;
  await client.deleteAiAgent({ spiffeId: RESEARCHER, reason: "retired" });
  t.match(asked, [/cessation-of-operation/, /REVOKED its AI agent was deleted: retired/]);
  t.equal((await entryClient.countEntries({})).count, 1, "an ordinary entry from then on");
  t.equal(holdsOf(registry)(), undefined);
  await t.rejects(client.getAiAgent({ spiffeId: RESEARCHER }), refused("AI_AGENT_NOT_FOUND"));
});

/** Resolves once nothing of the end of one is left to do. */
async function settled({ agents }: TestRegistry): Promise<void> {
  while (agents.get(RESEARCHER)?.end?.isSettled === false) await turn();
}

/** Resolves once its time is noticed to be over. */
async function noticed({ agents }: TestRegistry, id = RESEARCHER): Promise<void> {
  while (agents.get(id)?.end?.isSettled !== true) await turn();
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));
