// The SVID service over the wire: per-item answers, what an agent may ask for, what may be minted.
import t, { type Test } from "tap";
import { parseJwtSvidInsecurely } from "../../../pki/jwt/svid.ts";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { pairInProcess } from "../../../proto/rpc/in-process.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import { SvidService } from "../../../proto/schema.gen.ts";
import type { RegistrationEntry } from "../../../proto/types/entry.ts";
import { createLogger } from "../../../runtime/log.ts";
import { svidHandlers } from "../../../server/api/svid.ts";
import { north, startTestCa } from "../../support/test-ca.ts";

const db: RegistrationEntry = {
  id: "db",
  spiffeId: "spiffe://north.test/db",
  parentId: "spiffe://north.test/spire/agent/a",
  selectors: [{ type: "unix", value: "uid:1" }],
  x509SvidTtlSeconds: 120,
  jwtSvidTtlSeconds: 60,
  federatesWith: [],
  admin: false,
  downstream: false,
  expiresAtUnixSeconds: 0,
  dnsNames: ["db.test", "db"],
  revisionNumber: 0,
  storeSvid: false,
  hint: "internal",
  createdAtUnixSeconds: 0,
  disableX509SvidPrefetch: false,
  jwtSvidIncludeJti: true,
};
const AGENT = "spiffe://north.test/spire/agent/a";

async function serve(t: Test) {
  const ca = await startTestCa(t);
  const lines: string[] = [];
  const server = createRpcServer({ onInternalError: (error) => t.fail(String(error)) });
  server.add(
    SvidService,
    svidHandlers({
      trustDomain: north,
      issuer: ca.issuer,
      agentOf: ({ peer }) => String(peer),
      entryFor: (agentId, entryId) => (agentId === AGENT && entryId === db.id ? db : undefined),
      logger: createLogger({ destination: { write: (line) => void lines.push(line) } }),
    }),
  );
  const pair = await pairInProcess(server);
  t.teardown(() => pair.close());
  const client = async (peer: string) => (await pair.connect(peer)).client(SvidService);
  return { ca, lines, agent: await client(AGENT), other: await client(`${AGENT}2`) };
}

const csr = () => createCsr(generateP256KeyPair());

t.test("answers a batch in its order, each item with its own status", async (t) => {
  const { agent } = await serve(t);
  const params = [
    { entryId: "db", csr: csr() },
    { entryId: "unknown", csr: csr() },
    { entryId: "db", csr: new Uint8Array([1, 2, 3]) },
    { entryId: "db", csr: csr() },
    { entryId: "", csr: new Uint8Array() },
  ];
  const { results } = await agent.batchNewX509SVID({ params });
  t.strictSame(
    results.map(({ status }) => status?.code),
    [0, 5, 3, 0, 5],
  );
  t.equal(results[1]?.status?.message, "entry not found or not authorized");
  t.equal(results[1]?.svid, undefined);
  const svid = results[0]?.svid;
  t.match(svid, { id: { trustDomain: "north.test", path: "/db" }, hint: "internal" });
  t.equal(svid?.certChain.length, 1, "leaf without the self-signed root");
  const leaf = parseCertificate(svid?.certChain[0] ?? new Uint8Array());
  t.strictSame(leaf.uris, ["spiffe://north.test/db"]);
  t.strictSame(leaf.dnsNames, ["db.test", "db"]);
  t.equal(svid?.expiresAt, leaf.notAfter.getTime() / 1000);
  t.equal(leaf.notAfter.toISOString(), "2030-01-01T00:02:00.000Z", "the entry's TTL");
});

t.test("takes only the public key of a request", async (t) => {
  const { agent } = await serve(t);
  const pair = generateP256KeyPair();
  const asking = createCsr(pair, { uris: ["spiffe://north.test/admin"], dnsNames: ["admin"] });
  const { results } = await agent.batchNewX509SVID({ params: [{ entryId: "db", csr: asking }] });
  const leaf = parseCertificate(results[0]?.svid?.certChain[0] ?? new Uint8Array());
  t.strictSame(leaf.uris, ["spiffe://north.test/db"]);
  t.strictSame(leaf.dnsNames, ["db.test", "db"]);
  t.strictSame(leaf.spki, pair.spki);
});

t.test("signs nothing for an agent that the entry does not belong to", async (t) => {
  const { other } = await serve(t);
  const { results } = await other.batchNewX509SVID({ params: [{ entryId: "db", csr: csr() }] });
  t.strictSame(
    { ...results[0]?.status },
    { code: 5, message: "entry not found or not authorized" },
  );
  await t.rejects(other.newJWTSVID({ entryId: "db", audience: ["a"] }), {
    reason: "ENTRY_NOT_AUTHORIZED",
    code: 5,
  });
});

t.test("answers 500 items, and refuses 501", async (t) => {
  const { agent } = await serve(t);
  const one = { entryId: "db", csr: csr() };
  const { results } = await agent.batchNewX509SVID({ params: new Array(500).fill(one) });
  t.equal(results.filter(({ status }) => status?.code === 0).length, 500);
  await t.rejects(agent.batchNewX509SVID({ params: new Array(501).fill(one) }), {
    reason: "BATCH_TOO_LARGE",
    code: 3,
  });
  t.strictSame((await agent.batchNewX509SVID({ params: [] })).results, []);
});

t.test("signs a JWT-SVID with the entry's TTL, hint and jti", async (t) => {
  const { agent } = await serve(t);
  const { svid } = await agent.newJWTSVID({ entryId: "db", audience: ["ledger"] });
  t.match(svid, { id: { trustDomain: "north.test", path: "/db" }, hint: "internal" });
  t.equal((svid?.expiresAt ?? 0) - (svid?.issuedAt ?? 0), 60);
  const { id, audience, claims } = parseJwtSvidInsecurely(svid?.token ?? "");
  t.equal(id.toString(), "spiffe://north.test/db");
  t.strictSame(audience, ["ledger"]);
  t.type(claims["jti"], "string");
});

t.test("refuses audiences that no token should have", async (t) => {
  const { agent } = await serve(t);
  const rows = [
    { name: "none", audience: [], reason: "JWT_SVID_AUDIENCE" },
    { name: "an empty one", audience: ["a", ""], reason: "JWT_SVID_AUDIENCE" },
    {
      name: "33 of them",
      audience: Array.from({ length: 33 }, (_, i) => `a${i}`),
      reason: "JWT_SVID_AUDIENCE",
    },
    {
      name: "4097 characters",
      audience: ["a".repeat(2000), "b".repeat(2000), "c".repeat(97)],
      reason: "SVID_REQUEST_INVALID",
    },
  ];
  for (const { name, audience, reason } of rows) {
    await t.rejects(agent.newJWTSVID({ entryId: "db", audience }), { reason, code: 3 }, name);
    const id = { trustDomain: "north.test", path: "/x" };
    await t.rejects(agent.mintJWTSVID({ id, audience }), { reason, code: 3 }, `minted: ${name}`);
  }
});

t.test(
  "JWT-12 warns once of a token for several audiences, and not of one for a single audience",
  async (t) => {
    const { agent, lines } = await serve(t);
    await agent.newJWTSVID({ entryId: "db", audience: ["a"] });
    t.equal(lines.length, 0);
    await agent.newJWTSVID({ entryId: "db", audience: ["a", "b"] });
    await agent.newJWTSVID({ entryId: "db", audience: ["a", "b"] });
    t.equal(lines.length, 1);
    t.match(lines[0], /more than one audience/);
  },
);

t.test("mints an X509-SVID for the one SPIFFE ID of the request", async (t) => {
  const { agent } = await serve(t);
  const asking = createCsr(generateP256KeyPair(), {
    uris: ["spiffe://north.test/tool"],
    dnsNames: ["tool.test"],
  });
  const { svid } = await agent.mintX509SVID({ csr: asking, ttl: 90 });
  const leaf = parseCertificate(svid?.certChain[0] ?? new Uint8Array());
  t.strictSame(leaf.uris, ["spiffe://north.test/tool"]);
  t.strictSame(leaf.dnsNames, ["tool.test"]);
  t.equal(leaf.notAfter.toISOString(), "2030-01-01T00:01:30.000Z");
  const byDefault = await agent.mintX509SVID({ csr: asking });
  t.equal(byDefault.svid?.expiresAt, Date.parse("2030-01-01T01:00:00Z") / 1000);
});

t.test("mints a JWT-SVID", async (t) => {
  const { agent } = await serve(t);
  const id = { trustDomain: "north.test", path: "/tool" };
  const { svid } = await agent.mintJWTSVID({ id, audience: ["a"], ttl: 30 });
  t.match(svid, { id });
  t.equal((svid?.expiresAt ?? 0) - (svid?.issuedAt ?? 0), 30);
  t.equal(parseJwtSvidInsecurely(svid?.token ?? "").id.path, "/tool");
});

t.test("mints for no ID that is not a workload's of this trust domain", async (t) => {
  const { agent } = await serve(t);
  const rows = [
    { name: "ID-31 a foreign trust domain", trustDomain: "south.test", path: "/x" },
    { name: "X509-06 the trust domain itself", trustDomain: "north.test", path: "" },
    { name: "the server", trustDomain: "north.test", path: "/spire/server" },
    { name: "a node agent", trustDomain: "north.test", path: "/spire/agent/x" },
    { name: "the reserved path", trustDomain: "north.test", path: "/spire" },
  ];
  for (const { name, trustDomain, path } of rows) {
    const expected = { reason: "SVID_REQUEST_INVALID", code: 3 };
    const asking = createCsr(generateP256KeyPair(), { uris: [`spiffe://${trustDomain}${path}`] });
    await t.rejects(agent.mintX509SVID({ csr: asking }), expected, name);
    await t.rejects(
      agent.mintJWTSVID({ id: { trustDomain, path }, audience: ["a"] }),
      expected,
      name,
    );
  }
});

t.test(
  "mints for no request with another number of URI names than one, or a negative TTL",
  async (t) => {
    const { agent } = await serve(t);
    const uri = "spiffe://north.test/tool";
    const expected = { reason: "SVID_REQUEST_INVALID", code: 3 };
    const pair = generateP256KeyPair();
    await t.rejects(agent.mintX509SVID({ csr: createCsr(pair) }), expected);
    await t.rejects(
      agent.mintX509SVID({ csr: createCsr(pair, { uris: [uri, `${uri}2`] }) }),
      expected,
    );
    await t.rejects(
      agent.mintX509SVID({ csr: createCsr(pair, { uris: [uri] }), ttl: -1 }),
      expected,
    );
    await t.rejects(
      agent.mintX509SVID({ csr: createCsr(pair, { uris: ["https://north.test/x"] }) }),
      {
        reason: "SPIFFE_ID_INVALID",
        code: 3,
      },
    );
  },
);

t.test("says what it does not do", async (t) => {
  const { agent } = await serve(t);
  const expected = { reason: "NOT_SUPPORTED", code: 12 };
  await t.rejects(agent.newDownstreamX509CA({}), expected);
});
