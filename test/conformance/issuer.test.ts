// The rows that bind the issuer as a whole: its authorities, its bundle, and lifetimes, on a CA over a
// real store. What one document looks like is in the files of the standards beside this one.
import t from "tap";
import { formatBundle } from "../../pki/bundle/format.ts";
import { parseBundle } from "../../pki/bundle/parse.ts";
import { parseJwtSvidInsecurely } from "../../pki/jwt/svid.ts";
import { generateP256KeyPair } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { parseCertificate } from "../../pki/x509/certificate.ts";
import { createCsr } from "../../pki/x509/csr.ts";
import { validateX509Svid } from "../../pki/x509/svid.ts";
import { north, startTestCa, type TestCa } from "../support/test-ca.ts";

const workload = SpiffeId.of(north, "/db");

const order = (spiffeId = workload.toString(), ttlSeconds = 0) => ({
  csr: createCsr(generateP256KeyPair()),
  spiffeId,
  dnsNames: [],
  ttlSeconds,
});

const jwtOrder = (audience: string[], ttlSeconds = 0) => ({
  spiffeId: workload,
  audience,
  ttlSeconds,
});

const anchors = (ca: TestCa) =>
  ca.authorities.bundle().x509Authorities.map(({ der }) => parseCertificate(der));

/** Prepares and activates a new authority; answers the ID of the one that was active. */
async function rotate(ca: TestCa, kind: "x509" | "jwt"): Promise<string> {
  const old = ca.authorities.slots(kind).active?.authorityId ?? "";
  const { authorityId } = await ca.authorities.prepare(kind);
  await ca.authorities.activate(kind, authorityId, { forced: true });
  return old;
}

t.test(
  "ID-26, ID-27 the signing authority carries an SVID of its own: the trust domain's ID, without a path",
  async (t) => {
    const ca = await startTestCa(t);
    t.strictSame(ca.authorities.x509().certificate.uris, ["spiffe://north.test"]);
    await rotate(ca, "x509");
    t.strictSame(
      ca.authorities.x509().certificate.uris,
      ["spiffe://north.test"],
      "the next one too",
    );
  },
);

t.test("ID-31, JWT-08 the issuer asserts nothing of another trust domain", async (t) => {
  const ca = await startTestCa(t);
  t.ok(await ca.issuer.issueX509(order()));
  await t.rejects(ca.issuer.issueX509(order("spiffe://south.test/x")), {
    reason: "SVID_TRUST_DOMAIN_FOREIGN",
    code: 3,
  });
  const spiffeId = SpiffeId.parse("spiffe://south.test/x");
  await t.rejects(ca.issuer.issueJwt({ ...jwtOrder(["a"]), spiffeId }), {
    reason: "SVID_TRUST_DOMAIN_FOREIGN",
    code: 3,
  });
  const { token } = await ca.issuer.issueJwt(jwtOrder(["a"]));
  t.equal(parseJwtSvidInsecurely(token).id.toString(), "spiffe://north.test/db");
});

t.test("X509-06 no SVID is issued for an ID without a path", async (t) => {
  const ca = await startTestCa(t);
  t.ok(await ca.issuer.issueX509(order()));
  await t.rejects(ca.issuer.issueX509(order("spiffe://north.test")), {
    reason: "SVID_PATH_MISSING",
    code: 3,
  });
});

t.test("X509-42 an SVID does not outlive its authority: a TTL past it is cut", async (t) => {
  const ca = await startTestCa(t);
  const end = ca.authorities.x509().certificate.notAfter;
  t.strictSame(
    (await ca.issuer.issueX509(order(undefined, 3600))).notAfter.toISOString(),
    "2030-01-01T01:00:00.000Z",
  );
  t.strictSame((await ca.issuer.issueX509(order(undefined, 30 * 86_400))).notAfter, end);
});

t.test("JWT-05 every token names its key, and the bundle holds it under that name", async (t) => {
  const ca = await startTestCa(t);
  const { keyId } = parseJwtSvidInsecurely((await ca.issuer.issueJwt(jwtOrder(["a"]))).token);
  t.strictSame(
    ca.authorities.bundle().jwtAuthorities.map((one) => one.keyId),
    [keyId],
  );
  await rotate(ca, "jwt");
  const next = parseJwtSvidInsecurely((await ca.issuer.issueJwt(jwtOrder(["a"]))).token);
  t.not(next.keyId, keyId, "another key, another name");
});

t.test("JWT-10 no token is issued without an audience", async (t) => {
  const ca = await startTestCa(t);
  for (const audience of [[], [""], ["a", ""]]) {
    await t.rejects(ca.issuer.issueJwt(jwtOrder(audience)), {
      reason: "JWT_SVID_AUDIENCE",
      code: 3,
    });
  }
  t.ok(await ca.issuer.issueJwt(jwtOrder(["a", "b"])));
});

t.test("JWT-16 a token lives minutes by default, and does not outlive its key", async (t) => {
  const ca = await startTestCa(t);
  const short = await ca.issuer.issueJwt(jwtOrder(["a"]));
  t.equal(short.expiresAt.getTime() - short.issuedAt.getTime(), 300_000);
  const long = await ca.issuer.issueJwt(jwtOrder(["a"], 30 * 86_400));
  t.strictSame(long.expiresAt, ca.authorities.jwt().expiresAt);
});

t.test("BND-03, BND-06 the bundle says its sequence number and refresh hint", async (t) => {
  const ca = await startTestCa(t);
  const document = JSON.parse(formatBundle(ca.authorities.bundle()));
  t.type(document.spiffe_sequence, "number");
  t.equal(document.spiffe_refresh_hint, 300);
});

t.test(
  "BND-04 the sequence number grows with each change of content, and over a restart",
  async (t) => {
    const ca = await startTestCa(t);
    const seen: bigint[] = [ca.authorities.bundle().sequence];
    ca.authorities.onBundle(({ sequence }) => seen.push(sequence));
    const old = await rotate(ca, "x509");
    await rotate(ca, "jwt");
    await ca.authorities.taint("x509", old);
    await ca.authorities.revoke("x509", old);
    t.equal(seen.length, 5, "an activation changes no content");
    for (const [i, sequence] of seen.entries()) t.ok(i === 0 || sequence > (seen[i - 1] ?? 0n));
    await ca.stop();
    const again = await startTestCa(t, { folder: ca.folder, keys: ca.keys, clock: ca.clock });
    t.equal(again.authorities.bundle().sequence, seen.at(-1), "same content, same number");
    await again.authorities.prepare("jwt");
    t.ok(again.authorities.bundle().sequence > (seen.at(-1) ?? 0n));
  },
);

t.test("BND-19 a revoked authority leaves the bundle, and what it signed is void", async (t) => {
  const ca = await startTestCa(t);
  const { chain } = await ca.issuer.issueX509(order());
  const old = await rotate(ca, "x509");
  const validate = () => validateX509Svid(chain, () => anchors(ca), ca.clock.now());
  t.doesNotThrow(validate, "an old authority's SVIDs stay valid");
  await ca.authorities.taint("x509", old);
  t.doesNotThrow(validate, "a tainted authority's too");
  await ca.authorities.revoke("x509", old);
  t.throws(validate, { name: "IdentityError", reason: "SVID_UNTRUSTED" });
  const { x509Authorities } = parseBundle(north, formatBundle(ca.authorities.bundle()));
  t.equal(x509Authorities.length, 1, "and the published document has no trace of it");
});

t.test("BND-20 no key serves two authorities", async (t) => {
  const ca = await startTestCa(t);
  await rotate(ca, "x509");
  await rotate(ca, "jwt");
  const keys = (await ca.keys.list()).map(({ spki }) => Buffer.from(spki).toString("hex"));
  t.equal(keys.length, 4);
  t.equal(new Set(keys).size, 4);
});
