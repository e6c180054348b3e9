// DPoP proofs: made by us and by jose, each for one request, and refused for another one.
import { createHash } from "node:crypto";
import { SignJWT } from "jose";
import t from "tap";
import { spkiToJwk } from "../../../pki/bundle/jwk.ts";
import { generateKeyPair, generateP256KeyPair } from "../../../pki/keys.ts";
import { type DpopExpectation, issueDpopProof, verifyDpopProof } from "../../../pki/token/dpop.ts";
import { jwkThumbprint } from "../../../pki/token/thumbprint.ts";

const now = new Date("2026-06-01T12:00:00Z");
const later = (seconds: number) => new Date(now.getTime() + seconds * 1000);
const pair = generateP256KeyPair();
const key = { privateKey: pair.privateKey, alg: "ES256", spki: pair.spki };
const jwk = spkiToJwk(pair.spki);
const url = "https://mcp.north.test/tickets";
const accessToken = "a.b.c";
const ath = createHash("sha256").update(accessToken).digest("base64url");

const verify = async (proof: string | Promise<string>, changes: Partial<DpopExpectation> = {}) =>
  verifyDpopProof(await proof, { method: "POST", url, accessToken, now, ...changes });

const forge = (claims: object, header: object = {}): Promise<string> =>
  new SignJWT({
    jti: "p1",
    htm: "POST",
    htu: url,
    iat: now.getTime() / 1000,
    ath,
    ...claims,
  } as Record<string, unknown>)
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk, ...header })
    .sign(pair.privateKey);

t.test("proves a request, with and without an access token", async (t) => {
  const target = { method: "POST", url: `${url}?q=1#f`, now };
  const proof = await verify(issueDpopProof({ key, ...target, accessToken }));
  t.equal(proof.jkt, jwkThumbprint(pair.spki));
  t.same(proof.issuedAt, now);
  t.ok(proof.until > later(60));
  t.equal((await verify(forge({}))).jti, "p1", "made by jose");
  t.ok(await verifyDpopProof(issueDpopProof({ key, ...target }), target));
  const rsa = await generateKeyPair("rsa-2048");
  const other = { privateKey: rsa.privateKey, alg: "PS256", spki: rsa.spki };
  t.ok(await verify(issueDpopProof({ key: other, ...target, accessToken }), { url: `${url}?r=2` }));
});

t.test("refuses each proof with one thing wrong", async (t) => {
  const other = generateP256KeyPair();
  const rows: [string, () => unknown, string][] = [
    ["another method", () => verify(forge({}), { method: "GET" }), "BINDING"],
    ["another path", () => verify(forge({}), { url: `${url}/x` }), "BINDING"],
    ["another host", () => verify(forge({ htu: "https://mcp.south.test/tickets" })), "BINDING"],
    ["plain HTTP", () => verify(forge({ htu: url.replace("https", "http") })), "BINDING"],
    ["no URL", () => verify(forge({ htu: "tickets" })), "BINDING"],
    ["no URL on both sides", () => verify(forge({ htu: "x" }), { url: "x" }), "BINDING"],
    ["another token", () => verify(forge({}), { accessToken: "a.b.d" }), "BINDING"],
    ["no token", () => verify(forge({ ath: undefined })), "BINDING"],
    ["a token where there is none", () => verify(forge({}), { accessToken: undefined }), "BINDING"],
    ["another key", () => verify(forge({}), { jkt: jwkThumbprint(other.spki) }), "BINDING"],
    ["old", () => verify(forge({}), { now: later(70) }), "EXPIRED"],
    ["made before what is remembered", () => verify(forge({}), { notBefore: later(1) }), "EXPIRED"],
    ["from the future", () => verify(forge({}), { now: later(-11) }), "NOT_YET_VALID"],
    ["no date", () => verify(forge({ iat: undefined })), "CLAIMS"],
    ["no jti", () => verify(forge({ jti: undefined })), "CLAIMS"],
    ["a long jti", () => verify(forge({ jti: "x".repeat(257) })), "CLAIMS"],
    ["no key", () => verify(forge({}, { jwk: undefined })), "MALFORMED"],
    ["a private key", () => verify(forge({}, { jwk: { ...jwk, d: "AAAA" } })), "MALFORMED"],
    ["a secret", () => verify(forge({}, { jwk: { kty: "oct", k: "AAAA" } })), "MALFORMED"],
    ["half a key", () => verify(forge({}, { jwk: { ...jwk, y: undefined } })), "MALFORMED"],
    [
      "a point off the curve",
      () => verify(forge({}, { jwk: { ...jwk, y: jwk.kty === "EC" ? jwk.x : "" } })),
      "MALFORMED",
    ],
    ["somebody else's key", () => verify(forge({}, { jwk: spkiToJwk(other.spki) })), "UNTRUSTED"],
    ["too long", () => verify(forge({ jti: "x".repeat(9000) })), "MALFORMED"],
  ];
  for (const [name, run, reason] of rows) {
    await t.rejects(async () => run(), { reason: `DPOP_PROOF_${reason}`, code: 16 }, name);
  }
  await t.rejects(verify(forge({}, { typ: "JWT" })), { reason: "TOKEN_KIND_WRONG", code: 16 });
  const secret = await new SignJWT({})
    .setProtectedHeader({ alg: "HS256", typ: "dpop+jwt", jwk: jwk as never })
    .sign(pair.spki);
  await t.rejects(verify(secret), { reason: "DPOP_PROOF_ALGORITHM", code: 16 });
});
