// WIT-SVIDs over the wire of the SVID service: per-item answers, what an agent may ask for, what is minted.
import { generateKeyPairSync } from "node:crypto";
import t, { type Test } from "tap";
import { exportSpki, generateKeyPair, generateP256KeyPair } from "../../../pki/keys.ts";
import { parseWitSvidInsecurely } from "../../../pki/wit/svid.ts";
import { pairInProcess } from "../../../proto/rpc/in-process.ts";
import { createRpcServer } from "../../../proto/rpc/server.ts";
import { SvidService } from "../../../proto/schema.gen.ts";
import { silentLogger } from "../../../runtime/log.ts";
import { svidHandlers } from "../../../server/api/svid.ts";
import { entryOf } from "../../support/test-agent.ts";
import { north, startTestCa } from "../../support/test-ca.ts";

const AGENT = "spiffe://north.test/spire/agent/a";
const db = entryOf("db", { hint: "internal", x509SvidTtlSeconds: 120 });

async function serve(t: Test, witKeyType?: "ec-p256") {
  const ca = await startTestCa(t, { ca: { witKeyType } });
  const server = createRpcServer({ onInternalError: (error) => t.fail(String(error)) });
  server.add(
    SvidService,
    svidHandlers({
      trustDomain: north,
      issuer: ca.issuer,
      agentOf: ({ peer }) => String(peer),
      entryFor: (agentId, entryId) => (agentId === AGENT && entryId === db.id ? db : undefined),
      logger: silentLogger,
    }),
  );
  const pair = await pairInProcess(server);
  t.teardown(() => pair.close());
  const client = async (peer: string) => (await pair.connect(peer)).client(SvidService);
  return { ca, agent: await client(AGENT), other: await client(`${AGENT}2`) };
}

const p256 = () => generateP256KeyPair().spki;
const param = (publicKey: Uint8Array, signingAlgorithm = "ES256", entryId = "db") => ({
  ...{ entryId, publicKey, signingAlgorithm },
});
const ed25519 = exportSpki(generateKeyPairSync("ed25519").publicKey);
const p384 = (await generateKeyPair("ec-p384")).spki;
const rsa = (await generateKeyPair("rsa-2048")).spki;

t.test("answers a batch in its order, each item with its own status", async (t) => {
  const { agent, other, ca } = await serve(t, "ec-p256");
  const spki = p256();
  const params = [
    param(spki),
    param(p256(), "ES256", "unknown"),
    param(p256(), ""),
    param(rsa, "PS256"),
    param(p384, "ES384"),
    param(rsa, "ES256"),
    param(p256(), "HS256"),
    param(ed25519, "EdDSA"),
    param(ed25519, ""),
    param(new Uint8Array([1, 2])),
    param(new Uint8Array()),
  ];
  const { results } = await agent.batchNewWITSVID({ params });
  t.strictSame(
    results.map(({ status }) => status?.code),
    [0, 5, 0, 0, 0, 3, 3, 3, 3, 3, 3],
  );
  const [first] = results;
  t.match(first?.svid, {
    id: { trustDomain: "north.test", path: "/db" },
    hint: "internal",
    issuedAt: ca.clock.now().getTime() / 1000,
    expiresAt: ca.clock.now().getTime() / 1000 + 120,
  });
  const wit = parseWitSvidInsecurely(first?.svid?.token ?? "");
  t.equal(wit.id.toString(), "spiffe://north.test/db");
  t.strictSame(wit.confirmation.spki, spki, "bound to the key that was sent");
  const algs = [2, 3, 4].map(
    (i) => parseWitSvidInsecurely(results[i]?.svid?.token ?? "").confirmation.alg,
  );
  t.strictSame(algs, ["ES256", "PS256", "ES384"]);
  const denied = await other.batchNewWITSVID({ params: [param(p256())] });
  t.strictSame(
    denied.results.map(({ status, svid }) => [status?.code, svid]),
    [[5, undefined]],
  );
});

t.test("public keys that are none, or are spelled as another one", async (t) => {
  const { agent } = await serve(t, "ec-p256");
  const spki = p256();
  const of = (type: string, options: object) =>
    exportSpki(generateKeyPairSync(type as "ec", options as { namedCurve: string }).publicKey);
  const offCurve = Uint8Array.from(spki);
  offCurve[90] = (offCurve[90] ?? 0) ^ 1;
  const head = Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex");
  const x = spki.subarray(27, 59);
  const rows: [name: string, key: Uint8Array, alg?: string][] = [
    ["junk", Buffer.alloc(300, 0xa5)],
    ["200 kB", Buffer.alloc(200_000, 0x30)],
    ["half of one", spki.subarray(0, 45)],
    ["a point off the curve", offCurve],
    ["a compressed point", Buffer.concat([head, Buffer.of(2 + ((spki[90] ?? 0) & 1)), x])],
    ["one with more behind it", Buffer.concat([spki, Buffer.alloc(1)])],
    ["RSA with more behind it", Buffer.concat([rsa, Buffer.alloc(1)]), "RS256"],
    ["RSA of 1,024 bits", of("rsa", { modulusLength: 1024 }), "RS256"],
    ["RSA for PSS alone", of("rsa-pss", { modulusLength: 2048 }), "PS256"],
    ["another curve", of("ec", { namedCurve: "secp256k1" })],
    ["a curve described", of("ec", { namedCurve: "P-256", paramEncoding: "explicit" })],
    ["a key that does not sign", of("x25519", {})],
    ["an algorithm of 1 MB", spki, "A".repeat(1_000_000)],
    ["an algorithm in lower case", spki, "es256"],
    ["none", spki, "none"],
  ];
  const params = rows.map(([, key, alg]) => param(key, alg));
  const { results } = await agent.batchNewWITSVID({ params: [...params, param(p256())] });
  for (const [i, [name]] of rows.entries()) {
    t.match(results[i], { status: { code: 3 }, svid: undefined }, name);
    t.ok((results[i]?.status?.message.length ?? 0) < 300, `${name}: what is said is short`);
  }
  t.equal(results.at(-1)?.status?.code, 0, "and the others of the batch are issued");
});

t.test("a batch has at most 500 items", async (t) => {
  const { agent } = await serve(t, "ec-p256");
  const params = Array.from({ length: 501 }, () => param(p256()));
  await t.rejects(agent.batchNewWITSVID({ params }), {
    name: "IdentityError",
    reason: "BATCH_TOO_LARGE",
  });
  const { results } = await agent.batchNewWITSVID({ params: params.slice(1) });
  t.equal(results.filter(({ status }) => status?.code === 0).length, 500);
  const tokens = results.map(({ svid }) => parseWitSvidInsecurely(svid?.token ?? ""));
  t.equal(new Set(tokens.map(({ claims }) => claims["jti"])).size, 500);
});

t.test("mints for workloads of the own trust domain", async (t) => {
  const { agent } = await serve(t, "ec-p256");
  const id = { trustDomain: "north.test", path: "/tool" };
  const publicKey = p256();
  const { svid } = await agent.mintWITSVID({ id, publicKey, ttl: 60, signingAlgorithm: "ES256" });
  t.equal((svid?.expiresAt ?? 0) - (svid?.issuedAt ?? 0), 60);
  t.equal(parseWitSvidInsecurely(svid?.token ?? "").id.toString(), "spiffe://north.test/tool");
  const rows = [
    { id: { trustDomain: "south.test", path: "/tool" }, publicKey },
    { id: { trustDomain: "north.test", path: "" }, publicKey },
    { id: { trustDomain: "north.test", path: "/spire/server" }, publicKey },
    { id, publicKey: new Uint8Array() },
    { id, publicKey, ttl: -1 },
    { id, publicKey, signingAlgorithm: "RS256" },
  ];
  for (const row of rows) await t.rejects(agent.mintWITSVID(row), { code: 3 }, JSON.stringify(row));
});

t.test("without the flag both calls are not supported", async (t) => {
  const { agent } = await serve(t);
  const expected = { code: 12, reason: "NOT_SUPPORTED", message: /issues no WIT-SVIDs/ };
  await t.rejects(agent.batchNewWITSVID({ params: [param(p256())] }), expected);
  const id = { trustDomain: "north.test", path: "/tool" };
  await t.rejects(agent.mintWITSVID({ id, publicKey: p256() }), expected);
});
