import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import t from "tap";
import { Status } from "../../../pki/errors.ts";
import { importSpki } from "../../../pki/keys.ts";
import { findTokens, type HttpRequest } from "../../../pki/wit/http-request.ts";
import { makeProofToken, verifyProofToken } from "../../../pki/wit/proof-token.ts";
import { proofKey, TestWit } from "../../support/test-wit.ts";

const now = new Date("2030-01-01T00:00:00Z");
const nowSeconds = now.getTime() / 1000;
const audience = "https://ledger.internal/accounts";
const refusal = (reason: string) => ({ reason, code: Status.invalidArgument });
const key = proofKey();
const svid = new TestWit().issue("/db", { now, key });
const confirmation = { key: importSpki(key.spki), alg: key.alg, spki: key.spki };
const hash = (token: string) => createHash("sha256").update(token).digest("base64url");

const request = (...fields: (readonly [string, string])[]): HttpRequest => ({
  method: "GET",
  target: "/accounts?id=1",
  fields,
});
const plain = request();

const make = (of: HttpRequest = plain, more: object = {}, otherNames: readonly string[] = []) =>
  makeProofToken({
    wit: svid.token,
    key,
    audience,
    tokens: findTokens(of, otherNames),
    now,
    ...more,
  });
const verify = async (
  token: string,
  of: HttpRequest = plain,
  more: object = {},
  otherNames: readonly string[] = [],
) =>
  verifyProofToken(token, {
    wit: svid.token,
    confirmation,
    isAudience: (value) => value === audience,
    request: of,
    tokens: findTokens(of, otherNames),
    now,
    ...more,
  });

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const base = { aud: audience, exp: nowSeconds + 60, jti: "j", wth: hash(svid.token) };
function forge(claims: object, header: object = {}, by: KeyObject = key.privateKey): string {
  const input = `${part({ alg: "ES256", typ: "wpt+jwt", ...header })}.${part({ ...base, ...claims })}`;
  const signature = sign("sha256", Buffer.from(input), { key: by, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

t.test("a proof is verified, and read by another library", async (t) => {
  const proof = make();
  const { id, expiresAt } = await verify(proof);
  t.equal(Buffer.from(id, "base64url").length, 16);
  t.equal(expiresAt.getTime(), now.getTime() + 60_000);
  const options = { typ: "wpt+jwt", currentDate: now, audience };
  const { payload, protectedHeader } = await jwtVerify(proof, importSpki(key.spki), options);
  t.strictSame(protectedHeader, { alg: "ES256", typ: "wpt+jwt" });
  t.strictSame(Object.keys(payload), ["aud", "exp", "jti", "wth"]);
  t.equal(payload["wth"], hash(svid.token));
  t.not(make(), proof, "each has an ID of its own");
  const foreign = await new SignJWT({ ...base, aud: [audience] })
    .setProtectedHeader({ alg: "ES256", typ: "wpt+jwt" })
    .sign(key.privateKey);
  await t.resolves(verify(foreign), "made by another library");
});

t.test("every algorithm of the list proves", async (t) => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const ec = (namedCurve: string) => generateKeyPairSync("ec", { namedCurve });
  const rows = [
    ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"].map((alg) => [alg, rsa] as const),
    ["ES384", ec("P-384")],
    ["ES512", ec("P-521")],
  ] as const;
  for (const [alg, pair] of rows) {
    const other = proofKey(pair, alg);
    const proof = make(plain, { key: other });
    const expected = { key: pair.publicKey, alg, spki: other.spki };
    await t.resolves(verify(proof, plain, { confirmation: expected }), alg);
    await t.resolves(jwtVerify(proof, pair.publicKey, { currentDate: now }), alg);
  }
  const ps = make(plain, { key: proofKey(rsa, "PS256") });
  const rs = { key: rsa.publicKey, alg: "RS256", spki: proofKey(rsa).spki };
  await t.rejects(verify(ps, plain, { confirmation: rs }), refusal("WIT_PROOF_ALGORITHM"));
  t.throws(() => make(plain, { key: { ...key, alg: "ES384" } }), TypeError);
});

t.test("each token beside the WIT-SVID is bound", async (t) => {
  const access = request(["Authorization", "Bearer abc"]);
  const dpop = request(["authorization", "DPoP abc"]);
  const transaction = request(["Txn-Token", "xyz"]);
  const basic = request(["Authorization", "Basic dTpw"]);
  const user = request(["X-User-Token", " u "]);
  const rows = [
    ["an access token", access, { ath: hash("abc") }],
    ["a DPoP token", dpop, { ath: hash("abc") }],
    ["a transaction token", transaction, { tth: hash("xyz") }],
    ["other credentials", basic, { oth: { authorization: hash("Basic dTpw") } }],
    ["another token", user, { oth: { "x-user-token": hash("u") } }],
  ] as const;
  const names = ["x-user-token"];
  for (const [name, of, claims] of rows) {
    const proof = make(of, {}, names);
    const [, payload = ""] = proof.split(".");
    t.match(JSON.parse(Buffer.from(payload, "base64url").toString()), claims, name);
    await t.resolves(verify(proof, of, {}, names), name);
    const unbound = refusal("WIT_PROOF_BINDING");
    await t.rejects(verify(make(), of, {}, names), unbound, `${name}, not bound`);
    await t.rejects(verify(proof, plain, {}, names), unbound, `${name}, taken away`);
    const [field] = of.fields;
    const other = request([field?.[0] ?? "", `${field?.[1].trim()}x`]);
    await t.rejects(verify(proof, other, {}, names), unbound, `${name}, exchanged`);
    const twice = { ...of, fields: [...of.fields, ...of.fields] };
    await t.rejects(verify(proof, twice, {}, names), unbound, `${name}, twice`);
  }
  // By default what names a field of the request is understood, what names none is not.
  await t.resolves(verify(forge({ oth: { "x-user-token": hash("u") } }), user));
  for (const oth of [
    { "x-none": hash("") },
    { "X-User-Token": hash("u") },
    { "x-user-token": 1 },
  ]) {
    await t.rejects(verify(forge({ oth }), user), refusal("WIT_PROOF_BINDING"));
  }
  await t.rejects(verify(forge({ oth: [] }), user), refusal("WIT_PROOF_CLAIMS"));
});

t.test("proofs that are wrong in one way are refused for it", async (t) => {
  await t.resolves(verify(forge({})));
  await t.resolves(verify(forge({ more: 1 }, { more: 1 })), "unknown claims are ignored");
  const stranger = proofKey().privateKey;
  const [head, , signature] = make().split(".");
  const rows: readonly (readonly [string, string, string])[] = [
    ["free text", "proof", "WIT_PROOF_MALFORMED"],
    ["two in one field", `${make()}, ${make()}`, "WIT_PROOF_MALFORMED"],
    ["a WIT-SVID", svid.token, "WIT_PROOF_MALFORMED"],
    ["typ JWT", forge({}, { typ: "JWT" }), "WIT_PROOF_MALFORMED"],
    ["no typ", forge({}, { typ: undefined }), "WIT_PROOF_MALFORMED"],
    ["crit", forge({}, { crit: ["x"] }), "WIT_PROOF_MALFORMED"],
    ["none", forge({}, { alg: "none" }), "WIT_PROOF_ALGORITHM"],
    ["HS256", forge({}, { alg: "HS256" }), "WIT_PROOF_ALGORITHM"],
    ["another key", forge({}, {}, stranger), "WIT_PROOF_UNTRUSTED"],
    [
      "another payload",
      `${head}.${part({ ...base, jti: "k" })}.${signature}`,
      "WIT_PROOF_UNTRUSTED",
    ],
    ["no exp", forge({ exp: undefined }), "WIT_PROOF_CLAIMS"],
    ["exp as text", forge({ exp: "9" }), "WIT_PROOF_CLAIMS"],
    ["expired", forge({ exp: nowSeconds - 10 }), "WIT_PROOF_EXPIRED"],
    ["an hour to live", forge({ exp: nowSeconds + 3600 }), "WIT_PROOF_CLAIMS"],
    ["nbf in an hour", forge({ nbf: nowSeconds + 3600 }), "WIT_PROOF_NOT_YET_VALID"],
    ["no jti", forge({ jti: undefined }), "WIT_PROOF_CLAIMS"],
    ["an empty jti", forge({ jti: "" }), "WIT_PROOF_CLAIMS"],
    ["a long jti", forge({ jti: "j".repeat(257) }), "WIT_PROOF_CLAIMS"],
    ["no aud", forge({ aud: undefined }), "WIT_PROOF_CLAIMS"],
    ["two audiences", forge({ aud: [audience, "b"] }), "WIT_PROOF_CLAIMS"],
    ["another path", forge({ aud: `${audience}/1` }), "WIT_PROOF_AUDIENCE"],
    ["with the query", forge({ aud: `${audience}?id=1` }), "WIT_PROOF_AUDIENCE"],
    ["no wth", forge({ wth: undefined }), "WIT_PROOF_BINDING"],
    ["another WIT-SVID", forge({ wth: hash("x") }), "WIT_PROOF_BINDING"],
  ];
  for (const [name, proof, reason] of rows) await t.rejects(verify(proof), refusal(reason), name);
  await t.resolves(verify(forge({ exp: nowSeconds - 9 })), "clocks differ");
  await t.resolves(verify(forge({ exp: nowSeconds + 310 })));
  const max = { maxLifetimeSeconds: 30, leewaySeconds: 0 };
  await t.rejects(verify(forge({}), plain, max), refusal("WIT_PROOF_CLAIMS"));
});
