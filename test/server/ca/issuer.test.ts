// Issuing with the authorities of a CA: lifetimes and their cap, batches over threads, admission.
import t from "tap";
import { IdentityError } from "../../../pki/errors.ts";
import { validateJwtSvid } from "../../../pki/jwt/svid.ts";
import { generateKeyPair, generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { parseCertificate } from "../../../pki/x509/certificate.ts";
import { createCsr } from "../../../pki/x509/csr.ts";
import { validateX509Svid } from "../../../pki/x509/svid.ts";
import type { X509SvidOrder } from "../../../server/ca/issuer.ts";
import { north, startTestCa, type TestCa } from "../../support/test-ca.ts";

const workload = SpiffeId.of(north, "/db");

const order = (change: Partial<X509SvidOrder> = {}): X509SvidOrder => ({
  csr: createCsr(generateP256KeyPair()),
  spiffeId: workload.toString(),
  dnsNames: [],
  ttlSeconds: 0,
  ...change,
});

const anchorsOf = (ca: TestCa) => () =>
  ca.authorities.bundle().x509Authorities.map(({ der }) => parseCertificate(der));

t.test("issues an X509-SVID that verifies against the bundle, backdated by 10 s", async (t) => {
  const ca = await startTestCa(t);
  const pair = generateP256KeyPair();
  const csr = createCsr(pair, { uris: ["spiffe://north.test/other"], dnsNames: ["evil.test"] });
  const { chain, notAfter } = await ca.issuer.issueX509(order({ csr, dnsNames: ["db.test"] }));
  const { id, leaf } = validateX509Svid(chain, anchorsOf(ca), ca.clock.now());
  t.equal(id.toString(), "spiffe://north.test/db");
  t.strictSame(leaf.dnsNames, ["db.test"], "names come from the entry, not from the request");
  t.strictSame(leaf.spki, pair.spki);
  t.equal(leaf.notBefore.toISOString(), "2029-12-31T23:59:50.000Z");
  t.equal(notAfter.toISOString(), "2030-01-01T01:00:00.000Z", "an hour by default");
  t.strictSame(leaf.notAfter, notAfter);
});

t.test("X509-42 caps the end of an X509-SVID at the end of its authority", async (t) => {
  const ca = await startTestCa(t);
  await ca.clock.advance(23.5 * 3_600_000);
  const { notAfter } = await ca.issuer.issueX509(order());
  t.strictSame(notAfter, ca.authorities.x509().certificate.notAfter);
  const { leaf } = await ca.issuer.issueForKey({
    spki: generateP256KeyPair().spki,
    spiffeId: workload,
    ttlSeconds: 1e6,
  });
  t.strictSame(leaf.notAfter, ca.authorities.x509().certificate.notAfter);
});

t.test("JWT-16 caps the end of a JWT-SVID at the end of its key", async (t) => {
  const ca = await startTestCa(t);
  const jwt = { spiffeId: workload, audience: ["ledger"], ttlSeconds: 0 };
  const { issuedAt, expiresAt } = await ca.issuer.issueJwt(jwt);
  t.equal(expiresAt.getTime() - issuedAt.getTime(), 300_000, "five minutes by default");
  const long = await ca.issuer.issueJwt({ ...jwt, ttlSeconds: 1e6 });
  t.strictSame(long.expiresAt, ca.authorities.jwt().expiresAt);
});

t.test("issues a JWT-SVID that verifies against the bundle", async (t) => {
  const ca = await startTestCa(t, { jwtIssuer: "https://north.test" });
  const { token } = await ca.issuer.issueJwt({
    spiffeId: workload,
    audience: ["ledger", "mail"],
    ttlSeconds: 60,
    includeJti: true,
  });
  const svid = await validateJwtSvid(token, {
    audience: ["mail"],
    authoritiesOf: () => ca.authorities.bundle().jwtAuthorities,
    now: ca.clock.now(),
  });
  t.equal(svid.id.toString(), "spiffe://north.test/db");
  t.equal(svid.keyId, ca.authorities.slots("jwt").active?.authorityId);
  t.equal(svid.claims["iss"], "https://north.test");
  t.type(svid.claims["jti"], "string");
  t.equal(svid.expiresAt.toISOString(), "2030-01-01T00:01:00.000Z");
});

t.test("leaves out iss and jti unless asked for", async (t) => {
  const ca = await startTestCa(t);
  const { token } = await ca.issuer.issueJwt({
    spiffeId: workload,
    audience: ["a"],
    ttlSeconds: 0,
  });
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  t.strictSame(Object.keys(claims).sort(), ["aud", "exp", "iat", "sub"]);
});

t.test("signs with the new authority as soon as it is active", async (t) => {
  const ca = await startTestCa(t, { threads: 1 });
  const { authorityId } = await ca.authorities.prepare("x509");
  const issuedBy = async () => {
    const orders = Array.from({ length: 30 }, () => order());
    const issuers = (await ca.issuer.issueX509Batch(orders)).map((issued) => {
      if (issued instanceof IdentityError) throw issued;
      const { authorityKeyId = new Uint8Array() } = parseCertificate(
        issued.chain[0] ?? new Uint8Array(),
      );
      return Buffer.from(authorityKeyId).toString("hex");
    });
    return [...new Set(issuers)];
  };
  t.strictSame(await issuedBy(), [ca.authorities.slots("x509").active?.authorityId]);
  await ca.authorities.activate("x509", authorityId, { forced: true });
  t.strictSame(await issuedBy(), [authorityId]);
});

const sizes = [0, 1, 7, 8, 9, 50, 200];
for (const [name, threads, keyType] of [
  ["on the main thread", 0, "ec-p256"],
  ["with a thread", 1, "ec-p256"],
  ["with three threads", 3, "ec-p256"],
  ["with an authority that signs asynchronously", 1, "ec-p384"],
] as const) {
  t.test(`answers batches in order, each item by itself, ${name}`, async (t) => {
    const ca = await startTestCa(t, { threads, ca: { keyType } });
    for (const size of sizes) {
      const orders = Array.from({ length: size }, (_, i) => {
        if (i % 7 === 3) return order({ csr: new Uint8Array([0x30, 0x00]) });
        if (i % 7 === 5) return order({ spiffeId: "spiffe://south.test/x" });
        return order({ spiffeId: `spiffe://north.test/w${i}`, ttlSeconds: 60 + i });
      });
      const issued = await ca.issuer.issueX509Batch(orders);
      t.equal(issued.length, size);
      for (const [i, outcome] of issued.entries()) {
        if (i % 7 === 3) t.match(outcome, { reason: "CSR_INVALID", code: 3 });
        else if (i % 7 === 5) t.match(outcome, { reason: "SVID_TRUST_DOMAIN_FOREIGN" });
        else if (outcome instanceof IdentityError) t.fail(outcome.message);
        else {
          const { id, leaf } = validateX509Svid(outcome.chain, anchorsOf(ca), ca.clock.now());
          t.equal(id.path, `/w${i}`);
          t.equal(leaf.notAfter.getTime() - ca.clock.now().getTime(), (60 + i) * 1000);
        }
      }
    }
    t.equal(ca.issuer.pending, 0);
  });
}

t.test("certifies RSA and P-384 keys in batches too", async (t) => {
  const ca = await startTestCa(t, { threads: 1 });
  const pairs = [await generateKeyPair("rsa-2048"), await generateKeyPair("ec-p384")];
  const orders = Array.from({ length: 12 }, (_, i) => {
    const pair = pairs[i % 2];
    return order(pair ? { csr: createCsr(pair) } : {});
  });
  for (const [i, outcome] of (await ca.issuer.issueX509Batch(orders)).entries()) {
    if (outcome instanceof IdentityError) throw outcome;
    const { leaf } = validateX509Svid(outcome.chain, anchorsOf(ca), ca.clock.now());
    t.strictSame(leaf.spki, pairs[i % 2]?.spki);
  }
});

t.test(
  "turns work away beyond its queue, and takes it again when the queue is shorter",
  async (t) => {
    const ca = await startTestCa(t, { maxPending: 60 });
    const batch = (size: number) => Array.from({ length: size }, () => order());
    const first = ca.issuer.issueX509Batch(batch(50));
    await t.rejects(ca.issuer.issueX509Batch(batch(11)), { reason: "ISSUER_OVERLOADED", code: 8 });
    t.equal((await ca.issuer.issueX509Batch(batch(5))).length, 5);
    await first;
    t.equal((await ca.issuer.issueX509Batch(batch(100))).length, 100, "never when it is idle");
  },
);

t.test("loses no order when it is stopped in the middle", async (t) => {
  const ca = await startTestCa(t, { threads: 1 });
  const orders = Array.from({ length: 100 }, () => order());
  const issuing = ca.issuer.issueX509Batch(orders);
  await ca.issuer.stop();
  const issued = await issuing;
  t.equal(issued.filter((one) => !(one instanceof IdentityError)).length, 100);
  t.equal((await ca.issuer.issueX509Batch(orders)).length, 100);
});
