// WIT authorities: the third kind, which is made only while the operator wants it.
import t from "tap";
import { generateP256KeyPair } from "../../../pki/keys.ts";
import { SpiffeId } from "../../../pki/spiffe-id.ts";
import { parseWitSvidInsecurely } from "../../../pki/wit/svid.ts";
import { startTestCa, type TestCa } from "../../support/test-ca.ts";

const HOUR = 3_600_000;
const WIT = { ca: { witKeyType: "ec-p256" } } as const;
const db = SpiffeId.parse("spiffe://north.test/db");

const order = () => ({ spiffeId: db, spki: generateP256KeyPair().spki, ttlSeconds: 0 });
const keyIds = (ca: TestCa) => ca.authorities.bundle().witAuthorities.map(({ keyId }) => keyId);
const active = (ca: TestCa) => ca.authorities.slots("wit").active?.authorityId;

t.test("none is made unless the operator wants it", async (t) => {
  const ca = await startTestCa(t);
  t.equal(ca.authorities.makes("wit"), false);
  t.strictSame([keyIds(ca), active(ca)], [[], undefined]);
  const refused = { reason: "NOT_SUPPORTED", code: 12, hint: /wit-svid/ };
  t.throws(() => ca.authorities.wit(), refused);
  await t.rejects(ca.issuer.issueWit(order()), refused);
  await ca.rotation.check();
  t.strictSame(keyIds(ca), []);
});

t.test("turned on for a store that is there, the first one signs at once", async (t) => {
  const before = await startTestCa(t);
  const others = [before.authorities.x509().certificate.der, before.authorities.jwt().keyId];
  await before.stop();
  const { folder, keys, clock } = before;
  const ca = await startTestCa(t, { ...WIT, folder, keys, clock });
  t.strictSame([ca.authorities.x509().certificate.der, ca.authorities.jwt().keyId], others);
  t.strictSame(keyIds(ca), [active(ca)]);
  const { token, jti, issuedAt, expiresAt } = await ca.issuer.issueWit(order());
  const wit = parseWitSvidInsecurely(token);
  t.equal(wit.keyId, active(ca));
  t.equal(wit.claims["jti"], jti);
  t.equal(expiresAt.getTime() - issuedAt.getTime(), HOUR);
  await ca.stop();

  const again = await startTestCa(t, { ...WIT, folder, keys, clock });
  t.equal(active(again), wit.keyId, "and the same one after a restart");
});

t.test("turned off, what is published stays until it has expired, then its key goes", async (t) => {
  const on = await startTestCa(t, WIT);
  const published = keyIds(on);
  await on.authorities.prepare("wit");
  await on.stop();
  const { folder, keys, clock } = on;
  const off = await startTestCa(t, { folder, keys, clock });
  t.equal(keyIds(off).length, 2, "SVIDs that were issued still verify");
  t.match(keyIds(off), published);
  await t.rejects(off.issuer.issueWit(order()), { code: 12, reason: "NOT_SUPPORTED" });
  clock.step(23 * HOUR);
  await off.rotation.check();
  t.equal(keyIds(off).length, 2);
  const before = (await keys.list()).length;
  clock.step(26 * HOUR);
  await off.rotation.check();
  await off.rotation.check();
  t.strictSame(keyIds(off), []);
  const left = (await keys.list()).map(({ keyId }) => keyId);
  t.ok(before > 0 && left.every((keyId) => !keyId.startsWith("ca-wit-")), "no key is left");
  await off.stop();
  const again = await startTestCa(t, { ...WIT, folder, keys, clock });
  t.equal(keyIds(again).length, 1);
  t.notOk(published.includes(keyIds(again)[0] ?? ""), "a new one, with a new key ID");
});

t.test("rotates by lifetime, and signs with the next one once agents know it", async (t) => {
  const ca = await startTestCa(t, WIT);
  const first = active(ca);
  ca.agents.connect(ca.authorities.bundle().sequence);
  ca.clock.step(21 * HOUR);
  await ca.rotation.check();
  await ca.rotation.check();
  const prepared = ca.authorities.slots("wit").prepared;
  t.ok(prepared);
  t.equal(active(ca), first, "not acknowledged");
  t.strictSame(keyIds(ca), [first, prepared?.authorityId]);
  ca.agents.acknowledge(ca.authorities.bundle().sequence);
  await new Promise((resolve) => setImmediate(resolve));
  await ca.rotation.check();
  t.equal(active(ca), prepared?.authorityId);
  t.equal(parseWitSvidInsecurely((await ca.issuer.issueWit(order())).token).keyId, active(ca));
});

t.test(
  "a lifetime ends with the authority, and no key is bound to two IDs of a batch",
  async (t) => {
    const ca = await startTestCa(t, WIT);
    const long = await ca.issuer.issueWit({ ...order(), ttlSeconds: 30 * 24 * 3600 });
    t.ok(long.expiresAt <= ca.authorities.wit().expiresAt);
    const shared = order();
    const web = SpiffeId.parse("spiffe://north.test/web");
    const foreign = SpiffeId.parse("spiffe://south.test/web");
    const results = await ca.issuer.issueWitBatch([
      shared,
      { ...shared, spiffeId: web },
      shared,
      { ...order(), spiffeId: foreign },
      { ...order(), spki: new Uint8Array(91) },
      { ...order(), alg: "RS256" },
      order(),
    ]);
    t.strictSame(
      results.map((one) => ("token" in one ? "issued" : one.reason)),
      [
        "issued",
        "SVID_REQUEST_INVALID",
        "issued",
        "SVID_TRUST_DOMAIN_FOREIGN",
        "KEY_INVALID",
        "WIT_SVID_CONFIRMATION",
        "issued",
      ],
    );
  },
);
