// Node agents and join tokens: one use, one commit, one winner; renewal, ban, eviction.

import t, { type Test } from "tap";
import { EntryStore } from "../../../server/store/entries.ts";
import type { OrderedLog } from "../../../server/store/log.ts";
import type { NodeRecord } from "../../../server/store/node-record.ts";
import { type AttestedNode, NodeStore } from "../../../server/store/nodes.ts";
import { TokenStore } from "../../../server/store/tokens.ts";
import { openTestLog } from "../../support/test-store.ts";

const start = new Date("2026-01-01T00:00:00Z");
const inAnHour = start.getTime() / 1000 + 3600;

interface Stores {
  readonly log: OrderedLog;
  readonly entries: EntryStore;
  readonly nodes: NodeStore;
  readonly tokens: TokenStore;
  readonly time: { now: Date };
}

async function open(t: Test): Promise<Stores> {
  const log = await openTestLog(t);
  const time = { now: start };
  const now = (): Date => time.now;
  const entries = await EntryStore.start({ log, now });
  const nodes = await NodeStore.start({ log, now, entries });
  t.teardown(() => Promise.all([entries.stop(), nodes.stop()]));
  return { log, entries, nodes, tokens: new TokenStore({ log, now }), time };
}

function agent(name: string, changes: Partial<AttestedNode> = {}): AttestedNode {
  return {
    id: `spiffe://north.test/spire/agent/join_token/${name}`,
    attestationType: "join_token",
    serial: "1",
    notAfterUnixSeconds: inAnHour,
    selectors: [],
    canReattest: false,
    agentVersion: "",
    ...changes,
  };
}

t.test(
  "attesting spends the token, makes the alias entry and the agent in one commit",
  async (t) => {
    const { log, nodes, tokens, entries } = await open(t);
    await tokens.create("t1", {
      expiresAtUnixSeconds: inAnHour,
      aliasSpiffeId: "spiffe://north.test/node",
    });
    t.strictSame(await tokens.check("t1"), {
      expiresAtUnixSeconds: inAnHour,
      aliasSpiffeId: "spiffe://north.test/node",
    });
    const before = log.revision;
    const node = await nodes.attest(agent("t1"), "t1");
    t.equal(log.revision, before + 1);
    t.strictSame(nodes.get(node.id), node);
    const [alias, ...others] = [...entries.values()];
    t.strictSame(others, []);
    t.equal(alias?.id, node.aliasEntryId);
    t.match(alias, {
      spiffeId: "spiffe://north.test/node",
      parentId: node.id,
      selectors: [{ type: "spiffe_id", value: node.id }],
      createdAtUnixSeconds: start.getTime() / 1000,
    });
    await t.rejects(tokens.check("t1"), { reason: "JOIN_TOKEN_UNKNOWN", code: 3 });
    await t.rejects(nodes.attest(agent("t1"), "t1"), {
      name: "IdentityError",
      reason: "JOIN_TOKEN_UNKNOWN",
    });
  },
);

t.test("of 1,000 that try one token at once, one attests", async (t) => {
  const { nodes, tokens, entries } = await open(t);
  await tokens.create("t1", {
    expiresAtUnixSeconds: inAnHour,
    aliasSpiffeId: "spiffe://north.test/node",
  });
  const tries = Array.from({ length: 1000 }, (_, i) =>
    nodes.attest(agent("t1", { serial: String(i + 1) }), "t1"),
  );
  const results = await Promise.allSettled(tries);
  const winners = results.filter((result) => result.status === "fulfilled");
  const losers = results.filter((result) => result.status === "rejected");
  t.equal(winners.length, 1);
  t.equal(losers.filter(({ reason }) => reason.reason === "JOIN_TOKEN_UNKNOWN").length, 999);
  t.equal(entries.size, 1);
  t.equal(nodes.get(agent("t1").id)?.serial, winners[0]?.value.serial);
});

t.test("a token is not found in the store before it is used", async (t) => {
  const { log, tokens } = await open(t);
  await tokens.create("secret-token-value", { expiresAtUnixSeconds: inAnHour, aliasSpiffeId: "" });
  const { records } = await log.list("");
  t.equal(records.length, 1);
  const bytes = records
    .map(({ key, value }) => key + Buffer.from(value).toString("latin1"))
    .join("");
  t.notMatch(bytes, /secret-token-value/);
});

t.test("an expired token is refused, and pruned", async (t) => {
  const { nodes, tokens, time, log } = await open(t);
  await tokens.create("old", { expiresAtUnixSeconds: inAnHour, aliasSpiffeId: "" });
  await tokens.create("new", { expiresAtUnixSeconds: inAnHour + 1, aliasSpiffeId: "" });
  time.now = new Date(inAnHour * 1000 - 1);
  t.equal(await tokens.pruneExpired(), 0);
  time.now = new Date(inAnHour * 1000);
  await t.rejects(tokens.check("old"), { reason: "JOIN_TOKEN_EXPIRED", code: 3 });
  await t.rejects(nodes.attest(agent("old"), "old"), {
    name: "IdentityError",
    reason: "JOIN_TOKEN_EXPIRED",
  });
  t.equal(nodes.size, 0);
  t.equal(await tokens.pruneExpired(), 1);
  t.equal((await log.list("join-token/")).records.length, 1);
  await t.rejects(tokens.check("old"), { name: "IdentityError", reason: "JOIN_TOKEN_UNKNOWN" });
  await nodes.attest(agent("new"), "new");
});

t.test("a token's value can be given once", async (t) => {
  const { tokens } = await open(t);
  const properties = { expiresAtUnixSeconds: inAnHour, aliasSpiffeId: "" };
  await tokens.create("t", properties);
  await t.rejects(tokens.create("t", properties), { reason: "JOIN_TOKEN_ALREADY_EXISTS", code: 6 });
});

t.test("without an alias in the token no entry is made", async (t) => {
  const { nodes, tokens, entries } = await open(t);
  await tokens.create("t", { expiresAtUnixSeconds: inAnHour, aliasSpiffeId: "" });
  const node = await nodes.attest(agent("t"), "t");
  t.equal(node.aliasEntryId, undefined);
  t.equal(entries.size, 0);
});

t.test("attesting again replaces certificate and selectors", async (t) => {
  const { nodes } = await open(t);
  await nodes.attest(
    agent("n", { selectors: [{ type: "x509pop", value: "a" }], canReattest: true }),
  );
  await nodes.renew(agent("n").id, { serial: "2", notAfterUnixSeconds: inAnHour });
  const node = await nodes.attest(
    agent("n", { selectors: [{ type: "x509pop", value: "b" }], serial: "3", canReattest: true }),
  );
  t.match(node, { serial: "3", selectors: [{ type: "x509pop", value: "b" }] });
  t.equal(node.newSerial, undefined);
});

t.test("the certificate of a renewal counts from its first use", async (t) => {
  const { nodes, log } = await open(t);
  const { id } = await nodes.attest(agent("n"));
  await nodes.renew(id, { serial: "2", notAfterUnixSeconds: inAnHour + 60 });
  t.match(nodes.get(id), { serial: "1", newSerial: "2", newNotAfterUnixSeconds: inAnHour + 60 });
  await nodes.promote(id, "7");
  t.equal(nodes.get(id)?.serial, "1", "another serial promotes nothing");
  await Promise.all(Array.from({ length: 20 }, () => nodes.promote(id, "2")));
  t.strictSame(nodes.get(id), {
    ...agent("n"),
    banned: false,
    serial: "2",
    notAfterUnixSeconds: inAnHour + 60,
  } as NodeRecord);
  const before = log.revision;
  await nodes.promote(id, "2");
  t.equal(log.revision, before, "a serial in use is not written again");
});

t.test("a banned agent has no certificate, and can neither renew nor attest", async (t) => {
  const { nodes, tokens } = await open(t);
  const { id } = await nodes.attest(agent("n"));
  await nodes.renew(id, { serial: "2", notAfterUnixSeconds: inAnHour });
  await nodes.ban(id);
  t.match(nodes.get(id), { banned: true, serial: "" });
  t.equal(nodes.get(id)?.newSerial, undefined);
  const banned = { reason: "AGENT_BANNED", code: 7 };
  await t.rejects(nodes.renew(id, { serial: "3", notAfterUnixSeconds: inAnHour }), banned);
  await t.rejects(nodes.promote(id, "2"), banned);
  await t.rejects(nodes.attest(agent("n")), banned);
  await tokens.create("n", { expiresAtUnixSeconds: inAnHour, aliasSpiffeId: "" });
  await t.rejects(nodes.attest(agent("n"), "n"), banned);
  await tokens.check("n");
});

t.test("an agent banned while it renews stays banned", async (t) => {
  const { nodes } = await open(t);
  const { id } = await nodes.attest(agent("n"));
  await Promise.allSettled([
    nodes.renew(id, { serial: "2", notAfterUnixSeconds: inAnHour }),
    nodes.ban(id),
    nodes.promote(id, "2"),
    nodes.attest(agent("n", { serial: "9" })),
  ]);
  t.match(nodes.get(id), { banned: true, serial: "" });
});

t.test("evicting an agent removes its alias entry, and lets a banned one come back", async (t) => {
  const { nodes, tokens, entries, log } = await open(t);
  await tokens.create("t", {
    expiresAtUnixSeconds: inAnHour,
    aliasSpiffeId: "spiffe://north.test/node",
  });
  const { id } = await nodes.attest(agent("t"), "t");
  await nodes.ban(id);
  await nodes.delete(id);
  t.equal(nodes.get(id), undefined);
  t.equal(entries.size, 0);
  t.strictSame((await log.list("")).records, []);
  await t.rejects(nodes.delete(id), { reason: "AGENT_NOT_FOUND", code: 5 });
  await nodes.attest(agent("t"));
  t.equal(nodes.get(id)?.banned, false);
});

t.test("evicting leaves an entry alone that was given to another parent meanwhile", async (t) => {
  const { nodes, tokens, entries } = await open(t);
  await tokens.create("t", {
    expiresAtUnixSeconds: inAnHour,
    aliasSpiffeId: "spiffe://north.test/node",
  });
  const { id, aliasEntryId } = await nodes.attest(agent("t"), "t");
  await entries.update([
    {
      id: aliasEntryId ?? "",
      change: (entry) => ({ ...entry, parentId: "spiffe://north.test/p" }),
    },
  ]);
  await nodes.delete(id);
  t.equal(entries.size, 1);
});

t.test("an agent that is not there can be neither changed nor evicted", async (t) => {
  const { nodes } = await open(t);
  const missing = { name: "IdentityError", reason: "AGENT_NOT_FOUND" };
  await t.rejects(nodes.ban("spiffe://north.test/x"), missing);
  await t.rejects(nodes.promote("spiffe://north.test/x", "1"), missing);
  await t.rejects(nodes.setVersion("spiffe://north.test/x", "1.0"), missing);
});

t.test("lists agents by ID in pages, those that pass a test", async (t) => {
  const { nodes } = await open(t);
  for (const name of ["d", "a", "c", "b", "e"])
    await nodes.attest(agent(name, { agentVersion: name }));
  await nodes.ban(agent("c").id);
  const where = (node: NodeRecord): boolean => !node.banned;
  const first = nodes.list({ where, limit: 2 });
  t.strictSame(
    first.nodes.map(({ agentVersion }) => agentVersion),
    ["a", "b"],
  );
  await nodes.delete(agent("b").id);
  const second = nodes.list({
    where,
    limit: 2,
    ...(first.next === undefined ? {} : { after: first.next }),
  });
  t.strictSame(
    second.nodes.map(({ agentVersion }) => agentVersion),
    ["d", "e"],
  );
  t.equal(second.next, undefined);
});

t.test("tells of every change of an agent", async (t) => {
  const { nodes } = await open(t);
  const seen: string[] = [];
  nodes.onChange((changes) => {
    for (const { before, after } of changes) seen.push(`${before?.banned} -> ${after?.banned}`);
  });
  const { id } = await nodes.attest(agent("n"));
  await nodes.ban(id);
  await nodes.delete(id);
  t.strictSame(seen, ["undefined -> false", "false -> true", "true -> undefined"]);
});

t.test("notes the version an agent reports, once", async (t) => {
  const { nodes, log } = await open(t);
  const { id } = await nodes.attest(agent("n"));
  await nodes.setVersion(id, "1.2.3");
  const revision = log.revision;
  await nodes.setVersion(id, "1.2.3");
  t.equal(nodes.get(id)?.agentVersion, "1.2.3");
  t.equal(log.revision, revision);
});
