// The keys of the token issuer: rotated by the code of the CA, public before they sign and for as long as what
// they signed lives, and in no bundle ever.
import t from "tap";
import { parseJwks } from "../../../pki/token/jwks.ts";
import { OAuthKeys } from "../../../server/oauth/keys.ts";
import { startTestCa } from "../../support/test-ca.ts";

const OAUTH = {
  ca: { oauthKeyType: "ec-p256", ttlSeconds: 6 * 3600 },
  isPolled: () => true,
} as const;

t.test("are public before they sign, and until what they signed has expired", async (t) => {
  const ca = await startTestCa(t, { ...OAUTH, ca: { ...OAUTH.ca } });
  const keys = new OAuthKeys({ authorities: ca.authorities, maxAgeSeconds: 300 });
  const ids = () => parseJwks(keys.document().body).map(({ keyId }) => keyId);
  const first = keys.active().keyId;
  t.same(ids(), [first]);
  t.equal(keys.document(), keys.document(), "made once");
  const bundleBefore = ca.authorities.bundle();
  const prepared = await ca.authorities.prepare("oauth");
  t.equal(ca.authorities.bundle(), bundleBefore, "the bundle knows nothing of it");
  t.same(ids(), [first, prepared.authorityId]);
  t.equal(keys.active().keyId, first);
  const activation = { forced: false };
  await t.rejects(ca.authorities.activate("oauth", prepared.authorityId, activation), {
    reason: "AUTHORITY_NOT_READY",
    code: 14,
  });
  await ca.clock.advance(3 * 300_000);
  await ca.authorities.activate("oauth", prepared.authorityId, activation);
  t.equal(keys.active().keyId, prepared.authorityId);
  t.same(new Set(ids()), new Set([first, prepared.authorityId]), "the old one verifies on");
  await ca.clock.advance(6 * 3600_000 + 6 * 3600_000);
  await ca.rotation.check();
  t.notOk(ids().includes(first), "until all it signed has long expired");
  const spkis = ca.authorities.bundle().jwtAuthorities.map(({ keyId }) => keyId);
  t.notOk(ids().some((id) => spkis.includes(id)));
});

t.test("rotate by themselves, and outlive a restart", async (t) => {
  const ca = await startTestCa(t, { ...OAUTH, ca: { ...OAUTH.ca } });
  const keys = new OAuthKeys({ authorities: ca.authorities, maxAgeSeconds: 300 });
  const first = keys.active().keyId;
  for (let hour = 0; hour < 6; hour++) {
    await ca.clock.advance(3600_000);
    await ca.rotation.check();
  }
  const second = keys.active().keyId;
  t.not(second, first);
  const { folder, keys: held, clock } = ca;
  await ca.stop();
  const again = await startTestCa(t, { ...OAUTH, ca: { ...OAUTH.ca }, folder, keys: held, clock });
  t.equal(
    new OAuthKeys({ authorities: again.authorities, maxAgeSeconds: 300 }).active().keyId,
    second,
  );
});

t.test("are not there unless they are configured", async (t) => {
  const ca = await startTestCa(t);
  const keys = new OAuthKeys({ authorities: ca.authorities, maxAgeSeconds: 300 });
  t.throws(() => keys.active(), { reason: "OAUTH_NOT_CONFIGURED", code: 9 });
  t.same(parseJwks(keys.document().body), []);
});
