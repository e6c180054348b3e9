import { createHmac, ECDH, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { compactVerify, createLocalJWKSet, jwtVerify } from "jose";
import t from "tap";
import { emptyBundle, type WitAuthority } from "../../../pki/bundle/bundle.ts";
import { formatWitJwks } from "../../../pki/bundle/format.ts";
import { Status } from "../../../pki/errors.ts";
import {
  exportSpki,
  generateKeyPair,
  generateP256KeyPair,
  KEY_TYPES,
  signerOf,
} from "../../../pki/keys.ts";
import { SpiffeId, TrustDomain } from "../../../pki/spiffe-id.ts";
import { issueWitSvid, type WitSvidRequest } from "../../../pki/wit/issue.ts";
import { parseWitSvidInsecurely, validateWitSvid } from "../../../pki/wit/svid.ts";

const now = new Date("2030-01-01T00:00:00Z");
const nowSeconds = now.getTime() / 1000;
const north = TrustDomain.parse("north.test");
const signer = signerOf("k1", generateP256KeyPair());
const workload = generateP256KeyPair();
const spiffeId = SpiffeId.of(north, "/db");
const refusal = (reason: string) => ({ reason, code: Status.invalidArgument });
const authority: WitAuthority = {
  keyId: "k1",
  spki: signer.spki,
  expiresAt: undefined,
  tainted: false,
};

function issue(change: Partial<WitSvidRequest> = {}): string {
  return issueWitSvid({
    signer,
    keyId: "k1",
    spiffeId,
    spki: workload.spki,
    issuedAt: now,
    expiresAt: new Date(now.getTime() + 300_000),
    ...change,
  }) as string;
}

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
const decode = (token: string, index: number) =>
  JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString());
const header = decode(issue(), 0);
const claims = decode(issue(), 1);
const { jwk } = claims.cnf;

function forge(head: object, body: object): string {
  const input = `${part({ ...header, ...head })}.${part({ ...claims, ...body })}`;
  const key = { key: signer.privateKey as KeyObject, dsaEncoding: "ieee-p1363" } as const;
  return `${input}.${sign("sha256", Buffer.from(input), key).toString("base64url")}`;
}

const validate = (token: string, more: Partial<Parameters<typeof validateWitSvid>[1]> = {}) =>
  validateWitSvid(token, { authoritiesOf: () => [authority], now, ...more });

t.test("a token says who holds which key, until when", async (t) => {
  const svid = await validate(issue());
  t.equal(svid.id.toString(), "spiffe://north.test/db");
  t.equal(svid.keyId, "k1");
  t.equal(svid.confirmation.alg, "ES256");
  t.ok(svid.confirmation.key.equals(workload.publicKey));
  t.same(Buffer.from(svid.confirmation.spki), Buffer.from(workload.spki));
  t.equal(svid.expiresAt.getTime(), now.getTime() + 300_000);
  t.equal(svid.issuedAt?.getTime(), now.getTime());
  t.strictSame(Object.keys(header), ["alg", "kid", "typ"]);
  t.strictSame(Object.keys(claims), ["sub", "exp", "iat", "nbf", "jti", "cnf"]);
  t.strictSame(Object.keys(jwk).sort(), ["alg", "crv", "kty", "x", "y"]);
});

t.test("more claims stand beside those of a WIT-SVID, never in their place", async (t) => {
  const status = { status_list: { idx: 1, uri: "https://id.north.test/status/x" } };
  const more = { status, sub: "spiffe://north.test/admin", exp: 9e9, nbf: 0, cnf: { jwk: {} } };
  const token = issue({ claims: more });
  t.strictSame({ ...decode(token, 1), jti: "" }, { ...claims, status, jti: "" });
  t.ok((await validate(token)).id.equals(spiffeId));
  t.throws(
    () => issue({ claims: { aud: "https://ledger.internal" } }),
    refusal("WIT_SVID_CLAIMS"),
    "what would make it no WIT-SVID leaves nobody",
  );
});

t.test("another library reads it by the bundle of the Workload API", async (t) => {
  const bundle = { ...emptyBundle(north), witAuthorities: [authority] };
  const { keys } = JSON.parse(formatWitJwks(bundle));
  // jose takes `use: wit-svid` for a use that is not signing, as it should.
  await t.rejects(jwtVerify(issue(), createLocalJWKSet({ keys })));
  const plain = keys.map(({ use: _, ...key }: { use: string }) => key);
  const options = { typ: "wit+jwt", currentDate: now, requiredClaims: ["sub", "exp", "cnf"] };
  const { payload } = await jwtVerify(issue(), createLocalJWKSet({ keys: plain }), options);
  t.equal(payload.sub, "spiffe://north.test/db");
});

t.test("every kind of key signs and is bound", async (t) => {
  const algs = { "ec-p256": "ES256", "ec-p384": "ES384", "rsa-2048": "RS256", "rsa-4096": "RS256" };
  for (const type of KEY_TYPES) {
    const pair = await generateKeyPair(type);
    const ca = signerOf("k1", pair);
    const token = await issueWitSvid({
      ...{ signer: ca, keyId: "k1", spiffeId, spki: pair.spki, issuedAt: now },
      expiresAt: new Date(now.getTime() + 1000),
    });
    const authoritiesOf = () => [{ ...authority, spki: ca.spki }];
    const { confirmation } = await validate(token, { authoritiesOf });
    t.equal(confirmation.alg, algs[type], type);
    t.ok(confirmation.key.equals(pair.publicKey));
    await t.resolves(compactVerify(token, pair.publicKey));
  }
  const p521 = exportSpki(generateKeyPairSync("ec", { namedCurve: "P-521" }).publicKey);
  t.equal(parseWitSvidInsecurely(issue({ spki: p521 })).confirmation.alg, "ES512");
  const rsa = (await generateKeyPair("rsa-2048")).spki;
  t.equal(parseWitSvidInsecurely(issue({ spki: rsa, alg: "PS384" })).confirmation.alg, "PS384");
});

t.test("a key in another encoding is bound as the key it is, or not at all", async (t) => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const point = ECDH.convertKey(
    publicKey.export({ format: "der", type: "spki" }).subarray(26),
    "prime256v1",
  );
  const compressed = ECDH.convertKey(
    point as Buffer,
    "prime256v1",
    undefined,
    undefined,
    "compressed",
  );
  const spki = Buffer.concat([
    Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex"),
    compressed as Buffer,
  ]);
  t.throws(() => issue({ spki }), refusal("WIT_SVID_CONFIRMATION"));
});

t.test("nothing is issued that validators would refuse", async (t) => {
  const ed25519 = exportSpki(generateKeyPairSync("ed25519").publicKey);
  const rows: readonly (readonly [string, Partial<WitSvidRequest>, string])[] = [
    ["no path", { spiffeId: SpiffeId.parse("spiffe://north.test") }, "WIT_SVID_CLAIMS"],
    ["no life", { expiresAt: now }, "WIT_SVID_CLAIMS"],
    ["no moment", { expiresAt: new Date(Number.NaN) }, "WIT_SVID_CLAIMS"],
    ["a key that proves nothing", { spki: ed25519 }, "WIT_SVID_CONFIRMATION"],
    ["another key's algorithm", { alg: "RS256" }, "WIT_SVID_CONFIRMATION"],
    ["no algorithm of the list", { alg: "HS256" }, "WIT_SVID_CONFIRMATION"],
    ["no key", { spki: Uint8Array.of(1) }, "KEY_INVALID"],
  ];
  for (const [name, change, reason] of rows) t.throws(() => issue(change), refusal(reason), name);
  t.throws(() => issue({ keyId: "" }), TypeError);
});

t.test("tokens that are wrong in one way are refused for it", async (t) => {
  const [head, payload, signature] = issue().split(".") as [string, string, string];
  const other = generateP256KeyPair();
  const hmac = createHmac("sha256", signer.spki).update(`${head}.${payload}`).digest("base64url");
  const oct = { kty: "oct", k: "AAAA", alg: "ES256" };
  const rsa1024 = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const weak = { ...rsa1024.publicKey.export({ format: "jwk" }), alg: "RS256" };
  const rows: readonly (readonly [string, string, string])[] = [
    ["no text", 1 as unknown as string, "WIT_SVID_MALFORMED"],
    ["too long", "a".repeat(65_537), "WIT_SVID_MALFORMED"],
    ["two parts", `${head}.${payload}`, "WIT_SVID_MALFORMED"],
    ["no signature", `${head}.${payload}.`, "WIT_SVID_MALFORMED"],
    ["padding", `${head}.${payload}.${signature}=`, "WIT_SVID_MALFORMED"],
    [
      "a name twice",
      `${Buffer.from('{"alg":"ES256","alg":"ES256"}').toString("base64url")}.${payload}.${signature}`,
      "WIT_SVID_MALFORMED",
    ],
    ["HS256", `${part({ ...header, alg: "HS256" })}.${payload}.${hmac}`, "WIT_SVID_ALGORITHM"],
    ["crit", forge({ crit: ["x"], x: 1 }, {}), "WIT_SVID_MALFORMED"],
    ["typ JWT", forge({ typ: "JWT" }, {}), "WIT_SVID_MALFORMED"],
    ["no kid", forge({ kid: undefined }, {}), "WIT_SVID_MALFORMED"],
    ["ES384 with a P-256 key", forge({ alg: "ES384" }, {}), "WIT_SVID_ALGORITHM"],
    ["no sub", forge({}, { sub: undefined }), "WIT_SVID_CLAIMS"],
    ["no exp", forge({}, { exp: undefined }), "WIT_SVID_CLAIMS"],
    ["exp as text", forge({}, { exp: "9999999999" }), "WIT_SVID_CLAIMS"],
    ["aud", forge({}, { aud: "x" }), "WIT_SVID_CLAIMS"],
    ["aud null", forge({}, { aud: null }), "WIT_SVID_CLAIMS"],
    ["no cnf", forge({}, { cnf: undefined }), "WIT_SVID_CONFIRMATION"],
    ["cnf jku beside", forge({}, { cnf: { jwk, jku: "x" } }), "WIT_SVID_CONFIRMATION"],
    ["cnf oct", forge({}, { cnf: { jwk: oct } }), "WIT_SVID_CONFIRMATION"],
    ["cnf private", forge({}, { cnf: { jwk: { ...jwk, d: "AAAA" } } }), "WIT_SVID_CONFIRMATION"],
    [
      "cnf off the curve",
      forge({}, { cnf: { jwk: { ...jwk, y: jwk.x } } }),
      "WIT_SVID_CONFIRMATION",
    ],
    [
      "cnf of a wrong alg",
      forge({}, { cnf: { jwk: { ...jwk, alg: "ES384" } } }),
      "WIT_SVID_CONFIRMATION",
    ],
    ["cnf weak RSA", forge({}, { cnf: { jwk: weak } }), "WIT_SVID_CONFIRMATION"],
    [
      "a flipped payload",
      `${head}.${part({ ...claims, sub: "spiffe://north.test/x" })}.${signature}`,
      "WIT_SVID_UNTRUSTED",
    ],
    ["an unknown key", forge({ kid: "K1" }, {}), "WIT_SVID_UNTRUSTED"],
    ["expired", forge({}, { exp: nowSeconds - 60 }), "WIT_SVID_EXPIRED"],
    ["not yet valid", forge({}, { nbf: nowSeconds + 61 }), "WIT_SVID_NOT_YET_VALID"],
  ];
  for (const [name, token, reason] of rows) await t.rejects(validate(token), refusal(reason), name);
  const rejects = (authorities: readonly WitAuthority[] | undefined) =>
    t.rejects(
      validate(issue(), { authoritiesOf: () => authorities }),
      refusal("WIT_SVID_UNTRUSTED"),
    );
  await rejects(undefined);
  await rejects([]);
  await rejects([{ ...authority, spki: other.spki }]);
  await rejects([authority, { ...authority, spki: other.spki }]);
});

t.test("clocks may differ a little, tokens may live as long as is allowed", async (t) => {
  await t.resolves(validate(forge({}, { exp: nowSeconds - 59 })));
  await t.resolves(validate(forge({}, { exp: nowSeconds - 119 }), { leewaySeconds: 120 }));
  await t.rejects(validate(issue(), { leewaySeconds: 121 }), TypeError);
  await t.rejects(validate(issue(), { leewaySeconds: -1 }), TypeError);
  await t.resolves(validate(issue(), { maxLifetimeSeconds: 310 }));
  await t.rejects(validate(issue(), { maxLifetimeSeconds: 309 }), refusal("WIT_SVID_CLAIMS"));
  const endless = forge({}, { exp: nowSeconds + 10 ** 9, nbf: undefined });
  await t.resolves(validate(endless));
  await t.rejects(validate(endless, { maxLifetimeSeconds: 3600 }), refusal("WIT_SVID_CLAIMS"));
});
