// WIT-SVID.md, the rows that bind the issuer: what a CA over a real store puts into WIT-SVIDs. What the
// validators hold against them: wit-svid.test.ts.
import t from "tap";
import { Status } from "../../pki/errors.ts";
import { generateKeyPair, generateP256KeyPair } from "../../pki/keys.ts";
import { SpiffeId } from "../../pki/spiffe-id.ts";
import { issueWitSvid } from "../../pki/wit/issue.ts";
import { validateWitSvid } from "../../pki/wit/svid.ts";
import { startTestCa, type TestCa } from "../support/test-ca.ts";

const db = SpiffeId.parse("spiffe://north.test/db");
const start = (t: Parameters<typeof startTestCa>[0]) =>
  startTestCa(t, { ca: { witKeyType: "ec-p256" } });
const order = (more: object = {}) => ({
  ...{ spiffeId: db, spki: generateP256KeyPair().spki, ttlSeconds: 0 },
  ...more,
});
const refusal = (reason: string) => ({ reason, code: Status.invalidArgument });
const decode = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString());

const validate = (ca: TestCa, token: string, now = ca.clock.now()) =>
  validateWitSvid(token, {
    authoritiesOf: () => ca.authorities.bundle().witAuthorities,
    now,
    leewaySeconds: 0,
  });

async function rotate(ca: TestCa): Promise<void> {
  const { authorityId } = await ca.authorities.prepare("wit");
  await ca.authorities.activate("wit", authorityId, { forced: true });
}

t.test("WIT-02 alg, typ, kid, sub, exp and cnf are all there", async (t) => {
  const ca = await start(t);
  const { token } = await ca.issuer.issueWit(order());
  const header = decode(token, 0);
  const claims = decode(token, 1);
  t.match(header, {
    alg: "ES256",
    typ: "wit+jwt",
    kid: ca.authorities.slots("wit").active?.authorityId,
  });
  t.match(claims, { sub: "spiffe://north.test/db", exp: Number, cnf: { jwk: { alg: "ES256" } } });
  await t.resolves(validate(ca, token));
  const request = {
    ...{ signer: ca.authorities.wit().signer, keyId: "k", ...order() },
    ...{ issuedAt: ca.clock.now(), expiresAt: new Date(ca.clock.now().getTime() + 1000) },
  };
  t.throws(() => issueWitSvid({ ...request, keyId: "" }), TypeError);
  t.throws(
    () => issueWitSvid({ ...request, expiresAt: request.issuedAt }),
    refusal("WIT_SVID_CLAIMS"),
  );
  t.throws(() => issueWitSvid({ ...request, spki: new Uint8Array() }), refusal("KEY_INVALID"));
});

t.test("WIT-05 each signing key has a kid of its own", async (t) => {
  const ca = await start(t);
  const kids = new Set<unknown>();
  for (let i = 0; i < 3; i++) {
    kids.add(decode((await ca.issuer.issueWit(order())).token, 0).kid);
    t.equal(decode((await ca.issuer.issueWit(order())).token, 0).kid, [...kids].at(-1));
    await rotate(ca);
  }
  t.equal(kids.size, 3, "rotation yields a new one");
  const ids = ca.authorities.bundle();
  const all = [...ids.jwtAuthorities, ...ids.witAuthorities].map(({ keyId }) => keyId);
  t.equal(new Set(all).size, all.length);
});

t.test("WIT-08 the header has nothing else", async (t) => {
  const ca = await start(t);
  const more = { jku: "https://x.test", header: { x: 1 }, typ: "JWT", crit: ["x"] };
  for (const given of [order(), order(more)]) {
    const { token } = await ca.issuer.issueWit(given);
    t.strictSame(Object.keys(decode(token, 0)), ["alg", "kid", "typ"]);
    t.equal(decode(token, 0).typ, "wit+jwt");
  }
});

t.test(
  "WIT-10, ID-31 sub is the workload that was asked for, of the own trust domain",
  async (t) => {
    const ca = await start(t);
    const { token } = await ca.issuer.issueWit(order());
    t.equal((await validate(ca, token)).id.toString(), "spiffe://north.test/db");
    for (const [id, reason] of [
      ["spiffe://south.test/db", "SVID_TRUST_DOMAIN_FOREIGN"],
      ["spiffe://north.test", "WIT_SVID_CLAIMS"],
    ] as const) {
      const spiffeId = SpiffeId.parse(id);
      await t.rejects(ca.issuer.issueWit(order({ spiffeId })), refusal(reason), id);
    }
  },
);

t.test(
  "WIT-12, WIT-13, WIT-14 only public keys with an algorithm that fits are bound",
  async (t) => {
    const ca = await start(t);
    for (const [type, alg] of [
      ["ec-p384", "ES384"],
      ["rsa-2048", "RS256"],
    ] as const) {
      const { spki } = await generateKeyPair(type);
      const { cnf } = decode((await ca.issuer.issueWit(order({ spki }))).token, 1);
      t.equal(cnf.jwk.alg, alg);
      for (const secret of ["d", "p", "q", "k"]) t.notOk(secret in cnf.jwk);
    }
    const refused = refusal("WIT_SVID_CONFIRMATION");
    for (const alg of ["HS256", "EdDSA", "none", "ES384"]) {
      await t.rejects(ca.issuer.issueWit(order({ alg })), refused, alg);
    }
  },
);

t.test("WIT-18 nbf lies a little before the moment of issue", async (t) => {
  const ca = await start(t);
  const { token } = await ca.issuer.issueWit(order());
  const at = (seconds: number) => new Date(ca.clock.now().getTime() + seconds * 1000);
  const { nbf, iat } = decode(token, 1);
  t.equal(iat - nbf, 10);
  await t.resolves(validate(ca, token, at(-10)), "on a clock 10 s behind, with no allowance");
  await t.rejects(validate(ca, token, at(-11)), refusal("WIT_SVID_NOT_YET_VALID"));
});

t.test("WIT-21 no jti comes twice", async (t) => {
  const ca = await start(t);
  const jtiOf = async (one: TestCa) => decode((await one.issuer.issueWit(order())).token, 1).jti;
  const first = await jtiOf(ca);
  t.equal(Buffer.from(first, "base64url").length >= 16, true, "128 bits");
  await ca.stop();
  const { folder, keys, clock } = ca;
  const again = await startTestCa(t, { ca: { witKeyType: "ec-p256" }, folder, keys, clock });
  const seen = new Set([first, await jtiOf(again)]);
  t.equal(seen.size, 2, "nothing is counted: a restart repeats nothing");
  const { signer, keyId } = again.authorities.wit();
  const { spki } = order();
  const times = { issuedAt: clock.now(), expiresAt: new Date(clock.now().getTime() + 1000) };
  for (let i = 0; i < 10_000; i++) {
    const token = issueWitSvid({ signer, keyId, spiffeId: db, spki, ...times }) as string;
    seen.add(decode(token, 1).jti);
  }
  t.equal(seen.size, 10_002);
});

t.test("WIT-23, WIT-24 no iss that leads to OpenID discovery, and no aud", async (t) => {
  // Also where JWT-SVIDs have an issuer.
  const options = { ca: { witKeyType: "ec-p256" as const }, jwtIssuer: "https://oidc.north.test" };
  const ca = await startTestCa(t, options);
  const given = order({
    issuer: "https://x.test",
    iss: "https://x.test",
    aud: "x",
    audience: ["x"],
  });
  for (const one of [order(), given]) {
    const claims = decode((await ca.issuer.issueWit(one)).token, 1);
    t.strictSame(Object.keys(claims), ["sub", "exp", "iat", "nbf", "jti", "cnf"]);
  }
});

t.test("WIT-34 a key belongs to one identity", async (t) => {
  const ca = await start(t);
  const web = SpiffeId.parse("spiffe://north.test/web");
  const { spki } = order();
  const [first, second] = await ca.issuer.issueWitBatch([
    order({ spki }),
    order({ spki, spiffeId: web }),
  ]);
  t.ok(first && "token" in first);
  t.ok(second instanceof Error);
  const [one, two] = await ca.issuer.issueWitBatch([order(), order({ spiffeId: web })]);
  t.ok(one && two && "token" in one && "token" in two, "each with its own");
});
