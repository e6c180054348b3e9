// The JWT-SVIDs that a running server and node agent hand out, read by a JOSE library with the keys that the
// Workload API hands out, and what the server refuses or warns of.
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from "jose";
import t from "tap";
import { SvidService } from "../../proto/schema.gen.ts";
import { parseConfig } from "../../runtime/config.ts";
import { createLogger } from "../../runtime/log.ts";
import { serverConfigSchema } from "../../server/config.ts";
import { TestServer } from "../support/running-server.ts";
import { first } from "../support/test-agent.ts";
import { eventually, TestTrustDomain } from "../support/trust-domain.ts";

const domain = new TestTrustDomain(t, {
  server: {
    jwt_audience_policy: { refuse_trust_domain_wide: true, refuse: ["production"] },
  },
});
await domain.start();
await domain.createEntry({ path: "/db" });
const client = domain.workload();
const request = (audience: string[]) => client.fetchJWTSVID({ audience });
const token = await eventually(async () => (await request(["ledger"])).svids[0]?.svid ?? "");
const { bundles } = await first(client.fetchJWTBundles({}));
const jwks = JSON.parse(Buffer.from(bundles["spiffe://north.test"] ?? []).toString());
const { payload } = await jwtVerify(token, createLocalJWKSet(jwks));

t.test("JWT-02, JWT-03, JWT-05 the header is alg, kid and typ, and nothing else", async (t) => {
  const header = decodeProtectedHeader(token);
  t.strictSame(Object.keys(header).sort(), ["alg", "kid", "typ"]);
  t.match(header, { alg: "ES256", typ: "JWT", kid: jwks.keys[0].kid });
  for (const type of ["ed25519", "EdDSA", "HS256", "hmac", "ec-p521", "secp256k1", "rsa-1024"]) {
    const config = `trust_domain: x.test\ndata_dir: /tmp/x\nca: { jwt_key_type: ${type} }\n`;
    t.throws(
      () => parseConfig(config, serverConfigSchema),
      { reason: "CONFIG_INVALID", message: /jwt_key_type/ },
      type,
    );
  }
});

t.test("JWT-08, JWT-14, JWT-16, JWT-17, ID-33 the claims are the required ones", async (t) => {
  t.strictSame(Object.keys(payload).sort(), ["aud", "exp", "iat", "sub"]);
  t.match(payload, { sub: "spiffe://north.test/db", aud: ["ledger"] });
  const { exp = 0, iat = 0 } = payload;
  t.ok(Number.isInteger(exp) && Number.isInteger(iat));
  t.equal(exp - iat, 300, "minutes");
  t.ok(iat <= Date.now() / 1000, "not issued in the future");
});

t.test("JWT-10, WL-32 no audience, no token", async (t) => {
  for (const audience of [[], [""], ["ledger", ""]])
    await t.rejects(request(audience), { code: 3, reason: "JWT_SVID_AUDIENCE" });
  t.equal((await request(["x"])).svids.length, 1);
});

t.test("JWT-12 several audiences leave a warning in the server's log, one does not", async (t) => {
  const lines: { level: string; msg: string; for?: string }[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  const log = createLogger({ level: "info", destination: { write } });
  const server = await TestServer.start({ log });
  t.teardown(() => server.stop());
  const warnings = () => lines.filter(({ msg }) => /more than one audience/.test(msg));
  const id = { trustDomain: "north.test", path: "/tool" };
  const mint = (audience: string[]) =>
    server.admin.client(SvidService).mintJWTSVID({ id, audience });
  await mint(["ledger"]);
  t.strictSame(warnings(), []);
  await mint(["ledger", "payroll"]);
  t.match(warnings(), [{ level: "warn", for: "spiffe://north.test/tool" }]);
});

t.test("JWT-13 the operator can refuse audiences that are too wide", async (t) => {
  const wide = ["spiffe://north.test", "spiffe://north.test/", "north.test", "production"];
  for (const audience of wide) {
    for (const asked of [[audience], ["ledger", audience]]) {
      await t.rejects(request(asked), { code: 3, reason: "SVID_REQUEST_INVALID" }, `${asked}`);
    }
  }
  t.equal((await request(["spiffe://north.test/ledger"])).svids.length, 1);
});

t.test(
  "JWT-27, JWT-28, WL-39 the JWT bundle has a key for each authority, by its ID",
  async (t) => {
    const kids = jwks.keys.map(({ kid }: { kid: string }) => kid);
    t.equal(kids.length, 1);
    const { preparedAuthority } = await domain.authorities.prepareJWTAuthority({});
    const after = await eventually(async () => {
      const answer = await first(client.fetchJWTBundles({}));
      const text = Buffer.from(answer.bundles["spiffe://north.test"] ?? []).toString();
      const keys: Record<string, unknown>[] = JSON.parse(text).keys;
      if (keys.length < 2) throw new Error("not yet");
      return keys;
    });
    t.strictSame(
      after.map(({ kid }) => kid).sort(),
      [...kids, preparedAuthority?.authorityId].sort(),
    );
    for (const key of after) t.strictSame(Object.keys(key).sort(), ["crv", "kid", "kty", "x", "y"]);
  },
);
