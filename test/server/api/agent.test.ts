// Node attestation and the life of an agent, against a whole server over TLS.
import t from "tap";
import type { IdentityError } from "../../../pki/errors.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { detailOf } from "../../../proto/rpc/status.ts";
import { AgentService, BundleService, EntryService } from "../../../proto/schema.gen.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { agentOf, attestOver, TestServer } from "../../support/running-server.ts";

const server = await TestServer.start();
t.teardown(() => server.stop());
const admin = server.admin.client(AgentService);
const csr = createCsr(generateP256KeyPair());
const payload = (token: string) => ({ data: { type: "join_token", payload: Buffer.from(token) } });

/** What the status says an agent should do next. */
async function deniedReason(call: Promise<unknown>): Promise<number | undefined> {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error as IdentityError,
  );
  return error && detailOf(error, "spire.api.types.PermissionDeniedDetails")?.reason;
}

function idOf(id: string): { trustDomain: string; path: string } {
  return { trustDomain: "north.test", path: id.slice("spiffe://north.test".length) };
}

t.test("attests with a join token, and serves the agent on its new SVID", async (t) => {
  const token = await server.token();
  const agent = await server.attest(token);
  t.equal(agent.id, `spiffe://north.test/spire/agent/join_token/${token}`);
  const channel = await server.channel(agent.svid);
  await channel.client(AgentService).postStatus({ agentVersion: "1.2.3" });
  const shown = await admin.getAgent({ id: idOf(agent.id) });
  t.match(shown, {
    attestationType: "join_token",
    x509svidSerialNumber: agent.svid.leaf.serialDecimal,
    banned: false,
    canReattest: false,
    agentVersion: "1.2.3",
  });
});

t.test("spends a token once under 1,000 concurrent tries", async (t) => {
  const token = await server.token();
  const channel = await server.channel();
  const tries = Array.from({ length: 1000 }, () =>
    attestOver(channel, { ...payload(token), params: { csr } }).then(
      () => "attested",
      (error: IdentityError) => error.reason,
    ),
  );
  const outcomes = await Promise.all(tries);
  t.equal(outcomes.filter((outcome) => outcome === "attested").length, 1);
  t.equal(outcomes.filter((outcome) => outcome === "JOIN_TOKEN_UNKNOWN").length, 999);
});

t.test("creates the alias entry in the commit that spends the token, not before", async (t) => {
  const entries = server.admin.client(EntryService);
  const token = await server.token({ agentPath: "/node/one" });
  const filter = { bySpiffeId: { trustDomain: "north.test", path: "/node/one" } };
  t.same(await entries.countEntries({ filter }), { count: 0 });
  const agent = await server.attest(token);
  const { entries: found } = await entries.listEntries({ filter });
  t.match(found, [
    { parentId: idOf(agent.id), selectors: [{ type: "spiffe_id", value: agent.id }] },
  ]);
  await admin.deleteAgent({ id: idOf(agent.id) });
  t.same(await entries.countEntries({ filter }), { count: 0 }, "it goes with the agent");
});

const REFUSED = [
  { name: "no params", params: {}, reason: "ATTESTATION_INVALID", code: 3 },
  { name: "no data", params: { params: { csr } }, reason: "ATTESTATION_INVALID", code: 3 },
  {
    name: "no type",
    params: { data: { type: "", payload: Buffer.from("x") }, params: { csr } },
    reason: "ATTESTATION_INVALID",
    code: 3,
  },
  {
    name: "an empty payload",
    params: { ...payload(""), params: { csr } },
    reason: "ATTESTATION_INVALID",
    code: 3,
  },
  {
    name: "no request",
    params: { ...payload("x"), params: {} },
    reason: "ATTESTATION_INVALID",
    code: 3,
  },
  {
    name: "an unknown type",
    params: { data: { type: "x509pop", payload: Buffer.from("x") }, params: { csr } },
    reason: "ATTESTATION_TYPE_UNKNOWN",
    code: 9,
  },
  {
    name: "a payload of 2 MiB",
    params: { ...payload("x".repeat(2 * 1024 * 1024)), params: { csr } },
    reason: "MESSAGE_TOO_LARGE",
    code: 8,
  },
  {
    name: "a token that was never made",
    params: { ...payload("no-such-token"), params: { csr } },
    reason: "JOIN_TOKEN_UNKNOWN",
    code: 3,
  },
  {
    name: "a token that is no path segment",
    params: { ...payload("../../server"), params: { csr } },
    reason: "JOIN_TOKEN_UNKNOWN",
    code: 3,
  },
  {
    name: "a token that is not UTF-8",
    params: { data: { type: "join_token", payload: Buffer.of(0xff, 0xfe) }, params: { csr } },
    reason: "JOIN_TOKEN_UNKNOWN",
    code: 3,
  },
] as const;

for (const { name, params, reason, code } of REFUSED) {
  t.test(`refuses an attestation with ${name}`, async (t) => {
    const channel = await server.channel();
    await t.rejects(attestOver(channel, params), { reason, code });
    channel.close();
  });
}

t.test("refuses a malformed request before the token is spent", async (t) => {
  const token = await server.token();
  const channel = await server.channel();
  const forged = Buffer.from(csr);
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  for (const bad of [Buffer.from("junk"), forged, Buffer.alloc(20_000)]) {
    const params = { ...payload(token), params: { csr: bad } };
    await t.rejects(attestOver(channel, params), { reason: "CSR_INVALID", code: 3 });
  }
  t.ok(await server.attest(token), "the token is still good");
});

t.test("makes join tokens: a ttl is needed, values are random or the caller's", async (t) => {
  await t.rejects(admin.createJoinToken({}), { reason: "JOIN_TOKEN_INVALID", code: 3 });
  await t.rejects(admin.createJoinToken({ ttl: -1 }), { reason: "JOIN_TOKEN_INVALID", code: 3 });
  await t.rejects(admin.createJoinToken({ ttl: 10, token: "a/b" }), {
    reason: "JOIN_TOKEN_INVALID",
    code: 3,
  });
  for (const path of ["", "/spire", "/spire/agent/x"]) {
    const agentId = { trustDomain: "north.test", path };
    await t.rejects(admin.createJoinToken({ ttl: 10, agentId }), {
      reason: "JOIN_TOKEN_INVALID",
      code: 3,
    });
  }
  const agentId = { trustDomain: "south.test", path: "/x" };
  await t.rejects(admin.createJoinToken({ ttl: 10, agentId }), {
    reason: "JOIN_TOKEN_INVALID",
    code: 3,
  });
  const { value } = await admin.createJoinToken({ ttl: 10 });
  t.match(value, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
  t.equal((await admin.createJoinToken({ ttl: 10, token: "mine" })).value, "mine");
  await t.rejects(admin.createJoinToken({ ttl: 10, token: "mine" }), { code: 6 });
});

t.test("refuses an expired token", async (t) => {
  const token = await server.token({ ttl: 1 });
  await systemClock.sleep(1050);
  await t.rejects(server.attest(token), { reason: "JOIN_TOKEN_EXPIRED", code: 3 });
});

t.test("keeps the old SVID valid until the renewed one is first used", async (t) => {
  const agent = await server.attest();
  const old = await server.channel(agent.svid);
  const keyPair = generateP256KeyPair();
  const params = { csr: createCsr(keyPair) };
  const lost = await old.client(AgentService).renewAgent({ params });
  t.ok(lost.svid, "an answer that the agent loses");
  const { svid } = await old.client(AgentService).renewAgent({ params });
  await old.client(AgentService).postStatus({ agentVersion: "old" });
  const renewed = agentOf(svid, keyPair);
  const shown = (): Promise<{ x509svidSerialNumber: string }> =>
    admin.getAgent({ id: idOf(agent.id) });
  t.equal((await shown()).x509svidSerialNumber, agent.svid.leaf.serialDecimal);

  const next = await server.channel(renewed.svid);
  await next.client(AgentService).postStatus({ agentVersion: "new" });
  t.equal((await shown()).x509svidSerialNumber, renewed.svid.leaf.serialDecimal);
  const stale = old.client(AgentService).postStatus({ agentVersion: "old" });
  await t.rejects(stale, { reason: "AGENT_SVID_NOT_ACTIVE", code: 7 });
  const again = old.client(AgentService).postStatus({ agentVersion: "old" });
  t.equal(await deniedReason(again), 3);
  const superseded = await server.channel(agentOf(lost.svid, keyPair).svid);
  const call = superseded.client(AgentService).postStatus({ agentVersion: "lost" });
  await t.rejects(call, { reason: "AGENT_SVID_NOT_ACTIVE", code: 7 });
});

t.test("refuses a banned agent everything but what is open to anyone", async (t) => {
  const agent = await server.attest();
  const channel = await server.channel(agent.svid);
  await channel.client(AgentService).postStatus({ agentVersion: "1" });
  await admin.banAgent({ id: idOf(agent.id) });
  const call = channel.client(AgentService).postStatus({ agentVersion: "1" });
  t.equal(await deniedReason(call), 4, "with the detail that makes an agent stop");
  const fresh = await server.channel(agent.svid);
  const renewal = fresh.client(AgentService).renewAgent({ params: { csr } });
  await t.rejects(renewal, { reason: "AGENT_BANNED", code: 7 });
  t.equal((await admin.getAgent({ id: idOf(agent.id) })).banned, true);
});

t.test("tells an evicted agent to attest again", async (t) => {
  const agent = await server.attest();
  const channel = await server.channel(agent.svid);
  await admin.deleteAgent({ id: idOf(agent.id) });
  t.equal(await deniedReason(channel.client(AgentService).renewAgent({ params: { csr } })), 2);
  await t.rejects(admin.getAgent({ id: idOf(agent.id) }), { reason: "AGENT_NOT_FOUND", code: 5 });
  await t.rejects(admin.deleteAgent({ id: idOf(agent.id) }), {
    reason: "AGENT_NOT_FOUND",
    code: 5,
  });
  await t.rejects(admin.banAgent({ id: { trustDomain: "north.test", path: "/web" } }), {
    reason: "AGENT_ID_INVALID",
    code: 3,
  });
});

t.test("lists and counts agents by filter, in pages", async (t) => {
  const before = await admin.countAgents({});
  for (let i = 0; i < 5; i++) await server.attest();
  const { count } = await admin.countAgents({});
  t.equal(count, before.count + 5);
  const ids: string[] = [];
  let pageToken = "";
  do {
    const page = await admin.listAgents({ pageSize: 3, pageToken, outputMask: {} });
    t.ok(page.agents.length <= 3);
    t.ok(
      page.agents.every(({ attestationType }) => attestationType === ""),
      "the mask is kept",
    );
    ids.push(...page.agents.map(({ id }) => id?.path ?? ""));
    pageToken = page.nextPageToken;
  } while (pageToken !== "");
  t.equal(new Set(ids).size, count);
  const banned = await admin.listAgents({ filter: { byBanned: { value: true } } });
  t.ok(banned.agents.length > 0 && banned.agents.every((agent) => agent.banned));
  t.same(await admin.countAgents({ filter: { byAttestationType: "x509pop" } }), { count: 0 });
  t.same(await admin.countAgents({ filter: { byCanReattest: { value: true } } }), { count: 0 });
  const early = { byExpiresBefore: "2020-01-01 00:00:00 +0000 UTC" };
  t.same(await admin.countAgents({ filter: early }), { count: 0 });
  const late = { byExpiresBefore: "2999-01-01 00:00:00 +0100 CET" };
  t.same(await admin.countAgents({ filter: late }), { count });
  for (const filter of [{ byExpiresBefore: "tomorrow" }, { bySelectorMatch: { match: 9 } }]) {
    await t.rejects(admin.countAgents({ filter }), { reason: "FILTER_INVALID", code: 3 });
  }
  await t.rejects(admin.listAgents({ pageToken: "junk" }), {
    reason: "PAGE_TOKEN_INVALID",
    code: 3,
  });
});

t.test("answers GetBundle to anyone, and nothing else", async (t) => {
  const channel = await server.channel();
  const bundle = await channel.client(BundleService).getBundle({});
  t.equal(bundle.trustDomain, "north.test");
  await t.rejects(channel.client(AgentService).listAgents({}), {
    reason: "CALLER_NOT_AUTHORIZED",
    code: 7,
  });
});
