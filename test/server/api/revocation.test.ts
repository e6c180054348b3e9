// Revocation as administrators and node agents meet it: over a whole server, with agents that are a key and
// an SVID. Each part by itself: test/server/ledger, test/server/revocation, test/server/ca/crls.test.ts.
import t, { type Test } from "tap";
import { parseJwtSvidInsecurely } from "../../../pki/jwt/svid.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { parseCrl } from "../../../pki/x509/crl.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import {
  AgentService,
  EntryService,
  Reason,
  RevocationService,
  SvidService,
  type signet,
} from "../../../proto/schema.gen.ts";
import { tokenDigest } from "../../../server/ledger/document.ts";
import { type TestAgent, TestServer } from "../../support/running-server.ts";
import { TestLink } from "../../support/test-link.ts";

const idOf = (text: string) => {
  const [, trustDomain = "", path = ""] = /^spiffe:\/\/([^/]+)(.*)$/.exec(text) ?? [];
  return { trustDomain, path };
};
const csr = () => createCsr(generateP256KeyPair());

/** A server with an agent that may serve the workloads /web and /db. */
async function site(t: Test, config = "") {
  const server = await TestServer.start({ config });
  t.teardown(() => server.stop());
  const agent = await server.attest();
  const made = await server.admin.client(EntryService).batchCreateEntry({
    entries: ["/web", "/db"].map((path) => ({
      spiffeId: { trustDomain: "north.test", path },
      parentId: idOf(agent.id),
      selectors: [{ type: "unix", value: "uid:1" }],
      additionalAttributes: { jwtSvidIncludeJti: true },
    })),
  });
  const [web = "", db = ""] = made.results.map(({ entry }) => entry?.id);
  const channel = await server.channel(agent.svid);
  const svids = channel.client(SvidService);
  const revocation = server.admin.client(RevocationService);
  const issue = async (entryId: string) => {
    const { results } = await svids.batchNewX509SVID({ params: [{ entryId, csr: csr() }] });
    return results[0];
  };
  const serialOf = (result: Awaited<ReturnType<typeof issue>>) =>
    parseCertificate(new Uint8Array(result?.svid?.certChain[0] ?? [])).serialHex;
  const token = async (entryId: string) =>
    (await svids.newJWTSVID({ entryId, audience: ["bank"] })).svid?.token ?? "";
  return { server, agent, web, db, svids, revocation, issue, serialOf, token };
}

/** What a node agent is told: by the snapshot, and by deltas after it. */
async function listen(t: Test, server: TestServer, agent: TestAgent) {
  const link = await TestLink.open(server, agent);
  t.teardown(() => link.close());
  const told: (signet.link.v1.Snapshot | signet.link.v1.Delta)[] = [];
  const until = async (isEnough: (message: (typeof told)[number]) => boolean): Promise<void> => {
    for (;;) {
      const { snapshot, delta } = await link.next();
      const message = snapshot ?? delta;
      if (message === undefined) continue;
      told.push(message);
      if (isEnough(message)) return;
    }
  };
  return { link, told, until };
}

t.test(
  "a serial number: void, held back until it is released, and told to the agent",
  async (t) => {
    const { server, agent, web, db, revocation, issue, serialOf } = await site(t);
    const { told, until } = await listen(t, server, agent);
    await until((message) => "last" in message && message.last);
    const serial = serialOf(await issue(web));
    const { revocation: record } = await revocation.revokeSVID({
      serial,
      reason: Reason.KEY_COMPROMISE,
    });
    t.match(record, { serial, reason: 1, x509Svids: 1, tokens: 0, revokedBy: "local" });
    t.match(record?.hold?.spiffeId, { path: "/web" });
    t.equal(`spiffe://north.test${record?.hold?.agentId?.path}`, agent.id);
    await until(({ crls }) => crls.length > 0);
    const crl = parseCrl(new Uint8Array(told.at(-1)?.crls[0]?.der ?? []));
    t.equal(crl.reasonOf(serial), "key-compromise");
    const [anchor] = await server.anchors();
    t.ok(anchor && crl.isSignedBy(anchor.publicKey), "signed by the authority");
    const refused = await issue(web);
    t.equal(refused?.status?.code, 7);
    t.match(refused?.status?.message, /^SVID_HELD: .*release --id/);
    t.equal((await issue(db))?.status?.code, 0, "others of this agent are issued");
    await revocation.releaseHold({ id: record?.id ?? "" });
    await until((message) => "reask" in message && message.reask);
    t.equal((await issue(web))?.status?.code, 0, "issued again");
    t.match((await revocation.listRevocations({})).revocations, [
      { id: record?.id, hold: { releasedBy: "local" } },
    ]);
  },
);

t.test("with replace nobody is held back", async (t) => {
  const { web, revocation, issue, serialOf } = await site(t);
  const serial = serialOf(await issue(web));
  const { revocation: record } = await revocation.revokeSVID({ serial, replace: true });
  t.equal(record?.hold, undefined);
  t.equal((await issue(web))?.status?.code, 0);
});

t.test("a jti: the token, told by its digest and its jti", async (t) => {
  const { server, agent, web, revocation, svids, token } = await site(t);
  const { told, until } = await listen(t, server, agent);
  await until((message) => "last" in message && message.last);
  const jwt = await token(web);
  const jti = String(parseJwtSvidInsecurely(jwt).claims["jti"]);
  const { revocation: record } = await revocation.revokeSVID({ jti });
  t.match(record, { jti, tokens: 1, x509Svids: 0 });
  await until(({ tokens }) => tokens.length > 0);
  const tokens = told.at(-1)?.tokens ?? [];
  t.same(
    tokens.find(({ what }) => what === "digest")?.digest,
    Buffer.from(tokenDigest(jwt)),
    "by digest",
  );
  t.equal(tokens.find(({ what }) => what === "jti")?.jti, jti);
  await t.rejects(svids.newJWTSVID({ entryId: web, audience: ["bank"] }), {
    reason: "SVID_HELD",
    code: 7,
  });
});

t.test("a SPIFFE ID: all of it, everywhere, to administrators too", async (t) => {
  const { server, agent, web, revocation, svids, issue, serialOf, token } = await site(t);
  const serials = [serialOf(await issue(web)), serialOf(await issue(web))];
  serials.push((await server.mint("/web")).leaf.serialHex);
  await token(web);
  const spiffeId = { trustDomain: "north.test", path: "/web" };
  const { revocation: record } = await revocation.revokeSVID({ spiffeId });
  t.equal(record?.x509Svids, 3);
  t.equal(record?.hold?.agentId, undefined);
  await t.rejects(server.mint("/web"), { reason: "SVID_HELD", code: 7 });
  const admin = server.admin.client(SvidService);
  await t.rejects(admin.mintJWTSVID({ id: spiffeId, audience: ["bank"] }), {
    reason: "SVID_HELD",
    code: 7,
  });
  t.equal((await issue(web))?.status?.code, 7);
  // A new agent hears of it in its snapshot, one that stopped before in the delta of its return.
  const fresh = await listen(t, server, agent);
  await fresh.until((message) => "last" in message && message.last);
  const crl = parseCrl(new Uint8Array(fresh.told.flatMap(({ crls }) => crls)[0]?.der ?? []));
  for (const serial of serials) t.ok(crl.reasonOf(serial), "on the list");
  const [told] = fresh.told.flatMap(({ tokens }) => tokens);
  t.match(told, { spiffeId: "spiffe://north.test/web", issuedUntil: record?.revokedAt });
  const back = await TestLink.reopen(server, agent, fresh.link);
  t.teardown(() => back.close());
  await back.next();
  t.equal(back.resumed, true);
  const { delta } = await back.next();
  t.match(delta, { crls: [{}], tokens: [{ spiffeId: "spiffe://north.test/web" }], reask: true });
  // Released: new tokens, but none that would claim to be from the second of the revocation.
  await revocation.releaseHold({ id: record?.id ?? "" });
  for (;;) {
    const issued = await svids.newJWTSVID({ entryId: web, audience: ["bank"] }).catch((e) => e);
    if (issued.reason === "SVID_HELD") {
      await new Promise((resolve) => setTimeout(resolve, 100));
      continue;
    }
    const { issuedAt } = parseJwtSvidInsecurely(issued.svid.token);
    t.ok((issuedAt?.getTime() ?? 0) / 1000 > (record?.revokedAt ?? 0), "issued after it");
    break;
  }
});

t.test("what it does not know it refuses to revoke, unless it is forced to", async (t) => {
  const { revocation, server } = await site(t);
  const other = await TestServer.start();
  t.teardown(() => other.stop());
  const serial = (await other.mint("/web")).leaf.serialHex;
  const unknown = { reason: "SVID_NOT_FOUND", code: 5, hint: /--force/ };
  await t.rejects(revocation.revokeSVID({ serial }), unknown);
  await t.rejects(revocation.revokeSVID({ jti: "not ours" }), unknown);
  t.same((await revocation.listRevocations({})).revocations, [], "and nothing is written down");
  const { revocation: record } = await revocation.revokeSVID({ serial, force: true });
  t.match(record, { serial, x509Svids: 1, hold: undefined });
  const [anchor] = await server.anchors();
  t.ok(
    (record?.expiresAt ?? 0) >= (anchor?.notAfter.getTime() ?? 0) / 1000,
    "for as long as can be",
  );
});

const shared = await site(t);

for (const [name, request] of [
  ["nothing", {}],
  ["a serial number of other digits", { serial: "xyz" }],
  ["an empty serial number", { serial: "" }],
  ["a serial number of 21 octets", { serial: "7f".repeat(21) }],
  ["an empty jti", { jti: "" }],
  ["an endless jti", { jti: "x".repeat(300) }],
  ["a SPIFFE ID elsewhere", { spiffeId: { trustDomain: "south.test", path: "/web" } }],
  ["a trust domain", { spiffeId: { trustDomain: "north.test", path: "" } }],
  ["the server itself", { spiffeId: { trustDomain: "north.test", path: "/spire/server" } }],
  ["replacing a SPIFFE ID", { spiffeId: { trustDomain: "north.test", path: "/x" }, replace: true }],
  ["a reason that is none", { serial: "01", reason: 2 }],
] as const) {
  t.test(`refuses to revoke ${name}`, async (t) => {
    const { revocation } = shared;
    const invalid = { reason: "REVOCATION_REQUEST_INVALID", code: 3 };
    await t.rejects(revocation.revokeSVID(request), invalid);
    t.same((await revocation.listRevocations({})).revocations, []);
  });
}

t.test("asked again it answers with what is there; releasing again changes nothing", async (t) => {
  const { web, revocation, issue, serialOf } = await site(t);
  const serial = serialOf(await issue(web));
  const first = (await revocation.revokeSVID({ serial })).revocation;
  const again = (await revocation.revokeSVID({ serial: `00${serial.toUpperCase()}` })).revocation;
  t.equal(again?.id, first?.id);
  const released = (await revocation.releaseHold({ id: first?.id ?? "" })).revocation;
  const replayed = (await revocation.releaseHold({ id: first?.id ?? "" })).revocation;
  t.same(replayed, released);
  // A release that is replayed after the holder was revoked anew is about the former revocation alone.
  const anew = (await revocation.revokeSVID({ serial: serialOf(await issue(web)) })).revocation;
  await revocation.releaseHold({ id: first?.id ?? "" });
  t.equal((await issue(web))?.status?.code, 7);
  t.equal((await revocation.listRevocations({ heldOnly: true })).revocations[0]?.id, anew?.id);
  for (const id of ["", "nope", "x".repeat(100)]) {
    await t.rejects(revocation.releaseHold({ id }), { code: id === "nope" ? 5 : 3 });
  }
});

t.test("lists in pages, newest first", async (t) => {
  const { web, revocation, issue, serialOf } = await site(t);
  const ids: (string | undefined)[] = [];
  for (let i = 0; i < 5; i++) {
    const serial = serialOf(await issue(web));
    ids.push((await revocation.revokeSVID({ serial, replace: true })).revocation?.id);
  }
  const listed: string[] = [];
  for (let pageToken = ""; ; ) {
    const page = await revocation.listRevocations({ pageSize: 2, pageToken });
    listed.push(...page.revocations.map(({ id }) => id));
    t.ok(page.revocations.length <= 2);
    pageToken = page.nextPageToken;
    if (pageToken === "") break;
  }
  t.same([...listed].sort(), ids.sort());
  await t.rejects(revocation.listRevocations({ pageToken: "x" }), {
    reason: "PAGE_TOKEN_INVALID",
    code: 3,
  });
});

t.test("the certificate of a node agent: refused on every call, its connections end", async (t) => {
  const { server, agent, web, revocation } = await site(t);
  const serial = agent.svid.leaf.serialHex;
  const socket = await server.secure(agent.svid);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  socket.resume();
  const { revocation: record } = await revocation.revokeSVID({ serial });
  t.equal(`spiffe://north.test${record?.hold?.spiffeId?.path}`, agent.id);
  await closed;
  const fresh = await server.channel(agent.svid);
  const revoked = { reason: "CALLER_SVID_REVOKED", code: 7 };
  const params = [{ entryId: web, csr: csr() }];
  await t.rejects(fresh.client(SvidService).batchNewX509SVID({ params }), revoked);
  await t.rejects(fresh.client(AgentService).renewAgent({ params: { csr: csr() } }), revoked);
});

t.test("the certificate of a remote administrator: refused before any call", async (t) => {
  const { server, revocation } = await site(t, "admin_ids: [spiffe://north.test/ops]");
  const ops = await server.mint("/ops");
  const channel = await server.channel(ops);
  await channel.client(RevocationService).listRevocations({});
  await revocation.revokeSVID({ serial: ops.leaf.serialHex });
  const again = await server.channel(ops);
  await t.rejects(again.client(RevocationService).listRevocations({}, { timeoutMs: 2000 }));
  const other = await server.channel(await server.mint("/ops"));
  await other.client(RevocationService).listRevocations({});
  t.pass("another certificate of the same administrator is good");
});

t.test("banning an agent revokes what it was given, and itself; evicting does not", async (t) => {
  const { server, agent, web, revocation, issue, serialOf, token } = await site(t);
  const serial = serialOf(await issue(web));
  const jwt = await token(web);
  const other = await server.attest();
  const watching = await listen(t, server, other);
  await watching.until((message) => "last" in message && message.last);
  await server.admin.client(AgentService).banAgent({ id: idOf(agent.id) });
  const [record] = (await revocation.listRevocations({})).revocations;
  t.match(record, { agentId: idOf(agent.id), reason: Reason.PRIVILEGE_WITHDRAWN, x509Svids: 2 });
  t.equal(record?.tokens, 1);
  const all = (): typeof watching.told => watching.told;
  await watching.until(
    () => all().some(({ crls }) => crls.length > 0) && all().some((one) => one.tokens.length > 0),
  );
  const crl = parseCrl(
    new Uint8Array(
      all()
        .flatMap(({ crls }) => crls)
        .at(-1)?.der ?? [],
    ),
  );
  t.ok(crl.reasonOf(serial), "what its workload had");
  t.ok(crl.reasonOf(agent.svid.leaf.serialHex), "its own");
  t.same(all().flatMap(({ tokens }) => tokens)[0]?.digest, Buffer.from(tokenDigest(jwt)));
  await server.admin.client(AgentService).banAgent({ id: idOf(agent.id) });
  t.equal((await revocation.listRevocations({})).revocations.length, 1, "once");
  await server.admin.client(AgentService).deleteAgent({ id: idOf(other.id) });
  t.equal((await revocation.listRevocations({})).revocations.length, 1, "eviction revokes nothing");
});

t.test("a restart keeps ledger, holds and lists; numbers of lists grow", async (t) => {
  const former = await site(t);
  const { dir } = former.server;
  const serial = former.serialOf(await former.issue(former.web));
  const other = former.serialOf(await former.issue(former.db));
  await former.revocation.revokeSVID({ serial });
  const before = await listen(t, former.server, former.agent);
  await before.until((message) => "last" in message && message.last);
  const first = parseCrl(new Uint8Array(before.told.flatMap(({ crls }) => crls)[0]?.der ?? []));
  await former.server.running.stop();
  const server = await TestServer.start({ dir });
  t.teardown(() => server.stop());
  const revocation = server.admin.client(RevocationService);
  const svids = (await server.channel(former.agent.svid)).client(SvidService);
  const params = [former.web, former.db].map((entryId) => ({ entryId, csr: csr() }));
  const { results } = await svids.batchNewX509SVID({ params });
  t.same(
    results.map(({ status }) => status?.code),
    [7, 0],
    "who was held back still is",
  );
  const record = (await revocation.revokeSVID({ serial: other })).revocation;
  t.match(record?.hold?.spiffeId, { path: "/db" }, "found in the ledger of before");
  const after = await listen(t, server, former.agent);
  await after.until((message) => "last" in message && message.last);
  const second = parseCrl(new Uint8Array(after.told.flatMap(({ crls }) => crls)[0]?.der ?? []));
  t.ok((second.number ?? 0n) > (first.number ?? 0n), "its number has grown");
  t.ok(second.reasonOf(serial) && second.reasonOf(other), "both are on it");
});
